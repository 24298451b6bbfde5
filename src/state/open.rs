//! Opening the state database: the folder, the connections, the migrations.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::migrate::bring_up_to_date;
use super::sql::STATEMENTS;
use super::thread::DbThread;
use super::{Inner, State, StateError};
use crate::access;
use crate::failpoint::{self, Side};

/// How long a write waits for another process before it is an error.
const BUSY: Duration = Duration::from_secs(10);

impl State {
    /// Opens the state in `dir`. What is missing is made: the folder, for its owner alone (mode 0700), and the
    /// database; an older one is copied and brought up to date. A newer or damaged one is refused and left as it is.
    pub async fn open(dir: &Path) -> Result<State, StateError> {
        let own = dir.to_owned();
        let opening = tokio::task::spawn_blocking(move || open(&own));
        opening.await.unwrap_or_else(|gone| Err(StateError::unreachable(dir, gone.to_string())))
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
        let check = |db: &Connection| db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        let verdict = self.read(check).await?;
        if verdict == "ok" { Ok(()) } else { Err(StateError::corrupt(&self.inner.path, verdict)) }
    }

    /// A number that changes whenever another process has written. Cheap enough to ask all the time.
    pub async fn changes_of_others(&self) -> Result<i64, StateError> {
        // SQLite leaves out what the asking connection has written, and there is one for all our writing.
        let version = |db: &Connection| db.query_row("PRAGMA data_version", [], |row| row.get(0));
        self.inner.writer.read(version).await
    }

    /// Waits for what is being written, then closes the database for all clones.
    pub async fn close(&self) {
        self.inner.reader.close().await;
        self.inner.writer.close().await;
    }

    pub(super) fn dir(&self) -> &Path {
        &self.inner.dir
    }

    pub(super) fn path(&self) -> &Path {
        &self.inner.path
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StateError> {
        self.inner.reader.read(read).await
    }

    /// Writes all that `write` does, or nothing if it fails. Returns when that is on disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StateError> {
        self.inner.writer.write(write).await
    }

    /// The same. `point` is where tests let the disk fail, or the process die.
    pub(super) async fn write_at<T: Send + 'static>(
        &self,
        point: &'static str,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StateError> {
        let before = failpoint::step(point, Side::Before).await;
        before.map_err(|error| StateError::io(&self.inner.path, &error))?;
        let written = self.write(write).await?;
        failpoint::reach(point, Side::After).await;
        Ok(written)
    }
}

fn open(dir: &Path) -> Result<State, StateError> {
    access::make_folders(dir).map_err(|error| StateError::io(dir, &error))?;
    let path = dir.join("state.db");
    let failed = |error| StateError::sql(&path, error);
    let connection = {
        // Two processes that find an old database must not both bring it up to date, nor both create it.
        let _alone = migration_lock(dir)?;
        access::open_or_make(&path).map_err(|error| StateError::io(&path, &error))?;
        let mut connection = connect(&path).map_err(failed)?;
        bring_up_to_date(&mut connection, &path)?;
        connection
    };
    let reading = connect(&path).map_err(failed)?;
    reading.pragma_update(None, "query_only", true).map_err(failed)?;
    let writer = DbThread::start("state-writer", &path, connection)?;
    let reader = DbThread::start("state-reader", &path, reading)?;
    Ok(State { inner: Arc::new(Inner { dir: dir.to_owned(), path, writer, reader }) })
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // A path that looks like a URI is a path.
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit that was reported must outlive a power cut: a run is announced here before it acts.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn migration_lock(dir: &Path) -> Result<File, StateError> {
    let path = dir.join("migration.lock");
    let file = access::open_or_make(&path).and_then(|file| file.lock().map(|()| file));
    file.map_err(|error| StateError::io(&path, &error))
}
