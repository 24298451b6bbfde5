//! Attempts: the tasks in which runs are worked on. A panic ends the attempt that it happens in and no other.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use super::{RunResult, Runner};
use crate::deliver::Permit;
use crate::job::Job;
use crate::run::RunId;
use crate::state::PendingRun;

/// A run that is being worked on.
pub(super) struct Ticket {
    pub(super) job: Arc<Job>,
    pub(super) run: PendingRun,
    /// Held until the result is recorded: a refusal pauses the recipient before another run gets the permit.
    pub(super) _permit: Permit,
}

pub(super) struct Attempts<R> {
    runner: Arc<R>,
    stop: CancellationToken,
    tasks: JoinSet<RunResult>,
    tickets: HashMap<Id, Ticket>,
}

impl<R: Runner> Attempts<R> {
    pub(super) fn new(runner: R) -> Attempts<R> {
        Attempts {
            runner: Arc::new(runner),
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
            tickets: HashMap::new(),
        }
    }

    /// What does the work.
    pub(super) fn runner(&self) -> Arc<R> {
        self.runner.clone()
    }

    /// The runs that are going on.
    pub(super) fn runs(&self) -> HashSet<&RunId> {
        self.tickets.values().map(|ticket| &ticket.run.record.id).collect()
    }

    /// How many are going on.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Works on a run that is recorded as running.
    pub(super) fn begin(&mut self, job: Arc<Job>, run: PendingRun, permit: Permit) {
        let (runner, working_on, record, stop) =
            (self.runner.clone(), job.clone(), run.record.clone(), self.stop.clone());
        let span = info_span!("run", job = %job.label, run = %record.id, due = %record.due);
        let held = permit.clone();
        let attempt = async move { runner.run(working_on, record, permit, stop).await };
        let task = self.tasks.spawn(attempt.instrument(span));
        self.tickets.insert(task.id(), Ticket { job, run, _permit: held });
    }

    /// Waits for one to end. None if there is none.
    pub(super) async fn ended(&mut self) -> Option<(Ticket, RunResult)> {
        loop {
            let joined = self.tasks.join_next_with_id().await?;
            let ended = self.settle(joined);
            if ended.is_some() {
                return ended;
            }
        }
    }

    /// One that has ended already.
    pub(super) fn ended_by_now(&mut self) -> Option<(Ticket, RunResult)> {
        let joined = self.tasks.try_join_next_with_id()?;
        self.settle(joined)
    }

    fn settle(&mut self, joined: Result<(Id, RunResult), JoinError>) -> Option<(Ticket, RunResult)> {
        let (id, result) = match joined {
            Ok(ended) => ended,
            Err(lost) if lost.is_panic() => (lost.id(), defect()),
            Err(aborted) => (aborted.id(), RunResult::Stopped),
        };
        Some((self.tickets.remove(&id)?, result))
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
    let error = "the run hit a bug in exportd (a panic); its place in the code is in the log";
    RunResult::Failed { error: error.to_owned(), passing: false }
}
