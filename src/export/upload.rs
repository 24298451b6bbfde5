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

use super::resume::{Digests, Parcel, Standing};
use super::{RunError, Work};
use crate::deliver::{DeliverError, Session};
use crate::failpoint::{self, Side};
use crate::fastpath::{self, FastPath};
use crate::growth::{Follower, Growth};
use crate::run::Stage;
use crate::state::StoredFile;

/// Small files that are on their way at once, as far as the server takes so many requests. Most of the time each of
/// them waits for an answer.
const AT_ONCE: usize = 128;

/// A file of so many bytes counts once; a large one takes all the room that there is.
const UNIT: u64 = 64 * 1024;

/// A file that is still growing begins to go up when it has so many bytes: it is large then, and no small one waits
/// for the store with a file open at the destination.
pub(super) const LARGE: u64 = 4 * 1024 * 1024;

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

/// Files that are to go up.
struct Load {
    /// Their places and the names under which they go up.
    names: Vec<(usize, String)>,
    files: mpsc::UnboundedReceiver<Outgoing>,
    held: Vec<Held>,
}

/// A finished file that is held short of its end: it goes up as one that is still growing. Dropped, it never ends.
struct Held {
    growth: Growth,
    bytes: u64,
}

impl Held {
    fn new(bytes: u64) -> Held {
        let growth = Growth::new();
        growth.reach(bytes.saturating_sub(1));
        Held { growth, bytes }
    }

    fn release(self) {
        self.growth.reach(self.bytes);
        self.growth.complete();
    }
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
        let load = self.load(&mut parcels, false)?;
        if load.names.is_empty() {
            return Ok((session, parcels));
        }
        self.begin(&load.names).await?;
        let Sent { session, error, .. } = self.send(session, load.files, &CancellationToken::new()).await;
        if let Some(error) = error {
            self.clean(session, &parcels, &error).await;
            return Err(error);
        }
        self.compare(session, parcels).await
    }

    /// The same while `digests` are compared and, if `is_unproven`, the directory is tried: no file is whole at the
    /// destination before both have come out well.
    pub(super) async fn upload_held(
        &self,
        session: Session,
        mut parcels: Vec<Parcel>,
        digests: &mut Digests,
        is_unproven: bool,
    ) -> Result<(Session, Vec<Parcel>), RunError> {
        let Load { names, files, held } = self.load(&mut parcels, true)?;
        let is_all_up = names.is_empty();
        if !is_all_up {
            self.begin(&names).await?;
        }
        let (way, over) = (Way::new(self, session), CancellationToken::new());
        let testing = async {
            if is_unproven {
                self.prove_beside(&*way.session().await?).await?;
            }
            over.run_until_cancelled(digests.agree()).await.unwrap_or(Err(RunError::Cancelled))
        };
        let testing = async {
            testing.await.inspect_err(|_| over.cancel())?;
            held.into_iter().for_each(Held::release);
            Ok(())
        };
        let sending = async {
            let (_, error) = way.send_all(files, &over).await;
            error.map_or(Ok(()), Err).inspect_err(|_| over.cancel())
        };
        let (tested, sent) = fastpath::beside(FastPath::Held, testing, sending).await;
        let (session, mut failure) = (way.session.into_inner(), first_cause(tested, sent));
        if let Some(RunError::Deliver(DeliverError::LocalFile { .. })) = &failure {
            // What can't be read may be what was changed, and then it can be made again.
            failure = self.cancel.unless(digests.agree()).await.flatten().err().or(failure);
        }
        match failure {
            None if is_all_up => Ok((session, parcels)),
            None => self.compare(session, parcels).await,
            Some(error) => {
                self.clean(session, &parcels, &error).await;
                Err(error)
            }
        }
    }

    async fn begin(&self, names: &[(usize, String)]) -> Result<(), RunError> {
        self.context.state.uploading(self.id(), names, Timestamp::now()).await?;
        self.progress.enter(Stage::Uploading);
        Ok(())
    }

    /// What of `parcels` is to go up. They count as up from here on; whoever fails to bring them there cleans.
    fn load(&self, parcels: &mut [Parcel], is_held: bool) -> Result<Load, RunError> {
        let (sender, files) = mpsc::unbounded_channel();
        let (mut names, mut held) = (Vec::new(), Vec::new());
        for parcel in parcels.iter_mut().filter(|parcel| parcel.standing == Standing::Local) {
            let StoredFile { file, spool, .. } = &parcel.file;
            let temporary = self.temporary(&file.name, parcel.is_second_try);
            let path = spool.clone().ok_or_else(|| RunError::NotSpooled { run: self.id().clone() })?;
            let (position, sent) = (parcel.position, self.sent(parcel.position));
            let follower = match is_held {
                true => {
                    held.push(Held::new(file.bytes));
                    held[held.len() - 1].growth.follower()
                }
                false => Follower::of_whole(file.bytes),
            };
            names.push((position, temporary.clone()));
            parcel.standing = Standing::Up(temporary.clone());
            // The receiver is below.
            let _ = sender.send(Outgoing { position, temporary, path, follower, sent });
        }
        Ok(Load { names, files, held })
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
                self.cancel.unless(session.read_back(temporary, &parcel.file.file)).await??;
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
        outgoing: mpsc::UnboundedReceiver<Outgoing>,
        stop: &CancellationToken,
    ) -> Sent {
        let way = Way::new(self, session);
        let (up, error) = way.send_all(outgoing, stop).await;
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

/// Of two that end each other, the error of the one that was not only told to end.
fn first_cause(one: Result<(), RunError>, other: Result<(), RunError>) -> Option<RunError> {
    match (one, other) {
        (Err(RunError::Cancelled), Err(error)) | (Err(error), _) | (Ok(()), Err(error)) => Some(error),
        (Ok(()), Ok(())) => None,
    }
}

/// The way that all files of a run share.
struct Way<'a> {
    work: &'a Work<'a>,
    session: RwLock<Session>,
    at_once: usize,
    room: Semaphore,
    /// Each file goes up alone, as after the server has refused one beside others.
    is_crowded: AtomicBool,
}

impl<'a> Way<'a> {
    fn new(work: &'a Work<'a>, session: Session) -> Way<'a> {
        let at_once = usize::from(work.job.destination.requests).min(AT_ONCE);
        let is_crowded = AtomicBool::new(!fastpath::is_taken(FastPath::Together, true));
        let room = Semaphore::new(at_once);
        Way { session: RwLock::new(session), work, at_once, room, is_crowded }
    }

    /// Puts files up as they come. Returns the places of those that are up, and why there are not more.
    async fn send_all(
        &self,
        mut outgoing: mpsc::UnboundedReceiver<Outgoing>,
        stop: &CancellationToken,
    ) -> (HashSet<usize>, Option<RunError>) {
        let mut up = HashSet::new();
        let files = stream::poll_fn(|context| outgoing.poll_recv(context));
        let mut uploads = std::pin::pin!(files.map(|file| self.send(file)).buffer_unordered(self.at_once));
        loop {
            let next = tokio::select! {
                next = uploads.next() => next,
                () = stop.cancelled() => Some(Err(RunError::Cancelled)),
                () = self.work.cancel.cancelled() => Some(Err(RunError::Cancelled)),
            };
            match next {
                Some(Ok(position)) => up.insert(position),
                Some(Err(error)) => return (up, Some(error)),
                None => return (up, None),
            };
        }
    }

    async fn send(&self, file: Outgoing) -> Result<usize, RunError> {
        let Outgoing { position, temporary, path, mut follower, sent } = file;
        let Ok(extent) = follower.until(fastpath::from_size(FastPath::Overlap, LARGE)).await else {
            return Err(RunError::Cancelled);
        };
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
