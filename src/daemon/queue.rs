//! The queue: which runs may begin, and which of those begun may go to work.
//!
//! A job's runs go one at a time and in the order of their due times; a run that waits to be tried again holds the
//! later ones back, so that files arrive in order. Whatever may begin begins; it then waits here for its turn at its
//! host, oldest first, and goes to work as its job is defined by then. Runs of a job that is not in force stay where
//! they are.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Limits;
use super::jobs::Jobs;
use crate::job::Job;
use crate::run::{RunId, RunRecord, RunState};
use crate::state::{PendingRun, job_key};

/// How long nobody knocks at a server that has refused us.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

#[derive(Default)]
pub(super) struct Queue {
    /// By job key. A job without runs has no line.
    lines: BTreeMap<String, Line>,
    /// The runs in lines that are begun, and so running as far as state knows.
    begun: HashSet<RunId>,
    /// How many runs are at work against each host.
    hosts: HashMap<String, usize>,
    /// Who was refused at which server, and when the next run may knock there.
    refusals: HashMap<String, Timestamp>,
}

#[derive(Default)]
struct Line {
    /// Boxed, for a node has room for eleven, and most jobs have one.
    runs: BTreeMap<(Timestamp, RunId), Box<PendingRun>>,
    /// A run of the job is at work.
    is_busy: bool,
}

/// What may go on.
#[derive(Default)]
pub(super) struct Choice {
    /// Runs to be begun.
    pub(super) begin: Vec<RunId>,
    /// The keys of jobs whose first run may go to work, if it is begun.
    pub(super) work: Vec<String>,
}

impl Queue {
    pub(super) fn push(&mut self, run: PendingRun) {
        let place = (run.record.due.timestamp(), run.record.id.clone());
        self.lines.entry(job_key(&run.record.job)).or_default().runs.insert(place, Box::new(run));
    }

    /// Chooses what may begin and what may go to work now, while `at_work` runs are: the oldest first.
    pub(super) fn choose(&self, jobs: &Jobs, limits: &Limits, at_work: usize, now: Timestamp) -> Choice {
        let mut ready: Vec<_> = self
            .lines
            .iter()
            .filter(|(_, line)| !line.is_busy)
            .filter_map(|(key, line)| {
                let job = jobs.get(key)?;
                let (place, run) = line.runs.first_key_value()?;
                let is_begun = self.begun.contains(&place.1);
                let may_go_on = self.may_knock(job, now) && (is_begun || may_begin(run, job, now));
                may_go_on.then_some((place, key, job, is_begun))
            })
            .collect();
        ready.sort_unstable_by_key(|(place, ..)| *place);
        let mut choice = Choice::default();
        let mut hosts: HashMap<Cow<'_, str>, usize> = HashMap::new();
        for (place, key, job, is_begun) in ready {
            let host = host(job);
            // Where we were refused last time, one at a time finds out whether that has changed.
            let most = if self.was_refused(job) { 1 } else { limits.per_host };
            let going_on = hosts.get(&host).copied().unwrap_or(0) + self.hosts.get(&*host).copied().unwrap_or(0);
            let goes_to_work = going_on < most && at_work + choice.work.len() < limits.workers;
            let begins = goes_to_work || at_work + self.begun.len() + choice.begin.len() < limits.begun;
            if goes_to_work {
                *hosts.entry(host).or_default() += 1;
                choice.work.push(key.clone());
            }
            if begins && !is_begun {
                choice.begin.push(place.1.clone());
            }
        }
        choice
    }

    /// Those of `asked` that state has begun, as they are now; it knows the others as done or in other hands.
    pub(super) fn note_begun(&mut self, asked: &[RunId], begun: Vec<RunRecord>) {
        let mut begun: HashMap<RunId, RunRecord> = begun.into_iter().map(|run| (run.id.clone(), run)).collect();
        let asked: HashSet<&RunId> = asked.iter().collect();
        self.lines.retain(|_, line| {
            line.runs.retain(|(_, id), run| match begun.remove(id) {
                Some(record) => {
                    run.record = record;
                    run.retry_at = None;
                    self.begun.insert(id.clone());
                    true
                }
                None => !asked.contains(id),
            });
            line.is_busy || !line.runs.is_empty()
        });
    }

    /// Lets none of `runs` begin before `at`.
    pub(super) fn put_off(&mut self, runs: &[RunId], at: Timestamp) {
        let put_off: HashSet<&RunId> = runs.iter().collect();
        let runs = self.lines.values_mut().flat_map(|line| line.runs.iter_mut());
        runs.filter(|((_, id), _)| put_off.contains(id)).for_each(|(_, run)| run.retry_at = Some(at));
    }

    /// Takes the first run of a job, if it is begun, to work.
    pub(super) fn take(&mut self, key: &str, jobs: &Jobs) -> Option<(Arc<Job>, PendingRun)> {
        let (job, line) = (jobs.get(key)?.clone(), self.lines.get_mut(key)?);
        let first = line.runs.first_entry()?;
        if !self.begun.remove(&first.key().1) {
            return None;
        }
        let run = *first.remove();
        line.is_busy = true;
        *self.hosts.entry(host(&job).into_owned()).or_default() += 1;
        Some((job, run))
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

    /// The runs that are begun and wait for their turn.
    pub(super) fn begun(&self) -> Vec<RunId> {
        self.begun.iter().cloned().collect()
    }

    /// Has every run wait here that waits here as if it were not begun, as state does from now on.
    pub(super) fn take_back(&mut self) {
        for ((_, id), run) in self.lines.values_mut().flat_map(|line| line.runs.iter_mut()) {
            if self.begun.remove(id) {
                run.record.state = RunState::Queued;
                run.record.attempts -= 1;
            }
        }
    }

    /// Holds all runs back that would log in as the same user at the same server: servers ban who tries again and again.
    pub(super) fn note_refusal(&mut self, job: &Job, now: Timestamp) {
        self.refusals.insert(door(job), now.checked_add(PAUSE).unwrap_or(Timestamp::MAX));
    }

    /// That user has been let in at that server.
    pub(super) fn forget_refusal(&mut self, job: &Job) {
        if !self.refusals.is_empty() {
            self.refusals.remove(&door(job));
        }
    }

    fn was_refused(&self, job: &Job) -> bool {
        !self.refusals.is_empty() && self.refusals.contains_key(&door(job))
    }

    fn may_knock(&self, job: &Job, now: Timestamp) -> bool {
        if self.refusals.is_empty() {
            return true;
        }
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
        self.begun.retain(|id| wanted.contains(id));
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

/// Who logs in where.
fn door(job: &Job) -> String {
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
