//! SQLite, through rusqlite.
//!
//! Rows are handed on as they lie in SQLite's own page cache, from one statement, without a copy. That is why sqlx
//! does not read here although it reads the other stores: it copies every value and sends every row through a
//! channel.
//!
//! The file is opened read only and never created. One read transaction is the snapshot.

mod beside;
mod deadline;
mod describe;
mod error;
mod prepare;
mod read;
mod time;
mod unreadable;
mod value;

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags};

use self::beside::FileState;
use self::deadline::TimeLimit;
pub(super) use self::prepare::ReadPlan;
use super::error::StoreError;
use super::relation::{DbColumn, DbTable};
use super::{Remarks, StoreSettings};
use crate::catalogue::Source;
use crate::wording::io_error;

/// How long a lock of a writer is waited for.
const BUSY: Duration = Duration::from_secs(10);

/// One connection, inside one read transaction.
pub(super) struct Sqlite {
    db: Connection,
    path: PathBuf,
    timeout: Duration,
    limit: TimeLimit,
    /// How many SQL functions were registered; each export needs its own.
    functions: usize,
    /// What the file looked like, if nobody may write to it while it is read.
    frozen: Option<FileState>,
}

impl Sqlite {
    /// Opens the file and starts the snapshot.
    pub(super) fn open(settings: &StoreSettings) -> Result<Sqlite, StoreError> {
        let path = sqlite_path(settings.url.expose())?;
        // The files beside it stand beside what a link leads to.
        let path = path.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::NoFile(path),
            _ => StoreError::Refused { place: path.display().to_string(), cause: io_error(&error) },
        })?;
        let (mut db, frozen) = match connect(&path, false) {
            Ok(db) => (db, None),
            Err(error) if beside::may_do_without(&path, &error) => {
                let state = FileState::of(&path);
                (connect(&path, true).map_err(|error| error::opening(&path, error))?, Some(state))
            }
            Err(error) => {
                return Err(beside::obstacle(&path, &error).unwrap_or_else(|| error::opening(&path, error)));
            }
        };
        let limit = TimeLimit::of(&mut db).map_err(|error| error::opening(&path, error))?;
        Ok(Sqlite { db, path, timeout: settings.statement_timeout, limit, functions: 0, frozen })
    }

    /// What there is to say about the whole file.
    pub(super) fn remarks(&self) -> Result<Remarks, StoreError> {
        let mode: String = self.db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(error::asking)?;
        let mut remarks = Remarks::default();
        if self.frozen.is_none() && mode != "wal" {
            let hint = "the store is not in WAL mode, so programs that write to it wait while it is read";
            remarks.hints.push(hint.to_owned());
        }
        Ok(remarks)
    }

    /// The columns of a table, view or query.
    pub(super) fn inspect(&self, source: &Source) -> Result<Vec<DbColumn>, StoreError> {
        Ok(self.relation(source)?.columns)
    }

    /// All tables and views.
    pub(super) fn tables(&self) -> Result<Vec<DbTable>, StoreError> {
        let sql = "SELECT name, type = 'view' FROM pragma_table_list \
                   WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                   ORDER BY name";
        let rows = || {
            let mut statement = self.db.prepare(sql)?;
            let table = |row: &rusqlite::Row<'_>| Ok(DbTable { schema: None, name: row.get(0)?, is_view: row.get(1)? });
            statement.query_map([], table)?.collect::<rusqlite::Result<Vec<DbTable>>>()
        };
        rows().map_err(error::asking)
    }

    /// Fails if the file was written to although nobody was expected to.
    fn check_unchanged(&self) -> Result<(), StoreError> {
        match &self.frozen {
            Some(state) if *state != FileState::of(&self.path) => Err(StoreError::Interrupted {
                code: "changed".to_owned(),
                cause: "the file was written to while it was read".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

/// Opens a connection that can't write and begins its snapshot. `immutable` leaves out locks and the WAL.
fn connect(path: &Path, immutable: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = if immutable {
        Connection::open_with_flags(immutable_uri(path), flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    db.busy_timeout(BUSY)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Else a misspelt column in a query would silently be a text, the same in every row.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    db.pragma_update(None, "query_only", true)?;
    db.authorizer(Some(authorize))?;
    // A transaction has its snapshot only from its first read on.
    db.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1;")?;
    Ok(db)
}

/// No other file is ever opened.
fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Authorization::Deny,
        _ => Authorization::Allow,
    }
}

fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// The file that a `sqlite:` URL names: whatever follows `sqlite:` or `sqlite://`, taken as it is.
pub fn sqlite_path(url: &str) -> Result<PathBuf, StoreError> {
    let path = match url.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sqlite") => Some(rest.strip_prefix("//").unwrap_or(rest)),
        _ => None,
    };
    match path {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err(StoreError::Url("it must have the form sqlite:PATH".to_owned())),
    }
}

#[cfg(test)]
mod tests;
