//! The queue: which runs begin next.
//!
//! A job's runs go one at a time and in the order of their due times; a run that waits to be tried again holds the
//! later ones back, so that files arrive in order. A host takes a few runs at a time, the oldest first; the others stay
//! queued, and begin as their job is defined by then. Runs of a job that is not in force stay where they are.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Limits;
use super::jobs::Jobs;
use crate::job::Job;
use crate::run::{RunId, RunRecord};
use crate::state::{PendingRun, job_key};

/// How long no run logs in at a server that has refused us.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

#[derive(Default)]
pub(super) struct Queue {
    /// By job key. A job without runs has no line.
    lines: BTreeMap<String, Line>,
    /// How many runs are at work against each host.
    hosts: HashMap<String, usize>,
    /// The accounts that a server has refused, and when the next run may log in there.
    refusals: HashMap<String, Timestamp>,
}

#[derive(Default)]
struct Line {
    /// Boxed, for a node has room for eleven, and most jobs have one.
    runs: BTreeMap<(Timestamp, RunId), Box<PendingRun>>,
    /// A run of the job is at work.
    is_busy: bool,
}

impl Queue {
    pub(super) fn push(&mut self, run: PendingRun) {
        let place = (run.record.due.timestamp(), run.record.id.clone());
        self.lines.entry(job_key(&run.record.job)).or_default().runs.insert(place, Box::new(run));
    }

    /// Chooses which runs begin now, while `at_work` runs are: the oldest first. Returns the keys of their jobs, too.
    pub(super) fn choose(&self, jobs: &Jobs, limits: &Limits, at_work: usize, now: Timestamp) -> Vec<(String, RunId)> {
        let mut ready: Vec<_> = self
            .lines
            .iter()
            .filter(|(_, line)| !line.is_busy)
            .filter_map(|(key, line)| {
                let job = jobs.get(key)?;
                let (place, run) = line.runs.first_key_value()?;
                (self.may_log_in(job, now) && may_begin(run, job, now)).then_some((place, key, job))
            })
            .collect();
        ready.sort_unstable_by_key(|(place, ..)| *place);
        let mut chosen = Vec::new();
        let mut hosts: HashMap<Cow<'_, str>, usize> = HashMap::new();
        for ((_, run), key, job) in ready {
            if at_work + chosen.len() >= limits.workers {
                break;
            }
            let host = host(job);
            // Where we were refused last time, one at a time finds out whether that has changed.
            let most = if self.was_refused(job) { 1 } else { limits.per_host };
            let at_host = hosts.get(&host).copied().unwrap_or(0) + self.hosts.get(&*host).copied().unwrap_or(0);
            if at_host < most {
                *hosts.entry(host).or_default() += 1;
                chosen.push((key.clone(), run.clone()));
            }
        }
        chosen
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
        *self.hosts.entry(host(&job).into_owned()).or_default() += 1;
        Some((job, PendingRun { record, retry_at: None, ..run }))
    }

    /// Lets go of runs that state knows as done, or in other hands.
    pub(super) fn forget(&mut self, runs: &HashSet<RunId>) {
        for line in self.lines.values_mut() {
            line.runs.retain(|(_, id), _| !runs.contains(id));
        }
        self.lines.retain(|_, line| line.is_busy || !line.runs.is_empty());
    }

    /// Lets the job's next run, and another one against the host, go on: one that was taken has ended.
    pub(super) fn release(&mut self, job: &Job) {
        if let Some(going_on) = self.hosts.get_mut(&*host(job)) {
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
        self.refusals.insert(account(job), now.checked_add(PAUSE).unwrap_or(Timestamp::MAX));
    }

    /// That user has been let in at that server.
    pub(super) fn forget_refusal(&mut self, job: &Job) {
        if !self.refusals.is_empty() {
            self.refusals.remove(&account(job));
        }
    }

    fn was_refused(&self, job: &Job) -> bool {
        !self.refusals.is_empty() && self.refusals.contains_key(&account(job))
    }

    fn may_log_in(&self, job: &Job, now: Timestamp) -> bool {
        if self.refusals.is_empty() {
            return true;
        }
        let Some(again) = self.refusals.get(&account(job)) else { return true };
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

/// The account that a job logs in as.
fn account(job: &Job) -> String {
    format!("{}@{}:{}", job.destination.user, host(job), job.destination.port)
}

/// The host, without regard to case.
fn host(job: &Job) -> Cow<'_, str> {
    let host = &job.destination.host;
    if host.chars().any(char::is_uppercase) { host.to_lowercase().into() } else { host.into() }
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
