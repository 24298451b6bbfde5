//! Removing temporary files from the destination after a failure.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::connection::Connection;
use super::files::{FileState, RunFile};
use super::{Attempt, RunError};
use crate::deliver::PublishOutcome;
use crate::failpoint::{self, Side};
use crate::run::Stage;
use crate::state::Temporary;

/// How long removing our files after a failure may take.
const CLEANING: Duration = Duration::from_secs(30);

/// Removals in flight.
pub(super) const REMOVALS: usize = 256;

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

/// Removes temporary files and forgets their names. Where nothing can be removed, that is told once, and they stay on record.
pub(super) async fn remove_temporaries(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    names: Vec<String>,
) -> Result<(), RunError> {
    if names.is_empty() {
        return Ok(());
    }
    if !connection.removes() {
        let place = connection.delivery().await?.place();
        let names = names.join(", ");
        attempt.warn(&format!(
            "hidden files may stay in {place}, where files can't be removed; have them removed: {names}"
        ));
        return Ok(());
    }
    let delivery = connection.delivery().await?;
    let removals = names.into_iter().map(async |name| delivery.remove(None, &name).await.map(|()| name));
    let gone: Vec<String> = stream::iter(removals).buffer_unordered(REMOVALS).try_collect().await?;
    let gone: Vec<Temporary> = gone.into_iter().map(|name| attempt.temporary_here(name)).collect();
    Ok(attempt.context.state.forget_temporaries(&gone).await?)
}
