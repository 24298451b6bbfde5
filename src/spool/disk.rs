//! Writes blocks to the disk, past the page cache where the file system allows it.
//!
//! The bytes are read again only if an upload falls behind, and have to be on disk before anything is published. Through
//! the cache they cost several times the processor's time, and all of the waiting comes at the end.

use std::fs::File;
use std::io::{self, Write};

use rustix::fs::OFlags;

use super::block::Block;

/// A file that is written from its beginning to its end.
#[derive(Debug)]
pub(super) struct Disk {
    file: File,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Direct I/O was not tried yet. It never is for a file that is smaller than a block.
    Untried,
    /// Past the page cache (`O_DIRECT`).
    Direct,
    /// Through the page cache.
    Cached,
}

impl Disk {
    /// A file that bypasses the page cache if `is_direct`, and if its file system supports that.
    pub(super) fn new(file: File, is_direct: bool) -> Disk {
        Disk { file, mode: if is_direct { Mode::Untried } else { Mode::Cached } }
    }

    /// Appends what is in the block. Only the file's last block may be less than full.
    pub(super) fn write(&mut self, block: &Block) -> io::Result<()> {
        match (self.mode, block.is_full()) {
            (Mode::Untried, true) => self.mode = self.set_direct(true).map_or(Mode::Cached, |()| Mode::Direct),
            (Mode::Direct, false) => self.go_cached()?,
            _ => {}
        }
        let mut rest = block.filled();
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The file system wants more than aligned memory, or has written a part that leaves the rest unaligned.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput && self.mode == Mode::Direct => {
                    self.go_cached()?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until the file is on the disk, its size included.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn go_cached(&mut self) -> io::Result<()> {
        self.mode = Mode::Cached;
        self.set_direct(false)
    }

    fn set_direct(&self, is_direct: bool) -> io::Result<()> {
        let mut flags = rustix::fs::fcntl_getfl(&self.file)?;
        flags.set(OFlags::DIRECT, is_direct);
        Ok(rustix::fs::fcntl_setfl(&self.file, flags)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use crate::tuning::Tuning;

    use super::super::block::Blocks;
    use super::*;

    const BLOCK: usize = Tuning::DEFAULT.spool_block;

    /// On the disk that the program is built on, and in memory.
    const PLACES: [&str; 2] = [env!("CARGO_MANIFEST_DIR"), "/dev/shm"];

    fn block(byte: u8, length: usize) -> Block {
        let mut block = Blocks::new(BLOCK).empty();
        block.fill(&vec![byte; length]);
        block
    }

    #[test]
    fn blocks_and_a_rest_arrive_on_every_file_system() {
        for place in PLACES {
            let folder = tempfile::tempdir_in(place).unwrap();
            let path = folder.path().join("file");
            let mut disk = Disk::new(File::create(&path).unwrap(), true);
            for byte in *b"ab" {
                disk.write(&block(byte, BLOCK)).unwrap();
            }
            disk.write(&block(b'c', 5)).unwrap();
            disk.sync().unwrap();
            let expected = [vec![b'a'; BLOCK], vec![b'b'; BLOCK], vec![b'c'; 5]].concat();
            assert!(std::fs::read(&path).unwrap() == expected, "{place}");
        }
    }

    #[test]
    fn what_a_disk_will_not_take_directly_goes_through_its_cache() {
        let folder = tempfile::tempdir_in(PLACES[0]).unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"not aligned").unwrap();
        let mut disk = Disk::new(OpenOptions::new().append(true).open(&path).unwrap(), true);
        disk.write(&block(b'a', BLOCK)).unwrap();
        disk.write(&block(b'b', BLOCK)).unwrap();
        disk.sync().unwrap();
        let expected = [b"not aligned".to_vec(), vec![b'a'; BLOCK], vec![b'b'; BLOCK]].concat();
        assert!(std::fs::read(&path).unwrap() == expected);
        assert_eq!(disk.mode, Mode::Cached);
    }

    #[test]
    fn small_files_do_not_ask() {
        let folder = tempfile::tempdir_in(PLACES[0]).unwrap();
        let mut disk = Disk::new(File::create(folder.path().join("file")).unwrap(), true);
        disk.write(&block(b'a', BLOCK - 1)).unwrap();
        assert_eq!(disk.mode, Mode::Untried);
    }
}
