//! The jobs of the configuration in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::definition::Definition;
use crate::job::Job;
use crate::state::job_key;

/// All jobs, by key and in its order.
pub(super) type All<'a> = std::collections::btree_map::Iter<'a, String, Arc<Job>>;

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

    /// All of them, by key and in its order.
    pub(super) fn all(&self) -> All<'_> {
        self.by_key.iter()
    }

    /// The definitions of the jobs of those keys, each made when it is asked for.
    pub(super) fn definitions(
        &self,
        keys: Vec<String>,
    ) -> impl Iterator<Item = (String, Option<Definition>)> + Send + use<> {
        let jobs: Vec<Option<Arc<Job>>> = keys.iter().map(|key| self.by_key.get(key).cloned()).collect();
        keys.into_iter().zip(jobs).map(|(key, job)| (key, job.map(|job| Definition::of(&job))))
    }
}
