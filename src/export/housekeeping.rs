//! Housekeeping: what the spool need not hold any longer.

use jiff::Timestamp;

use super::{Context, RunError};
use crate::run::RunId;

/// Removes from the spool what belongs to no run, and the files of runs that ended longer ago than they are kept.
/// Settles runs whose commands are gone first, so that nothing is kept for them. Returns how many folders went.
pub async fn tidy(context: &Context, now: Timestamp) -> Result<usize, RunError> {
    for run in context.state.settle_commands(now).await? {
        tracing::warn!(%run, "the command that worked on it is gone; its files, if it made any, can be redelivered");
    }
    // The folders are listed before the runs: whoever makes a folder has its run recorded first.
    let found = context.spool.entries()?;
    let users = context.state.spool_users().await?;
    let orphans: Vec<RunId> = found.iter().filter(|run| !users.contains(run)).cloned().collect();
    for run in &orphans {
        context.spool.remove(run)?;
    }
    let before = now.checked_sub(context.keep).unwrap_or(Timestamp::MIN);
    let expired = context.state.spooled_before(before).await?;
    for run in &expired {
        remove(context, run).await?;
    }
    Ok(orphans.len() + expired.len())
}

/// Removes from state what ended longer ago than history is kept. Returns how many runs went.
pub async fn forget(context: &Context, now: Timestamp) -> Result<usize, RunError> {
    let Some(history) = context.history else { return Ok(0) };
    // By a clock that is wrongly ahead everything would be old.
    if context.state.held_clock().await?.is_some() {
        return Ok(0);
    }
    let before = now.checked_sub(history).unwrap_or(Timestamp::MIN);
    Ok(context.state.forget_before(before).await?)
}

/// Removes a run's files from the spool. State is told after it is done: should that fail, the next time finds a run
/// whose files are gone, and not files that nobody knows.
pub(super) async fn remove(context: &Context, run: &RunId) -> Result<(), RunError> {
    context.spool.remove(run)?;
    Ok(context.state.forget_spool(run).await?)
}
