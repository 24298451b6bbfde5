//! The spool: the local folder where finished files wait until they are delivered.
//!
//! `spool/RUN/NAME`, readable only by the daemon's user, because the files hold what only the partner may see. The
//! spool's folder is opened once and everything in it is reached through that handle, so nobody can put another
//! folder or a link in its place. A file is there whole, on disk and with its digest known, or not at all.
//!
//! The spool does not know what a run is or how long its files are kept. `state` does, and `export` uses both.

mod artifact;
mod block;
mod disk;
mod error;
mod writer;

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

pub use self::artifact::Artifact;
pub use self::error::SpoolError;
pub use self::writer::{Contents, FileWriter};
use crate::access::{self, Denied};
use crate::failpoint::{self, Side};
use crate::run::{FileRecord, RunId};
use crate::tuning::Tuning;

const PRIVATE_FOLDER: Mode = Mode::RWXU;
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);
const OPEN_FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The folder of all spooled files.
#[derive(Clone, Debug)]
pub struct Spool {
    path: PathBuf,
    folder: Arc<OwnedFd>,
    tuning: Tuning,
}

/// The folder of one run's files.
#[derive(Debug)]
pub struct RunFolder {
    spool: Spool,
    path: PathBuf,
    folder: Arc<OwnedFd>,
}

impl Spool {
    /// Opens `spool/` in the state folder, and makes it if it is missing.
    ///
    /// A link in its place or a folder of another user is refused; permissions of others are taken away. Root may use the
    /// spool of the state folder's owner, who then owns what root makes there.
    pub fn open(state_dir: &Path) -> Result<Spool, SpoolError> {
        let path = state_dir.join("spool");
        access::make_folder(&path).map_err(|error| SpoolError::folder(&path, error))?;
        let folder = match rustix::fs::open(&path, OPEN_FOLDER, Mode::empty()) {
            Ok(folder) => folder,
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(SpoolError::Refused { path, reason: "it is a link or no folder" });
            }
            Err(error) => return Err(SpoolError::folder(&path, error.into())),
        };
        let stat = rustix::fs::fstat(&folder).map_err(|error| SpoolError::folder(&path, error.into()))?;
        let we = rustix::process::geteuid();
        let is_ours = |owner: u32| we.is_root() && fs::metadata(state_dir).is_ok_and(|dir| dir.uid() == owner);
        if stat.st_uid != we.as_raw() && !is_ours(stat.st_uid) {
            return Err(SpoolError::Denied(Denied::of(&path)));
        }
        if stat.st_mode & 0o077 != 0 && rustix::fs::fchmod(&folder, PRIVATE_FOLDER).is_err() {
            return Err(SpoolError::Refused { path, reason: "others may enter it, and that can't be changed" });
        }
        Ok(Spool { path, folder: Arc::new(folder), tuning: Tuning::DEFAULT })
    }

    /// The same spool, written to with another tuning.
    pub fn with_tuning(self, tuning: Tuning) -> Spool {
        Spool { tuning, ..self }
    }

    /// Makes an empty folder for a run. What an earlier attempt of the same run left there is removed.
    pub fn run(&self, run: &RunId) -> Result<RunFolder, SpoolError> {
        let path = self.run_path(run)?;
        let failed = |error: Errno| SpoolError::folder(&path, error.into());
        failpoint::io("spool:folder", Side::Before).map_err(|error| SpoolError::folder(&path, error))?;
        match rustix::fs::mkdirat(&*self.folder, run.as_str(), PRIVATE_FOLDER) {
            Err(Errno::EXIST) => {
                remove(&path)?;
                rustix::fs::mkdirat(&*self.folder, run.as_str(), PRIVATE_FOLDER).map_err(failed)?;
            }
            made => made.map_err(failed)?,
        }
        let folder = rustix::fs::openat(&*self.folder, run.as_str(), OPEN_FOLDER, Mode::empty()).map_err(failed)?;
        access::hand_over(&folder, &self.path);
        rustix::fs::fsync(&*self.folder).map_err(failed)?;
        failpoint::io("spool:folder", Side::After).map_err(|error| SpoolError::folder(&path, error))?;
        Ok(RunFolder { spool: self.clone(), path, folder: Arc::new(folder) })
    }

    /// Finds a finished file of an earlier run again, and checks that it still has the size and the digest that were
    /// recorded. The names of its `columns` are not kept in the file's record and have to be given.
    pub fn find(&self, run: &RunId, record: &FileRecord, columns: Vec<String>) -> Result<Artifact, SpoolError> {
        let artifact = Artifact {
            name: record.name.clone(),
            path: self.run_path(run)?.join(component(&record.name)?),
            export: record.export.clone(),
            rows: record.rows,
            bytes: record.bytes,
            sha256: record.sha256.clone(),
            columns,
            unreadable: record.unreadable.clone(),
        };
        artifact.verify()?;
        Ok(artifact)
    }

    /// Removes a run's folder with all its files, if there is one.
    pub fn remove(&self, run: &RunId) -> Result<(), SpoolError> {
        let path = self.run_path(run)?;
        failpoint::io("spool:remove", Side::Before).map_err(|error| SpoolError::folder(&path, error))?;
        remove(&path)?;
        failpoint::io("spool:remove", Side::After).map_err(|error| SpoolError::folder(&path, error))
    }

    /// The entries of the spool, each of which should be a run's folder.
    pub fn entries(&self) -> Result<Vec<RunId>, SpoolError> {
        let failed = |error| SpoolError::folder(&self.path, error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            // Our own names are UTF-8. Any other entry is not ours, and is left alone.
            found.extend(entry.map_err(failed)?.file_name().to_str().map(RunId::from_stored));
        }
        Ok(found)
    }

    /// Refuses to begin when fewer than `needed` bytes are free.
    pub fn require(&self, needed: u64) -> Result<(), SpoolError> {
        let system = rustix::fs::fstatvfs(&*self.folder);
        let system = system.map_err(|error| SpoolError::folder(&self.path, error.into()))?;
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        if free < needed { Err(SpoolError::TooFull { path: self.path.clone(), needed, free }) } else { Ok(()) }
    }

    fn run_path(&self, run: &RunId) -> Result<PathBuf, SpoolError> {
        Ok(self.path.join(component(run.as_str())?))
    }
}

impl RunFolder {
    /// Starts a file. A file of the same name must not exist.
    pub fn writer(&self, name: &str) -> Result<FileWriter, SpoolError> {
        let path = self.path.join(component(name)?);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        failpoint::io("spool:open", Side::Before).map_err(|error| SpoolError::file(name, 0, error))?;
        let file = rustix::fs::openat(&*self.folder, name, flags, PRIVATE_FILE)
            .map_err(|error| SpoolError::file(name, 0, error.into()))?;
        access::hand_over(&file, &self.path);
        Ok(FileWriter::new(name, path, Arc::clone(&self.folder), file.into(), &self.spool.tuning))
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the folder with all its files.
    pub fn remove(self) -> Result<(), SpoolError> {
        remove(&self.path)?;
        rustix::fs::fsync(&*self.spool.folder).map_err(|error| SpoolError::folder(&self.path, error.into()))
    }
}

/// Checks that `name` stays inside its folder.
fn component(name: &str) -> Result<&str, SpoolError> {
    if name.is_empty() || name.len() > 255 || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(SpoolError::BadName { name: name.to_owned() });
    }
    Ok(name)
}

/// Removes a file, a link or a folder with everything in it; links are never followed.
fn remove(path: &Path) -> Result<(), SpoolError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(entry) if entry.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(SpoolError::folder(path, error)),
        _ => Ok(()),
    }
}

fn unlink(folder: &OwnedFd, name: &str) {
    // A file that can't be removed now is removed with its folder.
    let _ = rustix::fs::unlinkat(folder, name, AtFlags::empty());
}

#[cfg(test)]
mod tests;
