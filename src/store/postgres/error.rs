//! PostgreSQL's errors in our terms, by their SQLSTATE.
//!
//! The server's message is shown only for classes of errors that are about names, rights, connections or resources.
//! A message about data quotes the data (`invalid input syntax for type integer: "Ada"`), so of those only the code
//! and the condition are told. Detail and hint are never shown.

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

use crate::store::error::StoreError;
use crate::store::server;

/// The SQLSTATE of a standby that cancels a query.
const CONFLICT: &str = "40001";

/// What PgBouncer says of a transaction where each statement may go to another server connection.
const WRONG_POOL: &str = "statement pooling";

/// What PgBouncer, which has one code for everything, says where trying again is useless.
const POOLER_REFUSALS: [&str; 5] =
    ["no such database", "no such user", "unsupported startup parameter", "authentication failed", "not allowed"];

/// Why a standby cancels a query, and what helps. A transaction that reads has no other reason to fail with 40001.
const NEEDED_ROWS: &str = "the standby had to apply a change to rows that the query still needs; set \
    hot_standby_feedback = on there, or raise max_standby_streaming_delay";
const NEEDED_LOCK: &str = "the standby had to apply a change that needs a lock on what the query reads, such as TRUNCATE or \
    ALTER TABLE; raise max_standby_streaming_delay there";
const OTHER_CONFLICT: &str = "the standby had to apply a change that the query stood in the way of; raise \
    max_standby_streaming_delay there, and if rows were removed, set hot_standby_feedback = on";

/// An error while the connection was used by a statement that may take `limit`.
pub(super) fn of(error: sqlx::Error, limit: Duration) -> StoreError {
    server::broken(error, |error| match &*code(&*error) {
        CONFLICT => StoreError::Interrupted { code: CONFLICT.to_owned(), cause: conflict(detail(&*error)).to_owned() },
        code => rejection(code, error.message(), limit),
    })
}

/// The server's answer to our login.
pub(super) fn refusal(place: &str, error: Box<dyn DatabaseError>) -> StoreError {
    let (code, place) = (code(&*error), place.to_owned());
    let cause = format!("{} ({code})", condition(&code, error.message()));
    match class(&code) {
        "08" if POOLER_REFUSALS.iter().any(|words| cause.contains(words)) => StoreError::Refused { place, cause },
        "53" | "57" | "08" | "55" | "58" => StoreError::Unreachable { place, cause },
        _ => StoreError::Refused { place, cause },
    }
}

fn rejection(code: &str, message: &str, limit: Duration) -> StoreError {
    // A statement is cancelled when its time is up, or by an administrator, who may have the same reason.
    if code == "57014" {
        return StoreError::Timeout(limit);
    }
    let (cause, code) = (condition(code, message), code.to_owned());
    match &*code {
        "55P03" => {
            return StoreError::Locked {
                code,
                advice: "pg_locks and pg_stat_activity tell which session holds the lock",
            };
        }
        // The server ended what it took for idle, or for too long.
        "25P03" | "25P04" => return StoreError::Interrupted { code, cause },
        "08P01" if message.contains(WRONG_POOL) => {
            let cause = format!(
                "{cause}; all that a run reads is one transaction, so have the pooler use the mode \
                                 transaction or session for this user, or connect to the server itself"
            );
            return StoreError::Statement { code, cause };
        }
        _ => {}
    }
    match class(&code) {
        "42" | "28" | "3D" | "3F" | "25" | "0A" | "22" | "23" | "21" | "44" => StoreError::Statement { code, cause },
        _ => StoreError::Interrupted { code, cause },
    }
}

fn code(error: &dyn DatabaseError) -> String {
    error.code().unwrap_or_default().into_owned()
}

/// What the server says beside its message.
fn detail(error: &dyn DatabaseError) -> &str {
    error.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::detail).unwrap_or_default()
}

/// Why a standby has cancelled a query. A server that speaks another language than English does not tell.
fn conflict(detail: &str) -> &'static str {
    if detail.contains("row versions") {
        NEEDED_ROWS
    } else if detail.contains("relation lock") {
        NEEDED_LOCK
    } else {
        OTHER_CONFLICT
    }
}

fn class(code: &str) -> &str {
    code.get(..2).unwrap_or_default()
}

fn condition(code: &str, message: &str) -> String {
    let words = match class(code) {
        "42" | "28" | "3D" | "3F" | "53" | "57" | "08" | "25" | "40" | "55" | "58" | "0A" => message,
        "22" => match code {
            "22003" => "a number is out of range",
            "22007" | "22008" => "a date or time can't be read or is out of range",
            "22012" => "a division by zero",
            "22021" => "a text is not in the database's encoding",
            "22P05" => "a text can't be converted to UTF-8",
            "22P02" => "a text can't be read as the type it is converted to",
            _ => "a value does not fit the query",
        },
        "21" => "a subquery yields more than one row",
        "23" | "44" => "a constraint is violated",
        "P0" => "a function raised an error",
        "XX" => "an internal error of the database, or damaged data",
        _ => "the database reports an error",
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: &str, message: &str) -> (String, bool) {
        let error = rejection(code, message, Duration::from_secs(5));
        (error.to_string(), error.is_permanent())
    }

    #[test]
    fn names_are_shown_and_values_are_not() {
        let (text, permanent) = told("42703", "column \"emial\" does not exist");
        assert!(text.contains("column \"emial\" does not exist") && permanent);
        for code in ["22P02", "22999", "23505", "P0001", "XX001", "99999", ""] {
            let (text, _) = told(code, "invalid input syntax for type integer: \"Ada\"");
            assert!(!text.contains("Ada") && text.contains(code), "{text}");
        }
    }

    #[test]
    fn what_passes_by_itself_is_tried_again() {
        for code in ["40001", "57P01", "57P03", "57014", "53300", "08006", "08P01", "55P03", "25P03", "XX000", "99999"]
        {
            assert!(!told(code, "m").1, "{code}");
        }
        assert!(told("08P01", "transaction blocks not allowed in statement pooling mode").1);
        assert!(conflict("Ein Detail").contains("max_standby_streaming_delay"));
        for code in ["42P01", "42501", "42601", "25006", "22012", "0A000"] {
            assert!(told(code, "m").1, "{code}");
        }
    }
}
