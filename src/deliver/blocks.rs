//! The blocks of a local file, in order, read ahead on a thread of their own.
//!
//! The file may still be growing. The most recent bytes are taken from memory while they are there; everything else is
//! read from the file.

use std::io;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use tokio::runtime::Handle as Runtime;
use tokio::sync::{Mutex, mpsc};

use crate::growth::Follower;

/// A block and where it starts in the file.
pub type Block = (u64, Bytes);

/// The blocks of a local file.
pub struct Blocks(Mutex<mpsc::Receiver<io::Result<Block>>>);

impl Blocks {
    /// Starts reading in blocks of `size` bytes, as far as `follower` says that there are bytes.
    pub fn read(file: std::fs::File, follower: Follower, size: usize) -> Blocks {
        let (blocks, receiver) = mpsc::channel(4);
        let reader = Reader { file, follower, size: size as u64, offset: 0 };
        tokio::task::spawn_blocking(move || reader.send_all(&blocks));
        Blocks(Mutex::new(receiver))
    }

    /// The next block; none at the end of the file.
    pub async fn next(&self) -> io::Result<Option<Block>> {
        self.0.lock().await.recv().await.transpose()
    }
}

struct Reader {
    file: std::fs::File,
    follower: Follower,
    /// Bytes of a block.
    size: u64,
    /// The start of the next block.
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

    /// The next block when there is one; none at the end of the file, or when its receiver is gone.
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
        let recent = self.follower.recent(start, length as usize);
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
