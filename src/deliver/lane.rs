//! A lane: one SFTP channel that carries blocks of a local file, many writes in flight.
//!
//! Several lanes may share the blocks of one file; each takes the next one when it has room, so that a slow lane
//! holds up nobody.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, mpsc};

use super::sftp::{Client, ClientError, Handle, Ticket};

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
        while let Some((start, block)) = blocks.next().await.map_err(LaneError::Local)? {
            let mut offset = start;
            for data in block.chunks(shape.length) {
                if pumped.in_flight.0.len() == shape.depth {
                    pumped.in_flight.acknowledge(progress).await?;
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
    async fn acknowledge(&mut self, progress: &AtomicU64) -> Result<(), ClientError> {
        if let Some((ticket, length)) = self.0.pop_front() {
            ticket.done().await?;
            progress.fetch_add(length, Ordering::Relaxed);
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
pub struct Blocks(Mutex<mpsc::Receiver<std::io::Result<Block>>>);

impl Blocks {
    /// Starts reading in blocks that hold a whole number of writes.
    pub fn read(file: std::fs::File, length: usize) -> Blocks {
        let (sender, receiver) = mpsc::channel(4);
        let size = (BLOCK / length).max(1) * length;
        tokio::task::spawn_blocking(move || read_blocks(file, size, &sender));
        Blocks(Mutex::new(receiver))
    }

    async fn next(&self) -> std::io::Result<Option<Block>> {
        self.0.lock().await.recv().await.transpose()
    }
}

fn read_blocks(mut file: std::fs::File, size: usize, sender: &mpsc::Sender<std::io::Result<Block>>) {
    let mut offset = 0;
    loop {
        let mut block = Vec::with_capacity(size);
        let read = (&mut file).take(size as u64).read_to_end(&mut block);
        let next = match read {
            Ok(0) => return,
            Ok(_) => Ok((offset, block)),
            Err(error) => Err(error),
        };
        offset += next.as_ref().map_or(0, |(_, block)| block.len() as u64);
        let failed = next.is_err();
        // Without a receiver the upload has failed elsewhere; after an error there is nothing more to read.
        if sender.blocking_send(next).is_err() || failed {
            return;
        }
    }
}
