//! Loads the rows into a database: one loop makes them, a target for each database takes them.
//!
//! Rows are made on a thread that may block, one table after the other, and never collected.

pub(super) mod mysql;
pub(super) mod postgres;
mod server;
pub(super) mod sqlite;

use super::row::Rows;
use super::tables;
use super::world::World;
use super::{SampleError, Summary, TableProgress};

/// What takes the rows of all tables, one table after the other.
trait Target {
    /// Takes more rows of `table`. There is at least one, and all rows of a table have the same columns.
    fn rows(&mut self, table: &'static str, rows: &Rows) -> Result<(), SampleError>;

    /// Ends `table`, which had at least one row.
    fn end_table(&mut self, table: &'static str) -> Result<(), SampleError>;

    /// Tells how far a table is.
    fn progress(&mut self, progress: TableProgress) -> Result<(), SampleError>;
}

/// How many steps are made between two reports of progress.
const REPORT_EVERY: u64 = 1000;

/// Makes the rows of all tables.
fn produce(world: &World, target: &mut impl Target) -> Result<Summary, SampleError> {
    let mut summary = Summary::default();
    for table in tables::all() {
        let total = (table.units)(world);
        let mut rows = Rows::default();
        let mut count = 0;
        for unit in 0..total {
            (table.fill)(world, unit, &mut rows);
            count += rows.len();
            if rows.len() > 0 {
                target.rows(table.name, &rows)?;
                rows.clear();
            }
            if unit.is_multiple_of(REPORT_EVERY) {
                target.progress(TableProgress { table: table.name, done: unit, total })?;
            }
        }
        if count > 0 {
            target.end_table(table.name)?;
        }
        target.progress(TableProgress { table: table.name, done: total, total })?;
        summary.tables.push((table.name, count));
    }
    Ok(summary)
}

/// The result of the making thread; a panic there goes on here.
fn joined<T>(result: Result<T, tokio::task::JoinError>) -> Result<T, SampleError> {
    match result {
        Ok(value) => Ok(value),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(SampleError::Stopped),
    }
}

fn refused(what: &str, cause: &impl ToString) -> SampleError {
    SampleError::Refused { what: what.to_owned(), cause: cause.to_string() }
}
