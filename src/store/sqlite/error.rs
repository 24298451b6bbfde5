//! SQLite's errors in our terms.
//!
//! What SQLite says about a statement that it can't compile names tables, columns and keywords, and is shown. What it
//! says while running one may come from a function that quotes its argument, so there only the code counts.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::error::StoreError;

/// An error of opening the file at `path`.
pub(super) fn opening(path: &Path, error: Error) -> StoreError {
    let place = path.display().to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SystemIoFailure) => {
            StoreError::Unreachable { place, cause: condition(&error) }
        }
        _ => StoreError::Refused { place, cause: condition(&error) },
    }
}

/// An error of compiling a statement, or of asking about tables and columns.
pub(super) fn asking(error: Error) -> StoreError {
    let code = code(&error);
    match error {
        Error::SqlInputError { msg, .. } => StoreError::Statement { code, cause: msg },
        Error::SqliteFailure(failure, Some(message)) if failure.code == ErrorCode::Unknown => {
            StoreError::Statement { code, cause: message }
        }
        Error::MultipleStatement => StoreError::Query("it holds several statements".to_owned()),
        other => running(other, Duration::ZERO),
    }
}

/// Whether a function of ours could not read a time.
pub(super) fn is_unreadable_time(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|failure| failure.extended_code == ffi::SQLITE_CONSTRAINT_FUNCTION)
}

/// An error of running a statement that may take `limit`.
pub(super) fn running(error: Error, limit: Duration) -> StoreError {
    let (code, cause) = (code(&error), condition(&error));
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => StoreError::Timeout(limit),
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory
            | ErrorCode::DiskFull
            | ErrorCode::CannotOpen
            | ErrorCode::SchemaChanged,
        ) => StoreError::Interrupted { code, cause },
        Some(_) => StoreError::Statement { code, cause },
        None => StoreError::Protocol(cause),
    }
}

fn code(error: &Error) -> String {
    match error.sqlite_error() {
        Some(failure) => format!("SQLite {}", failure.extended_code),
        None => "SQLite".to_owned(),
    }
}

/// What happened, in words that hold no data.
fn condition(error: &Error) -> String {
    match error.sqlite_error() {
        Some(failure) => match failure.code {
            ErrorCode::NotADatabase => "the file is no SQLite database".to_owned(),
            ErrorCode::DatabaseCorrupt => "the database file is damaged".to_owned(),
            ErrorCode::DatabaseBusy => "another program has locked the database".to_owned(),
            ErrorCode::CannotOpen => "the file, or one beside it, can't be opened".to_owned(),
            ErrorCode::DiskFull => "there is no room for temporary files".to_owned(),
            ErrorCode::ReadOnly => "the query tries to write, and the store is only read".to_owned(),
            ErrorCode::AuthorizationForStatementDenied => "the query does what no export may do".to_owned(),
            _ => ffi::code_to_str(failure.extended_code).to_lowercase(),
        },
        None => "the driver and the database disagree".to_owned(),
    }
}
