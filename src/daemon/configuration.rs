//! What the daemon takes over from a configuration.

use std::sync::Arc;

use crate::config::SettingsChange;
use crate::job::Job;
use crate::notify::Notify;

/// A configuration that was read and found right, and that is not in force yet.
pub struct Configuration {
    /// Its jobs.
    pub jobs: Vec<Job>,
    /// Its digest, by which it is recognised.
    pub digest: String,
    /// What it says of other things than jobs, and otherwise than the one in force.
    pub changes: Vec<SettingsChange>,
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
    /// Its digest, if its files could be read.
    pub digest: Option<String>,
}

/// Reads the configuration again.
pub type Load = Arc<dyn Fn() -> Result<Configuration, Refusal> + Send + Sync>;
