//! The scheduler: what is due by now, and has it been decided.
//!
//! A heap of the next due time of every job makes a look that finds nothing cost nothing, whatever the number of
//! jobs. The heap is a memory of state, never more: occurrences are enumerated from the mark that state keeps, so a
//! clock that jumps, or a look that never came, changes when a run is queued and not whether.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use jiff::Timestamp;

use super::decision::decide;
use super::jobs::Jobs;
use crate::job::Job;
use crate::run::RunRecord;
use crate::state::{State, StateError};

pub(super) struct Scheduler {
    state: State,
    entries: Vec<Entry>,
    /// The next undecided due time of each entry, the earliest on top.
    next: BinaryHeap<Reverse<(Timestamp, usize)>>,
}

struct Entry {
    job: Arc<Job>,
    decided_until: Timestamp,
}

impl Scheduler {
    pub(super) fn new(state: State) -> Scheduler {
        Scheduler { state, entries: Vec::new(), next: BinaryHeap::new() }
    }

    /// Puts `jobs` into force in place of those before. If state can't be written, those before stay.
    pub(super) async fn replace(&mut self, jobs: &Jobs, now: Timestamp) -> Result<(), StateError> {
        let labels: Vec<&str> = jobs.in_force().map(|(_, job)| job.label.as_str()).collect();
        let decided = self.state.in_force(&labels, now).await?;
        let entries = jobs.in_force().map(|(key, job)| Entry { job: job.clone(), decided_until: decided[key] });
        self.entries = entries.collect();
        let next = self.entries.iter().enumerate().map(|(place, entry)| entry.next(place));
        self.next = next.collect();
        Ok(())
    }

    /// Decides what fell due up to `now` and returns the runs that this made. If state can't be written nothing is
    /// decided, and the next look does it.
    pub(super) async fn look(&mut self, now: Timestamp) -> Result<Vec<RunRecord>, StateError> {
        let mut due = Vec::new();
        while let Some(&Reverse((at, place))) = self.next.peek() {
            if at > now {
                break;
            }
            self.next.pop();
            due.push(place);
        }
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let decisions: Vec<_> = due
            .iter()
            .map(|&place| &self.entries[place])
            .map(|entry| decide(&entry.job, entry.decided_until, now))
            .collect();
        let made = self.state.decide(&decisions, now).await;
        for place in due {
            let entry = &mut self.entries[place];
            if made.is_ok() {
                entry.decided_until = now;
            }
            self.next.push(entry.next(place));
        }
        made
    }

    /// Records that nothing up to `now` is left to decide. To be called after a look at `now` that went well.
    pub(super) async fn settle(&self, now: Timestamp) -> Result<(), StateError> {
        self.state.decided(now).await
    }

    /// The job that is due next, and when.
    pub(super) fn next_due(&self) -> Option<(Timestamp, &Job)> {
        self.next.peek().map(|&Reverse((at, place))| (at, &*self.entries[place].job))
    }

    /// How many jobs are in force.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl Entry {
    fn next(&self, place: usize) -> Reverse<(Timestamp, usize)> {
        Reverse((self.job.schedule.next_due(self.decided_until).timestamp(), place))
    }
}
