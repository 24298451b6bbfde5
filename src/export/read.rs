//! Reading the store into finished files, and uploading them while they are written.
//!
//! Neither waits for the other: rows are written to the spool as fast as the store sends them, and the upload follows as
//! fast as the partner takes them. If the upload fails, the reading continues, because its files can be sent without
//! another query. If the reading fails, nothing of the run stays, here or at the destination.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::cleaning::{clean_up, remove_after_failure, remove_temporaries};
use super::connection::{Connection, reach};
use super::files::{FileState, Known, RunFile};
use super::review::Supply;
use super::upload::{self, Try, Upload, sent_bytes, temporary_name};
use super::{Attempt, Production, RunError, leftovers, manifest, names, produce};
use crate::clearance::{Content, Recipient};
use crate::growth::Follower;
use crate::plan::{Plan, PlannedFile};
use crate::run::Stage;
use crate::state::StoredFile;

/// Reads the store and uploads its files. When it returns without an error, all of them are finished, recorded and
/// uploaded, but for those that are written in place.
pub(super) async fn run<'a>(attempt: &'a Attempt<'a>) -> Result<(Connection<'a>, Vec<RunFile>), RunError> {
    if attempt.supply != Supply::Store {
        return Err(RunError::NotSpooled { run: attempt.id().clone() });
    }
    // A spool that is too small shows now, and not after an hour of reading.
    let needed = attempt.context.state.last_size(&attempt.run.job).await?.unwrap_or(0);
    attempt.context.spool.require(needed)?;
    let connection = reach(attempt).await?;
    leftovers::remove(attempt, &connection, &mut Known::nothing()).await?;
    over(attempt, connection).await
}

/// The same over an open connection.
pub(super) async fn over<'a>(
    attempt: &'a Attempt<'a>,
    connection: Connection<'a>,
) -> Result<(Connection<'a>, Vec<RunFile>), RunError> {
    let plan = Arc::new(Plan::new(attempt.job, &attempt.run.due, attempt.id().as_str()));
    names::require_free(attempt, &connection, plan.names().map(str::to_owned).collect()).await?;
    // What is written in place is written when every file is finished.
    let temporaries: Vec<String> = match attempt.is_direct() {
        true => Vec::new(),
        false => plan.names().map(|name| temporary_name(attempt, name, Try::First)).collect(),
    };
    attempt.context.state.expect_temporaries(attempt.id(), &temporaries).await?;
    let (sender, uploads) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let reading = async { read(attempt, plan, &temporaries, sender).await.inspect_err(|_| stop.cancel()) };
    let (stored, uploaded) = tokio::join!(reading, upload::send(attempt, &connection, uploads, &stop));
    let mut files: Vec<RunFile> = match stored {
        Ok(stored) => {
            stored.into_iter().enumerate().map(|(position, file)| run_file(position, file, &temporaries)).collect()
        }
        Err(error) => {
            remove_after_failure(attempt, &error, remove_temporaries(attempt, &connection, temporaries)).await;
            return Err(error);
        }
    };
    match uploaded.error {
        None if attempt.is_direct() => {}
        None => upload::verify(attempt, &connection, &files).await?,
        Some(error) if error.is_passing() && !attempt.cancel.is_cancelled() => {
            tracing::warn!(run = %attempt.id(), %error, "an upload failed while the store was read; the rest is sent again");
            send_rest(attempt, &connection, &mut files, &uploaded.positions).await?;
        }
        Some(error) => {
            clean_up(attempt, &connection, &files, &error).await;
            return Err(error);
        }
    }
    Ok((connection, files))
}

fn run_file(position: usize, stored: StoredFile, names: &[String]) -> RunFile {
    let progress = names.get(position).cloned().map_or(FileState::Spooled, FileState::Uploaded);
    RunFile { position, stored, progress }
}

/// Uploads once more what is not among the `uploaded` positions.
async fn send_rest(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    files: &mut [RunFile],
    uploaded: &HashSet<usize>,
) -> Result<(), RunError> {
    let mut failed = Vec::new();
    for file in files.iter_mut().filter(|file| !uploaded.contains(&file.position)) {
        if let FileState::Uploaded(name) = std::mem::replace(&mut file.progress, FileState::Spooled) {
            failed.push(name);
        }
    }
    // The first request over a connection that has to be opened again; its failure is the run's.
    drop(connection.delivery().await?);
    // What can't be removed now stays on record.
    let _ = remove_temporaries(attempt, connection, failed).await;
    upload::run(attempt, connection, files, Try::Second).await
}

/// Reads the store into finished files, the manifest last, and records them. After an error no file that is not recorded
/// stays in the spool.
async fn read(
    attempt: &Attempt<'_>,
    plan: Arc<Plan>,
    names: &[String],
    uploads: mpsc::UnboundedSender<Upload>,
) -> Result<Vec<StoredFile>, RunError> {
    let (context, run) = (attempt.context, attempt.id());
    let reader = attempt.cancel.unless(context.readers.acquire()).await?.expect("the semaphore is never closed");
    attempt.enter(Stage::Querying).await?;
    let filled = fill_spool(attempt, plan, names, uploads).await;
    drop(reader);
    let warned = context.state.warned(run, &attempt.progress.warnings()).await;
    let recorded = match filled.and_then(|files| warned.map(|()| files).map_err(RunError::State)) {
        Ok(files) => {
            let recipient = Recipient::of(&attempt.job.destination);
            let recorded = context.state.spooled(run, &recipient, &files, Timestamp::now()).await;
            recorded.map(|()| files).map_err(RunError::State)
        }
        Err(error) => Err(error),
    };
    let files = match recorded {
        Ok(files) => files,
        Err(error) => {
            context.spool.remove(run)?;
            return Err(error);
        }
    };
    attempt.progress.enter(Stage::Spooled);
    if names.is_empty() {
        return Ok(files);
    }
    let names: Vec<(usize, String)> = names.iter().cloned().enumerate().collect();
    context.state.uploading(run, &names, Timestamp::now()).await?;
    attempt.progress.enter(Stage::Uploading);
    Ok(files)
}

async fn fill_spool(
    attempt: &Attempt<'_>,
    plan: Arc<Plan>,
    names: &[String],
    uploads: mpsc::UnboundedSender<Upload>,
) -> Result<Vec<StoredFile>, RunError> {
    let folder = Arc::new(attempt.context.spool.run(attempt.id())?);
    let announce = |position: usize, path, follower| {
        let Some(temporary) = names.get(position).cloned() else { return };
        let sent = sent_bytes(attempt, position);
        // If uploading has failed already, the caller learns that when the reading is over.
        let _ = uploads.send(Upload { position, temporary, path, follower, sent });
    };
    let (begun, mut beginning) = mpsc::unbounded_channel();
    let production = Production {
        store: attempt.context.store.clone(),
        job: attempt.job.clone(),
        plan: plan.clone(),
        folder: folder.clone(),
        progress: attempt.progress.clone(),
        cancel: attempt.cancel.clone(),
        begun: Some(begun),
    };
    let announcing = async {
        let mut position = 0;
        while let Some((path, follower)) = beginning.recv().await {
            announce(position, path, follower);
            position += 1;
        }
    };
    let (files, ()) = tokio::join!(produce(production), announcing);
    let files = files?;
    let manifest = match &plan.manifest {
        Some(name) => Some(manifest::write(attempt.job, attempt.id(), &plan, &folder, name, &files)?),
        None => None,
    };
    if let Some(manifest) = &manifest {
        announce(files.len(), manifest.path.clone(), Follower::of_whole(manifest.bytes));
    }
    let described = plan.files.iter().map(|file| (sensitive(attempt, file), contents(attempt, file)));
    // The manifest has no columns of its own.
    let described = described.chain([(Vec::new(), Vec::new())]);
    let files = files.into_iter().map(|file| (file, false)).chain(manifest.map(|file| (file, true)));
    let stored = files.zip(described).map(|((file, is_manifest), (sensitive, contents))| StoredFile {
        file: file.record(),
        is_manifest,
        spool: Some(file.path),
        temp_name: None,
        columns: file.columns,
        sensitive,
        contents: Some(contents),
    });
    Ok(stored.collect())
}

/// What a file contains, for the comparison with the job before a later attempt sends it.
fn contents(attempt: &Attempt<'_>, file: &PlannedFile) -> Vec<Content> {
    file.parts.iter().map(|part| Content::of(&attempt.job.exports[part.index])).collect()
}

/// The sensitive columns of a file, named as its artifact names columns.
fn sensitive(attempt: &Attempt<'_>, file: &PlannedFile) -> Vec<String> {
    let exports = file.parts.iter().map(|part| &attempt.job.exports[part.index]);
    let names = exports.flat_map(|export| export.sensitive().map(|column| attempt.job.column_in_file(export, column)));
    names.collect()
}
