//! Blocks: reusable buffers that a file is written from, aligned as direct I/O requires.

use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;

/// The alignment that O_DIRECT requires of memory and file offsets: the largest common sector size.
const ALIGNMENT: usize = 4096;

/// Hands out blocks, and reuses those that are no longer needed.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Bytes of each.
    size: usize,
    returned: Receiver<Vec<u8>>,
    home: Sender<Vec<u8>>,
}

/// A block that is being filled, or that was shared and is being read.
#[derive(Debug)]
pub(super) struct Block {
    /// Never grows beyond its capacity, so that what was aligned stays aligned.
    memory: Vec<u8>,
    start: usize,
    /// What fits.
    size: usize,
    home: Sender<Vec<u8>>,
}

impl Blocks {
    /// Blocks of `size` bytes, a multiple of the alignment.
    pub(super) fn new(size: usize) -> Blocks {
        let (home, returned) = channel();
        Blocks { size, returned, home }
    }

    /// A block with nothing in it.
    pub(super) fn empty(&self) -> Block {
        let mut memory = self.returned.try_recv().unwrap_or_else(|_| Vec::with_capacity(self.size + ALIGNMENT));
        // Where the alignment can't be known the disk may refuse the block, which is handled there.
        let start = memory.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        memory.clear();
        memory.resize(start, 0);
        Block { memory, start, size: self.size, home: self.home.clone() }
    }
}

impl Block {
    /// Takes as many of `bytes` as fit and says how many.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.size - self.filled().len());
        self.memory.extend_from_slice(&bytes[..taken]);
        taken
    }

    /// What is in it.
    pub(super) fn filled(&self) -> &[u8] {
        &self.memory[self.start..]
    }

    pub(super) fn is_full(&self) -> bool {
        self.filled().len() == self.size
    }

    /// Lets others read it. It comes back to be filled again when the last of them has dropped it.
    pub(super) fn share(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self.filled()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // The file may be finished by now, and then no block is filled any more.
        let _ = self.home.send(std::mem::take(&mut self.memory));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: usize = 512 * 1024;

    #[test]
    fn a_block_is_aligned_and_holds_what_fits() {
        let mut block = Blocks::new(BLOCK).empty();
        assert_eq!(block.fill(b"abc"), 3);
        assert_eq!(block.filled(), b"abc");
        assert!(block.filled().as_ptr().addr().is_multiple_of(ALIGNMENT));
        assert_eq!(block.fill(&vec![b'x'; 2 * BLOCK]), BLOCK - 3);
        assert!(block.is_full());
        assert_eq!(block.fill(b"d"), 0);
        assert_eq!(block.filled().len(), BLOCK);
    }

    #[test]
    fn memory_is_used_again_when_the_last_reader_is_gone() {
        let blocks = Blocks::new(BLOCK);
        let mut block = blocks.empty();
        block.fill(b"abc");
        let address = block.filled().as_ptr();
        let shared = block.share();
        let slice = shared.slice(1..);
        drop(shared);
        assert_ne!(blocks.empty().filled().as_ptr(), address);
        drop(slice);
        let again: Vec<_> = (0..2).map(|_| blocks.empty()).collect();
        assert!(again.iter().any(|block| block.filled().as_ptr() == address && block.filled().is_empty()));
    }
}
