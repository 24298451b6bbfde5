//! Statements on a connection that are prepared once.

use rusqlite::{Connection, OptionalExtension, Params, Result, Row};

/// How many prepared statements a connection keeps: more than there are.
pub(super) const STATEMENTS: usize = 256;

pub(super) trait Sql {
    /// Runs a statement and returns how many rows it has changed.
    fn change(&self, sql: &str, params: impl Params) -> Result<usize>;

    /// The first row of a query; none if there is none.
    fn first<T>(&self, sql: &str, params: impl Params, read: impl FnOnce(&Row<'_>) -> Result<T>) -> Result<Option<T>>;

    /// All rows of a query.
    fn all<T>(&self, sql: &str, params: impl Params, read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>>;
}

impl Sql for Connection {
    fn change(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.prepare_cached(sql)?.execute(params)
    }

    fn first<T>(&self, sql: &str, params: impl Params, read: impl FnOnce(&Row<'_>) -> Result<T>) -> Result<Option<T>> {
        self.prepare_cached(sql)?.query_row(params, read).optional()
    }

    fn all<T>(&self, sql: &str, params: impl Params, read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        self.prepare_cached(sql)?.query_map(params, read)?.collect()
    }
}
