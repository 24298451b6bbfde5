//! Temporary files that earlier attempts, and earlier runs of the job, could not remove.

use futures_util::{StreamExt, future, stream};

use super::cleaning::REMOVALS;
use super::connection::Connection;
use super::files::Known;
use super::{Attempt, RunError};
use crate::clearance::Location;
use crate::deliver::{Delivery, probe_names};
use crate::state::Temporary;

/// Removes what is left at the job's recipient. A server that refuses now is asked again by the next run, unless it
/// refuses to remove anything. What is left at another recipient stays on record, and the log tells where this run's own files are.
pub(super) async fn remove(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    known: &mut Known,
) -> Result<(), RunError> {
    let (state, present) = (&attempt.context.state, attempt.location());
    let mut leftovers = state.temporaries(attempt.id(), &attempt.run.job).await?;
    // A file that was uploaded to another directory is of no use in this one.
    let is_elsewhere = |leftover: &&Temporary| leftover.location.as_ref().is_some_and(|location| *location != present);
    leftovers.iter().filter(is_elsewhere).for_each(|leftover| known.forget_upload(leftover));
    // The probes of this attempt are on record as well; the check that makes them removes them.
    let probes = probe_names(attempt.id().as_str());
    let is_in_use = |name: &str| probes.iter().any(|probe| probe == name) || known.uploaded().any(|file| file == name);
    leftovers.retain(|leftover| leftover.run != *attempt.id() || !is_in_use(&leftover.name));
    let is_here = |location: &Location| location.recipient == present.recipient;
    let (here, elsewhere): (Vec<Temporary>, Vec<Temporary>) =
        leftovers.into_iter().partition(|leftover| leftover.location.as_ref().is_none_or(is_here));
    warn(attempt, &elsewhere);
    if here.is_empty() || !connection.removes() {
        return Ok(());
    }
    let delivery = connection.delivery().await?;
    let removals = here.into_iter().map(async |leftover| remove_one(&delivery, &leftover).await.then_some(leftover));
    let gone: Vec<Temporary> =
        stream::iter(removals).buffer_unordered(REMOVALS).filter_map(future::ready).collect().await;
    Ok(state.forget_temporaries(&gone).await?)
}

/// Removes a temporary file, also from a directory that the job has delivered to before. Returns whether it is gone.
async fn remove_one(delivery: &Delivery, leftover: &Temporary) -> bool {
    let directory = leftover.location.as_ref().map(|location| location.directory.as_str());
    delivery.remove(directory, &leftover.name).await.is_ok()
}

/// Logs which files of this run may be left where its job does not deliver any more.
fn warn(attempt: &Attempt<'_>, elsewhere: &[Temporary]) {
    let own = elsewhere.iter().filter(|leftover| leftover.run == *attempt.id());
    let mut places: Vec<(&Location, Vec<&str>)> = Vec::new();
    for (location, name) in own.filter_map(|leftover| Some((leftover.location.as_ref()?, leftover.name.as_str()))) {
        match places.iter_mut().find(|(place, _)| *place == location) {
            Some((_, names)) => names.push(name),
            None => places.push((location, vec![name])),
        }
    }
    for (Location { recipient, directory }, names) in places {
        tracing::warn!(
            run = %attempt.id(), directory, files = names.join(", "),
            "hidden files of the run may be left at {recipient}, where its job does not deliver any more; they are \
             removed when it delivers there again, or have them removed there"
        );
    }
}
