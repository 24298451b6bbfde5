//! The store's part of a new configuration: where it is, how its URL is kept, and the catalogue of what it has.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::ask::{Asker, tell};
use super::write;
use crate::catalogue::{Catalogue, Source};
use crate::cli::args::InitArguments;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::sample;
use crate::draft;
use crate::secret::Secret;
use crate::store::{Snapshot, StoreKind, StoreSettings};

/// The variable that holds the store's URL if nobody gives it otherwise.
const VARIABLE: &str = "EXPORTD_STORE_URL";
/// The file that keeps a URL with a password, beside the configuration.
const URL_FILE: &str = "store-url";
/// The file that keeps a drafted catalogue, beside the configuration.
const CATALOGUE_FILE: &str = "catalogue.toml";

/// A store that was reached.
pub struct Store {
    /// How to reach it.
    pub settings: StoreSettings,
    /// What stands behind `url =`, in TOML.
    pub reference: String,
    /// A file that the reference names and that is still to be written: a URL with a password.
    pub url_file: Option<PathBuf>,
    /// Which catalogue describes it.
    pub catalogue: CatalogueChoice,
}

/// Which catalogue describes a store.
pub enum CatalogueChoice {
    /// The built-in one: the store has all of its views.
    ContactCentre,
    /// A file beside the configuration.
    File(&'static str),
}

/// Finds out where the store is, reaches it, and makes sure that there is a catalogue for it.
pub async fn settle(options: &InitArguments, folder: &Path, asker: &Asker) -> Result<Store, Failure> {
    let (url, reference, url_file) = locate(options, folder, asker)?;
    let settings = StoreSettings { url: Secret::new(url), ..sample::settings("sqlite:.")? };
    let kind = StoreKind::of_url(settings.url.expose()).unwrap_or(settings.kind);
    let settings = StoreSettings { kind, ..settings };
    tell("trying the store …")?;
    let mut snapshot = Snapshot::open(&settings).await.map_err(Failure::unreachable)?;
    let tables = snapshot.tables().await.map_err(Failure::unreachable)?;
    snapshot.close().await;
    tell(&format!("  it has {} that we may read", output::plural(tables.len(), "table")))?;
    let names: HashSet<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let catalogue = if is_contact_centre(&names) {
        tell("  they are a contact centre's: the built-in catalogue describes them")?;
        CatalogueChoice::ContactCentre
    } else {
        draft_beside(&settings, folder).await?;
        CatalogueChoice::File(CATALOGUE_FILE)
    };
    Ok(Store { settings, reference, url_file, catalogue })
}

/// The URL, what stands for it in the file, and the file that is to hold it if it has a password.
fn locate(options: &InitArguments, folder: &Path, asker: &Asker) -> Result<(String, String, Option<PathBuf>), Failure> {
    if let Some(file) = &options.store_file {
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| Failure::usage(format!("can't read {}: {error}", file.display())))?;
        let path = std::path::absolute(file)?;
        let url = text.trim_end_matches(['\r', '\n']).to_owned();
        check_url(&url).map_err(|fault| Failure::usage(format!("--store-file: {fault}")))?;
        return Ok((url, format!("{{ file = {} }}", write::text(&path.display().to_string())), None));
    }
    let variable = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty() && options.store.is_none());
    if let Some(url) = variable {
        check_url(&url).map_err(|fault| Failure::usage(format!("{VARIABLE}: {fault}")))?;
        return Ok((url, format!("{{ env = \"{VARIABLE}\" }}"), None));
    }
    let question = "Where is the data? sqlite:PATH, postgres://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE";
    let url = asker.value(("store", options.store.as_deref()), question, None, check_url)?;
    let url = match url.split_once(':') {
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("sqlite") => {
            let path = std::path::absolute(path.strip_prefix("//").unwrap_or(path))?;
            format!("sqlite:{}", path.display())
        }
        _ if asker.is_present() && !has_password(&url) => {
            with_password(&url, &asker.secret("Password for it, not shown (empty: none is needed)")?)
        }
        _ => url,
    };
    if !has_password(&url) {
        let reference = write::text(&url);
        return Ok((url, reference, None));
    }
    let file = folder.join(URL_FILE);
    write::refuse_existing(&file, "give it to --store-file if it holds the URL, or move it away")?;
    Ok((url, format!("{{ file = \"{URL_FILE}\" }}"), Some(file)))
}

fn check_url(url: &str) -> Result<(), String> {
    sample::settings(url).map_err(|failure| failure.text.replace("--store takes", "this takes"))?;
    match crate::store::check_url(url) {
        Ok(()) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
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

/// The URL with a password for its user, percent-encoded.
fn with_password(url: &str, password: &str) -> String {
    let Some((_, end)) = login(url).filter(|_| !password.is_empty()) else { return url.to_owned() };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded: String = password
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("{}:{encoded}{}", &url[..end], &url[end..])
}

fn is_contact_centre(names: &HashSet<&str>) -> bool {
    Catalogue::contact_centre().exports.iter().all(|export| match &export.source {
        Source::Table(table) => names.contains(table.as_str()),
        Source::Query(_) => true,
    })
}

/// Writes a draft, unless there is a catalogue already.
async fn draft_beside(settings: &StoreSettings, folder: &Path) -> Result<(), Failure> {
    let path = folder.join(CATALOGUE_FILE);
    if path.exists() {
        return Ok(tell(&format!("  {} is there already and is used as it is", path.display()))?);
    }
    let text = draft::draft(settings).await.map_err(Failure::work)?;
    write::new_file(&path, 0o644, &text)?;
    tell(&format!("  a draft of a catalogue is in {}: read it before a job runs", path.display()))?;
    Ok(())
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
}
