//! What the daemon takes over from a configuration, and how a configuration differs from the one before.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::definition::{Definition, Exposure};
use crate::job::Job;
use crate::notify::Notify;
use crate::state::job_key;

/// How many jobs are called by name before the rest are counted.
const NAMED: usize = 20;

/// A configuration that was read and found right, and that is not in force yet.
pub struct Configuration {
    /// Its jobs.
    pub jobs: Vec<Job>,
    /// SHA-256 of its file.
    pub digest: String,
    /// Who is told of failures.
    pub notify: Option<Notify>,
    /// Puts into force what the daemon itself does not look at, the store's settings for one. Called when all else
    /// has been accepted, never if it was refused.
    pub accept: Box<dyn FnOnce() + Send>,
}

/// Why a configuration can't be taken.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// All its faults, for the log.
    pub faults: String,
    /// SHA-256 of its file, if that could be read.
    pub digest: Option<String>,
}

/// Reads the configuration again.
pub type Load = Arc<dyn Fn() -> Result<Configuration, Refusal> + Send + Sync>;

/// What a configuration changes.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Changes {
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) changed: Vec<Changed>,
    pub(super) exposed: Vec<Exposure>,
}

/// A job that is another now.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Changed {
    pub(super) job: String,
    /// The keys of its configuration whose values changed.
    pub(super) keys: Vec<String>,
}

impl Changes {
    /// What changes when `next` takes the place of `before`, which is by [`job_key`].
    pub(super) fn between(before: &HashMap<String, Definition>, next: &[Definition]) -> Changes {
        let mut changes = Changes::default();
        let mut gone = before.clone();
        for definition in next {
            let known = gone.remove(&job_key(definition.label()));
            changes.exposed.extend(definition.exposed_since(known.as_ref()));
            let Some(known) = known else {
                changes.added.push(definition.label().to_owned());
                continue;
            };
            let keys = known.changed_keys(definition);
            if !keys.is_empty() {
                changes.changed.push(Changed { job: definition.label().to_owned(), keys });
            }
        }
        changes.removed = gone.values().map(|definition| definition.label().to_owned()).collect();
        changes.removed.sort();
        changes
    }

    /// The change of jobs in one line.
    pub(super) fn summary(&self) -> String {
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
    /// The change of jobs, and below it every column that newly leaves the house.
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

fn named(jobs: &[String]) -> String {
    match jobs.len().checked_sub(NAMED) {
        None | Some(0) => jobs.join(", "),
        Some(more) => format!("{} and {more} more", jobs[..NAMED].join(", ")),
    }
}
