//! Before anything of a spooled run is sent: does its job still export these columns, and to this recipient?
//!
//! If not, a run that may read the store is made again. What it had spooled is discarded first, in state and then in the
//! spool: killed in between, it has no files on record, and the next attempt reads the store.

use jiff::Timestamp;

use super::files::Known;
use super::{Attempt, Context, RunError};
use crate::clearance::{self, Cleared, Objections};
use crate::job::Job;
use crate::run::RunId;

/// Where the files of a run may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Supply {
    /// From the spool, or from the store where the spool has none that may be sent.
    Store,
    /// From the spool alone, and for another recipient if that is allowed.
    Spool {
        /// Whether another recipient is allowed.
        to_new_recipient: bool,
    },
}

/// Refuses to redeliver a run whose spooled files its job does not allow to be sent any more. Changes nothing.
pub async fn review(context: &Context, job: &Job, run: &RunId, to_new_recipient: bool) -> Result<(), RunError> {
    let known = Known::of(context, run).await?;
    if !known.is_spooled() || known.files.iter().all(|file| file.spool.is_none()) {
        // There is nothing to send.
        return Ok(());
    }
    let compared = known.compare(job, Supply::Spool { to_new_recipient });
    compared.map(|_| ()).map_err(|objections| withheld(run, objections))
}

fn withheld(run: &RunId, objections: Objections) -> RunError {
    RunError::Withheld { run: run.clone(), objections: Box::new(objections) }
}

impl Known {
    /// Compares what was recorded of the spooled files with what the job in force says.
    fn compare(&self, job: &Job, supply: Supply) -> Result<Cleared, Objections> {
        let may_be_new = matches!(supply, Supply::Spool { to_new_recipient: true });
        let contents = self.files.iter().map(|file| file.contents.as_deref());
        clearance::compare(self.recipient.as_ref(), contents, job, may_be_new)
    }
}

/// The run's spooled files with the permission to send them. None if there are none, or none any more: then the store
/// has to be read.
pub(super) async fn spooled(attempt: &Attempt<'_>, known: Known) -> Result<Option<(Known, Cleared)>, RunError> {
    if !known.is_spooled() {
        return Ok(None);
    }
    match (known.compare(attempt.job, attempt.supply), attempt.supply) {
        (Ok(cleared), _) => Ok(Some((known, cleared))),
        (Err(objections), Supply::Spool { .. }) => Err(withheld(attempt.id(), objections)),
        (Err(objections), Supply::Store) => {
            discard(attempt, &known, &objections).await?;
            Ok(None)
        }
    }
}

async fn discard(attempt: &Attempt<'_>, known: &Known, objections: &Objections) -> Result<(), RunError> {
    let (run, context) = (attempt.id(), attempt.context);
    let published = known.files.iter().filter(|file| file.file.published);
    let published: Vec<&str> = published.map(|file| file.file.name.as_str()).collect();
    match published.is_empty() {
        true => tracing::warn!(%run, "the spooled files are not sent but made anew: {objections}"),
        false => tracing::warn!(
            %run, published = published.join(", "),
            "some of the run's files are published already; all of them are made anew: {objections}"
        ),
    }
    context.state.discard(run, &objections.to_string(), &context.origin, Timestamp::now()).await?;
    Ok(context.spool.remove(run)?)
}
