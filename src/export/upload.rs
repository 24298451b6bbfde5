//! Uploading files under temporary names: many small ones at the same time, or a large one alone.
//!
//! A file may still be growing when its upload begins. Files come over a channel, so that those of a run that reads the
//! store and those of a run that continues with its spool pass through the same code.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::cleaning::{clean_up, remove_after_failure};
use super::connection::Connection;
use super::files::{FileState, RunFile};
use super::{Attempt, RunError, names};
use crate::deliver::{DeliverError, Opened, Opening};
use crate::failpoint::{self, Side};
use crate::growth::Follower;
use crate::job::Verify;
use crate::run::Stage;

/// The share of a file's bytes in the room that all uploads have together: a file of this size counts once.
const UNIT: u64 = 64 * 1024;

/// A file to upload.
#[derive(Debug)]
pub(super) struct Upload {
    /// Its position among the run's files, from 0.
    pub(super) position: usize,
    pub(super) temporary: String,
    pub(super) path: PathBuf,
    /// How much of it there is.
    pub(super) follower: Follower,
    /// Counts acknowledged bytes.
    pub(super) sent: Arc<AtomicU64>,
}

/// Which try of this attempt an upload is. Each has temporary names of its own: what a broken connection left behind
/// may still be written by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    First,
    Second,
}

/// Uploads the spooled files among `files` and verifies them. When it returns without an error, every file is at the
/// destination, whole, and recorded as uploaded.
pub(super) async fn run(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    files: &mut [RunFile],
    this_try: Try,
) -> Result<(), RunError> {
    let waiting = files.iter().filter(|file| file.progress == FileState::Spooled);
    let finals = waiting.map(|file| file.stored.file.name.clone()).collect();
    if let Err(error) = names::require_free(attempt, connection, finals).await {
        clean_up(attempt, connection, files, &error).await;
        return Err(error);
    }
    let (sender, uploads) = mpsc::unbounded_channel();
    let mut temporaries = Vec::new();
    for file in files.iter_mut().filter(|file| file.progress == FileState::Spooled) {
        let record = &file.stored.file;
        let temporary = temporary_name(attempt, &record.name, this_try);
        let path = file.stored.spool.clone().ok_or_else(|| RunError::NotSpooled { run: attempt.id().clone() })?;
        let (position, follower) = (file.position, Follower::of_whole(record.bytes));
        let sent = sent_bytes(attempt, position);
        temporaries.push((position, temporary.clone()));
        file.progress = FileState::Uploaded(temporary.clone());
        // Its receiver is `uploads`.
        let _ = sender.send(Upload { position, temporary, path, follower, sent });
    }
    drop(sender);
    if temporaries.is_empty() {
        return Ok(());
    }
    attempt.context.state.uploading(attempt.id(), &temporaries, Timestamp::now()).await?;
    attempt.progress.enter(Stage::Uploading);
    let uploaded = send(attempt, connection, uploads, &CancellationToken::new()).await;
    if let Some(error) = uploaded.error {
        clean_up(attempt, connection, files, &error).await;
        return Err(error);
    }
    verify(attempt, connection, files).await
}

/// Reads uploaded files back if the job asks for that, and records that all files are uploaded.
pub(super) async fn verify(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    files: &[RunFile],
) -> Result<(), RunError> {
    if attempt.job.destination.verify() == Verify::Readback
        && let Err(error) = attempt.cancel.unless(read_back(connection, files)).await.flatten()
    {
        clean_up(attempt, connection, files, &error).await;
        return Err(error);
    }
    attempt.enter(Stage::Uploaded).await
}

async fn read_back(connection: &Connection<'_>, files: &[RunFile]) -> Result<(), RunError> {
    let delivery = connection.delivery().await?;
    for file in files {
        let FileState::Uploaded(temporary) = &file.progress else { continue };
        delivery.read_back(temporary, &file.stored.file).await?;
    }
    Ok(())
}

/// Writes the spooled files among `files` under their final names, and records those that are whole, whatever becomes of
/// the others. What is left half is removed as far as the server lets us, and told where it does not.
pub(super) async fn in_place(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    files: &mut [RunFile],
) -> Result<(), RunError> {
    let (sender, uploads) = mpsc::unbounded_channel();
    for file in files.iter().filter(|file| file.progress == FileState::Spooled) {
        let (position, record) = (file.position, &file.stored.file);
        let path = file.stored.spool.clone().ok_or_else(|| RunError::NotSpooled { run: attempt.id().clone() })?;
        let (follower, sent) = (Follower::of_whole(record.bytes), sent_bytes(attempt, position));
        // Its receiver is `uploads`.
        let _ = sender.send(Upload { position, temporary: record.name.clone(), path, follower, sent });
    }
    drop(sender);
    let Uploaded { mut positions, begun, mut error } =
        send(attempt, connection, uploads, &CancellationToken::new()).await;
    if attempt.job.destination.verify() == Verify::Readback {
        let mut read = HashSet::new();
        for file in files.iter().filter(|file| positions.contains(&file.position)) {
            let record = &file.stored.file;
            let reading =
                async { Ok::<_, RunError>(connection.delivery().await?.read_back(&record.name, record).await?) };
            if let Err(differs) = attempt.cancel.unless(reading).await.flatten() {
                error.get_or_insert(differs);
                break;
            }
            read.insert(file.position);
        }
        positions = read;
    }
    let mut whole = Vec::new();
    for file in files.iter_mut().filter(|file| positions.contains(&file.position)) {
        file.progress = FileState::Published;
        whole.push(file.position);
    }
    if !whole.is_empty() {
        attempt.context.state.published(attempt.id(), &whole).await?;
    }
    let Some(error) = error else { return Ok(()) };
    let unfinished = files.iter().filter(|file| file.progress == FileState::Spooled);
    let half: Vec<(&str, Opened)> = unfinished
        .filter_map(|file| Some((file.stored.file.name.as_str(), begun.get(&file.position)?.state())))
        .filter(|(_, opened)| *opened != Opened::No)
        .collect();
    remove_after_failure(attempt, &error, remove_half(attempt, connection, &half)).await;
    Err(error)
}

/// Removes files that were opened under their final names and are not whole. Where no answer to the opening came, only an
/// empty file is removed: one with content may be a complete file of earlier.
async fn remove_half(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    files: &[(&str, Opened)],
) -> Result<(), RunError> {
    for (name, opened) in files {
        let delivery = connection.delivery().await?;
        let removed = match opened {
            Opened::Yes => delivery.remove(None, name).await,
            _ => match delivery.is_empty(name).await {
                Ok(true) => delivery.remove(None, name).await,
                looked => looked.map(|_| ()),
            },
        };
        if let Err(error) = removed {
            let place = delivery.place();
            attempt.warn(&format!("{name} may be in {place} unfinished, until it is delivered again ({error})"));
        }
    }
    Ok(())
}

/// The outcome of several uploads.
pub(super) struct Uploaded {
    /// The positions of the files that are at the destination, whole.
    pub(super) positions: HashSet<usize>,
    /// By position, what was done to the names of these and of the others that were begun.
    pub(super) begun: HashMap<usize, Arc<Opening>>,
    /// Why the others are not.
    pub(super) error: Option<RunError>,
}

/// Uploads files as they come, until there are no more, one fails, or `stop` is cancelled.
pub(super) async fn send(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    mut uploads: mpsc::UnboundedReceiver<Upload>,
    stop: &CancellationToken,
) -> Uploaded {
    let uploader = Uploader::new(attempt, connection);
    let mut positions = HashSet::new();
    let uploads = stream::poll_fn(|context| uploads.poll_recv(context));
    let mut uploads = std::pin::pin!(uploads.map(|file| uploader.upload(file)).buffer_unordered(uploader.at_once));
    let error = loop {
        let next = tokio::select! {
            next = uploads.next() => next,
            () = stop.cancelled() => Some(Err(RunError::Cancelled)),
            () = attempt.cancel.cancelled() => Some(Err(RunError::Cancelled)),
        };
        match next {
            Some(Ok(position)) => positions.insert(position),
            Some(Err(error)) => break Some(error),
            None => break None,
        };
    };
    Uploaded { positions, begun: uploader.lock_begun().clone(), error }
}

/// What the uploads of a run share.
struct Uploader<'a> {
    connection: &'a Connection<'a>,
    /// Files at the same time.
    at_once: usize,
    /// A growing file is uploaded from this size on, in bytes.
    growing_from: u64,
    room: Semaphore,
    begun: Mutex<HashMap<usize, Arc<Opening>>>,
    /// Files are uploaded one after the other, because the server has refused one beside others.
    is_one_by_one: AtomicBool,
}

impl<'a> Uploader<'a> {
    fn new(attempt: &Attempt<'a>, connection: &'a Connection<'a>) -> Uploader<'a> {
        let tuning = &attempt.context.tuning;
        let at_once = attempt.job.destination.requests().min(tuning.files_at_once);
        Uploader {
            connection,
            at_once,
            growing_from: tuning.upload_growing_from,
            room: Semaphore::new(at_once),
            begun: Mutex::default(),
            is_one_by_one: AtomicBool::new(false),
        }
    }

    async fn upload(&self, file: Upload) -> Result<usize, RunError> {
        let Upload { position, temporary, path, mut follower, sent } = file;
        let Ok(extent) = follower.until(self.growing_from).await else { return Err(RunError::Cancelled) };
        let all = self.at_once as u64;
        let is_small = extent.is_whole && !self.is_one_by_one.load(Ordering::Relaxed);
        let units = if is_small { extent.bytes.div_ceil(UNIT).clamp(1, all) } else { all };
        let room = self.acquire(units).await;
        failpoint::reach("destination:upload", Side::Before).await;
        let opening = Arc::<Opening>::default();
        self.lock_begun().insert(position, Arc::clone(&opening));
        let delivery = self.connection.delivery().await?;
        let uploaded = delivery.upload(&path, follower.clone(), &temporary, &sent, &opening).await;
        drop(delivery);
        let again = match uploaded {
            // Some servers let only a few files be open: what one refuses beside others it may take alone.
            Err(DeliverError::Failed { .. } | DeliverError::Denied { .. }) if units < all => {
                self.is_one_by_one.store(true, Ordering::Relaxed);
                drop(room);
                Some(self.acquire(all).await)
            }
            // The server has closed an idle connection, which is no failure.
            Err(DeliverError::Lost { .. }) if sent.load(Ordering::Relaxed) == 0 => Some(room),
            uploaded => {
                uploaded?;
                None
            }
        };
        if again.is_some() {
            self.connection.delivery().await?.upload(&path, follower, &temporary, &sent, &opening).await?;
        }
        failpoint::reach("destination:upload", Side::After).await;
        Ok(position)
    }

    fn lock_begun(&self) -> MutexGuard<'_, HashMap<usize, Arc<Opening>>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn acquire(&self, units: u64) -> tokio::sync::SemaphorePermit<'_> {
        self.room.acquire_many(units as u32).await.expect("the semaphore is never closed")
    }
}

/// The hidden name of a file until it is published: unique to the run, the attempt and the try.
pub(super) fn temporary_name(attempt: &Attempt<'_>, name: &str, this_try: Try) -> String {
    let again = if this_try == Try::Second { ".again" } else { "" };
    match attempt.run.attempts {
        0 | 1 => format!(".{name}.{}{again}.part", attempt.id()),
        number => format!(".{name}.{}.{number}{again}.part", attempt.id()),
    }
}

/// The counter of acknowledged bytes of a file. The manifest, which comes after the files, has no progress bar.
pub(super) fn sent_bytes(attempt: &Attempt<'_>, position: usize) -> Arc<AtomicU64> {
    attempt.progress.files.get(position).map(|progress| progress.sent.clone()).unwrap_or_default()
}
