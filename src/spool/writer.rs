//! Writing one file of the spool.
//!
//! Appended bytes are gathered in blocks; readers that follow the file are told of a block once it is in the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::artifact::Artifact;
use super::block::{Block, Blocks};
use super::disk::Disk;
use super::{SpoolError, unlink};
use crate::failpoint::{self, Side};
use crate::growth::{Follower, Growth};
use crate::tuning::Tuning;
use crate::wording::hex;

/// A file being written. Unless it is finished it is removed when dropped.
#[derive(Debug)]
pub struct FileWriter {
    name: String,
    path: PathBuf,
    folder: Arc<OwnedFd>,
    disk: Disk,
    hash: Sha256,
    /// Bytes in the file.
    bytes: u64,
    blocks: Blocks,
    /// Bytes that are not in the file yet.
    block: Block,
    growth: Growth,
    is_finished: bool,
}

/// What a finished file holds, as far as the writer of bytes can't know it.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// As in [`Artifact::export`].
    pub export: String,
    /// As in [`Artifact::rows`].
    pub rows: u64,
    /// As in [`Artifact::columns`].
    pub columns: Vec<String>,
    /// As in [`Artifact::unreadable`].
    pub unreadable: BTreeMap<String, u64>,
}

impl FileWriter {
    pub(super) fn new(name: &str, path: PathBuf, folder: Arc<OwnedFd>, file: File, tuning: &Tuning) -> FileWriter {
        let blocks = Blocks::new(tuning.spool_block);
        FileWriter {
            name: name.to_owned(),
            path,
            folder,
            disk: Disk::new(file, tuning.direct_io),
            hash: Sha256::new(),
            bytes: 0,
            block: blocks.empty(),
            blocks,
            growth: Growth::new(tuning.recent),
            is_finished: false,
        }
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A reader's view of the file while it is written. That it is whole says nothing of the disk: only
    /// [`FileWriter::finish`] does.
    pub fn follower(&self) -> Follower {
        self.growth.follower()
    }

    /// Appends bytes. An error may be about bytes that were appended before.
    pub fn append(&mut self, mut bytes: &[u8]) -> Result<(), SpoolError> {
        self.hash.update(bytes);
        while !bytes.is_empty() {
            let taken = self.block.fill(bytes);
            bytes = &bytes[taken..];
            if self.block.is_full() {
                self.write_block()?;
            }
        }
        Ok(())
    }

    /// Writes all that was appended to the file, where it can be read then. It need not be on disk.
    pub fn flush(&mut self) -> Result<(), SpoolError> {
        if self.block.filled().is_empty() { Ok(()) } else { self.write_block() }
    }

    /// Syncs the file and its folder. When that fails the file is removed; syncing is not tried again.
    pub fn finish(mut self, contents: Contents) -> Result<Artifact, SpoolError> {
        self.flush()?;
        self.growth.complete();
        let failed = |error| SpoolError::file(&self.name, self.bytes, error);
        failpoint::io("spool:sync", Side::Before).and_then(|()| self.disk.sync()).map_err(failed)?;
        failpoint::io("spool:entry", Side::Before).map_err(failed)?;
        rustix::fs::fsync(&*self.folder).map_err(|error| failed(error.into()))?;
        failpoint::io("spool:entry", Side::After).map_err(failed)?;
        self.is_finished = true;
        Ok(Artifact {
            name: self.name.clone(),
            path: self.path.clone(),
            export: contents.export,
            rows: contents.rows,
            bytes: self.bytes,
            sha256: hex(&self.hash.finalize_reset()),
            columns: contents.columns,
            unreadable: contents.unreadable,
        })
    }

    /// Writes the gathered bytes and publishes them to readers that follow.
    fn write_block(&mut self) -> Result<(), SpoolError> {
        let written = failpoint::io("spool:write", Side::Before).and_then(|()| self.disk.write(&self.block));
        written.map_err(|error| SpoolError::file(&self.name, self.bytes, error))?;
        self.bytes += self.block.filled().len() as u64;
        let block = std::mem::replace(&mut self.block, self.blocks.empty());
        self.growth.grow(block.share());
        Ok(())
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if !self.is_finished {
            unlink(&self.folder, &self.name);
        }
    }
}
