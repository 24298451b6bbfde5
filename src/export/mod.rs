//! The story of one run: reach the destination, read the store into finished files that go up meanwhile, publish them.
//!
//! No row is read before the destination has proved that it can take files, and nothing is published before every
//! file of the run is finished and up. What can't be taken back is recorded in state before it is done, and a run that
//! comes again goes on from what state knows of it: files that are finished are not made a second time, unless the job
//! no longer exports their columns, or delivers to another recipient. That is looked at in one place, see `review`.

mod cancel;
mod error;
mod housekeeping;
mod manifest;
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
use crate::deliver::{DeliverError, PER_HOST, Pool, Session, Settings, Turn};
use crate::failpoint::{self, Side};
use crate::job::Job;
use crate::progress::Progress;
use crate::run::{Origin, RunId, RunRecord, Stage};
use crate::spool::Spool;
use crate::state::{State, Temporary};
use crate::store::StoreSettings;

use resume::Known;
use review::Supply;

pub use cancel::Cancel;
pub use error::RunError;
pub use housekeeping::tidy;
pub use produce::{Production, produce};
pub use review::review;

/// How long reaching a destination may take, and checking its directory, whatever the server does.
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
    carry_out(context, job, run, progress, cancel, Supply::Store).await
}

/// The same for a run whose files are in the spool: the store is not asked, whatever has become of them.
/// `to_new_recipient` allows that they were made for another recipient than the job has now.
pub async fn redeliver(
    context: &Context,
    job: &Arc<Job>,
    run: &RunRecord,
    progress: &Progress,
    cancel: &Cancel,
    to_new_recipient: bool,
) -> Result<(), RunError> {
    carry_out(context, job, run, progress, cancel, Supply::Spool { to_new_recipient }).await
}

async fn carry_out(
    context: &Context,
    job: &Arc<Job>,
    run: &RunRecord,
    progress: &Progress,
    cancel: &Cancel,
    supply: Supply,
) -> Result<(), RunError> {
    let settings = Settings { stall: context.stall, ..Settings::of(&job.destination) };
    let turn = cancel.unless(context.pool.turn(&job.destination, settings)).await?;
    Work { context, job, run, progress, cancel, turn: &turn, supply }.carry_out().await
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
    supply: Supply,
}

impl Work<'_> {
    async fn carry_out(&self) -> Result<(), RunError> {
        let known = Known::of(self.context, self.id()).await?;
        if known.stage != Some(Stage::Published) {
            let (session, parcels) = match self.review(known).await? {
                Some((known, cleared)) => self.go_on(known, cleared).await?,
                None => {
                    self.check_room().await?;
                    let session = self.reach().await?;
                    self.remove_leftovers(&session, &mut Known::nothing()).await?;
                    self.read_and_upload(session).await?
                }
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

    /// Where this attempt delivers to.
    fn location(&self) -> Location {
        Location::of(&self.job.destination)
    }

    /// A hidden name of this run there.
    fn temporary_here(&self, name: String) -> Temporary {
        Temporary { run: self.id().clone(), name, location: Some(self.location()) }
    }

    /// The spool would be found full after an hour of reading; the last run of the job tells it before.
    async fn check_room(&self) -> Result<(), RunError> {
        if self.supply != Supply::Store {
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
        self.reaching().await?;
        let session = self.within_reach(self.turn.reach(self.id().as_str())).await?;
        self.reached(&session).await?;
        Ok(session)
    }

    /// The same, but for a connection that is new: whether its directory takes files is for [`Work::prove`] to find out.
    /// Returns whether it is known already.
    async fn approach(&self, is_large: bool) -> Result<(Session, bool), RunError> {
        self.reaching().await?;
        let (session, is_proven) = self.within_reach(self.turn.approach(self.id().as_str(), is_large)).await?;
        if is_proven {
            self.reached(&session).await?;
        }
        Ok((session, is_proven))
    }

    /// Makes sure that the destination's directory takes files.
    async fn prove(&self, session: &Session) -> Result<(), RunError> {
        self.within_reach(session.check_directory(self.id().as_str())).await?;
        self.reached(session).await
    }

    /// The same while files go up. On a slow line they hold its answers up for long, so only silence puts an end to it.
    async fn prove_beside(&self, session: &Session) -> Result<(), RunError> {
        self.cancel.unless(session.check_directory(self.id().as_str())).await??;
        self.reached(session).await
    }

    async fn reaching(&self) -> Result<(), RunError> {
        let (run, reason, location) = (self.id(), self.job.reason.as_deref(), self.location());
        self.context.state.reaching(run, &self.probes(), &self.context.origin, &location, reason).await?;
        failpoint::reach("destination:reach", Side::Before).await;
        Ok(())
    }

    async fn reached(&self, session: &Session) -> Result<(), RunError> {
        let run = self.id();
        failpoint::reach("destination:reach", Side::After).await;
        let gone = self.probes().map(|name| self.temporary_here(name));
        let host_key = session.server().host_key.as_ref().map(|key| format!("{} {}", key.algorithm, key.fingerprint));
        Ok(self.context.state.reached(run, host_key.as_deref(), &gone).await?)
    }

    fn probes(&self) -> [String; 2] {
        Session::probe_names(self.id().as_str())
    }

    async fn within_reach<T>(&self, work: impl Future<Output = Result<T, DeliverError>>) -> Result<T, RunError> {
        match self.cancel.unless(tokio::time::timeout(REACH, work)).await? {
            Ok(result) => result.map_err(RunError::Deliver),
            Err(_) => Err(RunError::TooLong { phase: "reaching the destination", limit: REACH }),
        }
    }

    /// Records that the run comes to a stage, then says so: a stage begins only when that is on disk.
    async fn enter(&self, stage: Stage) -> Result<(), RunError> {
        self.context.state.stage(self.id(), stage, Timestamp::now()).await?;
        self.progress.enter(stage);
        Ok(())
    }
}
