//! Blocks: what an upload sends of a local file, in order.
//!
//! The file may still be growing. What was written last is taken from memory, as long as it is there; everything else
//! is read from the file, on a thread that may wait for the disk.

use std::io;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use tokio::runtime::Handle as Runtime;
use tokio::sync::{Mutex, mpsc};

use crate::fastpath::{self, FastPath};
use crate::growth::Follower;

/// What the local file is read in, roughly.
const BLOCK: usize = 256 * 1024;

/// The same where even a small file is to be spread over several channels.
const LEAST: u64 = 512;

/// A block and where it starts in the file.
pub type Block = (u64, Bytes);

/// The blocks of a local file, in order, read ahead on a thread of its own.
pub struct Blocks(Mutex<mpsc::Receiver<io::Result<Block>>>);

impl Blocks {
    /// Starts reading in blocks that hold a whole number of writes, as far as `follower` says that there are bytes.
    pub fn read(file: std::fs::File, follower: Follower, length: usize) -> Blocks {
        let (blocks, receiver) = mpsc::channel(4);
        let size = (BLOCK / length).max(1) * length;
        let size = fastpath::piece(FastPath::Channels, size as u64, LEAST);
        let reader = Reader { file, follower, size, offset: 0 };
        tokio::task::spawn_blocking(move || reader.send_all(&blocks));
        Blocks(Mutex::new(receiver))
    }

    /// The next one; none if there are no more.
    pub async fn next(&self) -> io::Result<Option<Block>> {
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
        if length == 0 {
            return Ok(None);
        }
        let recent = match fastpath::is_taken(FastPath::Memory, true) {
            true => self.follower.recent(start, length as usize),
            false => None,
        };
        let block = recent.map_or_else(|| self.read(start, length as usize), Ok)?;
        self.offset += block.len() as u64;
        Ok(Some((start, block)))
    }

    fn read(&self, start: u64, length: usize) -> io::Result<Bytes> {
        let mut block = vec![0; length];
        self.file.read_exact_at(&mut block, start)?;
        Ok(block.into())
    }
}
