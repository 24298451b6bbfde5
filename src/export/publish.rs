//! The end of a run: files get their final names.

use futures_util::future;

use super::cleaning::clean_up;
use super::connection::Connection;
use super::files::{FileState, RunFile};
use super::{Attempt, RunError, upload};
use crate::deliver::{DeliverError, PublishOutcome};
use crate::failpoint::{self, Side};
use crate::run::Stage;

/// How often the outcome of a rename whose reply was lost is looked up before the run is left for a later attempt.
const SETTLEMENTS: usize = 3;

/// Renames uploaded files to their final names, in their order, the manifest last, or writes them under these names. Leaves the connection to the
/// next run.
pub(super) async fn run(
    attempt: &Attempt<'_>,
    connection: Connection<'_>,
    mut files: Vec<RunFile>,
) -> Result<(), RunError> {
    // A connection that has ended meanwhile is noticed before the stage is.
    drop(connection.delivery().await?);
    attempt.enter(Stage::Publishing).await?;
    let published = match attempt.is_direct() {
        true => write_all(attempt, &connection, &mut files).await,
        false => publish_all(attempt, &connection, &mut files).await,
    };
    if let Err(error) = published {
        clean_up(attempt, &connection, &files, &error).await;
        return Err(error);
    }
    attempt.enter(Stage::Published).await?;
    connection.leave().await;
    Ok(())
}

/// Writes files under their final names, the manifest when all others are whole.
async fn write_all(attempt: &Attempt<'_>, connection: &Connection<'_>, files: &mut [RunFile]) -> Result<(), RunError> {
    let (files, manifest) = split_manifest(files);
    upload::in_place(attempt, connection, files).await?;
    upload::in_place(attempt, connection, manifest).await
}

async fn publish_all(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    files: &mut [RunFile],
) -> Result<(), RunError> {
    let (files, manifest) = split_manifest(files);
    let at_once = attempt.job.destination.requests().min(attempt.context.tuning.files_at_once);
    for group in files.chunks_mut(at_once).chain(manifest.chunks_mut(1)) {
        publish_group(attempt, connection, group).await?;
    }
    Ok(())
}

/// The files, and the manifest, which says that all of them are there.
fn split_manifest(files: &mut [RunFile]) -> (&mut [RunFile], &mut [RunFile]) {
    let manifest = files.iter().position(|file| file.stored.is_manifest).unwrap_or(files.len());
    files.split_at_mut(manifest)
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
