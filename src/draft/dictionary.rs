//! The words that tell what a column or a table is about, in English, French, German, Spanish and Danish.
//!
//! Folded as `words` folds them. A phrase (`first name`, `date of birth`) is listed without blanks, so that it is also
//! found where a database wrote it in one piece. Both spellings of an umlaut are listed where people use both.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::personal::Reason;

/// What a word says about a table, or about the column or name it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Group {
    /// People, and those who deal with us.
    Person,
    /// Things that have a name of their own.
    Thing,
    /// Places that have a name of their own.
    Place,
    /// Lists of choices, even if they are choices about people (`user_roles`).
    Choice,
    /// A name; whose, depends.
    Name,
    /// Text that describes what the table is about.
    Describing,
    /// Says that a text is a code, a state or a measure.
    Safe,
    /// The same, but not in a table about people.
    SafeElsewhere,
    /// Says something about an item, not what it is: `email_verified`.
    Aspect,
    /// Measures a person, if the table is about people.
    Measure,
    /// Says where something is sent, so the rest is part of an address: `ship_state`.
    Sending,
    /// Has a name that is no person's.
    Named,
    /// Says nothing about a table.
    Noise,
    /// Says nothing by itself, but is part of compounds.
    Plain,
}

const GROUPS: [(Group, &str); 14] = [
    (
        Group::Person,
        "customer cust client user person people employee emp staff contact member patient student pupil teacher \
         doctor physician nurse driver passenger guest visitor subscriber candidate applicant lead prospect agent actor \
         artist author composer director singer writer editor player coach owner manager supervisor sender recipient \
         receiver addressee buyer seller vendor supplier donor tenant landlord resident citizen voter participant \
         attendee speaker spouse child children parent father mother wife husband partner sibling beneficiary insured \
         holder payer payee debtor creditor assignee reporter requester caller operator administrator moderator \
         profile account identity consumer household address technician consultant contractor worker personnel \
         representative rep salesperson shopper human individual relative guardian witness victim lawyer officer \
         kunde kunden mitarbeiter benutzer nutzer anwender personen patienten schuler schueler lehrer arzt aerzte \
         fahrer gast gaeste mitglied mitglieder teilnehmer bewerber ansprechpartner kontakt kontakte lieferant \
         lieferanten absender empfaenger empfanger autor autoren vertreter sachbearbeiter bearbeiter inhaber halter \
         mieter vermieter angestellte eltern vater mutter verkaufer kaeufer besteller melder betreuer \
         utilisateur employe salarie personne membre eleve etudiant enseignant medecin conducteur chauffeur invite \
         visiteur abonne candidat fournisseur expediteur destinataire auteur proprietaire locataire adherent \
         beneficiaire conjoint enfant pere mere titulaire assure acheteur vendeur interlocuteur adresse \
         cliente usuario empleado persona miembro alumno estudiante profesor medico conductor invitado visitante \
         suscriptor candidato contacto proveedor remitente destinatario propietario inquilino paciente socio hijo padre \
         madre trabajador titular beneficiario vendedor comprador responsable direccion \
         kunder bruger brugere medarbejder medarbejdere ansat ansatte medlem medlemmer elev laerer laege chauffor gaest \
         gaester besogende abonnent leverandor leverandorer afsender modtager forfatter ejer lejer borger borgere \
         foraelder barn saelger kober sagsbehandler deltager \
         usr photographer translator illustrator designer developer inventor creator reviewer approver inspector \
         responsible purchaser guardian regisseur darsteller kuenstler kunstler saenger sanger schauspieler komponist \
         fotograf verfasser herausgeber uebersetzer ubersetzer zustaendig zustandig verantwortlich einkaeufer einkaufer \
         realisateur interprete acteur chanteur compositeur photographe traducteur redacteur gestionnaire compositor \
         cantante fotografo traductor creador encargado gestor revisor skuespiller oversaetter ansvarlig instruktor",
    ),
    (
        Group::Thing,
        "product item article language currency genre album track playlist media film movie song book permission \
         department brand model color colour size unit warehouse inventory stock part component material tag setting \
         config configuration option parameter feature plan package service tariff price pricelist discount channel \
         queue template theme menu page machine asset equipment tool building course lesson game ingredient recipe dish \
         food drink plant species shape font icon migration version module app application endpoint code calendar \
         holiday sku variant attribute property collection catalog catalogue shelf lot batch carrier format \
         produkt produkte artikel sprache sprachen waehrung wahrung abteilung abteilungen marke marken modell modelle \
         farbe farben einheit einheiten lager warengruppe teil teile bauteil ware waren vorlage einstellung tarif buch \
         buecher bucher \
         produit langue devise departement marque modele couleur unite entrepot piece materiel livre parametre \
         producto articulo idioma moneda departamento marca modelo unidad unidades almacen pieza libro pelicula \
         parametro tarifa \
         produkter vare varer sprog valuta afdeling afdelinger maerke maerker farve farver enhed enheder bog \
         indstilling takst",
    ),
    (
        Group::Place,
        "city country region state province county district continent territory airport station municipality \
         stadt staedte stadte land laender lander bundesland kreis kontinent flughafen ville pays aeroport gare \
         ciudad ciudades pais paises provincia comunidad aeropuerto estacion municipio commune by byer lande kommune \
         lufthavn",
    ),
    (
        Group::Choice,
        "type status role group category level priority class segment typ typen art gruppe gruppen rolle rollen \
         kategorie kategorien statut groupe categorie tipo estado rol grupo categoria kategori kategorier grupper \
         roller mediatype",
    ),
    (Group::Name, "name nm nom noms nombre nombres navn navne"),
    (
        Group::Describing,
        "title label description desc descr caption tagline synopsis titel bezeichnung beschreibung titre libelle \
         designation titulo etiqueta descripcion denominacion betegnelse beskrivelse",
    ),
    (
        Group::Safe,
        "id uuid guid status type kind category code currency amount price cost count quantity qty sku ean isbn upc gtin \
         barcode version language lang locale timezone tz unit colour color size format mime level priority flag mode \
         source channel medium method result outcome severity stage phase step action operation module model brand \
         rating slug plan tier package product item sequence group role queue symbol iso rate percent percentage \
         package checksum frequency interval cadence duration direction gateway provider protocol encoding environment \
         typ art kategorie waehrung wahrung betrag preis menge anzahl sprache einheit farbe groesse grosse stufe \
         prioritaet prioritat marke modell quelle kanal ergebnis rolle gruppe produkt artikel \
         statut etat categorie devise montant prix quantite langue unite couleur taille niveau priorite marque modele \
         canal methode resultat produit groupe \
         estado tipo categoria codigo moneda importe precio cantidad idioma unidad talla nivel prioridad marca modelo \
         metodo resultado producto rol grupo \
         kode kategori valuta belob beloeb pris maengde antal sprog enhed farve storrelse stoerrelse prioritet maerke \
         kilde resultat vare",
    ),
    (
        Group::SafeElsewhere,
        "at date time datum dato fecha day month year state url uri link href label tag genre number num no nr nummer numero reference ref extension \
         campaign event team release season series department term topic",
    ),
    (
        Group::Aspect,
        "type kind status state verified confirmed valid validated count total format category required enabled \
         version typ tipo statut estado anzahl antal",
    ),
    (
        Group::Measure,
        "height weight credit balance score point gewicht koerpergroesse guthaben saldo kredit poids solde points peso \
         altura credito vaegt hoejde hojde kredit",
    ),
    (
        Group::Sending,
        "ship shipping bill billing delivery mailing home private residential liefer rechnung liefern livraison \
         facturation envio facturacion entrega levering fakturering hjem",
    ),
    (
        Group::Named,
        "file host server domain table column schema database event project campaign task report field repo branch \
         country region station",
    ),
    (
        Group::Noise,
        "tbl tab table view vw dim fact stg staging raw tmp temp lookup list all info information master data stamm \
         stammdaten base main current archive archiv history historique historico hist old backup copy export dbo \
         detail tabla tabelle liste lista",
    ),
    (
        Group::Plain,
        "date datum dato fecha day time year month of at to on the for last first full is has in per from order \
         invoice payment rental request reply work office business server file host domain table column schema \
         database event project campaign task report field hash create created creation insert inserted add added \
         update updated change changed modify modified register registered upload download website web site home page \
         score value default start end begin open close total net gross discount freight required shipped \
         nummer nombre numero company organisation organization shop store branch via units reorder repo branch",
    ),
];

const PERSONAL: [(Reason, &str); 17] = [
    (
        Reason::Name,
        "firstname lastname fullname surname forename givenname familyname middlename maidenname fname lname mname \
         initial contactperson vorname nachname zuname familienname geburtsname rufname prenom nomfamille nomdefamille \
         nomcomplet patronyme apellido apellidos fornavn efternavn mellemnavn kontaktperson signatory unterzeichner \
         namefirst namelast",
    ),
    (Reason::Mail, "mail email courriel correo correoelectronico mel epost emailaddress"),
    (
        Reason::Phone,
        "phone tel telephone telefon telefono mobile mobil cell cellphone fax telefax handy portable movil celular gsm \
         msisdn phonenumber rufnummer durchwahl festnetz tlf mobilnummer pager",
    ),
    (
        Reason::Address,
        "address addr adresse adr direccion domicilio domicile anschrift street strasse str rue calle vej gade house \
         housenumber hausnummer hausnr husnr zip zipcode postcode postalcode postal plz postleitzahl codepostal \
         codigopostal cp postnr postnummer city town ville ciudad stadt ort wohnort suburb neighborhood neighbourhood \
         barrio quartier apartment apt pobox postfach residence wohnhaft bopael bopel locality localidad commune \
         municipio kommune poblacion avenue",
    ),
    (
        Reason::Birth,
        "birth birthday birthdate dob nac fnac fechanac nais datenais datnais born age geburt geburtstag gebdat gebdatum geb jahrgang naissance \
         ddn nacimiento nacido edad fodsel foedsel fodselsdag fodt foedt alder deceased death dateofbirth",
    ),
    (
        Reason::Trait,
        "gender sex geschlecht sexe sexo kon koen nationality nationalitaet nationalitat nationalite nacionalidad \
         nationalitet citizenship staatsangehorigkeit staatsangehoerigkeit marital maritalstatus familienstand \
         situationfamiliale estadocivil civilstand civilite anrede salutation courtesy honorific pronoun occupation \
         profession beruf metier profesion oficio stilling erhverv jobtitle education tratamiento",
    ),
    (
        Reason::Special,
        "health medical diagnosis diagnose diagnostic disease illness allergy allergies medication treatment therapy \
         blood bloodtype disability disabled handicap pregnant pregnancy religion religious confession faith belief \
         ethnicity ethnic race politic political tradeunion sexual criminal conviction genetic biometric \
         smoker bmi krank krankheit allergie behinderung konfession gesundheit gewerkschaft schwanger sante maladie \
         grossesse syndicat salud enfermedad alergia discapacidad embarazo raza etnia sindicato sygdom helbred \
         graviditet fagforening fagforbund",
    ),
    (
        Reason::Official,
        "nationalid personalid taxid taxnumber taxno ssn nin nino nhs sin cpf pesel bsn curp insee nir nif dni nie siret \
         siren cpr cvr svnr nss aadhaar passport passeport pasaporte reisepass ausweis personalausweis fuehrerschein \
         fuhrerschein drivinglicence drivinglicense driverlicense driverslicense driverlicence permisconduire \
         steuernummer steuernr steuerid ustid vatid vatnumber vatno socialsecurity socialinsurance insurancenumber \
         licenseplate licenceplate kennzeichen immatriculation matricula nummerplade personnummer personalnummer \
         personalnr matricule employeenumber sozialversicherung sozialversicherungsnummer securitesociale secu \
         seguridadsocial nationalnumber idcard identitycard idnumber identification",
    ),
    (
        Reason::Bank,
        "iban bic swift creditcard card cc cvv cvc pan bankaccount bank accountnumber accountno kontonummer konto \
         kontonr blz bankleitzahl sortcode routingnumber rib carte tarjeta cuenta compte bankkonto kortnummer kort \
         mandate sepa paypal wallet bitcoin",
    ),
    (
        Reason::Income,
        "salary wage income gehalt lohn einkommen salaire revenu remuneration paie sueldo salario nomina ingreso \
         ingresos loen indkomst payroll bonus creditlimit creditscore debt schufa bonitat bonitaet pension",
    ),
    (
        Reason::Secret,
        "password passwd pwd pass passphrase passcode pw secret token apikey key privatekey hash salt otp pin pincode \
         totp mfa credential kennwort passwort motdepasse motpasse mdp clave contrasena adgangskode kodeord auth bearer \
         jwt securityanswer securityquestion certificate pem cle schluessel schlussel recovery",
    ),
    (
        Reason::Login,
        "username uname login loginname logon handle nickname nick screenname alias benutzername benutzerkennung kennung \
         identifiant pseudo pseudonym brugernavn displayname twitter facebook instagram linkedin skype telegram whatsapp \
         snapchat tiktok github xing mastodon wechat",
    ),
    (
        Reason::Online,
        "ip ipaddr ipaddress ipv remoteaddr useragent ua browser fingerprint device deviceid imei imsi mac macaddress \
         idfa gaid advertisingid cookie session visitorid referer referrer gclid fbclid clickid",
    ),
    (
        Reason::Location,
        "lat latitude lng lon longitude long geo gps geolocation location coordinate coordinates coord latlng \
         breitengrad laengengrad langengrad latitud longitud ubicacion emplacement standort",
    ),
    (
        Reason::Image,
        "photo foto avatar portrait selfie headshot signature unterschrift underskrift face voice recording",
    ),
    (Reason::Conduct, "hire hired hiredate lastseen seen signin signup eintritt embauche contratacion ansaettelse"),
    (
        Reason::Text,
        "note comment remark message body content subject memo feedback review complaint transcript chat bio biography \
         biografie notiz notizen bemerkung bemerkungen kommentar kommentare kommentarer anmerkung anmerkungen nachricht \
         mitteilung hinweis beschwerde betreff remarque commentaire observation objet nota notas comentario \
         observacion observaciones mensaje asunto queja opinion bemaerkning bemaerkninger besked notat klage emne",
    ),
];

/// Parts of longer words that can't be cut along known ones, but give themselves away.
const STEMS: [(Reason, &str); 12] = [
    (Reason::Mail, "email courriel"),
    (Reason::Phone, "phone telefon telephon"),
    (Reason::Address, "address adress direccion strasse postal postleit"),
    (Reason::Birth, "birth geburt naissance nacimi fodsel foedsel"),
    (Reason::Name, "vorname nachname firstname lastname surname prenom apellid fornavn efternavn"),
    (Reason::Secret, "passw kennwort contrasen motdepasse adgangskod token secret"),
    (Reason::Income, "gehalt salar einkomm"),
    (Reason::Special, "religi gesundheit health diagnos krank allerg"),
    (Reason::Trait, "gender geschlecht nationalit"),
    (Reason::Location, "latitud longitud geoloc"),
    (Reason::Official, "passport steuer socialsec"),
    (Reason::Text, "kommentar comment bemerk remarq"),
];

/// All words, ready to be looked up.
pub(super) struct Dictionary {
    groups: HashSet<(Group, &'static str)>,
    reasons: HashMap<&'static str, Reason>,
    known: HashSet<&'static str>,
}

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    let groups: HashSet<_> = each(&GROUPS).collect();
    let reasons: HashMap<_, _> = each(&PERSONAL).map(|(reason, word)| (word, reason)).collect();
    let known = groups.iter().map(|(_, word)| *word).chain(reasons.keys().copied()).collect();
    Dictionary { groups, reasons, known }
});

/// The dictionary.
pub(super) fn dictionary() -> &'static Dictionary {
    &DICTIONARY
}

fn each<T: Copy>(lists: &'static [(T, &'static str)]) -> impl Iterator<Item = (T, &'static str)> {
    lists.iter().flat_map(|(kind, words)| words.split_whitespace().map(|word| (*kind, word)))
}

impl Dictionary {
    /// Whether `word` belongs to `group`.
    pub(super) fn is(&self, group: Group, word: &str) -> bool {
        // The set's key lives for ever, so look the word up as one that does.
        self.known.get(word).is_some_and(|word| self.groups.contains(&(group, *word)))
    }

    /// Why a column with this word, or phrase without blanks, is personal.
    pub(super) fn reason(&self, phrase: &str) -> Option<Reason> {
        self.reasons.get(phrase).copied()
    }

    /// What part of an unknown word says.
    pub(super) fn stem(&self, word: &str) -> Option<Reason> {
        if self.known.contains(word) {
            return None;
        }
        each(&STEMS).find(|(_, stem)| word.contains(stem)).map(|(reason, _)| reason)
    }

    /// The word as the dictionary lists it, if it is there or its singular is.
    pub(super) fn singular(&self, word: &str) -> Option<&'static str> {
        let direct = self.known.get(word).or_else(|| self.known.get(word.strip_suffix('s')?));
        let other = || self.known.get(word.strip_suffix("es")?);
        if let Some(known) = direct.or_else(other) {
            return Some(known);
        }
        self.known.get(format!("{}y", word.strip_suffix("ies")?).as_str()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_words_as_identifiers_are_folded() {
        let stems = each(&STEMS).map(|(_, word)| word);
        for word in dictionary().known.iter().copied().chain(stems) {
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn every_personal_word_has_one_reason() {
        let mut seen = HashMap::new();
        for (reason, word) in each(&PERSONAL) {
            assert_eq!(seen.insert(word, reason), None, "{word} is listed twice");
        }
    }
}
