//! A lane: one SFTP channel that carries blocks of a local file, many writes in flight.
//!
//! Several lanes may share the blocks of one file; each takes the next one when it has room, so that a slow lane
//! holds up nobody. The file may still be growing: its blocks come as they are written.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::Handle as Runtime;
use tokio::sync::{Mutex, mpsc};

use super::pace::Pace;
use super::sftp::{Client, ClientError, Handle, Ticket};
use crate::growth::Follower;

/// What the local file is read in, roughly.
const BLOCK: usize = 256 * 1024;

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
        while let Some((start, block)) = pumped.in_flight.during(blocks.next(), progress).await? {
            let mut offset = start;
            for data in block.chunks(shape.length) {
                if pumped.in_flight.0.len() == shape.depth {
                    pumped.in_flight.acknowledge(progress).await?;
                }
                if let Some(pace) = &self.pace {
                    pace.wait(data.len()).await;
                }
                let ticket = self.client.write(&self.handle, offset, data).await?;
                pumped.in_flight.0.push_back((ticket, data.len() as u64));
                offset += data.len() as u64;
            }
            pumped.sent += block.len() as u64;
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

/// A block and where it starts in the file.
type Block = (u64, Vec<u8>);

/// The blocks of a local file, in order, read ahead on a thread of its own.
pub struct Blocks(Mutex<mpsc::Receiver<io::Result<Block>>>);

impl Blocks {
    /// Starts reading in blocks that hold a whole number of writes, as far as `follower` says that there are bytes.
    pub fn read(file: std::fs::File, follower: Follower, length: usize) -> Blocks {
        let (blocks, receiver) = mpsc::channel(4);
        let size = (BLOCK / length).max(1) * length;
        let reader = Reader { file, follower, size: size as u64, offset: 0 };
        tokio::task::spawn_blocking(move || reader.send_all(&blocks));
        Blocks(Mutex::new(receiver))
    }

    async fn next(&self) -> io::Result<Option<Block>> {
        self.0.lock().await.recv().await.transpose()
    }
}

struct Reader {
    file: std::fs::File,
    follower: Follower,
    /// Bytes of a block.
    size: u64,
    /// Where the next block starts.
    offset: u64,
}

impl Reader {
    fn send_all(mut self, blocks: &mpsc::Sender<io::Result<Block>>) {
        while let Some(next) = self.next(blocks).transpose() {
            let failed = next.is_err();
            // Without a receiver the upload has failed elsewhere; after an error there is nothing more to read.
            if blocks.blocking_send(next).is_err() || failed {
                return;
            }
        }
    }

    /// The next block when there is one; none at the end of the file, or when nobody wants it any more.
    fn next(&mut self, blocks: &mpsc::Sender<io::Result<Block>>) -> io::Result<Option<Block>> {
        let until = self.offset + self.size;
        let grown = Runtime::current().block_on(async {
            tokio::select! {
                extent = self.follower.until(until) => Some(extent),
                () = blocks.closed() => None,
            }
        });
        let Some(extent) = grown.transpose().map_err(io::Error::other)? else { return Ok(None) };
        let start = self.offset;
        let length = extent.bytes.min(until) - start;
        let mut block = Vec::with_capacity(length as usize);
        (&mut self.file).take(length).read_to_end(&mut block)?;
        if block.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.offset += length;
        Ok((length > 0).then_some((start, block)))
    }
}
