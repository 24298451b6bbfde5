//! How much of a file there is: published by the writer, awaited by readers.
//!
//! A writer and the readers of the same file share nothing else, and none waits for another's disk or network. A reader
//! that keeps up finds the most recent blocks in memory; one that falls behind reads the file, which holds all of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::watch;

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Bytes that can be read.
    pub bytes: u64,
    /// There will be no more of them.
    pub is_whole: bool,
}

/// The writer's side. Dropped before the file is whole, it tells readers that the file never will be.
#[derive(Debug)]
pub struct Growth {
    extent: watch::Sender<Extent>,
    recent: Arc<Recent>,
}

/// A reader's side. Clones are readers of their own.
#[derive(Clone, Debug)]
pub struct Follower {
    extent: watch::Receiver<Extent>,
    recent: Arc<Recent>,
}

/// The file will never be whole, because its writer has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its writing was given up")]
pub struct GivenUp;

/// The last blocks, oldest first, each with its position in the file. There is no gap between them.
#[derive(Debug)]
struct Recent {
    /// Bytes that are kept.
    limit: usize,
    blocks: Mutex<VecDeque<(u64, Bytes)>>,
}

impl Growth {
    /// A file of no bytes, whose last `recent` bytes are kept in memory while it has readers.
    pub fn new(recent: usize) -> Growth {
        let extent = watch::Sender::new(Extent { bytes: 0, is_whole: false });
        Growth { extent, recent: Arc::new(Recent { limit: recent, blocks: Mutex::default() }) }
    }

    /// One more reader.
    pub fn follower(&self) -> Follower {
        Follower { extent: self.extent.subscribe(), recent: self.recent.clone() }
    }

    /// The file has grown by `block`, which is in the file by now.
    pub fn grow(&self, block: Bytes) {
        let length = block.len() as u64;
        let is_read = self.extent.receiver_count() > 0;
        let keep = is_read.then(|| (self.extent.borrow().bytes, block));
        self.recent.push(keep);
        self.extent.send_modify(|extent| extent.bytes += length);
    }

    /// There will be no more.
    pub fn complete(&self) {
        self.extent.send_modify(|extent| extent.is_whole = true);
    }
}

impl Follower {
    /// A reader of a finished file of `bytes`.
    pub fn of_whole(bytes: u64) -> Follower {
        let recent = Arc::new(Recent { limit: 0, blocks: Mutex::default() });
        Follower { extent: watch::channel(Extent { bytes, is_whole: true }).1, recent }
    }

    /// How far the file has come by now.
    pub fn extent(&self) -> Extent {
        *self.extent.borrow()
    }

    /// Waits until the file is whole or has at least `bytes`.
    pub async fn until(&mut self, bytes: u64) -> Result<Extent, GivenUp> {
        let reached = self.extent.wait_for(|extent| extent.is_whole || extent.bytes >= bytes).await;
        reached.map(|extent| *extent).map_err(|_| GivenUp)
    }

    /// Bytes from `offset` on, at most `length`, if they are still in memory. There may be more behind them.
    pub fn recent(&self, offset: u64, length: usize) -> Option<Bytes> {
        self.recent.at(offset, length)
    }
}

impl Recent {
    /// Adds a block, or forgets all where there is a gap.
    fn push(&self, block: Option<(u64, Bytes)>) {
        let mut blocks = self.lock();
        let Some(block) = block else { return blocks.clear() };
        blocks.push_back(block);
        let mut kept: usize = blocks.iter().map(|(_, block)| block.len()).sum();
        while kept > self.limit {
            let oldest = blocks.pop_front();
            kept -= oldest.map_or(kept, |(_, block)| block.len());
        }
    }

    fn at(&self, offset: u64, length: usize) -> Option<Bytes> {
        let blocks = self.lock();
        let next = blocks.partition_point(|(start, _)| *start <= offset);
        let (start, block) = blocks.get(next.checked_sub(1)?)?;
        let from = usize::try_from(offset - start).ok().filter(|&from| from < block.len())?;
        Some(block.slice(from..block.len().min(from.saturating_add(length))))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, Bytes)>> {
        self.blocks.lock().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[tokio::test]
    async fn a_reader_learns_of_growth_and_of_the_end() {
        let growth = Growth::new(12 * MIB);
        let mut follower = growth.follower();
        growth.grow(Bytes::from_static(b"abc"));
        assert_eq!(follower.until(3).await, Ok(Extent { bytes: 3, is_whole: false }));
        let waiting = tokio::spawn(async move { follower.until(100).await });
        growth.grow(Bytes::from_static(b"defg"));
        growth.complete();
        assert_eq!(waiting.await.unwrap(), Ok(Extent { bytes: 7, is_whole: true }));
    }

    #[tokio::test]
    async fn a_reader_does_not_wait_for_a_writer_that_is_gone() {
        let growth = Growth::new(12 * MIB);
        let mut follower = growth.follower();
        growth.grow(Bytes::from_static(b"abc"));
        drop(growth);
        assert_eq!(follower.until(2).await, Ok(Extent { bytes: 3, is_whole: false }));
        assert_eq!(follower.until(4).await, Err(GivenUp));
    }

    #[tokio::test]
    async fn a_whole_file_needs_no_writer() {
        assert_eq!(Follower::of_whole(5).until(9).await, Ok(Extent { bytes: 5, is_whole: true }));
        assert_eq!(Follower::of_whole(5).recent(0, 9), None);
    }

    #[test]
    fn what_was_written_last_is_in_memory() {
        let growth = Growth::new(12 * MIB);
        let follower = growth.follower();
        growth.grow(Bytes::from_static(b"abc"));
        growth.grow(Bytes::from_static(b"defg"));
        let recent = |offset, length| follower.recent(offset, length).map(|block| block.to_vec());
        assert_eq!(recent(0, 2).unwrap(), b"ab");
        assert_eq!(recent(2, 9).unwrap(), b"c");
        assert_eq!(recent(3, 9).unwrap(), b"defg");
        assert_eq!(recent(7, 1), None);
    }

    #[test]
    fn what_was_written_long_ago_is_not() {
        let growth = Growth::new(12 * MIB);
        let follower = growth.follower();
        (0..20).for_each(|_| growth.grow(Bytes::from(vec![b'x'; MIB])));
        assert!(follower.recent((7 * MIB) as u64, 1).is_none());
        assert!(follower.recent((8 * MIB) as u64, 1).is_some());
        assert!(follower.recent((20 * MIB) as u64 - 1, 1).is_some());
    }

    #[test]
    fn nothing_is_kept_without_readers_and_no_gap_is_bridged() {
        let growth = Growth::new(12 * MIB);
        let first = growth.follower();
        growth.grow(Bytes::from_static(b"abc"));
        drop(first);
        growth.grow(Bytes::from_static(b"defg"));
        let second = growth.follower();
        growth.grow(Bytes::from_static(b"hi"));
        assert_eq!(second.recent(0, 9), None);
        assert_eq!(second.recent(3, 9), None);
        assert_eq!(second.recent(7, 9).unwrap(), b"hi"[..]);
    }
}
