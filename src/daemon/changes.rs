//! How a configuration differs from the one that was accepted last.
//!
//! State shows the jobs before in the order of their keys, which is that of the jobs now: both are gone through side by
//! side, a few definitions at a time, for those of ten thousand jobs are much larger than the jobs.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Peekable;

use serde::Serialize;

use super::jobs::{All, Jobs};
use crate::config::SettingsChange;
use crate::definition::{Definition, Exposure};
use crate::job::Job;
use crate::state::{State, StateError};

/// How many definitions are read at a time.
const PAGE: u32 = 100;

/// How many jobs are called by name before the rest are counted.
const NAMED: usize = 20;

/// What a configuration changes.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Changes {
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) changed: Vec<Changed>,
    pub(super) exposed: Vec<Exposure>,
    /// What else than jobs is said otherwise. Not known at a start.
    pub(super) settings: Vec<SettingsChange>,
}

/// A job that is another now.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Changed {
    pub(super) job: String,
    /// The keys of its configuration whose values changed.
    pub(super) keys: Vec<String>,
}

/// What a configuration changes, and what state is to be told of it.
#[derive(Default)]
pub(super) struct Comparison {
    pub(super) changes: Changes,
    /// The keys of jobs whose definitions are not what state has.
    pub(super) rewritten: Vec<String>,
    /// State knew of no job.
    pub(super) is_first: bool,
}

impl Comparison {
    /// Compares what state knows with `jobs`.
    pub(super) async fn with(state: &State, jobs: &Jobs) -> Result<Comparison, StateError> {
        let mut comparison = Comparison { is_first: true, ..Comparison::default() };
        let mut next = jobs.all().peekable();
        let mut last = String::new();
        loop {
            let mut page = state.definitions(&last, PAGE).await?;
            page.iter().for_each(|(key, text)| comparison.meet(key, text, &mut next));
            let Some((key, _)) = page.pop() else { break };
            last = key;
        }
        next.for_each(|(key, job)| comparison.add(key, job));
        comparison.changes.removed.sort();
        Ok(comparison)
    }

    /// Comes to a job that state knows, after those of `next` that come before it.
    fn meet<'j>(&mut self, key: &str, text: &str, next: &mut Peekable<All<'j>>) {
        self.is_first = false;
        while let Some((added, job)) = next.next_if(|(other, _)| other.as_str() < key) {
            self.add(added, job);
        }
        match next.peek().map(|(other, _)| other.as_str().cmp(key)) {
            Some(Ordering::Equal) => {
                if let Some((key, job)) = next.next() {
                    self.compare(key, job, text);
                }
            }
            _ => {
                let label = Definition::parse(text).map(|gone| gone.label().to_owned());
                self.changes.removed.extend(label);
                self.rewritten.push(key.to_owned());
            }
        }
    }

    fn add(&mut self, key: &str, job: &Job) {
        self.changes.exposed.extend(Definition::of(job).exposed_since(None));
        self.changes.added.push(job.label.clone());
        self.rewritten.push(key.to_owned());
    }

    fn compare(&mut self, key: &str, job: &Job, text: &str) {
        let definition = Definition::of(job);
        if definition.text() == text {
            return;
        }
        // What another version has written in a way that this one can't read counts as unknown.
        let Some(before) = Definition::parse(text) else { return self.add(key, job) };
        self.rewritten.push(key.to_owned());
        self.changes.exposed.extend(definition.exposed_since(Some(&before)));
        let keys = before.changed_keys(&definition);
        if !keys.is_empty() {
            self.changes.changed.push(Changed { job: job.label.clone(), keys });
        }
    }
}

impl Changes {
    /// The change of jobs, and below it that of settings.
    pub(super) fn summary(&self) -> String {
        let mut lines = vec![self.jobs()];
        for (in_force, what) in [(true, "in force from now on"), (false, "in force when the daemon is started again")] {
            let changes: Vec<String> =
                self.settings.iter().filter(|change| change.in_force == in_force).map(in_words).collect();
            if !changes.is_empty() {
                lines.push(format!("{what}: {}", changes.join("; ")));
            }
        }
        lines.join("\n")
    }

    /// The change of jobs in one line.
    fn jobs(&self) -> String {
        let changed: Vec<String> =
            self.changed.iter().map(|changed| format!("{} ({})", changed.job, changed.keys.join(", "))).collect();
        let kinds = [("added", &self.added), ("removed", &self.removed), ("changed", &changed)];
        let parts: Vec<String> = kinds
            .into_iter()
            .filter(|(_, jobs)| !jobs.is_empty())
            .map(|(kind, jobs)| format!("{kind} {}", named(jobs)))
            .collect();
        if parts.is_empty() { "no job changed".to_owned() } else { parts.join("; ") }
    }
}

impl fmt::Display for Changes {
    /// The change of jobs and settings, and below it every column that newly leaves the house.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        for exposure in &self.exposed {
            f.write_str("\n")?;
            f.write_str(&leaves(exposure))?;
        }
        Ok(())
    }
}

/// `newly leaves to drop@host:22: nightly, identities: city, email*`; a star marks what is sensitive.
fn leaves(exposure: &Exposure) -> String {
    let Exposure { job, recipient, export, columns, sensitive } = exposure;
    let mark = |name: &String| if sensitive.contains(name) { format!("{name}*") } else { name.clone() };
    let columns: Vec<String> = columns.iter().map(mark).collect();
    format!("newly leaves to {recipient}: {job}, {export}: {}", columns.join(", "))
}

/// `[store] url, timeout`, or `catalogue (orders, customers)`.
fn in_words(change: &SettingsChange) -> String {
    match change.table {
        "catalogue" => format!("catalogue ({})", named(&change.keys)),
        table => format!("[{table}] {}", change.keys.join(", ")),
    }
}

fn named(jobs: &[String]) -> String {
    match jobs.len().checked_sub(NAMED) {
        None | Some(0) => jobs.join(", "),
        Some(more) => format!("{} and {more} more", jobs[..NAMED].join(", ")),
    }
}
