//! Writes blocks of a local file over one SFTP channel, with many writes in flight.
//!
//! Several channels may share the blocks of one file. Each takes the next block when it has room, so that a slow channel
//! delays no other.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use super::blocks::{Block, Blocks};
use super::pace::Pace;
use super::sftp::{Client, ClientError, Handle, Ticket};

/// The size of writes and how many are in flight.
#[derive(Clone, Copy, Debug)]
pub struct Writes {
    /// Bytes of a write.
    pub length: usize,
    /// Writes in flight at most.
    pub depth: usize,
}

/// Why no more is written over a channel.
pub enum WriteError {
    /// The server refused a write, or the session ended.
    Remote(ClientError),
    /// The local file can't be read.
    Local(io::Error),
}

impl From<ClientError> for WriteError {
    fn from(error: ClientError) -> WriteError {
        WriteError::Remote(error)
    }
}

/// An open remote file and the channel that it is written over.
pub struct ChannelWriter {
    /// The channel.
    pub client: Client,
    /// The file.
    pub handle: Handle,
    /// The limit on bytes a second; none: as fast as the server takes them.
    pub pace: Option<Pace>,
}

/// What a channel has sent when no block is left.
pub struct Sent {
    /// Bytes sent.
    pub bytes: u64,
    /// The writes that are not acknowledged yet.
    pub in_flight: InFlight,
}

impl ChannelWriter {
    /// Sends blocks until none is left. The last writes are still in flight then.
    pub async fn send(&self, blocks: &Blocks, writes: Writes, progress: &AtomicU64) -> Result<Sent, WriteError> {
        let mut sent = Sent { bytes: 0, in_flight: InFlight(VecDeque::with_capacity(writes.depth)) };
        while let Some((start, block)) = sent.in_flight.during(blocks.next(), progress).await? {
            for from in (0..block.len()).step_by(writes.length) {
                let data = block.slice(from..block.len().min(from + writes.length));
                let length = data.len() as u64;
                if sent.in_flight.0.len() == writes.depth {
                    sent.in_flight.acknowledge(progress).await?;
                }
                if let Some(pace) = &self.pace {
                    pace.wait(data.len()).await;
                }
                let ticket = self.client.write(&self.handle, start + from as u64, data).await?;
                sent.in_flight.0.push_back((ticket, length));
            }
            sent.bytes += block.len() as u64;
        }
        Ok(sent)
    }
}

/// Writes in flight, oldest first, each with its length in bytes.
pub struct InFlight(VecDeque<(Ticket, u64)>);

impl InFlight {
    /// Waits for the next block, and for acknowledgements meanwhile: a refusal is noticed before the store has sent more.
    async fn during(
        &mut self,
        next: impl Future<Output = io::Result<Option<Block>>>,
        progress: &AtomicU64,
    ) -> Result<Option<Block>, WriteError> {
        tokio::pin!(next);
        loop {
            tokio::select! {
                biased;
                block = &mut next => return block.map_err(WriteError::Local),
                acknowledged = self.acknowledge(progress), if !self.0.is_empty() => acknowledged?,
            }
        }
    }

    /// Waits for the oldest write. Cancel safe.
    async fn acknowledge(&mut self, progress: &AtomicU64) -> Result<(), ClientError> {
        if let Some((ticket, length)) = self.0.front_mut() {
            ticket.settled().await?;
            progress.fetch_add(*length, Ordering::Relaxed);
            self.0.pop_front();
        }
        Ok(())
    }

    /// Waits for all writes.
    pub async fn acknowledge_all(mut self, progress: &AtomicU64) -> Result<(), ClientError> {
        while !self.0.is_empty() {
            self.acknowledge(progress).await?;
        }
        Ok(())
    }
}
