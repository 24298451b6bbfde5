//! The queue: which run may begin next.
//!
//! A job's runs go one at a time and in the order of their due times; a run that waits to be tried again holds the
//! later ones back, so that files arrive in order. Runs of a job that is not in force stay where they are.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::jobs::Jobs;
use crate::job::Job;
use crate::run::RunId;
use crate::state::{PendingRun, job_key};

/// How long nobody knocks at a server that has refused us.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

#[derive(Default)]
pub(super) struct Queue {
    /// By job key. A job without runs has no line.
    lines: BTreeMap<String, Line>,
    /// How many runs are going on against each host.
    hosts: HashMap<String, usize>,
    /// Who was refused at which server, and when the next run may knock there.
    refusals: HashMap<String, Timestamp>,
}

#[derive(Default)]
struct Line {
    runs: BTreeMap<(Timestamp, RunId), PendingRun>,
    is_busy: bool,
}

impl Queue {
    pub(super) fn push(&mut self, run: PendingRun) {
        let place = (run.record.due.timestamp(), run.record.id.clone());
        self.lines.entry(job_key(&run.record.job)).or_default().runs.insert(place, run);
    }

    /// Takes the run that is due longest among those that may begin now, with its job as it is in force.
    pub(super) fn take(&mut self, jobs: &Jobs, per_host: usize, now: Timestamp) -> Option<(Arc<Job>, PendingRun)> {
        let ready = self.lines.iter().filter(|(_, line)| !line.is_busy).filter_map(|(key, line)| {
            let job = jobs.get(key)?;
            let (place, run) = line.runs.first_key_value()?;
            // Where we were refused last time, one at a time finds out whether that has changed.
            let per_host = if self.refusals.contains_key(&door(job)) { 1 } else { per_host };
            let is_free = self.hosts.get(&host(job)).is_none_or(|&going_on| going_on < per_host);
            (is_free && self.may_knock(job, now) && may_begin(run, job, now)).then_some((place, key, job))
        });
        let (place, key, job) = ready.min_by_key(|(place, ..)| *place)?;
        let (place, key, job) = (place.clone(), key.clone(), job.clone());
        let line = self.lines.get_mut(&key)?;
        line.is_busy = true;
        let run = line.runs.remove(&place)?;
        *self.hosts.entry(host(&job)).or_default() += 1;
        Some((job, run))
    }

    /// Lets the job's next run, and another one against the host, begin: one that was taken has ended.
    pub(super) fn release(&mut self, job: &Job) {
        if let Some(going_on) = self.hosts.get_mut(&host(job)) {
            *going_on -= 1;
        }
        self.hosts.retain(|_, going_on| *going_on > 0);
        let key = job_key(&job.label);
        if let Some(line) = self.lines.get_mut(&key) {
            line.is_busy = false;
            if line.runs.is_empty() {
                self.lines.remove(&key);
            }
        }
    }

    /// Holds all runs back that would log in as the same user at the same server: servers ban who tries again and again.
    pub(super) fn note_refusal(&mut self, job: &Job, now: Timestamp) {
        self.refusals.insert(door(job), now.checked_add(PAUSE).unwrap_or(Timestamp::MAX));
    }

    /// That user has been let in at that server.
    pub(super) fn forget_refusal(&mut self, job: &Job) {
        self.refusals.remove(&door(job));
    }

    fn may_knock(&self, job: &Job, now: Timestamp) -> bool {
        let Some(again) = self.refusals.get(&door(job)) else { return true };
        let left = again.duration_since(now);
        // A longer wait than there ever is means that the clock was set back.
        left <= SignedDuration::ZERO || left > PAUSE
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
                vacant.insert(run);
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

/// Who logs in where.
fn door(job: &Job) -> String {
    format!("{}@{}:{}", job.destination.user, host(job), job.destination.port)
}

fn host(job: &Job) -> String {
    job.destination.host.to_lowercase()
}

fn may_begin(run: &PendingRun, job: &Job, now: Timestamp) -> bool {
    let Some(retry_at) = run.retry_at else { return true };
    let left = retry_at.duration_since(now);
    // No wait is longer than the job's longest: if one seems to be, the clock was set back since.
    left <= SignedDuration::ZERO || left > SignedDuration::try_from(job.retry.max).unwrap_or(SignedDuration::MAX)
}
