//! What can go wrong with state, by what is to be done about it.

use std::io;
use std::path::{Path, PathBuf};

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
            false => StateError::unreachable(path, error.to_string()),
        }
    }

    pub(super) fn corrupt(path: &Path, cause: impl Into<String>) -> StateError {
        StateError::Corrupt { path: path.to_owned(), cause: cause.into() }
    }

    pub(super) fn unreachable(path: &Path, cause: impl Into<String>) -> StateError {
        StateError::Unreachable { path: path.to_owned(), cause: cause.into() }
    }

    pub(super) fn sql(path: &Path, error: rusqlite::Error) -> StateError {
        use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, NotADatabase, ReadOnly};

        match error {
            rusqlite::Error::SqliteFailure(fault, message) => {
                let cause = message.unwrap_or_else(|| fault.to_string());
                match fault.code {
                    CannotOpen | ReadOnly if let Some(denied) = denied(path) => StateError::Denied(denied),
                    DatabaseBusy | DatabaseLocked => StateError::Busy { path: path.to_owned() },
                    DatabaseCorrupt | NotADatabase => StateError::corrupt(path, cause),
                    _ => StateError::unreachable(path, cause),
                }
            }
            rusqlite::Error::FromSqlConversionFailure(_, _, cause) => StateError::corrupt(path, cause.to_string()),
            rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::IntegralValueOutOfRange(..) => {
                StateError::corrupt(path, error.to_string())
            }
            other => StateError::unreachable(path, other.to_string()),
        }
    }
}

/// What keeps us from using the database: a file of it, or its folder.
fn denied(path: &Path) -> Option<Denied> {
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", path.display()));
    ["", "-wal", "-shm"].into_iter().find_map(|ending| Denied::to_write(&beside(ending)))
}
