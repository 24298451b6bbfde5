//! The jobs in force, and how a new set of them differs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::job::Job;
use crate::state::job_key;

/// The jobs of a configuration, by [`job_key`].
#[derive(Default)]
pub(super) struct Jobs {
    by_key: BTreeMap<String, Arc<Job>>,
}

impl Jobs {
    pub(super) fn new(jobs: Vec<Job>) -> Jobs {
        Jobs { by_key: jobs.into_iter().map(|job| (job_key(&job.label), Arc::new(job))).collect() }
    }

    /// The job of that key, if it is in force: a job that is switched off is not.
    pub(super) fn get(&self, key: &str) -> Option<&Arc<Job>> {
        self.by_key.get(key).filter(|job| job.enabled)
    }

    /// The jobs in force, by key.
    pub(super) fn in_force(&self) -> impl Iterator<Item = (&str, &Arc<Job>)> {
        self.by_key.iter().filter(|(_, job)| job.enabled).map(|(key, job)| (key.as_str(), job))
    }

    /// What changes when `next` takes the place of these.
    pub(super) fn changes(&self, next: &Jobs) -> Changes {
        let labels = |jobs: &Jobs, wanted: &dyn Fn(&str, &Arc<Job>) -> bool| {
            let found = jobs.by_key.iter().filter(|(key, job)| wanted(key, job));
            found.map(|(_, job)| job.label.clone()).collect()
        };
        Changes {
            added: labels(next, &|key, _| !self.by_key.contains_key(key)),
            removed: labels(self, &|key, _| !next.by_key.contains_key(key)),
            // Jobs hold compiled parts that can't be compared but show all they were made from.
            changed: labels(next, &|key, job| {
                self.by_key.get(key).is_some_and(|old| format!("{old:?}") != format!("{job:?}"))
            }),
        }
    }
}

/// The labels of jobs that a reload touches.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) changed: Vec<String>,
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [("added", &self.added), ("removed", &self.removed), ("changed", &self.changed)];
        let parts: Vec<String> = kinds
            .iter()
            .filter(|(_, labels)| !labels.is_empty())
            .map(|(kind, labels)| format!("{kind} {}", labels.join(", ")))
            .collect();
        if parts.is_empty() { f.write_str("no job changed") } else { f.write_str(&parts.join("; ")) }
    }
}
