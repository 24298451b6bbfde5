//! The store's part of a new configuration: where it is, how its URL is kept, and the catalogue of what it has.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::answers;
use super::ask::{Asker, Known, Next, Question, tell};
use super::write;
use crate::catalogue::{Catalogue, Source};
use crate::cli::args::InitArguments;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::sample;
use crate::config::check_value;
use crate::draft;
use crate::secret::Secret;
use crate::store::{Snapshot, StoreError, StoreKind, StoreSettings};
use crate::tls::Trusted;

/// The variable that holds the store's URL if nobody gives it otherwise.
const VARIABLE: &str = "EXPORTD_STORE_URL";
/// The file that keeps a URL with a password, beside the configuration.
const URL_FILE: &str = "store-url";
/// The file that keeps a drafted catalogue, beside the configuration.
const CATALOGUE_FILE: &str = "catalogue.toml";

/// A store that was reached.
pub struct Store {
    /// Where it is.
    pub place: StorePlace,
    /// How to reach it.
    pub settings: StoreSettings,
    /// Which catalogue describes it.
    pub catalogue: CatalogueChoice,
}

/// Where a store is, and how the configuration says so.
pub struct StorePlace {
    url: Secret,
    /// What stands behind `url =`, in TOML.
    pub reference: String,
    /// A file that the reference names and that is still to be written: a URL with a password.
    pub url_file: Option<PathBuf>,
    /// The certificates to trust.
    pub ca: Option<PathBuf>,
    /// The file that the URL was read from.
    source: Option<PathBuf>,
}

/// Which catalogue describes a store.
pub enum CatalogueChoice {
    /// The built-in one: the store has all of its views.
    ContactCentre,
    /// A file beside the configuration.
    File(&'static str),
}

/// Why a store could not be used.
struct Trouble {
    failure: Failure,
    /// Whether it is about whom to trust.
    is_about_trust: bool,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble { failure, is_about_trust: false }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Failure::from(error).into()
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        let is_about_trust = matches!(error, StoreError::Insecure { .. } | StoreError::Authority { .. });
        Trouble { failure: Failure::unreachable(error), is_about_trust }
    }
}

/// Finds out where the store is, reaches it, and makes sure that there is a catalogue for it.
pub async fn settle(options: &InitArguments, folder: &Path, asker: &Asker) -> Result<Store, Failure> {
    let mut place = locate(options, folder, asker)?;
    loop {
        let trouble = match reach(&place, folder, options, asker).await {
            Ok((settings, catalogue)) => return Ok(Store { place, settings, catalogue }),
            Err(trouble) => trouble,
        };
        match asker.next(trouble.failure, Some("where the data is, or the password"), None)? {
            Next::Change => place = relocate(place, folder, asker, trouble.is_about_trust)?,
            // The file may have been corrected.
            Next::Again | Next::GoOn => {
                if let Some(url) = place.source.as_deref().and_then(|file| read_file(file).ok()) {
                    place.url = Secret::new(url);
                }
            }
        }
    }
}

async fn reach(
    place: &StorePlace,
    folder: &Path,
    options: &InitArguments,
    asker: &Asker,
) -> Result<(StoreSettings, CatalogueChoice), Trouble> {
    if let Some(file) = &place.url_file {
        write::refuse_existing(file, "give it to --store-file if it holds the URL, or move it away")?;
    }
    let settings = sample::settings(place.url.expose())?;
    let settings = StoreSettings { ca: place.ca.clone(), ..settings };
    tell("trying the store …")?;
    let mut snapshot = Snapshot::open(&settings).await?;
    let tables = snapshot.tables().await?;
    snapshot.close().await;
    tell(&format!("  it has {} that we may read", output::plural(tables.len(), "table")))?;
    let names: HashSet<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let catalogue = if is_contact_centre(&names) {
        tell("  they are a contact centre's: the built-in catalogue describes them")?;
        CatalogueChoice::ContactCentre
    } else {
        draft_beside(&settings, folder, options, asker).await?;
        CatalogueChoice::File(CATALOGUE_FILE)
    };
    Ok((settings, catalogue))
}

/// How the store's place is asked for.
const URL: Question<'static> = Question {
    flag: "store",
    text: "Where is the data? sqlite:PATH, postgres://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE",
    default: None,
};

/// How the zone of the data is asked for.
const ZONE: Question<'static> = Question {
    flag: "data-zone",
    text: "The database keeps times without a time zone. Which zone's clock do they show?",
    default: Some("UTC"),
};

/// The place that flags and the environment name, or that is asked for.
fn locate(options: &InitArguments, folder: &Path, asker: &Asker) -> Result<StorePlace, Failure> {
    let ca = options.ca.as_deref().map(std::path::absolute).transpose()?;
    if let Some(file) = &options.store_file {
        let url = read_file(file)?;
        let path = std::path::absolute(file)?;
        let reference = format!("{{ file = {} }}", write::text(&path.display().to_string()));
        return Ok(StorePlace { url: Secret::new(url), reference, url_file: None, ca, source: Some(path) });
    }
    let variable = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty() && options.store.is_none());
    if let Some(url) = variable {
        check_url(&url).map_err(|fault| Failure::usage(format!("{VARIABLE}: {fault}")))?;
        let reference = format!("{{ env = \"{VARIABLE}\" }}");
        return Ok(StorePlace { url: Secret::new(url), reference, url_file: None, ca, source: None });
    }
    let url = asker.value(&URL, Known::Flag(options.store.as_deref()), read_url)?;
    let url = match is_server(&url) && asker.is_present() && !has_password(&url) {
        true => with_password(&url, &asker.secret("Password for it, not shown (empty: none is needed)")?),
        false => url,
    };
    Ok(place(url, ca, folder))
}

fn read_file(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| Failure::usage(format!("can't read {}: {error}", file.display())))?;
    let url = text.trim_end_matches(['\r', '\n']).to_owned();
    check_url(&url).map_err(|fault| Failure::usage(format!("--store-file: {fault}")))?;
    Ok(url)
}

/// Another place, or another password. The earlier one is the default, and its password is not shown.
fn relocate(earlier: StorePlace, folder: &Path, asker: &Asker, is_about_trust: bool) -> Result<StorePlace, Failure> {
    let (shown, password) = without_password(earlier.url.expose());
    let url = asker.value(&URL, Known::Answer(&shown), read_url)?;
    let url = match (is_server(&url) && !has_password(&url), password.filter(|_| url == shown)) {
        (false, _) => url,
        (true, Some(password)) => match asker.secret("Password for it, not shown (empty: the same as before)")? {
            typed if typed.is_empty() => with_encoded(&url, &password),
            typed => with_password(&url, &typed),
        },
        (true, None) => with_password(&url, &asker.secret("Password for it, not shown (empty: none is needed)")?),
    };
    let mut ca = earlier.ca.clone();
    if is_about_trust {
        let question = "File of certificates to trust for it, PEM (empty: public authorities)";
        let question = Question { flag: "ca", text: question, default: Some("") };
        let known = ca.as_ref().map(|path| path.display().to_string());
        let known = known.as_deref().map_or(Known::Flag(None), Known::Answer);
        ca = Some(asker.value(&question, known, read_ca)?).filter(|path| !path.is_empty()).map(PathBuf::from);
    }
    match url == earlier.url.expose() {
        true => Ok(StorePlace { ca, ..earlier }),
        false => Ok(place(url, ca, folder)),
    }
}

fn place(url: String, ca: Option<PathBuf>, folder: &Path) -> StorePlace {
    let (reference, url_file) = match has_password(&url) {
        false => (write::text(&url), None),
        true => (format!("{{ file = \"{URL_FILE}\" }}"), Some(folder.join(URL_FILE))),
    };
    StorePlace { url: Secret::new(url), reference, url_file, ca, source: None }
}

/// The URL by the rules of the configuration, the path of SQLite's file made absolute.
fn read_url(url: &str) -> Result<String, String> {
    check_url(url)?;
    if is_server(url) {
        return Ok(url.to_owned());
    }
    let path = url.split_once(':').map_or("", |(_, path)| path);
    let path = std::path::absolute(path.strip_prefix("//").unwrap_or(path)).map_err(|error| error.to_string())?;
    Ok(format!("sqlite:{}", path.display()))
}

fn check_url(url: &str) -> Result<(), String> {
    check_value("[store]", "url", url)
}

fn read_ca(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Ok(String::new());
    }
    check_value("[store]", "ca", path)?;
    let path = std::path::absolute(path).map_err(|error| error.to_string())?;
    Trusted::read(&path).map_err(|cause| format!("{}: {cause}", path.display()))?;
    Ok(path.display().to_string())
}

fn is_server(url: &str) -> bool {
    StoreKind::of_url(url).is_some_and(|kind| kind != StoreKind::Sqlite)
}

/// The part of a URL that holds user and password: its start and its end.
fn login(url: &str) -> Option<(usize, usize)> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    url[start..end].rfind('@').map(|at| (start, start + at))
}

fn has_password(url: &str) -> bool {
    let in_login = login(url).is_some_and(|(start, end)| url[start..end].contains(':'));
    in_login || url.contains("password=")
}

/// The URL as it may be shown, and the password for its user as it stands there. A URL that has its password
/// elsewhere is not shown at all.
fn without_password(url: &str) -> (String, Option<String>) {
    let Some((start, end)) = login(url).filter(|_| !url.contains("password=")) else {
        let shown = if has_password(url) { String::new() } else { url.to_owned() };
        return (shown, None);
    };
    match url[start..end].find(':') {
        Some(colon) => {
            let password = url[start + colon + 1..end].to_owned();
            (format!("{}{}", &url[..start + colon], &url[end..]), Some(password))
        }
        None => (url.to_owned(), None),
    }
}

/// The URL with a password for its user, percent-encoded.
fn with_password(url: &str, password: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded: String = password
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    with_encoded(url, &encoded)
}

fn with_encoded(url: &str, password: &str) -> String {
    let Some((_, end)) = login(url).filter(|_| !password.is_empty()) else { return url.to_owned() };
    format!("{}:{password}{}", &url[..end], &url[end..])
}

fn is_contact_centre(names: &HashSet<&str>) -> bool {
    Catalogue::contact_centre().exports.iter().all(|export| match &export.source {
        Source::Table(table) => names.contains(table.as_str()),
        Source::Query(_) => true,
    })
}

/// Writes a draft, unless there is a catalogue already.
async fn draft_beside(
    settings: &StoreSettings,
    folder: &Path,
    options: &InitArguments,
    asker: &Asker,
) -> Result<(), Failure> {
    let path = folder.join(CATALOGUE_FILE);
    if path.exists() {
        let text = format!(
            "  {} is there already and is used as it is; if it was made for another database, delete it and begin again",
            path.display()
        );
        return Ok(tell(&text)?);
    }
    let draft = draft::draft(settings).await.map_err(Failure::work)?;
    let given = options.data_zone.as_deref();
    let zone = match draft.has_times_without_zone() && (asker.is_present() || given.is_some()) {
        true => Some(asker.value(&ZONE, Known::Flag(given), answers::of_job("timezone"))?),
        false => None,
    };
    write::new_file(&path, 0o644, &draft.text(zone.as_deref()))?;
    tell(&format!("  a draft of a catalogue is in {}: read it before a job runs", path.display()))?;
    draft.summary().iter().try_for_each(|line| Ok(tell(&format!("  {line}"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_and_put_where_it_belongs() {
        assert!(has_password("postgres://u:p@h/d") && has_password("mysql://h/d?password=x"));
        assert!(!has_password("postgres://u@h:5432/d") && !has_password("postgres://h:5432/d"));
        assert_eq!(with_password("postgres://u@h/d", "a/b@é"), "postgres://u:a%2Fb%40%C3%A9@h/d");
        assert_eq!(with_password("postgres://u@h/d", ""), "postgres://u@h/d");
        assert_eq!(with_password("postgres:///d", "x"), "postgres:///d");
    }

    #[test]
    fn a_url_is_shown_without_its_password_and_gets_it_back() {
        let url = "postgres://u:a%2Fb@h:5/d?sslmode=require";
        let (shown, password) = without_password(url);
        assert_eq!(shown, "postgres://u@h:5/d?sslmode=require");
        assert_eq!(with_encoded(&shown, &password.unwrap()), url);
        assert_eq!(without_password("mysql://h/d?password=x"), (String::new(), None));
        assert_eq!(without_password("postgres://u:x@h/d?password=y"), (String::new(), None));
        assert_eq!(without_password("sqlite:/a:b@c"), ("sqlite:/a:b@c".to_owned(), None));
    }
}
