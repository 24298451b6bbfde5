//! Runs that were in progress when the last daemon died. Most continue at once; one that keeps killing its daemon fails.
//!
//! The first deaths in a row may be the fault of the machine, or of another run. After those the run waits, with the same
//! intervals and for the same time as after temporary failures, and then it has failed.

use jiff::Timestamp;
use tracing::{error, warn};

use super::jobs::Jobs;
use super::retry::retry_at;
use crate::run::{RunState, rfc3339};
use crate::state::{Abandoned, State, StateError, job_key};

/// How many deaths in a row cost no pause.
const FREE: u32 = 3;

/// Decides for every run that died with the last daemon whether it continues now, continues later, or has failed.
pub(super) async fn settle(state: &State, jobs: &Jobs, now: Timestamp) -> Result<(), StateError> {
    for run in state.abandoned().await? {
        let job = jobs.get(&job_key(&run.record.job));
        if let Some(job) = job.filter(|_| run.deaths > FREE) {
            let first_failed = run.first_failed.unwrap_or(now);
            // Without randomness runs come back together: worse, and no reason to fail.
            let dice = getrandom::u32().unwrap_or(0);
            let at = retry_at(&job.retry, run.deaths - FREE, first_failed, now, dice);
            put_off(state, &run, at, now).await?;
        }
    }
    let left = state.requeue_abandoned().await?;
    if left > 0 {
        warn!(runs = left, "the last daemon ended in the middle of runs; they are queued again");
    }
    Ok(())
}

async fn put_off(state: &State, run: &Abandoned, at: Option<Timestamp>, now: Timestamp) -> Result<(), StateError> {
    let Abandoned { record, stage, deaths, .. } = run;
    let (job, id, due) = (&record.job, &record.id, rfc3339(&record.due));
    let text = format!(
        "the daemon has died {deaths} times in a row in the middle of this run (stage {stage}); look in the system's \
         log for a lack of memory or a crash"
    );
    match at {
        Some(at) => {
            state.put_off(id, &text, at, now).await?;
            warn!(%job, run = %id, %due, deaths, retry_at = %at, "{text}");
        }
        None => {
            let text = format!("{text}, then run the job again for the same due time: exportd run --at");
            state.finish(id, RunState::Failed, Some(&text), now).await?;
            error!(%job, run = %id, %due, deaths, "failed: {text}");
        }
    }
    Ok(())
}
