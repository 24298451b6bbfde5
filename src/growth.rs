//! How much of a file there is: told by who writes it, awaited by who follows it.
//!
//! It is the whole agreement between the two: one writes a file, the other reads the same file behind it, and neither
//! waits for the other's disk or line. Who follows closely finds the last blocks in memory and need not read them; who
//! falls behind reads the file, where all of them are.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::watch;

/// How many bytes are kept in memory behind the end. An upload of the reference table, on the same two cores as the
/// database, was seldom further behind; with 4 MiB it often was, and read what it could have had.
const KEPT: usize = 12 * 1024 * 1024;

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Bytes that can be read.
    pub bytes: u64,
    /// There will be no more of them.
    pub is_whole: bool,
}

/// The side of who writes. Dropped before the file is whole, it says that the file never will be.
#[derive(Debug)]
pub struct Growth {
    extent: watch::Sender<Extent>,
    recent: Arc<Recent>,
}

/// The side of who follows. Clones follow by themselves.
#[derive(Clone, Debug)]
pub struct Follower {
    extent: watch::Receiver<Extent>,
    recent: Arc<Recent>,
}

/// The file will never be whole: who wrote it has given it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its writing was given up")]
pub struct GivenUp;

/// The last blocks, oldest first, each with its place in the file. There is no gap between them.
#[derive(Debug, Default)]
struct Recent(Mutex<VecDeque<(u64, Bytes)>>);

impl Growth {
    /// A file of no bytes.
    #[allow(clippy::new_without_default, reason = "a growth without a file to be told of is of no use")]
    pub fn new() -> Growth {
        let extent = watch::Sender::new(Extent { bytes: 0, is_whole: false });
        Growth { extent, recent: Arc::default() }
    }

    /// One more who follows.
    pub fn follower(&self) -> Follower {
        Follower { extent: self.extent.subscribe(), recent: self.recent.clone() }
    }

    /// The file has grown by `block`: it can be read there.
    pub fn grow(&self, block: Bytes) {
        let length = block.len() as u64;
        let is_followed = self.extent.receiver_count() > 0;
        let keep = is_followed.then(|| (self.extent.borrow().bytes, block));
        self.recent.push(keep);
        self.extent.send_modify(|extent| extent.bytes += length);
    }

    /// So many bytes can be read, all of them in the file.
    pub fn reach(&self, bytes: u64) {
        self.recent.push(None);
        self.extent.send_modify(|extent| extent.bytes = bytes);
    }

    /// There will be no more.
    pub fn complete(&self) {
        self.extent.send_modify(|extent| extent.is_whole = true);
    }
}

impl Follower {
    /// Follows a file of `bytes` that has been whole for long.
    pub fn of_whole(bytes: u64) -> Follower {
        Follower { extent: watch::channel(Extent { bytes, is_whole: true }).1, recent: Arc::default() }
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
        while kept > KEPT {
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
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[tokio::test]
    async fn a_follower_hears_of_growth_and_of_the_end() {
        let growth = Growth::new();
        let mut follower = growth.follower();
        growth.grow(Bytes::from_static(b"abc"));
        assert_eq!(follower.until(3).await, Ok(Extent { bytes: 3, is_whole: false }));
        let waiting = tokio::spawn(async move { follower.until(100).await });
        growth.grow(Bytes::from_static(b"defg"));
        growth.complete();
        assert_eq!(waiting.await.unwrap(), Ok(Extent { bytes: 7, is_whole: true }));
    }

    #[tokio::test]
    async fn what_is_only_in_the_file_is_not_in_memory() {
        let growth = Growth::new();
        let mut follower = growth.follower();
        growth.grow(Bytes::from_static(b"abc"));
        growth.reach(8);
        assert_eq!(follower.until(8).await, Ok(Extent { bytes: 8, is_whole: false }));
        assert_eq!(follower.recent(0, 9), None);
    }

    #[tokio::test]
    async fn who_is_given_up_on_does_not_wait_for_ever() {
        let growth = Growth::new();
        let mut follower = growth.follower();
        growth.grow(Bytes::from_static(b"abc"));
        drop(growth);
        assert_eq!(follower.until(2).await, Ok(Extent { bytes: 3, is_whole: false }));
        assert_eq!(follower.until(4).await, Err(GivenUp));
    }

    #[tokio::test]
    async fn a_whole_file_has_nobody_who_writes() {
        assert_eq!(Follower::of_whole(5).until(9).await, Ok(Extent { bytes: 5, is_whole: true }));
        assert_eq!(Follower::of_whole(5).recent(0, 9), None);
    }

    #[test]
    fn what_was_written_last_is_in_memory() {
        let growth = Growth::new();
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
        let growth = Growth::new();
        let follower = growth.follower();
        (0..20).for_each(|_| growth.grow(Bytes::from(vec![b'x'; MIB])));
        assert!(follower.recent((7 * MIB) as u64, 1).is_none());
        assert!(follower.recent((8 * MIB) as u64, 1).is_some());
        assert!(follower.recent((20 * MIB) as u64 - 1, 1).is_some());
    }

    #[test]
    fn nothing_is_kept_for_nobody_and_no_gap_is_bridged() {
        let growth = Growth::new();
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
