//! What can go wrong between us and a store, and whether trying again can help.
//!
//! Texts of a database are shown only where they can't hold data; the `error` module of each database decides where
//! that is. No message holds the URL, for the URL may hold a password.

use std::path::PathBuf;
use std::time::Duration;

use crate::tls::TlsFault;
use crate::value::{ColumnType, Stop};
use crate::wording::plural;

/// Why a store could not be opened, asked or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL is malformed or of the wrong kind.
    #[error("the store's URL can't be used: {0}")]
    Url(String),
    /// The SQLite file does not exist.
    #[error("there is no store at {}; check the path in the store's URL (the file is never created)", .0.display())]
    NoFile(PathBuf),
    /// Nobody answers, or the server takes no more connections.
    #[error("the store {place} can't be reached: {cause}")]
    Unreachable {
        /// Which store, without user and password.
        place: String,
        /// Why.
        cause: String,
    },
    /// The server can't prove who it is, or does not speak TLS.
    #[error("no safe connection to the store {place}: {fault}; {}", .fault.remedy("[store]"))]
    Insecure {
        /// Which store.
        place: String,
        /// Why.
        fault: TlsFault,
    },
    /// The file of trusted certificates can't be used.
    #[error("the certificates of `ca` of [store], {}, can't be used: {cause}", .path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// The login, the database or the file is refused.
    #[error("the store {place} refused us: {cause}")]
    Refused {
        /// Which store.
        place: String,
        /// Why.
        cause: String,
    },
    /// The table or view does not exist, or we may not see it.
    #[error("the store has no table or view \"{table}\"{}", suggestion(.nearest))]
    NoTable {
        /// The name that was looked for.
        table: String,
        /// The most similar name there is.
        nearest: Option<String>,
    },
    /// Columns do not exist in the table, view or query; all of them.
    #[error("{from} has no column {}", list(.missing))]
    NoColumns {
        /// Where the columns were looked for.
        from: String,
        /// The missing columns.
        missing: Vec<MissingColumn>,
    },
    /// A period can't be compared with the column's type.
    #[error(
        "a period can't filter on column \"{column}\": its type in the store is {sql_type}, and a {declared} column \
         must be a date, a timestamp or a number there"
    )]
    NotATime {
        /// The column.
        column: String,
        /// Its type in the store.
        sql_type: String,
        /// What the catalogue declares.
        declared: &'static str,
    },
    /// Times can't be read, so it is unknown whether their rows belong to a period.
    #[error(
        "the time column \"{column}\" holds values that can't be read as {declared}, so it is unknown which period \
         their rows belong to: {found}"
    )]
    UnreadableTimes {
        /// The column.
        column: String,
        /// What the catalogue declares.
        declared: ColumnType,
        /// What was found instead: of each class of values how many, and the remedy.
        found: String,
    },
    /// Cells that a run would read can't be read.
    #[error("column \"{column}\" holds values that can't be read as {declared}, so every run would fail: {found}")]
    UnreadableCells {
        /// The column.
        column: String,
        /// What the catalogue declares.
        declared: ColumnType,
        /// What was found instead: of each class of values how many, and the remedy.
        found: String,
    },
    /// The query of the catalogue is not one single statement that reads.
    #[error("the query can't be used: {0}")]
    Query(String),
    /// The store refused a statement, and would refuse it again.
    #[error("the store refused the query ({code}): {cause}")]
    Statement {
        /// The database's own code.
        code: String,
        /// Its message if that can't hold data, else the condition in our words.
        cause: String,
    },
    /// Policies of PostgreSQL would hide rows, and the configuration does not allow that.
    #[error(
        "row-level security is active for role {role} on {tables}, so rows would be missing, and `row_security = \
         \"off\"` of [store] allows none to be; read as a role with BYPASSRLS, or write \"on\""
    )]
    RowSecurity {
        /// The role that reads.
        role: String,
        /// The tables, separated by commas.
        tables: String,
    },
    /// A statement took longer than allowed.
    #[error("the query took longer than {}; raise `timeout` of [store], or add an index", seconds(.0))]
    Timeout(Duration),
    /// A statement waited in vain for a lock of another program.
    #[error("another program has locked what the query reads, and did not end ({code}); {advice}")]
    Locked {
        /// The database's own code.
        code: String,
        /// How to find who holds the lock.
        advice: &'static str,
    },
    /// The store broke off, for a reason that may pass.
    #[error("the store broke off ({code}): {cause}")]
    Interrupted {
        /// The database's own code.
        code: String,
        /// Its message if that can't hold data, else the condition in our words.
        cause: String,
    },
    /// The store sent something that the driver or we don't understand.
    #[error("the store sent something unexpected: {0}")]
    Protocol(String),
}

impl StoreError {
    /// Whether the store was not reached at all, whether or not that may pass.
    pub fn is_out_of_reach(&self) -> bool {
        use StoreError::*;
        matches!(self, NoFile(_) | Unreachable { .. } | Insecure { .. } | Authority { .. } | Refused { .. })
    }

    /// Whether trying again is useless until somebody changes the configuration or the store.
    ///
    /// False means that it may pass by itself; that includes everything we know no better about.
    pub fn is_permanent(&self) -> bool {
        match self {
            StoreError::Url(_)
            | StoreError::NoFile(_)
            | StoreError::Insecure { .. }
            | StoreError::Authority { .. }
            | StoreError::Refused { .. }
            | StoreError::NoTable { .. }
            | StoreError::NoColumns { .. }
            | StoreError::NotATime { .. }
            | StoreError::UnreadableTimes { .. }
            | StoreError::UnreadableCells { .. }
            | StoreError::Query(_)
            | StoreError::RowSecurity { .. }
            | StoreError::Statement { .. } => true,
            StoreError::Unreachable { .. }
            | StoreError::Timeout(_)
            | StoreError::Locked { .. }
            | StoreError::Interrupted { .. }
            | StoreError::Protocol(_) => false,
        }
    }
}

/// A column that was looked for in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingColumn {
    /// The name that was looked for.
    pub name: String,
    /// The most similar name there is.
    pub nearest: Option<String>,
}

/// Why a read ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sink had enough.
    #[error(transparent)]
    Stop(#[from] Stop),
}

fn seconds(limit: &Duration) -> String {
    match limit.subsec_nanos() {
        0 => plural(limit.as_secs() as usize, "second"),
        _ => format!("{} seconds", limit.as_secs_f64()),
    }
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |nearest| format!(" (did you mean \"{nearest}\"?)"))
}

fn list(missing: &[MissingColumn]) -> String {
    let columns: Vec<String> =
        missing.iter().map(|column| format!("\"{}\"{}", column.name, suggestion(&column.nearest))).collect();
    columns.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_second_is_one() {
        let told = |limit| StoreError::Timeout(limit).to_string();
        assert!(told(Duration::from_secs(1)).contains("longer than 1 second;"));
        assert!(told(Duration::from_secs(3600)).contains("longer than 3,600 seconds;"));
        assert!(told(Duration::from_millis(1500)).contains("longer than 1.5 seconds;"));
    }
}
