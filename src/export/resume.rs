//! Continuing a run: what state knows of it, compared with what the spool holds and the destination shows.
//!
//! | a run that reached     | continues by                                                                       |
//! | ---------------------- | ---------------------------------------------------------------------------------- |
//! | nothing, or `querying` | reading the store                                                                  |
//! | `spooled`, `uploading` | verifying the spool, then uploading under new names                                |
//! | `uploaded`             | looking for each temporary file; what is not there whole is uploaded again         |
//! | `publishing`           | looking at both names of each file whose rename was not confirmed                  |
//! | `published`            | nothing is left to do                                                              |

use jiff::Timestamp;

use super::cleaning::{clean_up, remove_temporaries};
use super::connection::{Connection, reach};
use super::files::{FileState, Known, RunFile};
use super::review::Supply;
use super::{Attempt, RunError, leftovers, read, upload};
use crate::clearance::{Cleared, Recipient};
use crate::deliver::PublishOutcome;
use crate::run::{FileRecord, Stage};
use crate::spool::SpoolError;

/// Continues a run whose files are in the spool and may be sent. When it returns without an error, all are uploaded,
/// but for those that are written in place.
pub(super) async fn run<'a>(
    attempt: &'a Attempt<'a>,
    known: Known,
    cleared: Cleared,
) -> Result<(Connection<'a>, Vec<RunFile>), RunError> {
    // At a new recipient nothing of the run exists yet, whatever the one before has.
    let mut known = if cleared.is_new_recipient() { known.unsent() } else { known };
    if attempt.is_direct() {
        known = known.without_uploads();
    }
    let connection = reach(attempt).await?;
    leftovers::remove(attempt, &connection, &mut known).await?;
    if cleared.is_new_recipient() {
        let recipient = Recipient::of(&attempt.job.destination);
        attempt.context.state.hand_over(attempt.id(), &recipient, Timestamp::now()).await?;
    }
    let mut files = locate_all(attempt, &connection, known).await?;
    match verify_spooled(attempt, &files).await {
        Ok(()) => {}
        Err(error) => {
            clean_up(attempt, &connection, &files, &error).await;
            let RunError::Spool(error @ SpoolError::Changed { .. }) = error else { return Err(error) };
            require_remake(attempt, &files, error)?;
            return read::over(attempt, connection).await;
        }
    }
    if !attempt.is_direct() {
        upload::run(attempt, &connection, &mut files, upload::Try::First).await?;
    }
    Ok((connection, files))
}

/// Finds out how far each file of a spooled run has come.
async fn locate_all(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    known: Known,
) -> Result<Vec<RunFile>, RunError> {
    let stage = known.stage.unwrap_or(Stage::Spooled);
    let mut files = Vec::with_capacity(known.files.len());
    for (position, stored) in known.files.into_iter().enumerate() {
        let mut file = RunFile { position, stored, progress: FileState::Spooled };
        file.progress = match file.stored.temp_name.clone() {
            _ if file.stored.file.published => FileState::Published,
            Some(temporary) if stage >= Stage::Uploaded => locate(attempt, connection, stage, &file, temporary).await?,
            _ => FileState::Spooled,
        };
        files.push(file);
    }
    tracing::info!(run = %attempt.id(), stage = %stage, "continues with the files in the spool");
    Ok(files)
}

/// How far a file has come that had been uploaded as `temporary`.
async fn locate(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    stage: Stage,
    file: &RunFile,
    temporary: String,
) -> Result<FileState, RunError> {
    let (state, record) = (&attempt.context.state, &file.stored.file);
    let delivery = connection.delivery().await?;
    if stage >= Stage::Publishing {
        match delivery.settle(&temporary, &record.name, record.bytes).await? {
            PublishOutcome::Published => {
                state.published(attempt.id(), &[file.position]).await?;
                return Ok(FileState::Published);
            }
            PublishOutcome::Gone => {
                tracing::warn!(
                    run = %attempt.id(), file = record.name,
                    "neither the file nor its temporary one is at the destination, and its rename was never \
                     confirmed: somebody took it, or it is lost; it is sent again"
                );
                return Ok(FileState::Spooled);
            }
            PublishOutcome::NotPublished | PublishOutcome::Conflict => {}
        }
    }
    if delivery.verify(&temporary, record).await? {
        return Ok(FileState::Uploaded(temporary));
    }
    drop(delivery);
    remove_temporaries(attempt, connection, vec![temporary]).await?;
    Ok(FileState::Spooled)
}

/// Compares the files that are to be uploaded with their records: size and SHA-256.
async fn verify_spooled(attempt: &Attempt<'_>, files: &[RunFile]) -> Result<(), RunError> {
    let waiting = files.iter().filter(|file| file.progress == FileState::Spooled);
    let records: Vec<FileRecord> = waiting.map(|file| file.stored.file.clone()).collect();
    let (spool, run) = (attempt.context.spool.clone(), attempt.id().clone());
    let verifying = tokio::task::spawn_blocking(move || {
        records.iter().try_for_each(|record| spool.find(&run, record, Vec::new()).map(|_| ()))
    });
    let verified = attempt.cancel.unless(verifying).await?;
    verified.map_err(|_| RunError::Defect("a panic while files were verified".to_owned()))?.map_err(RunError::Spool)
}

/// Decides whether files that changed in the spool may be made again from the store. They may not if some of the run's
/// files are published: the others would come from another state of the store.
fn require_remake(attempt: &Attempt<'_>, files: &[RunFile], error: SpoolError) -> Result<(), RunError> {
    let published = files.iter().filter(|file| file.progress == FileState::Published).count();
    if published > 0 {
        return Err(RunError::Torn { published, of: files.len(), cause: error });
    }
    if attempt.supply != Supply::Store {
        return Err(error.into());
    }
    tracing::warn!(run = %attempt.id(), %error, "the files are made again");
    Ok(())
}
