//! Bringing an older database up to date: forward only, and never without a copy of what it was.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqlitePool;

use super::StateError;
use crate::access;

static MIGRATIONS: Migrator = sqlx::migrate!("src/state/migrations");

/// Brings the database at `path` up to date. A copy of an older one is kept beside it as `state.db.before-VERSION`.
pub(super) async fn bring_up_to_date(pool: &SqlitePool, path: &Path) -> Result<(), StateError> {
    let latest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    let current = version(pool).await.map_err(|error| StateError::sql(path, error))?;
    if current.is_some_and(|current| current < latest) {
        copy(pool, path, latest).await?;
    }
    MIGRATIONS.run(pool).await.map_err(|error| StateError::migrate(path, error))
}

/// The version of the database; none if it is new.
async fn version(pool: &SqlitePool) -> Result<Option<i64>, sqlx::Error> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'";
    let is_new = sqlx::query_scalar::<_, i64>(tables).fetch_one(pool).await? == 0;
    if is_new {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(pool).await
}

async fn copy(pool: &SqlitePool, path: &Path, latest: i64) -> Result<(), StateError> {
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
    let vacuum = sqlx::query("VACUUM INTO ?").bind(target).execute(pool).await;
    vacuum.map_err(|error| StateError::sql(path, error))?;
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
