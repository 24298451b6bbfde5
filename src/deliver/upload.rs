//! Uploads a finished local file under a temporary name.
//!
//! It counts as uploaded when every write is acknowledged, the server has brought it to its disk (where it offers
//! that), its size is right, and the close is acknowledged. Until then it is nothing, and on any failure it is removed.

use std::collections::VecDeque;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::error::{DeliverError, io_text};
use super::session::Session;
use super::sftp::{Access, Client, ClientError, Code, Handle, MAX_PACKET, Status, Ticket};

/// A write of this size fits one packet of an SSH channel, and every server takes it.
const USUAL_PACKET: usize = 32 * 1024;

/// What the local file is read in.
const BLOCK: usize = 256 * 1024;

/// Why a file could not be filled.
enum Trouble {
    Remote(ClientError),
    Local(std::io::Error),
    Size { sent: u64, found: Option<u64> },
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Trouble {
        Trouble::Remote(error)
    }
}

impl Session {
    /// Uploads the file at `path` as `temporary`; `progress` counts the acknowledged bytes.
    ///
    /// The remote file is made exclusively; a leftover under the same name, which belongs to an earlier attempt of the
    /// same run, is removed first. On an error nothing stays behind, unless the connection is lost.
    pub async fn upload(&self, path: &Path, temporary: &str, progress: &AtomicU64) -> Result<(), DeliverError> {
        progress.store(0, Ordering::Relaxed);
        let unreadable =
            |error: &std::io::Error| DeliverError::LocalFile { path: path.to_owned(), cause: io_text(error) };
        let file = tokio::fs::File::open(path).await.map_err(|error| unreadable(&error))?;
        let size = file.metadata().await.map_err(|error| unreadable(&error))?.len();
        let remote = self.path(temporary);
        let handle = match self.create(&remote).await {
            Ok(handle) => handle,
            Err(error) => return Err(self.explain_upload(temporary, error, size).await),
        };
        let trouble = match self.fill(&handle, file.into_std().await, progress).await {
            Ok(()) => match self.client.close(&handle).await {
                Ok(()) => return Ok(()),
                Err(error) => Trouble::Remote(error),
            },
            Err(trouble) => {
                let _ = self.client.close(&handle).await;
                trouble
            }
        };
        let error = match trouble {
            Trouble::Local(error) => unreadable(&error),
            Trouble::Size { sent, found: Some(found) } => {
                DeliverError::SizeDiffers { at: self.at.clone(), name: temporary.to_owned(), sent, found }
            }
            Trouble::Size { .. } => {
                let cause = "the server does not tell its size".to_owned();
                DeliverError::Failed { at: self.at.clone(), step: format!("checking {temporary}"), cause }
            }
            Trouble::Remote(error) => {
                let missing = size.saturating_sub(progress.load(Ordering::Relaxed));
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
        match self.client.link_stat(remote).await {
            Ok(_) => {
                self.client.remove(remote).await?;
                self.client.open(remote, Access::CreateNew).await
            }
            Err(ClientError::Status(_)) => Err(ClientError::Status(refusal)),
            Err(error) => Err(error),
        }
    }

    async fn fill(&self, handle: &Handle, file: std::fs::File, progress: &AtomicU64) -> Result<(), Trouble> {
        let length = self.write_length(handle);
        let depth = (self.settings.ahead / length).clamp(1, self.settings.requests.max(1));
        let mut blocks = read_blocks(file, BLOCK.next_multiple_of(length));
        let mut in_flight: VecDeque<(Ticket, u64)> = VecDeque::with_capacity(depth);
        let mut sent = 0;
        while let Some(block) = blocks.recv().await {
            for data in block.map_err(Trouble::Local)?.chunks(length) {
                if in_flight.len() == depth {
                    acknowledge(&mut in_flight, progress).await?;
                }
                in_flight.push_back((self.client.write(handle, sent, data).await?, data.len() as u64));
                sent += data.len() as u64;
            }
        }
        while !in_flight.is_empty() {
            acknowledge(&mut in_flight, progress).await?;
        }
        if self.server().fsync {
            self.client.sync(handle).await?;
        }
        match self.client.handle_stat(handle).await?.size {
            Some(found) if found == sent => Ok(()),
            found => Err(Trouble::Size { sent, found }),
        }
    }

    /// The bytes of one write: as many as the server says it takes, else what all servers take.
    fn write_length(&self, handle: &Handle) -> usize {
        let allowed = self.server().write_limit.map_or(0, |limit| usize::try_from(limit).unwrap_or(MAX_PACKET));
        let most = Client::write_size(handle, MAX_PACKET);
        Client::write_size(handle, USUAL_PACKET).max(allowed.min(most))
    }

    /// OpenSSH has no code for a full disk, so after a failure without a reason the room is compared with the need.
    async fn explain_upload(&self, temporary: &str, error: ClientError, needed: u64) -> DeliverError {
        let full = DeliverError::NoSpace { at: self.at.clone(), name: temporary.to_owned(), needed, free: 0 };
        match &error {
            ClientError::Status(Status { code: Code::NoSpace, .. }) => return full,
            ClientError::Status(Status { code: Code::NoSuchFile, .. }) => {
                return DeliverError::DirectoryMissing { at: self.at.clone() };
            }
            ClientError::Status(Status { code: Code::Failure, .. }) if self.server().statvfs => {
                if let Ok(space) = self.client.space(&self.at.directory).await
                    && space.free < needed
                {
                    let (at, name) = (self.at.clone(), temporary.to_owned());
                    return DeliverError::NoSpace { at, name, needed, free: space.free };
                }
            }
            _ => {}
        }
        self.error(&format!("uploading {temporary}"), error)
    }
}

async fn acknowledge(in_flight: &mut VecDeque<(Ticket, u64)>, progress: &AtomicU64) -> Result<(), ClientError> {
    if let Some((ticket, length)) = in_flight.pop_front() {
        ticket.done().await?;
        progress.fetch_add(length, Ordering::Relaxed);
    }
    Ok(())
}

/// Reads a file on a thread of its own, a few blocks ahead.
fn read_blocks(mut file: std::fs::File, length: usize) -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
    let (blocks, receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut block = Vec::with_capacity(length);
            let outcome = (&mut file).take(length as u64).read_to_end(&mut block);
            let next = match outcome {
                Ok(0) => return,
                Ok(_) => Ok(block),
                Err(error) => Err(error),
            };
            // Without a receiver the upload has failed; after an error there is nothing more to read.
            if next.is_err() || blocks.is_closed() {
                let _ = blocks.blocking_send(next);
                return;
            }
            if blocks.blocking_send(next).is_err() {
                return;
            }
        }
    });
    receiver
}
