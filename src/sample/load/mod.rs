//! Getting the rows into a database: one loop makes them, a target for each database takes them.
//!
//! Rows are made on a thread that may block, one table after the other, and never collected.

pub(super) mod mysql;
pub(super) mod postgres;
pub(super) mod sqlite;

use tokio::sync::mpsc;

use super::row::Rows;
use super::tables;
use super::world::World;
use super::{Progress, SampleError, Summary};

/// What takes the rows of all tables, one table after the other.
trait Target {
    /// Takes more rows of `table`. There is at least one, and all rows of a table have the same columns.
    fn rows(&mut self, table: &'static str, rows: &Rows) -> Result<(), SampleError>;

    /// Ends `table`, which had at least one row.
    fn end_table(&mut self, table: &'static str) -> Result<(), SampleError>;

    /// Tells how far a table is.
    fn progress(&mut self, progress: Progress) -> Result<(), SampleError>;
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
                target.progress(Progress { table: table.name, done: unit, total })?;
            }
        }
        if count > 0 {
            target.end_table(table.name)?;
        }
        target.progress(Progress { table: table.name, done: total, total })?;
        summary.tables.push((table.name, count));
    }
    Ok(summary)
}

/// A part of the work that a database server is sent.
enum Step {
    /// Statements to run as they are, for the table named.
    Run(&'static str, String),
    /// The start of a table's rows, by a statement that takes them as a stream.
    Begin(&'static str, String),
    /// More of the stream.
    Data(Vec<u8>),
    /// The end of the stream.
    End,
    /// News for whoever waits.
    Report(Progress),
}

/// Where the making thread puts steps; full while the server is busy.
struct Steps(mpsc::Sender<Step>);

impl Steps {
    /// Makes the rows of `world` on a thread of their own, by a target that `target` makes from the way out.
    fn start<T: Target>(
        world: World,
        target: impl FnOnce(Steps) -> T + Send + 'static,
    ) -> (mpsc::Receiver<Step>, tokio::task::JoinHandle<Result<Summary, SampleError>>) {
        let (sender, receiver) = mpsc::channel(4);
        let work = tokio::task::spawn_blocking(move || produce(&world, &mut target(Steps(sender))));
        (receiver, work)
    }

    fn send(&self, step: Step) -> Result<(), SampleError> {
        self.0.blocking_send(step).map_err(|_| SampleError::Stopped)
    }
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
