//! The files beside a database: the log of its latest transactions in WAL mode, and the journal that takes back a
//! transaction whose writer died. A database without them is another one.

use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::error::StoreError;

/// What changes when somebody writes to a database file.
#[derive(PartialEq, Eq)]
pub(super) struct FileState {
    length: u64,
    modified: Option<SystemTime>,
    has_wal: bool,
}

impl FileState {
    /// What the file at `path` looks like now.
    pub(super) fn of(path: &Path) -> FileState {
        let metadata = path.metadata().ok();
        FileState {
            length: metadata.as_ref().map_or(0, Metadata::len),
            modified: metadata.and_then(|metadata| metadata.modified().ok()),
            has_wal: is_filled(&wal(path)),
        }
    }
}

/// Whether the database at `path`, which can't be opened as usual, can be read without locks and without the files
/// beside it: one in WAL mode, where the folder lets us make none and nobody has any.
pub(super) fn may_do_without(path: &Path, error: &Error) -> bool {
    let lacks_folder = matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly));
    lacks_folder && !is_unfinished(error) && !is_filled(&wal(path))
}

/// What there is to say about an error of opening the database at `path`, if a file beside it is the reason.
pub(super) fn obstacle(path: &Path, error: &Error) -> Option<StoreError> {
    let place = path.display().to_string();
    let code = error.sqlite_error_code()?;
    if is_unfinished(error) {
        let cause = format!(
            "a program died while it wrote, and its unfinished transaction is in {}; the next program that opens the \
             database and may write takes it back",
            journal(path).display()
        );
        return Some(StoreError::Unreachable { place, cause });
    }
    if matches!(code, ErrorCode::CannotOpen | ErrorCode::ReadOnly) && is_filled(&wal(path)) {
        let cause = format!(
            "its latest transactions are in {}, which can't be read without the file -shm beside it and the right to \
             read all three; let our user write to the folder, or deliver from a copy that VACUUM INTO has made",
            wal(path).display()
        );
        return Some(StoreError::Refused { place, cause });
    }
    None
}

/// Whether a journal has to be rolled back first, which a connection that only reads can't do.
fn is_unfinished(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|failure| failure.extended_code == ffi::SQLITE_READONLY_ROLLBACK)
}

fn is_filled(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.len() > 0)
}

fn wal(path: &Path) -> PathBuf {
    named(path, "-wal")
}

fn journal(path: &Path) -> PathBuf {
    named(path, "-journal")
}

fn named(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
