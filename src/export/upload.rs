//! Putting files up under temporary names: many small ones at a time, or one that is large.
//!
//! A file may still be growing when its upload begins. Files come over a channel, so that those of a run that reads the
//! store and those of one that goes on with its spool take the same way.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::resume::{Parcel, Standing};
use super::{RunError, Work};
use crate::deliver::{DeliverError, Session};
use crate::failpoint::{self, Side};
use crate::growth::Follower;
use crate::run::Stage;

/// Small files that are on their way at once, as far as the server takes so many requests. Most of the time each of
/// them waits for an answer.
const AT_ONCE: usize = 128;

/// A file of so many bytes counts once; a large one takes all the room that there is.
const UNIT: u64 = 64 * 1024;

/// A file that is still growing begins to go up when it has so many bytes: it is large then, and no small one waits
/// for the store with a file open at the destination.
const LARGE: u64 = 4 * 1024 * 1024;

/// A file that is to go up.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Its place among the run's files, from 0.
    pub(super) position: usize,
    /// The name under which it goes up.
    pub(super) temporary: String,
    pub(super) path: PathBuf,
    pub(super) follower: Follower,
    /// Counts the bytes that are acknowledged.
    pub(super) sent: Arc<AtomicU64>,
}

/// What came of files that were to go up.
pub(super) struct Sent {
    /// The session, perhaps another one than before.
    pub(super) session: Session,
    /// The places of those that are up, whole.
    pub(super) up: HashSet<usize>,
    /// Why the others are not.
    pub(super) error: Option<RunError>,
}

impl Work<'_> {
    /// Puts up what is in the spool and not at the destination.
    pub(super) async fn upload(
        &self,
        session: Session,
        mut parcels: Vec<Parcel>,
    ) -> Result<(Session, Vec<Parcel>), RunError> {
        let (files, outgoing) = mpsc::unbounded_channel();
        let mut names = Vec::new();
        for parcel in parcels.iter_mut().filter(|parcel| parcel.standing == Standing::Local) {
            let temporary = self.temporary(&parcel.file.file.name, parcel.is_second_try);
            let path = parcel.file.spool.clone().ok_or_else(|| RunError::NotSpooled { run: self.id().clone() })?;
            let (position, sent) = (parcel.position, self.sent(parcel.position));
            let follower = Follower::of_whole(parcel.file.file.bytes);
            names.push((position, temporary.clone()));
            parcel.standing = Standing::Up(temporary.clone());
            // The receiver is below.
            let _ = files.send(Outgoing { position, temporary, path, follower, sent });
        }
        drop(files);
        if names.is_empty() {
            return Ok((session, parcels));
        }
        self.context.state.uploading(self.id(), &names, Timestamp::now()).await?;
        self.progress.enter(Stage::Uploading);
        let Sent { session, error, .. } = self.send(session, outgoing, &CancellationToken::new()).await;
        if let Some(error) = error {
            self.clean(session, &parcels, &error).await;
            return Err(error);
        }
        self.compare(session, parcels).await
    }

    /// Compares what is up with what was recorded of it, as closely as the job asks for; only then it counts.
    pub(super) async fn compare(
        &self,
        mut session: Session,
        parcels: Vec<Parcel>,
    ) -> Result<(Session, Vec<Parcel>), RunError> {
        let comparing = async {
            self.revive(&mut session).await?;
            for parcel in &parcels {
                let Standing::Up(temporary) = &parcel.standing else { continue };
                tokio::select! {
                    compared = session.read_back(temporary, &parcel.file.file) => compared?,
                    () = self.cancel.cancelled() => return Err(RunError::Cancelled),
                }
            }
            Ok(())
        };
        if let Err(error) = comparing.await {
            self.clean(session, &parcels, &error).await;
            return Err(error);
        }
        self.enter(Stage::Uploaded).await?;
        Ok((session, parcels))
    }

    /// Puts files up as they come, until there are no more, one fails, or `stop` is cancelled.
    pub(super) async fn send(
        &self,
        session: Session,
        mut outgoing: mpsc::UnboundedReceiver<Outgoing>,
        stop: &CancellationToken,
    ) -> Sent {
        let at_once = usize::from(self.job.destination.requests).min(AT_ONCE);
        let way = Way {
            session: RwLock::new(session),
            work: self,
            at_once,
            room: Semaphore::new(at_once),
            is_crowded: AtomicBool::new(false),
        };
        let (mut up, mut error) = (HashSet::new(), None);
        {
            let files = stream::poll_fn(|context| outgoing.poll_recv(context));
            let mut uploads = std::pin::pin!(files.map(|file| way.send(file)).buffer_unordered(at_once));
            loop {
                let next = tokio::select! {
                    next = uploads.next() => next,
                    () = stop.cancelled() => Some(Err(RunError::Cancelled)),
                    () = self.cancel.cancelled() => Some(Err(RunError::Cancelled)),
                };
                match next {
                    Some(Ok(position)) => up.insert(position),
                    Some(Err(failed)) => break error = Some(failed),
                    None => break,
                };
            }
        }
        Sent { session: way.session.into_inner(), up, error }
    }

    /// The hidden name of a file on its way up: unique to the run, the attempt and the try, so that two never share
    /// one: what a broken connection leaves behind may still be at work at its end.
    pub(super) fn temporary(&self, name: &str, is_second_try: bool) -> String {
        let again = if is_second_try { ".again" } else { "" };
        match self.run.attempts {
            0 | 1 => format!(".{name}.{}{again}.part", self.id()),
            attempt => format!(".{name}.{}.{attempt}{again}.part", self.id()),
        }
    }

    /// What counts the acknowledged bytes of a file. The manifest, which comes after the files, has no bar.
    pub(super) fn sent(&self, position: usize) -> Arc<AtomicU64> {
        self.progress.files.get(position).map(|progress| progress.sent.clone()).unwrap_or_default()
    }
}

/// The way that all files of a run share.
struct Way<'a> {
    work: &'a Work<'a>,
    session: RwLock<Session>,
    at_once: usize,
    room: Semaphore,
    /// The server has refused a file beside others, so each goes up alone.
    is_crowded: AtomicBool,
}

impl Way<'_> {
    async fn send(&self, file: Outgoing) -> Result<usize, RunError> {
        let Outgoing { position, temporary, path, mut follower, sent } = file;
        let Ok(extent) = follower.until(LARGE).await else { return Err(RunError::Cancelled) };
        let all = self.at_once as u64;
        let units = if extent.is_whole { extent.bytes.div_ceil(UNIT).clamp(1, all) } else { all };
        let units = if self.is_crowded.load(Ordering::Relaxed) { all } else { units };
        let room = self.room.acquire_many(units as u32).await.expect("the semaphore is never closed");
        failpoint::reach("destination:upload", Side::Before).await;
        let uploaded = self.session().await?.follow(&path, follower.clone(), &temporary, &sent).await;
        match uploaded {
            // A server may let only so many files be open: what it refuses beside others, it may take alone.
            Err(DeliverError::Failed { .. } | DeliverError::Denied { .. }) if units < all => {
                drop(room);
                self.is_crowded.store(true, Ordering::Relaxed);
                let _alone = self.room.acquire_many(all as u32).await.expect("the semaphore is never closed");
                self.session().await?.follow(&path, follower, &temporary, &sent).await?;
            }
            // The server has ended the connection since the file before, and that is no failure.
            Err(DeliverError::Lost { .. }) if sent.load(Ordering::Relaxed) == 0 => {
                self.session().await?.follow(&path, follower, &temporary, &sent).await?;
            }
            uploaded => uploaded?,
        }
        failpoint::reach("destination:upload", Side::After).await;
        Ok(position)
    }

    /// The session, or a new one: a server may have dropped a connection that was idle while the store was read.
    async fn session(&self) -> Result<RwLockReadGuard<'_, Session>, DeliverError> {
        let session = self.session.read().await;
        if session.is_alive() {
            return Ok(session);
        }
        drop(session);
        let mut session = self.session.write().await;
        if !session.is_alive() {
            *session = self.work.connect().await?;
        }
        Ok(RwLockWriteGuard::downgrade(session))
    }
}
