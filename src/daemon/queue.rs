//! The queue: which runs begin next.
//!
//! The runs of a job are worked on one at a time, in the order of their due times. A run that waits for another attempt
//! holds the later ones back, so that files arrive in order. The oldest run begins first, as soon as its host has a permit;
//! the others stay queued and use the definition that their job has when they begin. Runs of a job that is not in force stay queued.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::jobs::Jobs;
use crate::clearance::Recipient;
use crate::deliver::{Hosts, Permit};
use crate::job::Job;
use crate::run::{RunId, RunRecord};
use crate::state::{PendingRun, job_key};

#[derive(Default)]
pub(super) struct Queue {
    /// By job key. A job without runs has no line.
    lines: BTreeMap<String, Line>,
}

/// A run that may begin now.
pub(super) struct Chosen {
    /// The key of its job.
    pub(super) key: String,
    pub(super) run: RunId,
    pub(super) permit: Permit,
}

#[derive(Default)]
struct Line {
    /// Boxed, because a node of the tree has room for eleven entries, and most jobs have one.
    runs: BTreeMap<(Timestamp, RunId), Box<PendingRun>>,
    /// A run of the job is in progress.
    is_busy: bool,
}

impl Queue {
    pub(super) fn push(&mut self, run: PendingRun) {
        let place = (run.record.due.timestamp(), run.record.id.clone());
        self.lines.entry(job_key(&run.record.job)).or_default().runs.insert(place, Box::new(run));
    }

    /// Chooses up to `most` runs that begin now, the oldest first.
    pub(super) fn choose(&self, jobs: &Jobs, hosts: &Hosts, most: usize, now: Timestamp) -> Vec<Chosen> {
        let mut ready: Vec<_> = self
            .lines
            .iter()
            .filter(|(_, line)| !line.is_busy)
            .filter_map(|(key, line)| {
                let job = jobs.get(key)?;
                let (place, run) = line.runs.first_key_value()?;
                may_begin(run, job, now).then_some((place, key, job))
            })
            .collect();
        ready.sort_unstable_by_key(|(place, ..)| *place);
        let chosen = ready.into_iter().filter_map(|((_, run), key, job)| {
            let permit = hosts.try_permit(&Recipient::of(&job.destination), now)?;
            Some(Chosen { key: key.clone(), run: run.clone(), permit })
        });
        chosen.take(most).collect()
    }

    /// Lets none of `runs` begin before `at`.
    pub(super) fn put_off(&mut self, runs: &[RunId], at: Timestamp) {
        let put_off: HashSet<&RunId> = runs.iter().collect();
        let runs = self.lines.values_mut().flat_map(|line| line.runs.iter_mut());
        runs.filter(|((_, id), _)| put_off.contains(id)).for_each(|(_, run)| run.retry_at = Some(at));
    }

    /// Takes a job's first run, which has begun as `record` says, out of the queue. The job is busy until it is
    /// [released](Queue::release).
    pub(super) fn take(&mut self, key: &str, record: RunRecord, jobs: &Jobs) -> Option<(Arc<Job>, PendingRun)> {
        let (job, line) = (jobs.get(key)?.clone(), self.lines.get_mut(key)?);
        let run = *line.runs.remove(&(record.due.timestamp(), record.id.clone()))?;
        line.is_busy = true;
        Some((job, PendingRun { record, retry_at: None, ..run }))
    }

    /// Removes runs that have ended according to state, or that a command works on.
    pub(super) fn forget(&mut self, runs: &HashSet<RunId>) {
        for line in self.lines.values_mut() {
            line.runs.retain(|(_, id), _| !runs.contains(id));
        }
        self.lines.retain(|_, line| line.is_busy || !line.runs.is_empty());
    }

    /// Allows the job's next run to begin, because the one that was taken has ended.
    pub(super) fn release(&mut self, job: &Job) {
        let key = job_key(&job.label);
        if let Some(line) = self.lines.get_mut(&key) {
            line.is_busy = false;
            if line.runs.is_empty() {
                self.lines.remove(&key);
            }
        }
    }

    /// Makes the queue hold exactly `runs`, and returns whether that changed it.
    pub(super) fn replace(&mut self, runs: Vec<PendingRun>) -> bool {
        let wanted: HashSet<RunId> = runs.iter().map(|run| run.record.id.clone()).collect();
        let mut is_changed = false;
        for line in self.lines.values_mut() {
            let before = line.runs.len();
            line.runs.retain(|(_, id), _| wanted.contains(id));
            is_changed |= line.runs.len() != before;
        }
        for run in runs {
            let place = (run.record.due.timestamp(), run.record.id.clone());
            let line = self.lines.entry(job_key(&run.record.job)).or_default();
            if let Entry::Vacant(vacant) = line.runs.entry(place) {
                vacant.insert(Box::new(run));
                is_changed = true;
            }
        }
        self.lines.retain(|_, line| line.is_busy || !line.runs.is_empty());
        is_changed
    }

    /// How many runs wait here.
    pub(super) fn len(&self) -> usize {
        self.lines.values().map(|line| line.runs.len()).sum()
    }

    /// How many of them wait for a job that is not in force.
    pub(super) fn held(&self, jobs: &Jobs) -> usize {
        let held = self.lines.iter().filter(|(key, _)| jobs.get(key).is_none());
        held.map(|(_, line)| line.runs.len()).sum()
    }
}

fn may_begin(run: &PendingRun, job: &Job, now: Timestamp) -> bool {
    // Its due time was decided by a clock that was ahead.
    if run.record.due.timestamp() > now {
        return false;
    }
    let Some(retry_at) = run.retry_at else { return true };
    let left = retry_at.duration_since(now);
    // No wait is longer than the job's longest: if one seems to be, the clock was set back since.
    left <= SignedDuration::ZERO || left > SignedDuration::try_from(job.retry.max).unwrap_or(SignedDuration::MAX)
}
