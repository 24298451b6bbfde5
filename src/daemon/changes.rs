//! How a configuration differs from the one that was accepted last.
//!
//! State lists the earlier jobs in the order of their keys, and so do the current ones: the two lists are merged, a few
//! definitions at a time, because the definitions of ten thousand jobs are much larger than the jobs.

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

/// How many jobs, and how many of their exports, are listed of each kind before the rest are counted.
const LISTED: usize = 1000;

/// What a configuration changes.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Changes {
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) changed: Vec<Changed>,
    pub(super) exposed: Vec<Exposure>,
    /// What else than jobs is said otherwise. Not known at a start.
    pub(super) settings: Vec<SettingsChange>,
    pub(super) unlisted: Unlisted,
}

/// How many more there are than are listed.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Unlisted {
    added: usize,
    removed: usize,
    changed: usize,
    exposed: usize,
}

/// A job that is another now.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Changed {
    pub(super) job: String,
    /// The keys of its configuration whose values changed.
    pub(super) keys: Vec<String>,
}

/// What a configuration changes, and what has to be recorded of it.
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

    /// Handles the next job that state knows, and before it the jobs of `next` that sort before it.
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
                let Changes { removed, unlisted, .. } = &mut self.changes;
                label.into_iter().for_each(|label| list(removed, &mut unlisted.removed, label));
                self.rewritten.push(key.to_owned());
            }
        }
    }

    fn add(&mut self, key: &str, job: &Job) {
        self.expose(Definition::of(job).exposed_since(None));
        list(&mut self.changes.added, &mut self.changes.unlisted.added, job.label.clone());
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
        self.expose(definition.exposed_since(Some(&before)));
        let keys = before.changed_keys(&definition);
        if !keys.is_empty() {
            let changed = Changed { job: job.label.clone(), keys };
            list(&mut self.changes.changed, &mut self.changes.unlisted.changed, changed);
        }
    }

    /// Lists what is exposed; where that is too much, sensitive columns rather than others.
    fn expose(&mut self, exposures: Vec<Exposure>) {
        let Changes { exposed, unlisted, .. } = &mut self.changes;
        for exposure in exposures {
            let harmless = exposed.iter().position(|listed| listed.sensitive.is_empty());
            match harmless.filter(|_| exposed.len() >= LISTED && !exposure.sensitive.is_empty()) {
                Some(place) => {
                    exposed[place] = exposure;
                    unlisted.exposed += 1;
                }
                None => list(exposed, &mut unlisted.exposed, exposure),
            }
        }
    }
}

fn list<T>(listed: &mut Vec<T>, unlisted: &mut usize, item: T) {
    match listed.len() < LISTED {
        true => listed.push(item),
        false => *unlisted += 1,
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
        let Unlisted { added: more_added, removed: more_removed, changed: more_changed, .. } = self.unlisted;
        let kinds = [
            ("added", &self.added, more_added),
            ("removed", &self.removed, more_removed),
            ("changed", &changed, more_changed),
        ];
        let parts: Vec<String> = kinds
            .into_iter()
            .filter(|(_, jobs, _)| !jobs.is_empty())
            .map(|(kind, jobs, more)| format!("{kind} {}", named(jobs, more)))
            .collect();
        if parts.is_empty() { "no job changed".to_owned() } else { parts.join("; ") }
    }
}

impl fmt::Display for Changes {
    /// The change of jobs and settings, and below it every column that is exported now and was not before.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        for exposure in &self.exposed {
            f.write_str("\n")?;
            f.write_str(&leaves(exposure))?;
        }
        match self.unlisted.exposed {
            0 => Ok(()),
            more => write!(f, "\nnewly leaves: columns of {more} more exports"),
        }
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
        "catalogue" => format!("catalogue ({})", named(&change.keys, 0)),
        table => format!("[{table}] {}", change.keys.join(", ")),
    }
}

/// The first of `jobs` and how many more there are, `unlisted` ones included.
fn named(jobs: &[String], unlisted: usize) -> String {
    let first = &jobs[..jobs.len().min(NAMED)];
    match jobs.len() - first.len() + unlisted {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
