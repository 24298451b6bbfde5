//! Opening the state database: the folder, the connections, the migrations.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use super::group::{Line, Write};
use super::migrate::bring_up_to_date;
use super::{Inner, State, StateError};
use crate::access;
use crate::failpoint::{self, Side};

/// How long a write waits for another process before it is an error.
const BUSY: Duration = Duration::from_secs(10);

impl State {
    /// Opens the state in `dir`. What is missing is made: the folder, for its owner alone (mode 0700), and the
    /// database; an older one is copied and brought up to date. A newer or damaged one is refused and left as it is.
    pub async fn open(dir: &Path) -> Result<State, StateError> {
        access::make_folders(dir).map_err(|error| StateError::io(dir, &error))?;
        let path = dir.join("state.db");
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit that was reported must outlive a power cut: a run is announced here before it acts.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .disable_statement_logging();
        let failed = |error| StateError::sql(&path, error);
        let pool = |size| SqlitePoolOptions::new().max_connections(size).idle_timeout(None).max_lifetime(None);
        let connection = {
            // Two processes that find an old database must not both bring it up to date, nor both create it.
            let _alone = migration_lock(dir).await?;
            access::open_or_make(&path).map_err(|error| StateError::io(&path, &error))?;
            let writer = pool(1).connect_with(options.clone()).await.map_err(failed)?;
            bring_up_to_date(&writer, &path).await?;
            writer.acquire().await.map_err(failed)?.detach()
        };
        let reader = pool(2).connect_lazy_with(options.pragma("query_only", "ON"));
        let line = Line::new(path.clone(), connection);
        Ok(State { inner: Arc::new(Inner { dir: dir.to_owned(), path, line, reader }) })
    }

    /// Opens the state in `dir` for those who only look: what is missing is not made, and none is returned.
    pub async fn open_existing(dir: &Path) -> Result<Option<State>, StateError> {
        let path = dir.join("state.db");
        match path.try_exists() {
            Ok(true) => State::open(dir).await.map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(StateError::io(&path, &error)),
        }
    }

    /// Reads the whole database and refuses one that is damaged anywhere. Takes time in proportion to its size.
    pub async fn verify(&self) -> Result<(), StateError> {
        let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(self.reader())
            .await
            .map_err(|error| self.failed(error))?;
        if verdict == "ok" { Ok(()) } else { Err(StateError::corrupt(&self.inner.path, verdict)) }
    }

    /// A number that changes whenever another process has written. Cheap enough to ask all the time.
    pub async fn changes_of_others(&self) -> Result<i64, StateError> {
        // SQLite leaves out what the asking connection has written, and there is one for all our writing.
        self.inner.line.data_version().await
    }

    /// Waits for what is being written, then closes the database for all clones.
    pub async fn close(&self) {
        self.inner.reader.close().await;
        self.inner.line.close().await;
    }

    pub(super) fn dir(&self) -> &Path {
        &self.inner.dir
    }

    pub(super) fn reader(&self) -> &SqlitePool {
        &self.inner.reader
    }

    /// Waits for the turn to write.
    pub(super) async fn write(&self) -> Result<Write, StateError> {
        self.inner.line.join().await
    }

    /// Brings a write to disk. `point` is where tests let the disk fail, or the process die.
    pub(super) async fn commit(&self, tx: Write, point: &'static str) -> Result<(), StateError> {
        failpoint::step(point, Side::Before).await.map_err(|error| self.failed(sqlx::Error::Io(error)))?;
        tx.commit().await?;
        failpoint::reach(point, Side::After).await;
        Ok(())
    }

    pub(super) fn failed(&self, error: sqlx::Error) -> StateError {
        StateError::sql(&self.inner.path, error)
    }

    pub(super) fn corrupt(&self, cause: impl Into<String>) -> StateError {
        StateError::corrupt(&self.inner.path, cause)
    }
}

async fn migration_lock(dir: &Path) -> Result<File, StateError> {
    let path = dir.join("migration.lock");
    let locked = path.clone();
    let locking = tokio::task::spawn_blocking(move || {
        let file = access::open_or_make(&path)?;
        file.lock()?;
        Ok(file)
    });
    let result: io::Result<File> = locking.await.unwrap_or_else(|gone| Err(io::Error::other(gone)));
    result.map_err(|error| StateError::io(&locked, &error))
}
