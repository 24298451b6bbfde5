//! Columns of many schemas, and what is said of them.

use super::Reason::*;
use super::*;

/// What is said of a column whose table has no other.
fn is_personal(table: &str, column: &str, sql_type: &str) -> Option<Reason> {
    judge(&Subject::of(table, [(column, sql_type)].into_iter()), column, sql_type, false)
}

fn check(rows: &[(&str, &str, &str, Option<Reason>)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter(|(table, column, sql_type, expected)| is_personal(table, column, sql_type) != *expected)
        .map(|(table, column, sql_type, expected)| {
            let found = is_personal(table, column, sql_type);
            format!("{table}.{column} {sql_type}: {found:?} instead of {expected:?}")
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// `column:reason` pairs, text columns of a table that tells nothing.
fn check_text(reason: Reason, columns: &str) {
    let column = |column| ("things_that_happen", column, "varchar(100)", Some(reason));
    check(&columns.split_whitespace().map(column).collect::<Vec<_>>());
}

#[test]
fn names_of_people() {
    check_text(
        Name,
        "first_name FirstName FIRSTNAME fname f_name lname LastName last_name_1 surname full_name given_name maiden_name \
         name Name contact_name ContactName contactname custName ship_name ShipName vorname Nachname familienname \
         kundenname Ansprechpartner nom prenom prénom nom_client apellido apellidos nombre nombre_cliente fornavn \
         efternavn navn author composer owner manager_name sender recipient created_by approved_by approved_by_name \
         customer Kunde assignee initials holder_name strFirstName supplierName namefirst",
    );
}

#[test]
fn ways_to_reach_them() {
    check_text(
        Mail,
        "email e_mail E-Mail eMail emailaddr emailAddress email2 mail contact_mail courriel correo correo_electronico",
    );
    check_text(
        Phone,
        "phone Phone_Number homephone HomePhone mobile_no cell fax Fax tel tel_nr telno téléphone telefon Telefonnummer \
         teléfono movil portable handy rufnummer tlf msisdn phone_ext",
    );
    check_text(
        Address,
        "address Address1 addr_line_2 BillingAddress shipaddress street straße Strasse hausnr rue calle dirección vej zip \
         zip_code ZipCode postal_code shippostalcode postcode PLZ codepostal code_postal city ShipCity ville ciudad Ort \
         wohnort adresse anschrift domicilio postnr by house_number",
    );
}

#[test]
fn what_they_are() {
    check(&[
        ("t", "birth_date", "date", Some(Birth)),
        ("t", "birthdate", "timestamp without time zone", Some(Birth)),
        ("t", "DOB", "TEXT", Some(Birth)),
        ("t", "d_o_b", "date", Some(Birth)),
        ("t", "year_of_birth", "int", Some(Birth)),
        ("t", "age", "integer", Some(Birth)),
        ("t", "geburtsdatum", "date", Some(Birth)),
        ("t", "Geb_Datum", "date", Some(Birth)),
        ("t", "date_naissance", "date", Some(Birth)),
        ("t", "fecha_nac", "varchar(10)", Some(Birth)),
        ("t", "fecha_nacimiento", "date", Some(Birth)),
        ("t", "fødselsdato", "date", Some(Birth)),
        ("t", "gender", "char(1)", Some(Trait)),
        ("t", "gender", "enum('m','f','x')", Some(Trait)),
        ("t", "sexe", "character(1)", Some(Trait)),
        ("t", "Geschlecht", "smallint", Some(Trait)),
        ("t", "køn", "varchar(1)", Some(Trait)),
        ("t", "is_male_gender", "boolean", Some(Trait)),
        ("t", "marital_status", "varchar(10)", Some(Trait)),
        ("t", "nationality", "char(2)", Some(Trait)),
        ("t", "Anrede", "varchar(10)", Some(Trait)),
        ("Employees", "TitleOfCourtesy", "nvarchar(25)", Some(Trait)),
        ("t", "religion", "varchar(20)", Some(Special)),
        ("t", "konfession", "char(2)", Some(Special)),
        ("t", "is_smoker", "boolean", Some(Special)),
        ("t", "disabled_person", "tinyint(1)", Some(Special)),
        ("t", "blood_type", "varchar(3)", Some(Special)),
        ("t", "diagnosis_code", "varchar(10)", Some(Special)),
        ("t", "krankheitstage", "int(11)", Some(Special)),
        ("t", "enfermedad", "text", Some(Special)),
        ("t", "salary", "numeric(10,2)", Some(Income)),
        ("t", "Gehalt", "decimal(10,2)", Some(Income)),
        ("t", "salaire_brut", "double", Some(Income)),
        ("t", "sueldo", "money", Some(Income)),
        ("Employees", "HireDate", "datetime", Some(Conduct)),
        ("patients", "weight_kg", "numeric(5,1)", Some(Trait)),
        ("parcels", "weight_kg", "numeric(5,1)", None),
        ("diagnoses", "code", "varchar(8)", Some(Special)),
        ("diagnoses", "patient_id", "integer", None),
        ("users", "last_login", "timestamp", Some(Login)),
        ("users", "last_seen_at", "timestamp", Some(Conduct)),
    ]);
}

#[test]
fn numbers_secrets_and_devices() {
    check_text(
        Official,
        "ssn national_id tax_id tax_number nif dni siret cpr CPR_nr nie passport_no passportNumber steuernummer license_plate vat_number",
    );
    check_text(
        Bank,
        "iban IBAN_1 bic credit_card card_number cc_no bank_account account_number kontonummer cuenta carte_bancaire",
    );
    check_text(
        Secret,
        "password Passwort passwd pwd_hash hash api_key apikey token access_token secret salt mot_de_passe contraseña key \
         adgangskode pin otp",
    );
    check_text(
        Login,
        "username user_name login handle nickname screen_name Benutzername identifiant twitter linkedin_url",
    );
    check_text(
        Online,
        "ip ip_address IPAddress ipv4 remote_addr user_agent UserAgent device_id deviceId session_id cookie mac_address imei",
    );
    check_text(Image, "photo avatar_url PhotoPath signature unterschrift");
    check(&[
        ("t", "phone", "bigint", Some(Phone)),
        ("t", "zip", "integer", Some(Address)),
        ("t", "ssn", "bigint", Some(Official)),
        ("t", "national_id", "integer", Some(Official)),
        ("t", "card_expiry", "date", Some(Bank)),
        ("t", "pin", "smallint", Some(Secret)),
        ("t", "reset_token", "uuid", Some(Secret)),
        ("t", "device_id", "uuid", Some(Online)),
        ("t", "whatever", "inet", Some(Online)),
        ("t", "latitude", "double precision", Some(Location)),
        ("t", "Lng", "decimal(9,6)", Some(Location)),
        ("t", "position_gps", "varchar(40)", Some(Location)),
        ("t", "place", "geometry", Some(Location)),
    ]);
}

#[test]
fn text_that_people_write() {
    check_text(
        Text,
        "note Notes comment order_comment remarks Bemerkung message_body body kommentar remarque observaciones nota feedback \
         Nachricht besked subject",
    );
    check(&[
        ("customers", "description", "text", Some(Text)),
        ("tickets", "description", "varchar(200)", Some(Text)),
        ("products", "comment", "text", Some(Text)),
        ("products", "customer_reviews", "text", Some(Text)),
        ("t", "payload", "jsonb", Some(Opaque)),
        ("products", "attributes", "json", Some(Opaque)),
        ("products", "picture", "blob", Some(Opaque)),
        ("t", "xyz", "tsvector", Some(Unclear)),
        ("t", "tags", "text[]", None),
        ("t", "aliases", "text[]", Some(Login)),
        ("t", "halter_1", "text", Some(Name)),
    ]);
}

#[test]
fn text_of_unknown_meaning_is_held_back() {
    check(&[
        ("t", "xyzzy", "text", Some(Unclear)),
        ("t", "xyzzy", "varchar(50)", Some(Unclear)),
        ("t", "xyzzy", "", Some(Unclear)),
        ("t", "姓名", "varchar(20)", Some(Unclear)),
        ("customers", "company_name", "varchar(40)", Some(Name)),
        ("customers", "Region", "varchar(15)", Some(Unclear)),
        ("customers", "state", "varchar(40)", Some(Unclear)),
        ("customers", "website", "varchar(40)", Some(Unclear)),
        ("Invoice", "BillingState", "NVARCHAR(40)", Some(Unclear)),
        ("Orders", "ShipCountry", "nvarchar(15)", Some(Unclear)),
        ("Employee", "Title", "NVARCHAR(30)", Some(Text)),
        ("products", "xyzzy", "text", Some(Unclear)),
        ("products", "xyzzy", "varchar(255)", None),
        ("products", "xyzzy", "varchar(256)", Some(Unclear)),
        ("t", "xyzzy", "char(3)", None),
        ("t", "xyzzy", "enum('a')", None),
    ]);
}

#[test]
fn what_is_plainly_harmless_goes_out() {
    let safe = "id status type order_type code country_code currency amount unit_price price count quantity sku version \
        language locale state url slug product_name category_name file_name CategoryName productname order_number \
        invoice_no customer_id external_id created_at priority email_status phone_type payment_method statut devise \
        Währung estado color rolle kategorie QuantityPerUnit event_name country_name role_name";
    for sql_type in ["varchar(100)", "text", "varchar(2000)"] {
        let row = |column| ("things_that_happen", column, sql_type, None);
        check(&safe.split_whitespace().map(row).collect::<Vec<_>>());
    }
    let numbers = "id customer_id address_id city_id user_id name_id email_count customer_key session_id ReportsTo \
        phone_count order_count version group_id plan_id fk_user status";
    for sql_type in ["integer", "bigint(20)", "numeric(10,2)"] {
        let row = |column| ("customers", column, sql_type, None);
        check(&numbers.split_whitespace().map(row).collect::<Vec<_>>());
    }
    check(&[
        ("customers", "created_at", "timestamp", None),
        ("customers", "created_at", "TEXT", None),
        ("customers", "email_verified_at", "timestamp with time zone", None),
        ("customers", "password_changed", "datetime", None),
        ("customers", "phone_verified", "boolean", None),
        ("customers", "active", "tinyint(1)", None),
        ("customers", "customer_type", "varchar(20)", None),
        ("customers", "currency", "text", None),
        ("customers", "uuid", "uuid", None),
        ("orders", "customer_id", "uuid", None),
        ("t", "opening", "time without time zone", None),
        ("t", "scores", "integer[]", None),
        ("t", "is_invalid", "boolean", None),
        ("t", "suspension_date", "date", None),
        ("t", "pay_status", "integer", None),
        ("t", "interest_rate", "numeric(10,2)", None),
        ("t", "origine", "char(2)", None),
        ("t", "data_traitement", "date", None),
        ("t", "liczba_partii", "integer", None),
    ]);
}

#[test]
fn health_family_and_pay_are_held_back_in_any_table() {
    let special = "hiv_status covid_positive sick_days union_member schwerbehindert blutgruppe enceinte groupe_sanguin \
        embarazada baja_medica gravid patient_status diagnosis_code disability_type pregnancy_count zwanger vakbondslid \
        incinta iscritto_sindacato w_ciazy niepełnosprawny grupa_krwi bloedgroep krankmeldung_datum Schwangerschaft";
    let income = "nettolohn maanedsloen månedsløn salary_type salary_date wage_count pay_grade brutoloon stipendio_lordo \
        wynagrodzenie_brutto Bruttogehaelter loon_code";
    let family = "kinderzahl num_dependents antal_boern aantal_kinderen figli_a_carico liczba_dzieci nb_enfants num_hijos \
        spouse_status children_count elternzeit_bis";
    for (reason, columns) in [(Special, special), (Income, income), (Family, family)] {
        for sql_type in ["varchar(20)", "char(2)", "enum('a','b')", "integer", "boolean", "date", "numeric(10,2)"] {
            let row = |column| ("things_that_happen", column, sql_type, Some(reason));
            check(&columns.split_whitespace().map(row).collect::<Vec<_>>());
        }
    }
    check(&[
        ("visits", "diagnosis_id", "integer", Some(Special)),
        ("visits", "patient_id", "integer", None),
        ("visits", "spouse_id", "integer", None),
        ("salarios", "importe", "numeric(10,2)", Some(Income)),
        ("historia_clinica", "altura", "integer", Some(Special)),
        ("diagnoses", "found_on", "date", Some(Special)),
        ("diagnoses", "created_at", "date", None),
    ]);
}

#[test]
fn in_tables_of_people_details_must_be_known_as_harmless() {
    let details = "amount price total mileage xyzzy hours flag_x first_order last_visit";
    for table in
        ["customers", "Mitarbeiter", "pazienti", "klienci", "medewerkers", "medarbejdere", "empleados", "élèves"]
    {
        for sql_type in
            ["integer", "numeric(10,2)", "boolean", "tinyint(1)", "date", "timestamp", "char(2)", "time", "integer[]"]
        {
            let row = |column| (table, column, sql_type, Some(Detail));
            check(&details.split_whitespace().map(row).collect::<Vec<_>>());
        }
    }
    check(&[
        ("customers", "lupus_status", "varchar(20)", Some(Unclear)),
        ("customers", "status", "varchar(20)", None),
        ("customers", "country", "char(2)", None),
        ("customers", "birth_country", "char(2)", Some(Birth)),
        ("customer_types", "xyzzy", "integer", None),
        ("products", "xyzzy", "integer", None),
    ]);
}

#[test]
fn in_tables_that_refer_to_people_trade_goes_out() {
    let judged = |table: &str, key: &str, column: &str, sql_type: &str| {
        judge(&Subject::of(table, [(key, "integer"), (column, sql_type)].into_iter()), column, sql_type, false)
    };
    for (table, key, column, sql_type, expected) in [
        ("orders", "customer_id", "total_amount", "numeric(10,2)", None),
        ("orders", "customer_id", "shipped_date", "date", None),
        ("orders", "customer_id", "is_paid", "boolean", None),
        ("orders", "customer_id", "xyzzy", "integer", Some(Detail)),
        ("orders", "product_id", "xyzzy", "integer", None),
        ("customer_orders", "id", "total_amount", "numeric(10,2)", None),
        ("Bestellungen", "kunden_nr", "Gesamtbetrag", "numeric(10,2)", None),
        ("absences", "employee_id", "starts_on", "date", Some(Detail)),
        ("absences", "fk_employee", "days", "integer", Some(Detail)),
        ("absences", "employee", "days", "integer", Some(Detail)),
        ("absences", "entered_by", "xyzzy", "integer", None),
        ("absences", "created_by_user_id", "xyzzy", "integer", None),
        ("visits", "patient_id", "starts_on", "date", Some(Detail)),
        ("visits", "patient_id", "lupus_status", "varchar(20)", Some(Unclear)),
        ("visits", "patient_id", "doctor_id", "integer", None),
        ("visits", "patient_id", "created_at", "timestamp", None),
        ("visits", "account_id", "xyzzy", "integer", None),
        ("member_options", "member_id", "xyzzy", "boolean", Some(Detail)),
        ("products", "supplier_id", "xyzzy", "boolean", None),
        ("order_items", "customer_id", "xyzzy", "boolean", None),
        ("lesson_absences", "student_id", "xyzzy", "boolean", Some(Detail)),
        ("lesson_absences", "student_id", "xyzzy", "varchar(20)", Some(Unclear)),
        ("school_visits", "student_id", "name", "varchar(20)", Some(Name)),
        ("roster", "first_name", "hours", "integer", Some(Detail)),
        ("roster", "first_name", "order_count", "integer", None),
    ] {
        assert_eq!(judged(table, key, column, sql_type), expected, "{table}.{column} beside {key}");
    }
}

#[test]
fn who_installs_owns_or_is_called_is_a_person_in_any_table() {
    for table in ["products", "things_that_happen", "customers"] {
        for column in "poc_1_name installer_name owner_name contact_name ContactName name_contact".split_whitespace() {
            check(&[(table, column, "varchar(50)", Some(Name))]);
        }
        check(&[(table, "http_proxy", "varchar(50)", Some(Secret)), (table, "HTTPS_PROXY", "text", Some(Secret))]);
    }
}

#[test]
fn names_of_things_and_places_go_out() {
    for table in
        "products Category tbl_products categories Genre album Track playlists MediaType media_type user_roles roles \
        departments film language produkte Produktkategorie catégories idiomas customer_types Städte order_status"
            .split_whitespace()
    {
        check(&[
            (table, "name", "TEXT", None),
            (table, "title", "varchar(160)", None),
            (table, "description", "text", None),
            (table, "first_name", "text", Some(Name)),
            (table, "owner_name", "text", Some(Name)),
        ]);
    }
    check(&[
        ("city", "city", "varchar(50)", None),
        ("City", "Name", "TEXT", None),
        ("countries", "country", "text", None),
        ("countries", "latitude", "double", None),
        ("airports", "location", "geometry", None),
        ("customer_cities", "city", "text", Some(Address)),
        ("Artist", "Name", "NVARCHAR(120)", Some(Name)),
        ("Track", "Composer", "NVARCHAR(220)", Some(Name)),
        ("Track", "Name", "NVARCHAR(200)", None),
        ("product_buyers", "name", "text", Some(Name)),
        ("assets", "issued_to", "varchar(50)", Some(Name)),
        ("films", "Regisseur", "varchar(50)", Some(Name)),
        ("group_members", "name", "text", Some(Name)),
        ("film_list", "actors", "text", Some(Name)),
        ("customer_list", "zip code", "varchar(10)", Some(Address)),
        ("sales_by_store", "manager", "varchar(91)", Some(Name)),
        ("Region", "RegionDescription", "nchar(50)", None),
    ]);
}

#[test]
fn tables_are_about_their_noun() {
    for (table, topic) in [
        ("customers", Topic::People),
        ("tblCustomers", Topic::People),
        ("dim_customer", Topic::People),
        ("Kundenstamm", Topic::People),
        ("medarbejdere", Topic::People),
        ("user_roles", Topic::Things),
        ("categoria_producto", Topic::Things),
        ("order_items", Topic::Things),
        ("orders", Topic::Other),
        ("Städte", Topic::Places),
        ("pays", Topic::Places),
        ("", Topic::Other),
        ("order\"; --", Topic::Other),
    ] {
        assert_eq!(Topic::of(table), topic, "{table}");
    }
}
