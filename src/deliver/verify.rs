//! Compares a file at the destination with what was sent, as closely as the job's `verify` asks for.
//!
//! Never more than one file is open at a time: some servers know only one handle.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::error::DeliverError;
use super::session::Session;
use super::sftp::{Access, ClientError, Code, Handle, Status};
use crate::job::Verify;
use crate::run::FileRecord;
use crate::wording::hex;

/// What every server reads at once, in bytes.
const READ: u32 = 32 * 1024;

/// Reads in flight at most.
const DEPTH: usize = 64;

/// A remote file's content.
#[derive(Debug, PartialEq, Eq)]
struct Content {
    bytes: u64,
    sha256: [u8; 32],
}

impl Session {
    /// As [`Delivery::verify`](super::Delivery::verify).
    pub async fn verify(&self, temporary: &str, record: &FileRecord) -> Result<bool, DeliverError> {
        if self.settings.verify == Verify::None {
            return self.is_there(temporary).await;
        }
        match self.stat(temporary).await? {
            Some(found) if found.size != Some(record.bytes) => Ok(false),
            Some(_) if self.settings.verify == Verify::Readback => self.has_content(temporary, record).await,
            found => Ok(found.is_some()),
        }
    }

    /// Whether a file of ours is there, found out by opening it for writing: a directory that may not be read still lets
    /// its files be opened that way.
    pub(super) async fn is_there(&self, name: &str) -> Result<bool, DeliverError> {
        let opened = async {
            let handle = self.client.open(&self.path(name), Access::Write).await?;
            self.client.close(&handle).await
        };
        match opened.await {
            Ok(()) => Ok(true),
            Err(ClientError::Status(Status { code: Code::NoSuchFile, .. })) => Ok(false),
            Err(error) => Err(self.error(&format!("looking for {name}"), error)),
        }
    }

    /// Whether two names of `bytes` bytes hold the same.
    pub(super) async fn same_content(&self, one: &str, other: &str, bytes: u64) -> Result<bool, DeliverError> {
        let one = self.content(one, bytes).await?;
        Ok(one.bytes == bytes && one == self.content(other, bytes).await?)
    }

    async fn has_content(&self, name: &str, record: &FileRecord) -> Result<bool, DeliverError> {
        let content = self.content(name, record.bytes).await?;
        Ok(content.bytes == record.bytes && hex(&content.sha256) == record.sha256)
    }

    /// The content of a file that should have `expected` bytes; of a longer one, only a little more than that.
    async fn content(&self, name: &str, expected: u64) -> Result<Content, DeliverError> {
        let reading = async {
            let handle = self.client.open(&self.path(name), Access::Read).await?;
            let content = self.hash(&handle, expected).await;
            let closed = self.client.close(&handle).await;
            let content = content?;
            closed.map(|()| content)
        };
        reading.await.map_err(|error| self.error(&format!("reading {name} back"), error))
    }

    async fn hash(&self, handle: &Handle, expected: u64) -> Result<Content, ClientError> {
        let mut hasher = Sha256::new();
        let mut in_flight = VecDeque::with_capacity(DEPTH);
        let (mut asked, mut hashed) = (0, 0);
        loop {
            // Up to the end, and beyond it once, where nothing more should come.
            while asked <= expected && in_flight.len() < DEPTH {
                in_flight.push_back(self.client.start_read(handle, asked, READ).await?);
                asked += u64::from(READ);
            }
            let Some(reply) = in_flight.pop_front() else { break };
            let mut block = reply.data(READ).await?;
            // Servers may return less than asked for; an empty block is the end.
            let mut is_end = block.is_empty();
            while !is_end && block.len() < READ as usize {
                let missing = READ - block.len() as u32;
                let more = self.client.read(handle, hashed + block.len() as u64, missing).await?;
                is_end = more.is_empty();
                block.extend(more);
            }
            hasher.update(&block);
            hashed += block.len() as u64;
            if is_end {
                break;
            }
        }
        Ok(Content { bytes: hashed, sha256: hasher.finalize().into() })
    }
}
