//! One run: check the destination, read the store into finished files while they are uploaded, publish them.
//!
//! No row is read before the destination has proved that it takes files, and nothing is published before every file of
//! the run is finished and uploaded. What can't be undone is recorded in state before it is done. A later attempt
//! continues from what state knows: finished files are not made a second time, unless the job no longer exports their
//! columns or delivers to another recipient (see `export/review.rs`).

mod cancel;
mod cleaning;
mod connection;
mod error;
mod files;
mod housekeeping;
mod leftovers;
mod manifest;
mod names;
mod produce;
mod publish;
mod read;
mod resume;
mod review;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::clearance::Location;
use crate::deliver::{Hosts, Permit, Settings};
use crate::job::Job;
use crate::plan;
use crate::progress::Progress;
use crate::run::{Origin, RunId, RunRecord, Stage};
use crate::spool::Spool;
use crate::state::{State, Temporary};
use crate::store::StoreSettings;
use crate::tuning::Tuning;

use files::Known;
use review::Supply;

pub use cancel::Cancel;
pub use error::RunError;
pub use housekeeping::tidy;
pub use produce::{Production, produce};
pub use review::review;

/// Runs that may read the store at the same time.
const READERS: usize = 4;

/// What every run needs besides its job.
#[derive(Clone, Debug)]
pub struct Context {
    /// The database that is read.
    pub store: StoreSettings,
    /// The folder of finished files.
    pub spool: Spool,
    /// The memory of runs.
    pub state: State,
    /// How long files stay in the spool after their run has ended; zero removes them with its end.
    pub keep: Duration,
    /// The person or daemon that works on runs, and the configuration in force.
    pub origin: Origin,
    /// How long a destination may leave requests unanswered.
    pub stall: Duration,
    /// Sizes and thresholds.
    pub tuning: Tuning,
    /// What each host is granted.
    pub hosts: Hosts,
    readers: Arc<Semaphore>,
}

impl Context {
    /// Clones share the hosts, and the limit on how many runs read the store at the same time.
    pub fn new(
        store: StoreSettings,
        spool: Spool,
        state: State,
        keep: Duration,
        origin: Origin,
        tuning: Tuning,
        hosts: Hosts,
    ) -> Context {
        let (readers, stall) = (Arc::new(Semaphore::new(READERS)), Settings::default().stall);
        Context { store, spool, state, keep, origin, stall, tuning, hosts, readers }
    }
}

/// Does the work of `run`, or what is left of it. When it returns without an error, every file is published.
///
/// After an error nothing of the run is left at the destination, except what a broken connection kept us from removing;
/// the next run of the job removes that. Finished files stay in the spool. The run must have been begun in state, and
/// the caller records how it ended. `permit` is the right to connect to the job's destination.
pub async fn execute(
    context: &Context,
    job: &Arc<Job>,
    run: &RunRecord,
    progress: &Progress,
    cancel: &Cancel,
    permit: Permit,
) -> Result<(), RunError> {
    let job = &plan::for_due(job, &run.due);
    let outcome = Attempt { context, job, run, progress, cancel, supply: Supply::Store }.carry_out().await;
    drop(permit);
    outcome
}

/// The same for a run whose files are in the spool: the store is not read, whatever has become of them.
/// `to_new_recipient` allows that they were made for another recipient than the job has now.
pub async fn redeliver(
    context: &Context,
    job: &Arc<Job>,
    run: &RunRecord,
    progress: &Progress,
    cancel: &Cancel,
    to_new_recipient: bool,
    permit: Permit,
) -> Result<(), RunError> {
    let supply = Supply::Spool { to_new_recipient };
    let job = &plan::for_due(job, &run.due);
    let outcome = Attempt { context, job, run, progress, cancel, supply }.carry_out().await;
    drop(permit);
    outcome
}

/// One attempt at a run.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    context: &'a Context,
    job: &'a Arc<Job>,
    run: &'a RunRecord,
    progress: &'a Progress,
    cancel: &'a Cancel,
    supply: Supply,
}

impl Attempt<'_> {
    /// The story of a run. Each step returns when its work is done and on record.
    async fn carry_out(&self) -> Result<(), RunError> {
        let outcome = self.deliver().await;
        self.keep_warnings().await;
        outcome
    }

    async fn deliver(&self) -> Result<(), RunError> {
        let known = Known::of(self.context, self.id()).await?;
        if known.stage != Some(Stage::Published) {
            let (connection, files) = match review::spooled(self, known).await? {
                Some((known, cleared)) => resume::run(self, known, cleared).await?,
                None => read::run(self).await?,
            };
            publish::run(self, connection, files).await?;
        }
        if self.context.keep.is_zero() {
            housekeeping::remove(self.context, self.id()).await?;
        }
        Ok(())
    }

    fn id(&self) -> &RunId {
        &self.run.id
    }

    /// Whether files are written under their final names.
    fn is_direct(&self) -> bool {
        self.job.destination.is_direct()
    }

    /// Where this attempt delivers to.
    fn location(&self) -> Location {
        Location::of(&self.job.destination)
    }

    /// The record of a temporary name there.
    fn temporary_here(&self, name: String) -> Temporary {
        Temporary { run: self.id().clone(), name, location: Some(self.location()) }
    }

    /// Tells what a person should know about this run, even if it succeeds.
    fn warn(&self, warning: &str) {
        tracing::warn!(run = %self.id(), "{warning}");
        self.progress.warn(None, warning);
    }

    /// Keeps with the run what was warned of. The files are as they are: that this fails does not make the run fail.
    async fn keep_warnings(&self) {
        if let Err(error) = self.context.state.warned(self.id(), &self.progress.warnings()).await {
            tracing::warn!(run = %self.id(), %error, "the warnings of this run are in this log only");
        }
    }

    /// Records that the run enters a stage, then shows it: a stage begins only when that is on disk.
    async fn enter(&self, stage: Stage) -> Result<(), RunError> {
        self.context.state.stage(self.id(), stage, Timestamp::now()).await?;
        self.progress.enter(stage);
        Ok(())
    }
}
