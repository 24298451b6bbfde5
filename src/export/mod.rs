//! The story of one run: reach the destination, read the store into finished files, put them up, publish them.
//!
//! No row is read before the destination has proved that it can take files, and nothing is published before every
//! file of the run is up. What can't be taken back is recorded in state before it is done.

mod cancel;
mod dispatch;
mod error;
mod produce;

use std::sync::Arc;

use crate::deliver::{DeliverError, Session};
use crate::job::Job;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::run::{RunRecord, Stage};
use crate::spool::Spool;
use crate::state::State;
use crate::store::StoreSettings;

pub use cancel::Cancel;
pub use error::RunError;
pub use produce::{Production, produce};

use dispatch::Dispatch;

/// What every run needs besides its job.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where data comes from.
    pub store: StoreSettings,
    /// Where finished files wait.
    pub spool: Spool,
    /// What remembers the run.
    pub state: State,
}

/// Does the work of `run` from beginning to end: when it returns without an error, every file is published.
///
/// On an error nothing of ours is left in the spool, nor at the destination but what a broken connection kept us from
/// removing. The run must have been begun in state; how it ended is for the caller to record.
pub async fn execute(
    context: &Context,
    job: &Arc<Job>,
    run: &RunRecord,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<(), RunError> {
    let plan = Arc::new(Plan::new(job, &run.due, run.id.as_str()));
    let session = tokio::select! {
        session = reach(job, run) => session?,
        () = cancel.cancelled() => return Err(RunError::Cancelled),
    };

    let folder = Arc::new(context.spool.run(&run.id)?);
    let production = Production {
        store: context.store.clone(),
        job: job.clone(),
        plan: plan.clone(),
        folder: folder.clone(),
        progress: progress.clone(),
        cancel: cancel.clone(),
    };
    enter(context, run, progress, Stage::Querying).await?;
    let result = match produce(production).await {
        Ok(files) => {
            Dispatch { context, job, run, plan: &plan, progress, cancel }.deliver(session, &folder, files).await
        }
        Err(error) => Err(error),
    };

    drop(folder);
    context.spool.remove(&run.id)?;
    context.state.forget_spool(&run.id).await?;
    result
}

/// Connects to the job's destination and makes sure that its directory takes files.
async fn reach(job: &Job, run: &RunRecord) -> Result<Session, DeliverError> {
    let session = Session::open(&job.destination).await?;
    session.check_directory(run.id.as_str()).await?;
    Ok(session)
}

/// Records that a run comes to a stage, then says so: a stage begins only when that is on disk.
async fn enter(context: &Context, run: &RunRecord, progress: &Progress, stage: Stage) -> Result<(), RunError> {
    context.state.stage(&run.id, stage).await?;
    progress.enter(stage);
    Ok(())
}
