//! How much of a file there is: told by who writes it, awaited by who follows it.
//!
//! It is the whole agreement between the two: one writes a file, the other reads the same file behind it, neither waits
//! for the other's disk or line, and no byte is handed from one to the other.

use tokio::sync::watch;

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
pub struct Growth(watch::Sender<Extent>);

/// The side of who follows. Clones follow by themselves.
#[derive(Clone, Debug)]
pub struct Follower(watch::Receiver<Extent>);

/// The file will never be whole: who wrote it has given it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its writing was given up")]
pub struct GivenUp;

impl Growth {
    /// A file of no bytes.
    #[allow(clippy::new_without_default, reason = "a growth without a file to be told of is of no use")]
    pub fn new() -> Growth {
        Growth(watch::Sender::new(Extent { bytes: 0, is_whole: false }))
    }

    /// One more who follows.
    pub fn follower(&self) -> Follower {
        Follower(self.0.subscribe())
    }

    /// So many bytes can be read.
    pub fn reach(&self, bytes: u64) {
        self.0.send_modify(|extent| extent.bytes = bytes);
    }

    /// There will be no more.
    pub fn complete(&self) {
        self.0.send_modify(|extent| extent.is_whole = true);
    }
}

impl Follower {
    /// Follows a file of `bytes` that has been whole for long.
    pub fn of_whole(bytes: u64) -> Follower {
        Follower(watch::channel(Extent { bytes, is_whole: true }).1)
    }

    /// How far the file has come by now.
    pub fn extent(&self) -> Extent {
        *self.0.borrow()
    }

    /// Waits until the file is whole or has at least `bytes`.
    pub async fn until(&mut self, bytes: u64) -> Result<Extent, GivenUp> {
        let reached = self.0.wait_for(|extent| extent.is_whole || extent.bytes >= bytes).await;
        reached.map(|extent| *extent).map_err(|_| GivenUp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_follower_hears_of_growth_and_of_the_end() {
        let growth = Growth::new();
        let mut follower = growth.follower();
        growth.reach(3);
        assert_eq!(follower.until(3).await, Ok(Extent { bytes: 3, is_whole: false }));
        let waiting = tokio::spawn(async move { follower.until(100).await });
        growth.reach(7);
        growth.complete();
        assert_eq!(waiting.await.unwrap(), Ok(Extent { bytes: 7, is_whole: true }));
    }

    #[tokio::test]
    async fn who_is_given_up_on_does_not_wait_for_ever() {
        let growth = Growth::new();
        let mut follower = growth.follower();
        growth.reach(3);
        drop(growth);
        assert_eq!(follower.until(2).await, Ok(Extent { bytes: 3, is_whole: false }));
        assert_eq!(follower.until(4).await, Err(GivenUp));
    }

    #[tokio::test]
    async fn a_whole_file_has_nobody_who_writes() {
        assert_eq!(Follower::of_whole(5).until(9).await, Ok(Extent { bytes: 5, is_whole: true }));
    }
}
