//! Bringing an older database up to date: forward only, and never without a copy of what it was.
//!
//! Earlier versions did this with sqlx. Its table of what was applied goes on, checksums included, so that they too
//! refuse a database that is newer than they are.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha384};

use super::StateError;
use super::sql::Sql;
use crate::access;

struct Migration {
    version: i64,
    description: &'static str,
    sql: &'static str,
}

/// One file each, in `migrations/`. What was released is never changed.
macro_rules! migrations {
    ($($version:literal $description:literal $file:literal),+ $(,)?) => {
        &[$(Migration {
            version: $version,
            description: $description,
            sql: include_str!(concat!("migrations/", $file)),
        }),+]
    };
}

const MIGRATIONS: &[Migration] = migrations![
    1 "runs" "0001_runs.sql",
    2 "durable runs" "0002_durable_runs.sql",
    3 "records" "0003_records.sql",
    4 "clearance" "0004_clearance.sql",
    5 "clock" "0005_clock.sql",
    6 "unreadable" "0006_unreadable.sql",
    7 "warnings" "0007_warnings.sql",
    8 "sharing" "0008_sharing.sql",
    9 "forgetting" "0009_forgetting.sql",
];

const APPLIED: &str = "
    CREATE TABLE IF NOT EXISTS _sqlx_migrations (
        version        BIGINT PRIMARY KEY,
        description    TEXT NOT NULL,
        installed_on   TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        success        BOOLEAN NOT NULL,
        checksum       BLOB NOT NULL,
        execution_time BIGINT NOT NULL
    )";

impl Migration {
    fn checksum(&self) -> Vec<u8> {
        Sha384::digest(self.sql).to_vec()
    }

    fn apply(&self, db: &mut Connection) -> rusqlite::Result<()> {
        let transaction = db.transaction()?;
        transaction.execute_batch(self.sql)?;
        transaction.execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (?, ?, TRUE, ?, 0)",
            params![self.version, self.description, self.checksum()],
        )?;
        transaction.commit()
    }
}

/// Brings the database at `path` up to date. A copy of an older one is kept beside it as `state.db.before-VERSION`.
pub(super) fn bring_up_to_date(db: &mut Connection, path: &Path) -> Result<(), StateError> {
    let failed = |error| StateError::sql(path, error);
    let applied = applied(db).map_err(failed)?;
    check(&applied, path)?;
    let missing: Vec<&Migration> =
        MIGRATIONS.iter().filter(|migration| !applied.contains_key(&migration.version)).collect();
    let Some(latest) = missing.last() else { return Ok(()) };
    if !applied.is_empty() {
        copy(db, path, latest.version)?;
    }
    db.execute_batch(APPLIED).map_err(failed)?;
    missing.into_iter().try_for_each(|migration| migration.apply(db)).map_err(failed)
}

/// The checksums of what was applied, by version; none of what began and did not succeed. Empty if the database is new.
fn applied(db: &Connection) -> rusqlite::Result<BTreeMap<i64, Option<Vec<u8>>>> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'";
    if db.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(BTreeMap::new());
    }
    let rows = db.all("SELECT version, iif(success, checksum, NULL) FROM _sqlx_migrations", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.into_iter().collect())
}

/// Refuses a database to which something else was applied than what is known here.
fn check(applied: &BTreeMap<i64, Option<Vec<u8>>>, path: &Path) -> Result<(), StateError> {
    for (version, checksum) in applied {
        let Some(known) = MIGRATIONS.iter().find(|migration| migration.version == *version) else {
            return Err(StateError::Newer { path: path.to_owned() });
        };
        match checksum {
            None => return Err(StateError::corrupt(path, format!("migration {version} was not completed"))),
            Some(checksum) if *checksum != known.checksum() => {
                return Err(StateError::corrupt(path, format!("migration {version} differs from what was applied")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn copy(db: &Connection, path: &Path, latest: i64) -> Result<(), StateError> {
    let copy = beside(path, &format!("before-{latest:04}"));
    let unfinished = beside(path, "copy");
    let failed = |error: io::Error| StateError::io(&unfinished, &error);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    // SQLite writes into an empty file, so that it is its owner's alone from the start.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(failed)?;
    access::hand_over(&file, access::folder_of(path));
    let target = unfinished.to_str().ok_or_else(|| failed(io::Error::other("the path is not UTF-8")))?;
    db.execute("VACUUM INTO ?", [target]).map_err(|error| StateError::sql(path, error))?;
    file.sync_all().and_then(|()| fs::rename(&unfinished, &copy)).map_err(failed)?;
    tracing::info!(copy = %copy.display(), "state is brought up to date; a copy of it as it was is kept");
    Ok(())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_is_listed_in_order() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/state/migrations");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        files.sort();
        let listed = MIGRATIONS.iter().map(|migration| {
            format!("{:04}_{}.sql", migration.version, migration.description.replace(' ', "_")).into()
        });
        assert_eq!(files, listed.collect::<Vec<std::ffi::OsString>>());
    }
}
