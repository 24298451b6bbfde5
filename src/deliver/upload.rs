//! Uploads a local file under a temporary name, behind whoever still writes it.
//!
//! It counts as uploaded when every write is acknowledged, the server has brought it to its disk (where it offers
//! that), its size is right, and the close is acknowledged. Until then it is nothing, and on any failure it is removed.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;

use super::blocks::Blocks;
use super::error::DeliverError;
use super::lane::{Lane, LaneError, Pumped, Shape};
use super::session::Session;
use super::sftp::{Access, Client, ClientError, Code, Handle, Status};
use crate::fastpath::{self, FastPath};
use crate::growth::Follower;
use crate::job::Verify;
use crate::wording::io_error;

/// A write of this size fits one packet of an SSH channel, and every server takes it.
const USUAL_PACKET: usize = 32 * 1024;

/// Where the server says that it takes as much. Larger writes cost OpenSSH more, and one that is no power of two ends
/// within a page of its file and a block of ours.
const LARGE_WRITE: usize = 64 * 1024;

/// Files from this size on, in bytes, may use several channels.
pub const LARGE: u64 = 4 * 1024 * 1024;

/// After so many bytes even a small file is synced, where it is to be synced before its end.
const LEAST_SYNC: u64 = 4096;

/// Why an upload failed.
enum Trouble {
    Create(ClientError),
    Remote(ClientError),
    Local(std::io::Error),
    Size { sent: u64, found: Option<u64> },
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Trouble {
        Trouble::Remote(error)
    }
}

impl From<LaneError> for Trouble {
    fn from(error: LaneError) -> Trouble {
        match error {
            LaneError::Remote(error) => Trouble::Remote(error),
            LaneError::Local(error) => Trouble::Local(error),
        }
    }
}

/// What is uploaded.
struct Source {
    file: std::fs::File,
    follower: Follower,
}

/// What the lanes of one upload share.
struct Course<'a> {
    remote: &'a str,
    progress: &'a AtomicU64,
    /// Set when the remote file exists.
    blocks: SetOnce<Blocks>,
    /// The last block is on its way, so nobody need join any more.
    all_sent: CancellationToken,
    /// A lane has failed, so the others work for nothing.
    failed: CancellationToken,
}

impl Session {
    /// Uploads the finished file at `path` as `temporary`; `progress` counts the acknowledged bytes.
    pub async fn upload(&self, path: &Path, temporary: &str, progress: &AtomicU64) -> Result<(), DeliverError> {
        let size = tokio::fs::metadata(path).await.map_err(|error| unreadable(path, &error))?.len();
        self.follow(path, Follower::of_whole(size), temporary, progress).await
    }

    /// Uploads the file at `path` as `temporary` while it grows, until `follower` says that it is whole.
    ///
    /// The remote file is made exclusively; a leftover under the same name, which belongs to an earlier attempt of the
    /// same run, is removed first. On an error nothing stays behind, unless the connection is lost. A file that has
    /// grown large by now may use several channels.
    pub async fn follow(
        &self,
        path: &Path,
        follower: Follower,
        temporary: &str,
        progress: &AtomicU64,
    ) -> Result<(), DeliverError> {
        progress.store(0, Ordering::Relaxed);
        let file = tokio::fs::File::open(path).await.map_err(|error| unreadable(path, &error))?;
        let size = follower.extent().bytes;
        let remote = self.path(temporary);
        let mut lanes = 0;
        if size >= fastpath::from_size(FastPath::Channels, LARGE) {
            self.further.open().await;
            lanes = self.further.count();
        }
        let source = Source { file: file.into_std().await, follower: follower.clone() };
        let trouble = match self.transfer(&remote, source, lanes, progress).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Create(error)) => return Err(self.explain_upload(temporary, error, size).await),
            Err(trouble) => trouble,
        };
        let error = match trouble {
            Trouble::Local(error) => unreadable(path, &error),
            Trouble::Size { sent, found: Some(found) } => {
                DeliverError::SizeDiffers { at: self.at.clone(), name: temporary.to_owned(), sent, found }
            }
            Trouble::Size { .. } => {
                let cause = "the server does not tell its size; verify = \"none\" does without".to_owned();
                DeliverError::Failed { at: self.at.clone(), step: format!("checking {temporary}"), cause }
            }
            Trouble::Remote(error) | Trouble::Create(error) => {
                let missing = follower.extent().bytes.saturating_sub(progress.load(Ordering::Relaxed));
                self.explain_upload(temporary, error, missing).await
            }
        };
        self.remove_quietly(&remote).await;
        Err(error)
    }

    async fn create(&self, remote: &str) -> Result<Handle, ClientError> {
        let refusal = match self.client.open(remote, Access::CreateNew).await {
            Err(ClientError::Status(status)) if matches!(status.code, Code::Failure | Code::AlreadyExists) => status,
            outcome => return outcome,
        };
        // Most servers do not say that the name is taken. If it is, what holds it is ours and goes.
        match self.client.remove(remote).await {
            Ok(()) => self.client.open(remote, Access::CreateNew).await,
            Err(ClientError::Status(_)) => Err(ClientError::Status(refusal)),
            Err(error) => Err(error),
        }
    }

    /// Makes, fills and closes the remote file. It is closed exactly once, whatever happens: servers give the same
    /// handle to the next file at once, so that a second close would hit somebody else.
    async fn transfer(&self, remote: &str, source: Source, lanes: usize, progress: &AtomicU64) -> Result<(), Trouble> {
        let course = Course {
            remote,
            progress,
            blocks: SetOnce::new(),
            all_sent: CancellationToken::new(),
            failed: CancellationToken::new(),
        };
        let others = async {
            let outcome = futures_util::future::try_join_all((0..lanes).map(|_| self.side_lane(&course))).await;
            outcome.inspect_err(|_| course.failed.cancel())
        };
        let (main, others) = tokio::join!(self.main_lane(source, &course), others);
        let ((lane, pumped), others) = match (main?, others) {
            (Some(main), Ok(others)) => (main, others),
            (None, Ok(_)) => unreachable!("only a failure elsewhere keeps the main lane from its end"),
            (main, Err(error)) => {
                if let Some((lane, _)) = main {
                    let _ = lane.client.close(&lane.handle).await;
                }
                return Err(error.into());
            }
        };
        let sent = pumped.sent + others.iter().sum::<u64>();
        let measure = self.settings.verify != Verify::None;
        let finish = lane.client.finish(lane.handle, self.server().fsync, measure).await?;
        let written = pumped.in_flight.acknowledge_all(progress).await;
        let finished = finish.outcome().await;
        written?;
        match finished? {
            Some(found) if found == sent => Ok(()),
            None if !measure => Ok(()),
            found => Err(Trouble::Size { sent, found }),
        }
    }

    /// Makes the file and fills it over the session's first channel; none if another lane has failed meanwhile.
    async fn main_lane(&self, source: Source, course: &Course<'_>) -> Result<Option<(Lane, Pumped)>, Trouble> {
        let stop_others = |error| {
            course.failed.cancel();
            course.all_sent.cancel();
            error
        };
        let (handle, _) = tokio::join!(self.create(course.remote), self.write_limit());
        let handle = handle.map_err(Trouble::Create).map_err(stop_others)?;
        let sync_every = match self.server().fsync && fastpath::is_taken(FastPath::Sync, true) {
            true => Some(fastpath::piece(FastPath::Sync, self.settings.sync_every, LEAST_SYNC)),
            false => None,
        };
        let lane = Lane { client: self.client.clone(), handle, pace: self.pace.clone(), sync_every };
        let shape = self.shape(&lane.handle).await;
        let blocks = course.blocks.set(Blocks::read(source.file, source.follower, shape.length));
        debug_assert!(blocks.is_ok(), "nobody else sets the blocks");
        let pump = lane.pump(course.blocks.wait().await, shape, course.progress);
        let error = match course.failed.run_until_cancelled(pump).await {
            Some(Ok(pumped)) => {
                course.all_sent.cancel();
                return Ok(Some((lane, pumped)));
            }
            Some(Err(error)) => Some(stop_others(error.into())),
            None => None,
        };
        let _ = lane.client.close(&lane.handle).await;
        error.map_or(Ok(None), Err)
    }

    /// Helps to fill the file over a channel of its own; returns the bytes sent. A channel that can't be had, or comes
    /// too late, is no error, because the others do its part.
    async fn side_lane(&self, course: &Course<'_>) -> Result<u64, LaneError> {
        let opening = async {
            let client = self.further.take().await?;
            let blocks = course.blocks.wait().await;
            let handle = client.open(course.remote, Access::Write).await.ok()?;
            Some((Lane { client, handle, pace: self.pace.clone(), sync_every: None }, blocks))
        };
        let Some(Some((lane, blocks))) = course.all_sent.run_until_cancelled(opening).await else { return Ok(0) };
        let pump = lane.pump(blocks, self.shape(&lane.handle).await, course.progress);
        let Some(pumped) = course.failed.run_until_cancelled(pump).await else { return Ok(0) };
        let pumped = pumped?;
        let finish = lane.client.finish(lane.handle, false, false).await?;
        pumped.in_flight.acknowledge_all(course.progress).await?;
        finish.outcome().await?;
        self.further.give_back(lane.client);
        Ok(pumped.sent)
    }

    /// How writes to `handle` are cut: large where the server says that it takes them, else as all servers take them.
    async fn shape(&self, handle: &Handle) -> Shape {
        let usual = Client::write_size(handle, USUAL_PACKET);
        let most = if fastpath::is_taken(FastPath::Writes, true) { LARGE_WRITE } else { usual };
        let limit = self.write_limit().await.map(|limit| usize::try_from(limit).unwrap_or(most));
        let length = limit.map_or(usual, |limit| limit.min(most));
        Shape { length, depth: (self.settings.ahead / length).clamp(1, self.settings.requests.max(1)) }
    }

    /// OpenSSH has no code for a full disk, so after a failure without a reason the room is compared with the need.
    async fn explain_upload(&self, temporary: &str, error: ClientError, needed: u64) -> DeliverError {
        let no_space = |free| {
            let (at, name) = (self.at.clone(), temporary.to_owned());
            DeliverError::NoSpace { at, name, needed, free }
        };
        let code = match &error {
            ClientError::Status(Status { code, .. }) => *code,
            _ => Code::Ok,
        };
        match code {
            Code::NoSpace => return no_space(0),
            Code::NoSuchFile => return DeliverError::DirectoryMissing { at: self.at.clone() },
            Code::Failure if self.server().statvfs => {
                if let Ok(space) = self.client.space(&self.at.directory).await
                    && space.free < needed
                {
                    return no_space(space.free);
                }
            }
            _ => {}
        }
        self.error(&format!("uploading {temporary}"), error)
    }
}

fn unreadable(path: &Path, cause: &std::io::Error) -> DeliverError {
    let cause = io_error(cause);
    DeliverError::LocalFile { path: path.to_owned(), cause }
}
