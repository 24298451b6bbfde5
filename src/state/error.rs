//! What can go wrong with state, by what is to be done about it.

use std::io;
use std::path::{Path, PathBuf};

use sqlx::migrate::MigrateError;

use crate::access::{self, Denied};

/// Why state can't be used. A command that meets one ends with exit code 3.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StateError {
    /// The folder or the file can't be made, opened, read or written.
    #[error("state in {path} can't be used: {cause}; check that the folder exists, is writable and has free space")]
    Unreachable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// It is another user's.
    #[error("state can't be used: {0}")]
    Denied(Denied),
    /// Another process kept the database locked for longer than we wait.
    #[error("state in {path} is locked by another process; try again, or end that process")]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// It was written by a newer exportd, whose tables this one does not know.
    #[error("state in {path} was written by a newer exportd; run that version, or restore a copy made before")]
    Newer {
        /// The database.
        path: PathBuf,
    },
    /// What is stored can't be read back.
    #[error(
        "state in {path} is damaged ({cause}); restore a copy of it: without it exportd can't tell what it has sent"
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What was found.
        cause: String,
    },
    /// Another daemon works with the folder.
    #[error(
        "{dir} is in use by another exportd daemon ({holder}); stop it, or give this one a state folder of its own"
    )]
    Held {
        /// The state folder.
        dir: PathBuf,
        /// Who holds it: process and start time.
        holder: String,
    },
}

impl StateError {
    /// Whether the same call may succeed later: a lock is given back, a disk gets room again.
    pub fn is_passing(&self) -> bool {
        matches!(self, StateError::Busy { .. } | StateError::Unreachable { .. } | StateError::Denied(_))
    }

    pub(super) fn io(path: &Path, error: &io::Error) -> StateError {
        match access::is_denied(error) {
            true => StateError::Denied(Denied::at(path)),
            false => StateError::Unreachable { path: path.to_owned(), cause: error.to_string() },
        }
    }

    pub(super) fn corrupt(path: &Path, cause: impl Into<String>) -> StateError {
        StateError::Corrupt { path: path.to_owned(), cause: cause.into() }
    }

    pub(super) fn sql(path: &Path, error: sqlx::Error) -> StateError {
        let path = path.to_owned();
        match error {
            sqlx::Error::Database(fault) => match primary_code(fault.code().as_deref()) {
                // It could not be opened, or is open for reading only.
                Some(8 | 14) if let Some(denied) = denied(&path) => StateError::Denied(denied),
                Some(5 | 6) => StateError::Busy { path },
                Some(11 | 26) => StateError::Corrupt { path, cause: fault.message().to_owned() },
                _ => StateError::Unreachable { path, cause: fault.message().to_owned() },
            },
            sqlx::Error::PoolTimedOut => StateError::Busy { path },
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                StateError::Corrupt { path, cause: error.to_string() }
            }
            other => StateError::Unreachable { path, cause: other.to_string() },
        }
    }

    pub(super) fn migrate(path: &Path, error: MigrateError) -> StateError {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => StateError::sql(path, error),
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => {
                StateError::Newer { path: path.to_owned() }
            }
            other => StateError::corrupt(path, other.to_string()),
        }
    }
}

/// What keeps us from using the database: a file of it, or its folder.
fn denied(path: &Path) -> Option<Denied> {
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", path.display()));
    ["", "-wal", "-shm"].into_iter().find_map(|ending| Denied::to_write(&beside(ending)))
}

/// SQLite's result code without its refinement (<https://sqlite.org/rescode.html>).
fn primary_code(code: Option<&str>) -> Option<u32> {
    code?.parse::<u32>().ok().map(|code| code & 0xff)
}
