//! The story of one run: reach the destination, read the store into finished files, put them up, publish them.
//!
//! No row is read before the destination has proved that it can take files, and nothing is published before every
//! file of the run is up. What can't be taken back is recorded in state before it is done, and a run that comes again
//! goes on from what state knows of it: files that are finished are never made a second time.

mod cancel;
mod dispatch;
mod error;
mod housekeeping;
mod manifest;
mod produce;
mod resume;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::deliver::Session;
use crate::failpoint::{self, Side};
use crate::job::Job;
use crate::plan::{Plan, PlannedFile};
use crate::progress::Progress;
use crate::run::{Origin, RunId, RunRecord, Stage};
use crate::spool::Spool;
use crate::state::{State, StoredFile, Temporary};
use crate::store::StoreSettings;

pub use cancel::Cancel;
pub use error::RunError;
pub use housekeeping::tidy;
pub use produce::{Production, produce};

use resume::Parcel;

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
    readers: Arc<Semaphore>,
}

impl Context {
    /// What runs share that are made with clones of it: the limit on how many read the store at once, too.
    pub fn new(store: StoreSettings, spool: Spool, state: State, keep: Duration, origin: Origin) -> Context {
        Context { store, spool, state, keep, origin, readers: Arc::new(Semaphore::new(READERS)) }
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
    Work { context, job, run, progress, cancel, may_query: true }.carry_out().await
}

/// The same for a run whose files are in the spool: the store is not asked, whatever has become of them.
pub async fn redeliver(
    context: &Context,
    job: &Arc<Job>,
    run: &RunRecord,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<(), RunError> {
    Work { context, job, run, progress, cancel, may_query: false }.carry_out().await
}

/// A run being worked on.
#[derive(Clone, Copy)]
struct Work<'a> {
    context: &'a Context,
    job: &'a Arc<Job>,
    run: &'a RunRecord,
    progress: &'a Progress,
    cancel: &'a Cancel,
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
            let parcels = match self.take_up(&session, known).await? {
                Some(parcels) => parcels,
                None => self.produce().await?,
            };
            self.deliver(session, parcels).await?;
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

    /// Connects to the job's destination and makes sure that its directory takes files.
    async fn reach(&self) -> Result<Session, RunError> {
        let run = self.id();
        let probes = Session::probe_names(run.as_str());
        let (state, reason) = (&self.context.state, self.job.reason.as_deref());
        state.reaching(run, &probes, &self.context.origin, reason).await?;
        failpoint::reach("destination:reach", Side::Before).await;
        let reached = async {
            let session = Session::open(&self.job.destination).await?;
            session.check_directory(run.as_str()).await?;
            Ok(session)
        };
        let session = tokio::select! {
            reached = tokio::time::timeout(REACH, reached) => match reached {
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

    /// Reads the store into finished files, the manifest last. On an error nothing of them stays in the spool.
    async fn produce(&self) -> Result<Vec<Parcel>, RunError> {
        if !self.may_query {
            return Err(RunError::NotSpooled { run: self.id().clone() });
        }
        let _turn = tokio::select! {
            turn = self.context.readers.acquire() => turn.expect("the semaphore is never closed"),
            () = self.cancel.cancelled() => return Err(RunError::Cancelled),
        };
        self.enter(Stage::Querying).await?;
        let produced = match self.fill_spool().await {
            Ok(files) => self
                .context
                .state
                .spooled(self.id(), &files, Timestamp::now())
                .await
                .map(|()| files)
                .map_err(RunError::State),
            Err(error) => Err(error),
        };
        match produced {
            Ok(files) => {
                self.progress.enter(Stage::Spooled);
                Ok(files.into_iter().enumerate().map(|(position, file)| Parcel::local(position, file)).collect())
            }
            Err(error) => {
                self.context.spool.remove(self.id())?;
                Err(error)
            }
        }
    }

    async fn fill_spool(&self) -> Result<Vec<StoredFile>, RunError> {
        let plan = Arc::new(Plan::new(self.job, &self.run.due, self.id().as_str()));
        let folder = Arc::new(self.context.spool.run(self.id())?);
        let production = Production {
            store: self.context.store.clone(),
            job: self.job.clone(),
            plan: plan.clone(),
            folder: folder.clone(),
            progress: self.progress.clone(),
            cancel: self.cancel.clone(),
        };
        let files = produce(production).await?;
        let manifest = match &plan.manifest {
            Some(name) => Some(manifest::write(self.job, self.id(), &plan, &folder, name, &files)?),
            None => None,
        };
        let sensitive = plan.files.iter().map(|file| self.sensitive(file)).chain([Vec::new()]);
        let files = files.into_iter().map(|file| (file, false)).chain(manifest.map(|file| (file, true)));
        let stored = files.zip(sensitive).map(|((file, is_manifest), sensitive)| StoredFile {
            file: file.record(),
            is_manifest,
            spool: Some(file.path),
            temp_name: None,
            columns: file.columns,
            sensitive,
        });
        Ok(stored.collect())
    }

    /// The sensitive columns of a file, named as its artifact names columns.
    fn sensitive(&self, file: &PlannedFile) -> Vec<String> {
        let exports = file.parts.iter().map(|part| &self.job.exports[part.index]);
        let names = exports.flat_map(|export| {
            export.sensitive().map(|column| match self.job.zip {
                true => format!("{}.{}", export.name, column.name),
                false => column.name.clone(),
            })
        });
        names.collect()
    }

    /// Records that the run comes to a stage, then says so: a stage begins only when that is on disk.
    async fn enter(&self, stage: Stage) -> Result<(), RunError> {
        self.context.state.stage(self.id(), stage, Timestamp::now()).await?;
        self.progress.enter(stage);
        Ok(())
    }
}
