//! The end of a run: uploaded files get their final names, or are removed again.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, future, stream};

use super::connection::Connection;
use super::resume::{FileState, RunFile};
use super::{Attempt, RunError};
use crate::deliver::{DeliverError, PublishOutcome};
use crate::failpoint::{self, Side};
use crate::run::Stage;
use crate::state::Temporary;

/// How often the outcome of a rename whose reply was lost is looked up before the run is left for a later attempt.
const SETTLEMENTS: usize = 3;

/// How long removing our files after a failure may take.
const CLEANING: Duration = Duration::from_secs(30);

/// Removals in flight.
pub(super) const REMOVALS: usize = 256;

/// Renames uploaded files to their final names, in their order, the manifest last. Leaves the connection to the
/// next run.
pub(super) async fn run(
    attempt: &Attempt<'_>,
    connection: Connection<'_>,
    mut files: Vec<RunFile>,
) -> Result<(), RunError> {
    // A connection that has ended meanwhile is noticed before the stage is.
    drop(connection.delivery().await?);
    attempt.enter(Stage::Publishing).await?;
    if let Err(error) = publish_all(attempt, &connection, &mut files).await {
        clean_up(attempt, &connection, &files, &error).await;
        return Err(error);
    }
    attempt.enter(Stage::Published).await?;
    connection.leave().await;
    Ok(())
}

async fn publish_all(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    files: &mut [RunFile],
) -> Result<(), RunError> {
    // The manifest says that all files are there.
    let manifest = files.iter().position(|file| file.stored.is_manifest).unwrap_or(files.len());
    let (files, manifest) = files.split_at_mut(manifest);
    let at_once = attempt.job.destination.requests().min(attempt.context.tuning.files_at_once);
    for group in files.chunks_mut(at_once).chain(manifest.chunks_mut(1)) {
        publish_group(attempt, connection, group).await?;
    }
    Ok(())
}

/// Renames files at the same time, the requests in their order, and records each confirmed rename, whatever becomes of
/// the others.
async fn publish_group(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    files: &mut [RunFile],
) -> Result<(), RunError> {
    let outcomes = future::join_all(files.iter().map(|file| rename(connection, file))).await;
    let (mut published, mut failed) = (Vec::new(), None);
    for (file, outcome) in files.iter_mut().zip(outcomes) {
        let Some(outcome) = outcome else { continue };
        match settle(connection, file, outcome).await {
            Ok(()) => {
                file.progress = FileState::Published;
                published.push(file.position);
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    if !published.is_empty() {
        attempt.context.state.published(attempt.id(), &published).await?;
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// None if the file is published already.
async fn rename(connection: &Connection<'_>, file: &RunFile) -> Option<Result<(), DeliverError>> {
    let FileState::Uploaded(temporary) = &file.progress else { return None };
    failpoint::reach("destination:rename", Side::Before).await;
    let renamed = match connection.delivery().await {
        Ok(delivery) => delivery.publish(temporary, &file.stored.file.name).await,
        Err(error) => Err(error),
    };
    failpoint::reach("destination:rename", Side::After).await;
    Some(renamed)
}

/// The final outcome of a rename. If its reply was lost, a new connection looks at both names.
async fn settle(
    connection: &Connection<'_>,
    file: &RunFile,
    mut outcome: Result<(), DeliverError>,
) -> Result<(), DeliverError> {
    let FileState::Uploaded(temporary) = &file.progress else { return outcome };
    let record = &file.stored.file;
    for _ in 0..SETTLEMENTS {
        // The connection can also have ended before the rename was sent, while the server looked for the name.
        let Err(DeliverError::PublishUnknown { .. } | DeliverError::Lost { .. }) = &outcome else { return outcome };
        let delivery = connection.delivery().await?;
        outcome = match delivery.settle(temporary, &record.name, record.bytes).await? {
            PublishOutcome::Published => Ok(()),
            PublishOutcome::NotPublished | PublishOutcome::Conflict => delivery.publish(temporary, &record.name).await,
            PublishOutcome::Gone => return outcome,
        };
    }
    outcome
}

/// Removes what is at the destination under temporary names. What can't be removed stays on record, and so do files that
/// may be published without our knowing. `error` is what led here, and what the caller reports.
pub(super) async fn clean_up(attempt: &Attempt<'_>, connection: &Connection<'_>, files: &[RunFile], error: &RunError) {
    remove_after_failure(attempt, error, remove_unpublished(attempt, connection, files)).await;
}

/// Runs `removing` within its time limit. After an error of state nothing may be done that can't be recorded; the next
/// attempt looks.
pub(super) async fn remove_after_failure(
    attempt: &Attempt<'_>,
    error: &RunError,
    removing: impl Future<Output = Result<(), RunError>>,
) {
    if matches!(error, RunError::State(_)) {
        return;
    }
    failpoint::reach("destination:clean", Side::Before).await;
    match tokio::time::timeout(CLEANING, removing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(run = %attempt.id(), %error, "temporary files are not removed yet"),
        Err(_) => tracing::debug!(run = %attempt.id(), "removing temporary files takes too long"),
    }
    failpoint::reach("destination:clean", Side::After).await;
}

async fn remove_unpublished(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    files: &[RunFile],
) -> Result<(), RunError> {
    let is_publishing = attempt.progress.stage() >= Stage::Publishing;
    let mut names = Vec::new();
    for file in files {
        let FileState::Uploaded(temporary) = &file.progress else { continue };
        let record = &file.stored.file;
        if is_publishing {
            match connection.delivery().await?.settle(temporary, &record.name, record.bytes).await? {
                PublishOutcome::Published => {
                    attempt.context.state.published(attempt.id(), &[file.position]).await?;
                    continue;
                }
                PublishOutcome::Gone => continue,
                PublishOutcome::NotPublished | PublishOutcome::Conflict => {}
            }
        }
        names.push(temporary.clone());
    }
    remove_temporaries(attempt, connection, names).await
}

/// Removes temporary files and forgets their names.
pub(super) async fn remove_temporaries(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    names: Vec<String>,
) -> Result<(), RunError> {
    if names.is_empty() {
        return Ok(());
    }
    let delivery = connection.delivery().await?;
    let removals = names.into_iter().map(async |name| delivery.remove(None, &name).await.map(|()| name));
    let gone: Vec<String> = stream::iter(removals).buffer_unordered(REMOVALS).try_collect().await?;
    let gone: Vec<Temporary> = gone.into_iter().map(|name| attempt.temporary_here(name)).collect();
    Ok(attempt.context.state.forget_temporaries(&gone).await?)
}
