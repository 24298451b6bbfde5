//! What can go wrong in the spool.

use std::io;
use std::path::{Path, PathBuf};

use crate::access::{self, Denied};
use crate::wording::{count, plural};

/// Why a file could not be spooled.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The disk, or the user's share of it, is full.
    #[error("no space left for {name} in the spool after {}; free some or move the state folder", plural(*bytes as usize, "byte"))]
    NoSpace {
        /// The file's name.
        name: String,
        /// How far it had got.
        bytes: u64,
    },
    /// There is less room than the job's files needed the last time.
    #[error(
        "the spool {} has {} free and the job's files took {} the last time; free some or move the state folder",
        path.display(), plural(*free as usize, "byte"), count(*needed)
    )]
    TooFull {
        /// The spool's folder.
        path: PathBuf,
        /// What is likely to be needed.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// A file can't be made, written or synced. Its content is lost: after a failed fsync it is unknown what is on disk,
    /// and another fsync would report success.
    #[error("{name} can't be written to the spool: {source}")]
    File {
        /// The file's name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A folder can't be made, read or removed.
    #[error("the spool folder {} can't be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder is not ours alone.
    #[error("the spool folder {} is refused: {reason}; move it away or set another state folder", path.display())]
    Refused {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The folder is another user's.
    #[error("the spool can't be used: {0}")]
    Denied(Denied),
    /// A name that would leave its folder.
    #[error("{name:?} is not a valid file name")]
    BadName {
        /// The name.
        name: String,
    },
    /// A finished file is no longer what was recorded.
    #[error("{name} in the spool is {found}; the run has to be repeated")]
    Changed {
        /// The file's name.
        name: String,
        /// What was found.
        found: &'static str,
    },
}

impl SpoolError {
    /// Whether the same work may succeed later without anybody changing the configuration.
    pub fn is_passing(&self) -> bool {
        match self {
            SpoolError::NoSpace { .. } | SpoolError::TooFull { .. } | SpoolError::File { .. } => true,
            SpoolError::Folder { source, .. } => {
                !matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
            }
            SpoolError::Refused { .. }
            | SpoolError::Denied(_)
            | SpoolError::BadName { .. }
            | SpoolError::Changed { .. } => false,
        }
    }

    pub(super) fn file(name: &str, bytes: u64, source: io::Error) -> SpoolError {
        let name = name.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SpoolError::NoSpace { name, bytes },
            _ => SpoolError::File { name, source },
        }
    }

    pub(super) fn folder(path: &Path, source: io::Error) -> SpoolError {
        match access::is_denied(&source) {
            true => SpoolError::Denied(Denied::at(path)),
            false => SpoolError::Folder { path: path.to_owned(), source },
        }
    }
}
