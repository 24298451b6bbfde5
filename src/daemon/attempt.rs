//! Attempts: the tasks in which runs are worked on. A panic ends the attempt that it happens in and no other.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use super::{Clock, RunResult, Runner};
use crate::job::Job;
use crate::run::RunId;
use crate::state::{Owner, PendingRun, State, StateError};

/// What came of an attempt.
pub(super) enum Ended {
    /// The runner returned, or panicked.
    Worked(RunResult),
    /// State could not be told that it begins; it did not.
    NotBegun(StateError),
    /// State says that the run is no longer to be done.
    Gone,
}

/// A run that is being worked on.
pub(super) struct Ticket {
    pub(super) job: Arc<Job>,
    pub(super) run: PendingRun,
}

pub(super) struct Attempts<R, C> {
    state: State,
    runner: Arc<R>,
    clock: Arc<C>,
    stop: CancellationToken,
    tasks: JoinSet<Ended>,
    tickets: HashMap<Id, Ticket>,
}

impl<R: Runner, C: Clock> Attempts<R, C> {
    pub(super) fn new(state: State, runner: R, clock: Arc<C>) -> Attempts<R, C> {
        Attempts {
            state,
            runner: Arc::new(runner),
            clock,
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
            tickets: HashMap::new(),
        }
    }

    /// What does the work.
    pub(super) fn runner(&self) -> Arc<R> {
        self.runner.clone()
    }

    /// Whether the run is among those that are going on.
    pub(super) fn has(&self, run: &RunId) -> bool {
        self.tickets.values().any(|ticket| ticket.run.record.id == *run)
    }

    /// How many are going on.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Begins one.
    pub(super) fn begin(&mut self, job: Arc<Job>, run: PendingRun) {
        let (state, runner, clock, stop) =
            (self.state.clone(), self.runner.clone(), self.clock.clone(), self.stop.clone());
        let (id, working_on) = (run.record.id.clone(), job.clone());
        let span = info_span!("run", job = %job.label, run = %id, due = %run.record.due);
        let attempt = async move {
            match state.start(&id, Owner::Daemon, clock.now()).await {
                Ok(Some(record)) => Ended::Worked(runner.run(working_on, record, stop).await),
                Ok(None) => Ended::Gone,
                Err(error) => Ended::NotBegun(error),
            }
        };
        let task = self.tasks.spawn(attempt.instrument(span));
        self.tickets.insert(task.id(), Ticket { job, run });
    }

    /// Waits for one to end. None if there is none.
    pub(super) async fn ended(&mut self) -> Option<(Ticket, Ended)> {
        loop {
            let (id, ended) = match self.tasks.join_next_with_id().await? {
                Ok((id, ended)) => (id, ended),
                Err(lost) if lost.is_panic() => (lost.id(), Ended::Worked(defect())),
                Err(aborted) => (aborted.id(), Ended::Worked(RunResult::Stopped)),
            };
            if let Some(ticket) = self.tickets.remove(&id) {
                return Some((ticket, ended));
            }
        }
    }

    /// Tells all of them to stop.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Ends all of them where they are.
    pub(super) fn abort(&mut self) {
        self.tasks.abort_all();
    }
}

/// The panic's own words stay out of the history: they may quote a row.
fn defect() -> RunResult {
    let error = "the run was ended by a defect of exportd (a panic); its place in the code is in the log";
    RunResult::Failed { error: error.to_owned(), passing: false }
}
