//! Starting runs: those that may begin are recorded as running in one commit.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;
use tracing::error;

use super::queue::Chosen;
use super::service::Service;
use super::{Clock, Runner};
use crate::run::{RunId, RunRecord};

/// How long runs wait that could not be started because state could not be written.
const STATE_PAUSE: SignedDuration = SignedDuration::from_secs(10);

impl<R: Runner, C: Clock> Service<R, C> {
    /// Starts the runs that may begin.
    pub(super) async fn start_runs(&mut self) {
        let now = self.now();
        let most = self.limits.workers.saturating_sub(self.attempts.len());
        let chosen = self.queue.choose(&self.jobs, &self.hosts, most, now);
        if chosen.is_empty() {
            return;
        }
        let runs: Vec<RunId> = chosen.iter().map(|chosen| chosen.run.clone()).collect();
        let started = match self.state.start(&runs, now).await {
            Ok(started) => started,
            Err(error) => {
                error!(runs = runs.len(), %error, "runs can't be recorded, so they are not started");
                return self.queue.put_off(&runs, now.checked_add(STATE_PAUSE).unwrap_or(now));
            }
        };
        let mut started: HashMap<RunId, RunRecord> = started.into_iter().map(|run| (run.id.clone(), run)).collect();
        let mut gone = HashSet::new();
        for Chosen { key, run, permit } in chosen {
            let Some(record) = started.remove(&run) else {
                gone.insert(run);
                continue;
            };
            if let Some((job, run)) = self.queue.take(&key, record, &self.jobs) {
                self.attempts.begin(job, run, permit);
            }
        }
        if !gone.is_empty() {
            self.queue.forget(&gone);
        }
    }
}
