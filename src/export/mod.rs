//! The story of one run: reach the destination, read the store into finished files that go up meanwhile, publish them.
//!
//! No row is read before the destination has proved that it can take files, and nothing is published before every
//! file of the run is finished and up. What can't be taken back is recorded in state before it is done, and a run that
//! comes again goes on from what state knows of it: files that are finished are never made a second time.

mod cancel;
mod error;
mod housekeeping;
mod manifest;
mod produce;
mod publish;
mod read;
mod resume;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::deliver::{DeliverError, PER_HOST, Pool, Session, Settings, Turn};
use crate::failpoint::{self, Side};
use crate::job::Job;
use crate::progress::Progress;
use crate::run::{Origin, RunId, RunRecord, Stage};
use crate::spool::Spool;
use crate::state::{State, Temporary};
use crate::store::StoreSettings;

pub use cancel::Cancel;
pub use error::RunError;
pub use housekeeping::tidy;
pub use produce::{Production, produce};

/// How long reaching a destination and checking its directory may take, whatever the server does.
const REACH: Duration = Duration::from_secs(120);

/// How many runs may read the store at once.
const READERS: usize = 4;

/// What every run needs besides its job.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where data comes from.
    pub store: StoreSettings,
    /// Where finished files wait.
    pub spool: Spool,
    /// What remembers the run.
    pub state: State,
    /// How long files stay in the spool after their run has ended; zero: they leave with it.
    pub keep: Duration,
    /// Who works on runs, and by which configuration.
    pub origin: Origin,
    /// How long a destination may have requests in flight with nothing moving.
    pub stall: Duration,
    /// Connections, and the turns to have one.
    pub pool: Pool,
    readers: Arc<Semaphore>,
}

impl Context {
    /// What runs share that are made with clones of it: connections, and the limit on how many read the store at once, too.
    pub fn new(store: StoreSettings, spool: Spool, state: State, keep: Duration, origin: Origin) -> Context {
        let readers = Arc::new(Semaphore::new(READERS));
        let (stall, pool) = (Settings::default().stall, Pool::new(PER_HOST));
        Context { store, spool, state, keep, origin, stall, pool, readers }
    }
}

/// Does the work of `run`, or what is left of it: when it returns without an error, every file is published.
///
/// On an error nothing of ours is left at the destination but what a broken connection kept us from removing; the next
/// run of the job removes that. Finished files stay in the spool. The run must have been begun in state; how it ended
/// is for the caller to record.
pub async fn execute(
    context: &Context,
    job: &Arc<Job>,
    run: &RunRecord,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<(), RunError> {
    carry_out(context, job, run, progress, cancel, true).await
}

/// The same for a run whose files are in the spool: the store is not asked, whatever has become of them.
pub async fn redeliver(
    context: &Context,
    job: &Arc<Job>,
    run: &RunRecord,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<(), RunError> {
    carry_out(context, job, run, progress, cancel, false).await
}

async fn carry_out(
    context: &Context,
    job: &Arc<Job>,
    run: &RunRecord,
    progress: &Progress,
    cancel: &Cancel,
    may_query: bool,
) -> Result<(), RunError> {
    let settings = Settings { stall: context.stall, ..Settings::of(&job.destination) };
    let turn = tokio::select! {
        turn = context.pool.turn(&job.destination, settings) => turn,
        () = cancel.cancelled() => return Err(RunError::Cancelled),
    };
    Work { context, job, run, progress, cancel, turn: &turn, may_query }.carry_out().await
}

/// A run being worked on.
#[derive(Clone, Copy)]
struct Work<'a> {
    context: &'a Context,
    job: &'a Arc<Job>,
    run: &'a RunRecord,
    progress: &'a Progress,
    cancel: &'a Cancel,
    turn: &'a Turn,
    may_query: bool,
}

impl Work<'_> {
    async fn carry_out(&self) -> Result<(), RunError> {
        let known = self.known().await?;
        if known.stage != Some(Stage::Published) {
            if !known.is_spooled() {
                self.check_room().await?;
            }
            let session = self.reach().await?;
            self.remove_leftovers(&session, &known).await?;
            let (session, parcels) = match self.take_up(&session, known).await? {
                Some(parcels) => self.upload(session, parcels).await?,
                None => self.read_and_upload(session).await?,
            };
            self.publish(session, parcels).await?;
        }
        if self.context.keep.is_zero() {
            housekeeping::remove(self.context, self.id()).await?;
        }
        Ok(())
    }

    fn id(&self) -> &RunId {
        &self.run.id
    }

    /// The spool would be found full after an hour of reading; the last run of the job tells it before.
    async fn check_room(&self) -> Result<(), RunError> {
        if !self.may_query {
            return Err(RunError::NotSpooled { run: self.id().clone() });
        }
        let needed = self.context.state.last_size(&self.run.job).await?.unwrap_or(0);
        Ok(self.context.spool.require(needed)?)
    }

    /// A session with the job's destination, in the place of one that has ended.
    async fn connect(&self) -> Result<Session, DeliverError> {
        self.turn.connect().await
    }

    /// Connects to the job's destination and makes sure that its directory takes files.
    async fn reach(&self) -> Result<Session, RunError> {
        let run = self.id();
        let probes = Session::probe_names(run.as_str());
        let (state, reason) = (&self.context.state, self.job.reason.as_deref());
        state.reaching(run, &probes, &self.context.origin, reason).await?;
        failpoint::reach("destination:reach", Side::Before).await;
        let session = tokio::select! {
            reached = tokio::time::timeout(REACH, self.turn.reach(run.as_str())) => match reached {
                Ok(result) => result.map_err(RunError::Deliver)?,
                Err(_) => return Err(RunError::TooLong { phase: "reaching the destination", limit: REACH }),
            },
            () = self.cancel.cancelled() => return Err(RunError::Cancelled),
        };
        failpoint::reach("destination:reach", Side::After).await;
        let gone: Vec<Temporary> = probes.into_iter().map(|name| Temporary { run: run.clone(), name }).collect();
        let host_key = session.server().host_key.as_ref().map(|key| format!("{} {}", key.algorithm, key.fingerprint));
        state.reached(run, host_key.as_deref(), &gone).await?;
        Ok(session)
    }

    /// Records that the run comes to a stage, then says so: a stage begins only when that is on disk.
    async fn enter(&self, stage: Stage) -> Result<(), RunError> {
        self.context.state.stage(self.id(), stage, Timestamp::now()).await?;
        self.progress.enter(stage);
        Ok(())
    }
}
