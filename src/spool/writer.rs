//! Writing one file of the spool.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::artifact::{Artifact, hex};
use super::{SpoolError, unlink};
use crate::failpoint::{self, Side};
use crate::growth::{Follower, Growth};

/// A file being written. Unless it is finished it is removed when dropped.
///
/// It does not buffer: blocks should be large.
#[derive(Debug)]
pub struct FileWriter {
    name: String,
    path: PathBuf,
    folder: Arc<OwnedFd>,
    file: File,
    hash: Sha256,
    bytes: u64,
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
}

impl FileWriter {
    pub(super) fn new(name: &str, path: PathBuf, folder: Arc<OwnedFd>, file: File) -> FileWriter {
        let (name, hash) = (name.to_owned(), Sha256::new());
        FileWriter { name, path, folder, file, hash, bytes: 0, growth: Growth::new(), is_finished: false }
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// For who wants to read the file while it is written. That it is whole says nothing of the disk: only
    /// [`FileWriter::finish`] does.
    pub fn follower(&self) -> Follower {
        self.growth.follower()
    }

    /// Appends a block.
    pub fn append(&mut self, block: &[u8]) -> Result<(), SpoolError> {
        self.hash.update(block);
        match failpoint::io("spool:write", Side::Before).and_then(|()| self.file.write_all(block)) {
            Ok(()) => {
                self.bytes += block.len() as u64;
                self.growth.reach(self.bytes);
                Ok(())
            }
            Err(error) => Err(SpoolError::file(&self.name, self.bytes, error)),
        }
    }

    /// Brings the file and its folder's entry to disk. When that fails the file is removed; it is not tried again.
    pub fn finish(mut self, contents: Contents) -> Result<Artifact, SpoolError> {
        self.growth.complete();
        let failed = |error| SpoolError::file(&self.name, self.bytes, error);
        failpoint::io("spool:sync", Side::Before).and_then(|()| self.file.sync_all()).map_err(failed)?;
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
            sha256: hex(std::mem::take(&mut self.hash)),
            columns: contents.columns,
        })
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if !self.is_finished {
            unlink(&self.folder, &self.name);
        }
    }
}
