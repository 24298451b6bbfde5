//! What loaders of servers share: a thread makes the rows, the connection's task sends them.

use sqlx::{AssertSqlSafe, Executor};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::super::world::World;
use super::super::{SampleError, Summary, TableProgress, schema, tables};
use super::{Target, joined, produce, refused};
use crate::store::StoreKind;

/// A part of the work that a database server is sent.
pub(super) enum Step {
    /// Statements to run as they are, for the table named.
    Run(&'static str, String),
    /// The start of a table's rows, by a statement that takes them as a stream.
    Begin(&'static str, String),
    /// More of the stream.
    Data(Vec<u8>),
    /// The end of the stream.
    End,
    /// How far a table is.
    Report(TableProgress),
}

/// Where the making thread puts steps; full while the server is busy.
pub(super) struct Steps(mpsc::Sender<Step>);

impl Steps {
    /// Sends a step, waiting until there is room for it.
    pub(super) fn send(&self, step: Step) -> Result<(), SampleError> {
        self.0.blocking_send(step).map_err(|_| SampleError::Stopped)
    }
}

/// The thread that makes the rows.
pub(super) struct Making {
    /// What it has made.
    pub(super) steps: mpsc::Receiver<Step>,
    thread: JoinHandle<Result<Summary, SampleError>>,
}

impl Making {
    /// Starts to make the rows of `world`, which `target` turns into steps.
    pub(super) fn start<T: Target>(world: World, target: impl FnOnce(Steps) -> T + Send + 'static) -> Making {
        let (sender, steps) = mpsc::channel(4);
        let thread = tokio::task::spawn_blocking(move || produce(&world, &mut target(Steps(sender))));
        Making { steps, thread }
    }

    /// What was made, unless making it failed, or `taken`, the sending of it.
    pub(super) async fn end(self, taken: Result<(), SampleError>) -> Result<Summary, SampleError> {
        // A thread that still has steps to send ends now.
        drop(self.steps);
        let summary = joined(self.thread.await)?;
        taken?;
        summary
    }
}

/// Runs `statements` one after the other; `what` names them where one is refused.
pub(super) async fn run_all<C>(connection: &mut C, what: &str, statements: Vec<String>) -> Result<(), SampleError>
where
    for<'c> &'c mut C: Executor<'c>,
{
    for sql in statements {
        let run = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await;
        run.map_err(|error| refused(what, &error))?;
    }
    Ok(())
}

/// Adds to full tables what is slow to keep up to date while they are filled. `analyze` is the command that gathers
/// statistics.
pub(super) async fn complete<C>(connection: &mut C, kind: StoreKind, analyze: &str) -> Result<(), SampleError>
where
    for<'c> &'c mut C: Executor<'c>,
{
    run_all(connection, "the indexes", schema::indexes(kind)).await?;
    run_all(connection, "the views", schema::views(kind)).await?;
    let names: Vec<&str> = tables::all().into_iter().map(|table| table.name).collect();
    run_all(connection, "the statistics", vec![format!("{analyze} {}", names.join(", "))]).await
}

/// The error of a database that can't be used.
pub(super) fn unusable(error: sqlx::Error) -> SampleError {
    SampleError::Connect { cause: error.to_string() }
}
