//! The `[store]` and `[state]` tables: where rows come from, and where the daemon keeps its own books.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::context::Context;
use super::fault::{Fault, Kind};
use super::guess::nearest;
use super::table::{Item, Table, has_variable};
use super::{authorities, keys, secret, state_folder};
use crate::access;
use crate::secret::Secret;
use crate::store::{MAX_CELL, RowSecurity, StoreKind, StoreSettings, check_url};
use crate::words::Words;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3600);
const DEFAULT_KEEP: Duration = Duration::from_secs(15 * 24 * 3600);
const SHARED_STATE: &str = "/var/lib/exportd";

/// Reads `[store]`.
pub(super) fn read_store(root: &Table<'_>, context: &Context<'_>) -> Option<StoreSettings> {
    let table = match root.get("store") {
        Some(item) => Some(item.table("[store]")?),
        None => None,
    };
    if let Some(table) = &table {
        table.refuse_unknown(&keys::STORE);
    }
    let get = |key: &str| table.as_ref().and_then(|table| table.get(key));
    let timeout = get("timeout").map_or(Some(DEFAULT_TIMEOUT), |item| at_least_a_second(&item));
    let ca = get("ca").map_or(Some(None), |item| authorities::read(&item, context).map(Some));
    let row_security = get("row_security").map_or(Some(None), |item| item.word(RowSecurity::WORDS).map(Some));
    let max_cell = get("max_cell").map_or(Some(MAX_CELL), |item| read_size(&item));
    let (kind, url) = match (&context.from.overrides.store_url, &table) {
        (Some(url), _) => parse_url(url, &context.from.base_dir).map_err(|fault| root.file.fault_of_all(fault)).ok()?,
        (None, Some(table)) => read_url(&table.require("url", "url = \"postgres://user@host/database\"")?, context)?,
        (None, None) => {
            let fault =
                Fault::new("the file has no [store]").help("add [store] with url = \"postgres://user@host/database\"");
            root.file.fault_of_all(fault.kind(Kind::Absence));
            return None;
        }
    };
    if let Some(item) = get("row_security").filter(|_| kind != StoreKind::Postgres) {
        item.fault(Fault::new("`row_security` is for PostgreSQL").label("the store is another database; take it out"));
        return None;
    }
    Some(StoreSettings {
        kind,
        url,
        statement_timeout: timeout?,
        ca: ca?,
        row_security: row_security?,
        max_cell: max_cell?,
    })
}

fn read_size(item: &Item<'_>) -> Option<u64> {
    let size = size(item.line()?);
    if size.is_none() {
        let fault = Fault::new(format!("`{}` is not a size", item.key)).label("write a whole number and a unit");
        item.fault(fault.help("for instance \"64 MB\"; units are kB, MB and GB"));
    }
    size
}

/// Bytes.
fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let bytes = match unit.trim() {
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(bytes).filter(|size| *size > 0)
}

fn at_least_a_second(item: &Item<'_>) -> Option<Duration> {
    let duration = item.duration()?;
    if duration < Duration::from_secs(1) {
        item.fault(Fault::new(format!("`{}` is too short", item.key)).label("write at least \"1s\""));
        return None;
    }
    Some(duration)
}

fn read_url(item: &Item<'_>, context: &Context<'_>) -> Option<(StoreKind, Secret)> {
    let url = secret::read(item, context)?;
    match parse_url(url.expose(), &context.from.base_dir) {
        Ok(store) => Some(store),
        Err(fault) => {
            item.fault(fault);
            None
        }
    }
}

/// Tells the database from the URL's scheme, and makes the path of SQLite's file absolute. Faults show no part of
/// the URL.
fn parse_url(url: &str, base: &Path) -> Result<(StoreKind, Secret), Fault> {
    let known = "write sqlite:PATH, postgres://… or mysql://…";
    let Some((scheme, rest)) = url.split_once(':') else {
        return Err(Fault::new("the store's url has no scheme").label(known));
    };
    let Some(kind) = StoreKind::of_url(url) else {
        let near = nearest(scheme, StoreKind::SCHEMES.into_iter().map(|(scheme, _)| scheme));
        let label = near.map_or(known.to_owned(), |near| format!("did you mean `{near}:`?"));
        return Err(Fault::new("the store's url has an unknown scheme").label(label));
    };
    if has_variable(url) {
        let fault = Fault::new("the store's url holds a variable, and nothing is substituted in this file");
        return Err(fault.label("write { env = \"NAME\" } for the whole url"));
    }
    if kind != StoreKind::Sqlite {
        return match rest.strip_prefix("//") {
            Some(rest) if !rest.is_empty() => match check_url(url) {
                Ok(()) => Ok((kind, Secret::new(url))),
                Err(error) => Err(Fault::new(error.to_string()).label("here")),
            },
            _ => {
                Err(Fault::new("the store's url names no server").label("a scheme is followed by //user@host/database"))
            }
        };
    }
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.starts_with('?') {
        return Err(Fault::new("the store's url names no file").label("write sqlite:PATH"));
    }
    if path.starts_with(":memory:") {
        return Err(Fault::new("a database in memory is always empty").label("write sqlite:PATH"));
    }
    Ok((kind, Secret::new(format!("sqlite:{}", base.join(path).display()))))
}

/// What `[state]` says.
pub(super) struct StateTable {
    /// The folder of the daemon's database and spool.
    pub(super) dir: PathBuf,
    /// How long delivered files are kept.
    pub(super) keep: Duration,
}

/// Reads `[state]`.
pub(super) fn read_state(root: &Table<'_>, context: &Context<'_>) -> Option<StateTable> {
    let (mut dir, mut keep) = (None, Some(DEFAULT_KEEP));
    if let Some(item) = root.get("state") {
        let table = item.table("[state]")?;
        table.refuse_unknown(&keys::STATE);
        keep = table.get("keep").map_or(keep, |item| item.duration());
        dir = match table.get("dir") {
            Some(item) => Some(item.path(&context.from.base_dir)?),
            None => None,
        };
    }
    let given = context.from.overrides.state_dir.clone().or(dir);
    let dir = given.unwrap_or_else(|| usual_state_dir(context.from.variable));
    if context.from.looks_around
        && let Some(fault) = state_folder::fault(&dir)
    {
        match root.get("state").and_then(|item| item.as_table()?.get("dir")) {
            Some(item) => item.fault(fault),
            None => {
                let help = fault.help.unwrap_or_else(|| "name another with [state] dir".to_owned());
                root.file.fault_of_all(Fault::new(format!("{}; {}", fault.message, fault.label)).help(help));
            }
        }
    }
    Some(StateTable { dir, keep: keep? })
}

/// The folder that a file names, whatever else is wrong with it.
pub(super) fn named_state_dir(root: &Table<'_>, context: &Context<'_>) -> Option<PathBuf> {
    root.get("state")?.as_table()?.get("dir")?.path(&context.from.base_dir)
}

/// Where state lives unless the file says so.
pub(super) fn usual_state_dir(variable: fn(&str) -> Option<String>) -> PathBuf {
    // One that may not be looked at counts too: state must not begin anew in another place.
    let is_shared = rustix::process::geteuid().is_root() || access::is_there(Path::new(SHARED_STATE));
    default_state_dir(variable, is_shared)
}

/// Where state lives unless the file says so: what systemd made for the unit, else the machine's shared folder if it
/// is there (or can be made), else the user's own.
fn default_state_dir(variable: fn(&str) -> Option<String>, is_shared: bool) -> PathBuf {
    let variable = |name: &str| variable(name).filter(|value| value.starts_with('/'));
    if let Some(folders) = variable("STATE_DIRECTORY") {
        return PathBuf::from(folders.split(':').next().unwrap_or(&folders));
    }
    let own = variable("XDG_STATE_HOME").map(PathBuf::from);
    let own = own.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".local/state")));
    match own {
        Some(folder) if !is_shared => folder.join("exportd"),
        _ => PathBuf::from(SHARED_STATE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_database_from_the_scheme() {
        let kind = |url: &str| parse_url(url, Path::new("/etc/exportd")).map(|(kind, _)| kind).map_err(|f| f.label);
        assert_eq!(kind("postgresql://u@h/d"), Ok(StoreKind::Postgres));
        assert_eq!(kind("MariaDB://u@h/d"), Ok(StoreKind::Mysql));
        assert_eq!(kind("postgers://u@h/d"), Err("did you mean `postgres:`?".to_owned()));
        assert!(kind("oracle://u@h/d").is_err() && kind("postgres:d").is_err() && kind("hunter2").is_err());
        assert!(kind("sqlite:").is_err() && kind("sqlite::memory:").is_err());
    }

    #[test]
    fn reads_sizes() {
        let sizes = ["64 MB", "1kB", "2 GB ", "0 MB", "64", "MB", "64 MiB", "1.5 MB", "99999999999 GB"].map(size);
        let none = None;
        assert_eq!(sizes, [Some(64_000_000), Some(1000), Some(2_000_000_000), none, none, none, none, none, none]);
    }

    #[test]
    fn finds_sqlite_files_beside_the_configuration() {
        let url = |url: &str| parse_url(url, Path::new("/etc/exportd")).unwrap().1.expose().to_owned();
        assert_eq!(url("sqlite:a.db"), "sqlite:/etc/exportd/a.db");
        assert_eq!(url("sqlite://a.db"), "sqlite:/etc/exportd/a.db");
        assert_eq!(url("sqlite:///srv/a.db"), "sqlite:/srv/a.db");
    }

    #[test]
    fn state_lives_where_the_unit_the_machine_or_the_user_has_it() {
        let unit = |name: &str| (name == "STATE_DIRECTORY").then(|| "/var/lib/x:/y".to_owned());
        let user = |name: &str| (name == "HOME").then(|| "/home/ada".to_owned());
        assert_eq!(default_state_dir(unit, true), Path::new("/var/lib/x"));
        assert_eq!(default_state_dir(user, true), Path::new("/var/lib/exportd"));
        assert_eq!(default_state_dir(user, false), Path::new("/home/ada/.local/state/exportd"));
        assert_eq!(default_state_dir(|_| None, false), Path::new("/var/lib/exportd"));
    }
}
