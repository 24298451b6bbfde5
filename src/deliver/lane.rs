//! A lane: one SFTP channel that carries blocks of a local file, many writes in flight.
//!
//! Several lanes may share the blocks of one file; each takes the next one when it has room, so that a slow lane
//! holds up nobody. The file may still be growing: its blocks come as they are written.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use super::blocks::{Block, Blocks};
use super::pace::Pace;
use super::sftp::{Client, ClientError, Handle, Ticket};

/// How writes are cut and how many are in flight.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Bytes of a write.
    pub length: usize,
    /// Writes in flight at most.
    pub depth: usize,
}

/// Why a lane came to a halt.
pub enum LaneError {
    /// The server refused a write, or the session ended.
    Remote(ClientError),
    /// The local file can't be read.
    Local(std::io::Error),
}

impl From<ClientError> for LaneError {
    fn from(error: ClientError) -> LaneError {
        LaneError::Remote(error)
    }
}

/// An open remote file and the channel that it is written over.
pub struct Lane {
    /// The channel.
    pub client: Client,
    /// The file.
    pub handle: Handle,
    /// How fast bytes may go; none: as fast as they are taken.
    pub pace: Option<Pace>,
    /// After so many bytes the server is asked to bring the file to its disk, if ever.
    pub sync_every: Option<u64>,
}

/// What a lane has sent when no block is left.
pub struct Pumped {
    /// Bytes sent.
    pub sent: u64,
    /// The writes that are not acknowledged yet.
    pub in_flight: InFlight,
}

impl Lane {
    /// Sends blocks until none is left; the last writes are still in flight then.
    pub async fn pump(&self, blocks: &Blocks, shape: Shape, progress: &AtomicU64) -> Result<Pumped, LaneError> {
        let mut pumped = Pumped { sent: 0, in_flight: InFlight(VecDeque::with_capacity(shape.depth)) };
        let mut unsynced = 0;
        while let Some((start, block)) = pumped.in_flight.during(blocks.next(), progress).await? {
            for from in (0..block.len()).step_by(shape.length) {
                let data = block.slice(from..block.len().min(from + shape.length));
                let length = data.len() as u64;
                if pumped.in_flight.0.len() == shape.depth {
                    pumped.in_flight.acknowledge(progress).await?;
                }
                if let Some(pace) = &self.pace {
                    pace.wait(data.len()).await;
                }
                let ticket = self.client.write(&self.handle, start + from as u64, data).await?;
                pumped.in_flight.0.push_back((ticket, length));
            }
            pumped.sent += block.len() as u64;
            unsynced += block.len() as u64;
            // Its disk works while we read on, and the end need not wait for all of it.
            if self.sync_every.is_some_and(|every| unsynced >= every) {
                unsynced = 0;
                pumped.in_flight.0.push_back((self.client.sync(&self.handle).await?, 0));
            }
        }
        Ok(pumped)
    }
}

/// Writes on their way, oldest first, each with its length in bytes.
pub struct InFlight(VecDeque<(Ticket, u64)>);

impl InFlight {
    /// Waits for the next block, and meanwhile for writes: a refusal is heard of before the store has more to say.
    async fn during(
        &mut self,
        next: impl Future<Output = io::Result<Option<Block>>>,
        progress: &AtomicU64,
    ) -> Result<Option<Block>, LaneError> {
        tokio::pin!(next);
        loop {
            tokio::select! {
                biased;
                block = &mut next => return block.map_err(LaneError::Local),
                acknowledged = self.acknowledge(progress), if !self.0.is_empty() => acknowledged?,
            }
        }
    }

    /// Waits for the oldest write. Dropped before, it can be asked again.
    async fn acknowledge(&mut self, progress: &AtomicU64) -> Result<(), ClientError> {
        if let Some((ticket, length)) = self.0.front_mut() {
            ticket.settled().await?;
            progress.fetch_add(*length, Ordering::Relaxed);
            self.0.pop_front();
        }
        Ok(())
    }

    /// Waits for all of them.
    pub async fn acknowledge_all(mut self, progress: &AtomicU64) -> Result<(), ClientError> {
        while !self.0.is_empty() {
            self.acknowledge(progress).await?;
        }
        Ok(())
    }
}
