//! Uploads a local file under a temporary name, while it may still be written, or under its final name.
//!
//! A file counts as uploaded when every write is acknowledged, the server has synced it (if it supports that), its size is
//! right, and the close is acknowledged. On any failure it is removed.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;

use super::blocks::Blocks;
use super::channel_writer::{ChannelWriter, Sent, WriteError, Writes};
use super::error::{DeliverError, status_text};
use super::opening::Opening;
use super::probe::{MEASURE, is_denial};
use super::session::Session;
use super::sftp::{Access, Client, ClientError, Code, Handle, Status};
use crate::growth::Follower;
use crate::job::{Publish, Verify};
use crate::wording::io_error;

/// A write of this size fits one packet of an SSH channel, and every server takes it.
const USUAL_PACKET: usize = 32 * 1024;

/// Why an upload failed.
enum Trouble {
    Create(ClientError),
    Measure(ClientError),
    Remote(ClientError),
    Local(std::io::Error),
    Size { sent: u64, found: Option<u64> },
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Trouble {
        Trouble::Remote(error)
    }
}

impl From<WriteError> for Trouble {
    fn from(error: WriteError) -> Trouble {
        match error {
            WriteError::Remote(error) => Trouble::Remote(error),
            WriteError::Local(error) => Trouble::Local(error),
        }
    }
}

/// The local file.
struct Source {
    file: std::fs::File,
    follower: Follower,
}

/// What the channels of one upload share.
struct Transfer<'a> {
    remote: &'a str,
    progress: &'a AtomicU64,
    opening: &'a Opening,
    /// Set when the remote file exists.
    blocks: SetOnce<Blocks>,
    /// The last block is sent, so no further channel need join.
    all_sent: CancellationToken,
    /// A channel has failed, so the others need not continue.
    failed: CancellationToken,
}

impl Session {
    /// As [`Delivery::upload`](super::Delivery::upload), for callers to whom a failed upload is the end.
    pub async fn upload(
        &self,
        path: &Path,
        follower: Follower,
        temporary: &str,
        progress: &AtomicU64,
    ) -> Result<(), DeliverError> {
        self.upload_noting(path, follower, temporary, progress, &Opening::default()).await
    }

    /// As [`Delivery::upload`](super::Delivery::upload). A file that is large by now may use several channels.
    pub(super) async fn upload_noting(
        &self,
        path: &Path,
        follower: Follower,
        temporary: &str,
        progress: &AtomicU64,
        opening: &Opening,
    ) -> Result<(), DeliverError> {
        progress.store(0, Ordering::Relaxed);
        let file = tokio::fs::File::open(path).await.map_err(|error| unreadable(path, &error))?;
        let size = follower.extent().bytes;
        let remote = self.path(temporary);
        let mut channels = 0;
        if size >= self.settings.tuning.channels_from {
            self.further.open().await;
            channels = self.further.count();
        }
        let source = Source { file: file.into_std().await, follower: follower.clone() };
        let transfer = Transfer {
            remote: &remote,
            progress,
            opening,
            blocks: SetOnce::new(),
            all_sent: CancellationToken::new(),
            failed: CancellationToken::new(),
        };
        let trouble = match self.transfer(source, channels, &transfer).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Create(error)) => return Err(self.explain_create(temporary, error, size).await),
            Err(trouble) => trouble,
        };
        let error = match trouble {
            Trouble::Local(error) => unreadable(path, &error),
            Trouble::Size { sent, found: Some(found) } => {
                DeliverError::SizeDiffers { at: self.place(), name: temporary.to_owned(), sent, found }
            }
            Trouble::Size { .. } => {
                let cause = "the server does not tell its size; verify = \"none\" does without".to_owned();
                DeliverError::Failed { at: self.place(), step: format!("checking {temporary}"), cause }
            }
            Trouble::Measure(ClientError::Status(status)) if is_denial(&status) => {
                self.directory_error(&MEASURE, ClientError::Status(status))
            }
            Trouble::Remote(error) | Trouble::Create(error) | Trouble::Measure(error) => {
                let missing = follower.extent().bytes.saturating_sub(progress.load(Ordering::Relaxed));
                self.explain_upload(temporary, error, missing).await
            }
        };
        self.remove_quietly(&remote).await;
        Err(error)
    }

    /// Creates the remote file, and notes whether it is open.
    async fn create(&self, remote: &str, opening: &Opening) -> Result<Handle, ClientError> {
        let asked = opening.ask();
        let created = self.create_or_empty(remote).await;
        match &created {
            Ok(_) => asked.answer(true),
            Err(ClientError::Status(_)) => asked.answer(false),
            Err(_) => drop(asked),
        }
        created
    }

    async fn create_or_empty(&self, remote: &str) -> Result<Handle, ClientError> {
        if self.settings.publish == Publish::Direct {
            return self.client.open(remote, Access::Overwrite).await;
        }
        let refusal = match self.client.open(remote, Access::CreateNew).await {
            Err(ClientError::Status(status)) if matches!(status.code, Code::Failure | Code::AlreadyExists) => status,
            outcome => return outcome,
        };
        // Most servers do not say that the name is taken. If it is, the file is ours and is removed, or else written anew.
        let access = match self.client.remove(remote).await {
            Ok(()) => Access::CreateNew,
            Err(ClientError::Status(Status { code: Code::NoSuchFile, .. })) => {
                return Err(ClientError::Status(refusal));
            }
            Err(ClientError::Status(_)) => Access::Overwrite,
            Err(error) => return Err(error),
        };
        self.client.open(remote, access).await
    }

    /// Creates, fills and closes the remote file. It is closed exactly once, whatever happens: servers give the same handle
    /// to the next file at once, so that a second close would hit another file.
    async fn transfer(&self, source: Source, channels: usize, transfer: &Transfer<'_>) -> Result<(), Trouble> {
        let others = async {
            let sent = futures_util::future::try_join_all((0..channels).map(|_| self.send_beside(transfer))).await;
            sent.inspect_err(|_| transfer.failed.cancel())
        };
        let (first, others) = tokio::join!(self.send_first(source, transfer), others);
        let ((writer, sent), others) = match (first?, others) {
            (Some(first), Ok(others)) => (first, others),
            (None, Ok(_)) => unreachable!("only a failure elsewhere keeps the first channel from its end"),
            (first, Err(error)) => {
                if let Some((writer, _)) = first {
                    let _ = writer.client.close(&writer.handle).await;
                }
                return Err(error.into());
            }
        };
        let bytes = sent.bytes + others.iter().sum::<u64>();
        let measure = self.settings.verify != Verify::None;
        let finish = writer.client.finish(writer.handle, self.server().fsync, measure).await?;
        let written = sent.in_flight.acknowledge_all(transfer.progress).await;
        let finished = finish.outcome().await;
        written?;
        match finished? {
            Ok(Some(found)) if found == bytes => Ok(()),
            Ok(None) if !measure => Ok(()),
            Ok(found) => Err(Trouble::Size { sent: bytes, found }),
            Err(error) => Err(Trouble::Measure(error)),
        }
    }

    /// Creates the file and fills it over the session's first channel; none if another channel has failed meanwhile.
    async fn send_first(
        &self,
        source: Source,
        transfer: &Transfer<'_>,
    ) -> Result<Option<(ChannelWriter, Sent)>, Trouble> {
        let stop_others = |error| {
            transfer.failed.cancel();
            transfer.all_sent.cancel();
            error
        };
        let (handle, _) = tokio::join!(self.create(transfer.remote, transfer.opening), self.write_limit());
        let handle = handle.map_err(Trouble::Create).map_err(stop_others)?;
        let writer = ChannelWriter { client: self.client.clone(), handle, pace: self.pace.clone() };
        let writes = self.writes(&writer.handle).await;
        // Whole writes, where a block is larger than one.
        let block = self.settings.tuning.upload_block;
        let block = if block > writes.length { block / writes.length * writes.length } else { block };
        let blocks = transfer.blocks.set(Blocks::read(source.file, source.follower, block));
        debug_assert!(blocks.is_ok(), "the blocks are set once");
        let sending = writer.send(transfer.blocks.wait().await, writes, transfer.progress);
        let error = match transfer.failed.run_until_cancelled(sending).await {
            Some(Ok(sent)) => {
                transfer.all_sent.cancel();
                return Ok(Some((writer, sent)));
            }
            Some(Err(error)) => Some(stop_others(error.into())),
            None => None,
        };
        let _ = writer.client.close(&writer.handle).await;
        error.map_or(Ok(None), Err)
    }

    /// Helps to fill the file over a further channel; returns the bytes sent. A channel that is not granted, or comes too
    /// late, is no error, because the others do its part.
    async fn send_beside(&self, transfer: &Transfer<'_>) -> Result<u64, WriteError> {
        let opening = async {
            let client = self.further.take().await?;
            let blocks = transfer.blocks.wait().await;
            let handle = client.open(transfer.remote, Access::Write).await.ok()?;
            Some((ChannelWriter { client, handle, pace: self.pace.clone() }, blocks))
        };
        let Some(Some((writer, blocks))) = transfer.all_sent.run_until_cancelled(opening).await else { return Ok(0) };
        let sending = writer.send(blocks, self.writes(&writer.handle).await, transfer.progress);
        let Some(sent) = transfer.failed.run_until_cancelled(sending).await else { return Ok(0) };
        let sent = sent?;
        let finish = writer.client.finish(writer.handle, false, false).await?;
        sent.in_flight.acknowledge_all(transfer.progress).await?;
        finish.outcome().await??;
        self.further.give_back(writer.client);
        Ok(sent.bytes)
    }

    /// The size and number of writes to `handle`: large where the server says that it takes them, else as every server
    /// takes them. Writes over 64 KiB cost OpenSSH more, and one that is no power of two ends within a page of its file.
    async fn writes(&self, handle: &Handle) -> Writes {
        let usual = Client::write_size(handle, USUAL_PACKET);
        let most = self.settings.tuning.largest_write.max(usual);
        let limit = self.write_limit().await.map(|limit| usize::try_from(limit).unwrap_or(most));
        let length = limit.map_or(usual, |limit| limit.min(most));
        let depth = (self.settings.tuning.upload_ahead / length).clamp(1, self.settings.requests.max(1));
        Writes { length, depth }
    }

    async fn explain_create(&self, name: &str, error: ClientError, needed: u64) -> DeliverError {
        match &error {
            ClientError::Status(status) if self.settings.publish == Publish::Direct && is_denial(status) => {
                DeliverError::CannotWrite { at: self.place(), name: name.to_owned(), cause: status_text(status) }
            }
            _ => self.explain_upload(name, error, needed).await,
        }
    }

    /// OpenSSH has no status code for a full disk, so after a bare failure the free space is compared with the need.
    async fn explain_upload(&self, temporary: &str, error: ClientError, needed: u64) -> DeliverError {
        let no_space = |free| {
            let (at, name) = (self.place(), temporary.to_owned());
            DeliverError::NoSpace { at, name, needed, free }
        };
        let code = match &error {
            ClientError::Status(Status { code, .. }) => *code,
            _ => Code::Ok,
        };
        match code {
            Code::NoSpace => return no_space(0),
            Code::NoSuchFile => return DeliverError::DirectoryMissing { at: self.place() },
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
