//! The store: the SQL database that exports are read from, SQLite, PostgreSQL or MySQL/MariaDB. Read only.

use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

/// How to reach the store.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Which database it is; known from the URL's scheme.
    pub kind: StoreKind,
    /// `sqlite:PATH`, `postgres://…` or `mysql://…`.
    pub url: Secret,
    /// The longest time a single query may take.
    pub statement_timeout: Duration,
    /// A file of certificates (PEM) that the server's certificate must lead to; the public ones if absent.
    pub ca: Option<PathBuf>,
}

/// The databases that exports can be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// SQLite 3, a local file.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}
