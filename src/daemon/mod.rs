//! The daemon: it decides what is due, keeps order among what is queued, and has a runner do the work.
//!
//! One loop, woken by the clock every second, by the end of an attempt, or by a signal. It acts only on what is recorded in
//! state, so it may miss a tick, or be killed, at any point. It does not know what a run does: that is up to the
//! [`Runner`].

mod abandoned;
mod alerts;
mod attempt;
mod changes;
mod clock;
mod configuration;
mod decision;
mod jobs;
mod queue;
mod reload;
mod retry;
mod scheduler;
mod service;
mod signals;
mod start;
mod systemd;
mod time;
mod timekeeper;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::deliver::{Hosts, Permit};
use crate::job::Job;
use crate::run::RunRecord;
use crate::state::{DaemonLock, State, StateError};

pub use clock::{Clock, SystemClock};
pub use configuration::{Configuration, Load, Refusal};
pub use signals::{Signal, listen};

/// Does the work of a run.
pub trait Runner: Send + Sync + 'static {
    /// Makes one attempt at `run`, whose row says that it is running, and returns how it ended. A later attempt continues
    /// from what state knows. `permit` is the right to connect to the job's destination. Once `stop` is cancelled the
    /// attempt has a few seconds to return; a later one must be able to continue. A panic counts as a permanent failure.
    fn run(
        &self,
        job: Arc<Job>,
        run: RunRecord,
        permit: Permit,
        stop: CancellationToken,
    ) -> impl Future<Output = RunResult> + Send;

    /// Clears away what runs have left and nobody needs any longer. Called at the start and every ten minutes, beside
    /// whatever runs; it may be cut short.
    fn tidy(&self, now: Timestamp) -> impl Future<Output = ()> + Send;
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunResult {
    /// All files are published.
    Delivered,
    /// It did not work.
    Failed {
        /// What happened, in one sentence.
        error: String,
        /// Whether trying again later may help.
        passing: bool,
    },
    /// The destination refuses our key, or presents another host key; no run connects to it for a minute.
    Refused {
        /// What happened, in one sentence.
        error: String,
    },
    /// It was told to stop, and can be resumed.
    Stopped,
}

/// How much is done at once, and how long the end may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Runs in progress at once. There are more of them than readers of the store, because a run mostly waits for its
    /// destination.
    pub workers: usize,
    /// How long runs may go on after the signal to stop, before they are cut short.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { workers: 500, grace: Duration::from_secs(30) }
    }
}

/// All that a daemon is made of.
pub struct Daemon<R, C> {
    /// The state it works with.
    pub state: State,
    /// The proof that no other daemon does.
    pub lock: DaemonLock,
    /// The configuration to start with.
    pub configuration: Configuration,
    /// What reads them again on [`Signal::Reload`].
    pub load: Load,
    /// What does the work.
    pub runner: R,
    /// What tells the time.
    pub clock: C,
    /// What tells it to reload or stop; closing the channel means stop.
    pub signals: mpsc::Receiver<Signal>,
    /// How much at once.
    pub limits: Limits,
    /// What each host is granted.
    pub hosts: Hosts,
}

/// Why the daemon could not start. Once started, it ends only when told to.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// State can't be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The clock can't be started.
    #[error("the scheduler's clock can't be started: {0}")]
    Clock(String),
    /// The system refuses to tell us about signals.
    #[error("signals can't be listened to: {0}")]
    Signals(#[source] io::Error),
}

/// Runs the daemon until it is told to stop. Runs that are still in progress when the grace time is over are cut short
/// and left queued; the next daemon resumes them.
pub async fn serve<R: Runner, C: Clock>(daemon: Daemon<R, C>) -> Result<(), DaemonError> {
    let Daemon { state, lock, configuration, load, runner, clock, signals, limits, hosts } = daemon;
    let holder = lock.holder();
    let mut service =
        service::Service::start(state, configuration, load, runner, clock, (limits, hosts), holder).await?;
    service.work(signals).await;
    drop(lock);
    Ok(())
}
