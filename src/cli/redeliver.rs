//! `exportd redeliver`: the files of a past run once more, from the spool.

use std::sync::Arc;

use jiff::Timestamp;

use crate::config::Config;
use crate::export::{self, Cancel};
use crate::progress::Progress;
use crate::run::{RunRecord, RunState};
use crate::state::State;

use super::args::RedeliverArguments;
use super::failure::Failure;
use super::{run as runs, selection};

/// Delivers the run whose identifier starts with what was typed, to where its job delivers today.
pub async fn redeliver(config: &Config, options: &RedeliverArguments) -> Result<(), Failure> {
    let context = runs::open(config).await?;
    let run = selection::run(&context.state, &options.run).await?;
    let Some(job) = config.job(&run.job) else {
        let text = format!("run {} was of the job {}, which is not configured any more", run.id, run.job);
        return Err(Failure::usage(format!("{text}; its destination is not known")));
    };
    let job = Arc::new(job.clone());
    let presence = context.state.presence().map_err(Failure::unreachable)?;
    let started = Timestamp::now();
    let Some(run) = context.state.reopen(&run.id, &presence, started).await.map_err(Failure::unreachable)? else {
        return Err(refusal(&context.state, &run).await);
    };
    let cancel = Cancel::new();
    let interrupted = runs::cancel_on_signal(&cancel)?;
    let progress = Progress::new(run.files.len());
    let result = export::redeliver(&context, &job, &run, &progress, &cancel).await;
    interrupted.abort();
    context.pool.close().await;
    let executed = runs::conclude(&context, &presence, &job, &run, started, result).await;
    let executed = [executed.map_err(Failure::unreachable)?];
    runs::report(&executed)?;
    runs::verdict(&executed)
}

/// Why a run can't be delivered again.
async fn refusal(state: &State, run: &RunRecord) -> Failure {
    let now = match state.run(&run.id).await {
        Ok(found) => found.map_or(run.state, |run| run.state),
        Err(error) => return Failure::unreachable(error),
    };
    let text = match now {
        RunState::Queued => "is queued: the daemon is going to deliver it",
        RunState::Running => "is being worked on; exportd history says when it has ended",
        RunState::Skipped => "was skipped and has no files; exportd run --at does its work",
        RunState::Waiting | RunState::Delivered | RunState::Failed => {
            "has no files in the spool (any more); exportd run --at makes and delivers them anew"
        }
    };
    Failure::work(format!("run {} {text}", run.id))
}
