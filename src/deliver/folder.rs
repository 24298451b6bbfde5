//! A folder on this machine as a destination, with the promises of a server: hidden temporary names, a sync before the
//! rename, and a rename in one step.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::blocks::Blocks;
use super::error::{DeliverError, Place};
use super::probe_names;
use super::publish::PublishOutcome;
use crate::growth::Follower;
use crate::job::{FolderDestination, Publish, Verify};
use crate::run::FileRecord;
use crate::tuning::Tuning;
use crate::wording::{hex, io_error};

/// A folder that files are put into.
pub struct Folder {
    path: PathBuf,
    at: Arc<Place>,
    verify: Verify,
    tuning: Tuning,
}

impl Folder {
    /// A folder. Nothing is looked at before [`Folder::check`].
    pub(super) fn open(destination: &FolderDestination, tuning: Tuning) -> Folder {
        let FolderDestination { path, verify, .. } = destination;
        let at = Arc::new(Place::of_folder(path));
        Folder { path: path.clone(), at, verify: *verify, tuning }
    }

    pub(super) fn place(&self) -> Arc<Place> {
        Arc::clone(&self.at)
    }

    /// As [`Delivery::check`](super::Delivery::check).
    pub(super) async fn check(&self, probe: &str) -> Result<(), DeliverError> {
        let [probe, renamed] = probe_names(probe).map(|name| self.path.join(name));
        let (folder, at) = (self.path.clone(), self.place());
        blocking(move || check(&folder, &at, &probe, &renamed)).await
    }

    /// As [`Delivery::upload`](super::Delivery::upload).
    pub(super) async fn upload(
        &self,
        path: &Path,
        follower: Follower,
        temporary: &str,
        sent: &AtomicU64,
    ) -> Result<(), DeliverError> {
        sent.store(0, Ordering::Relaxed);
        let unreadable = |error: io::Error| DeliverError::LocalFile { path: path.to_owned(), cause: io_error(&error) };
        let source = tokio::fs::File::open(path).await.map_err(unreadable)?.into_std().await;
        let target = self.path.join(temporary);
        let blocks = Blocks::read(source, follower, self.tuning.upload_block);
        let mut bytes = 0;
        let copying = async {
            let mut file = self.create(&target).await?;
            while let Some((_, block)) = blocks.next().await.map_err(Trouble::Source)? {
                bytes += block.len() as u64;
                file = write(file, block.clone()).await?;
                sent.store(bytes, Ordering::Relaxed);
            }
            blocking(move || file.sync_all()).await.map_err(Trouble::Target)
        };
        let error = match copying.await {
            Ok(()) => return Ok(()),
            Err(Trouble::Source(error)) => unreadable(error),
            Err(Trouble::Target(error)) => self.error(&format!("writing {temporary}"), temporary, bytes, error),
        };
        // What stays is removed by the next run.
        let _ = tokio::fs::remove_file(&target).await;
        Err(error)
    }

    /// Creates a file exclusively, in the place of a leftover of the same name. Whoever may list the folder may read it:
    /// the umask of a daemon is for its secrets, and these files are for others.
    async fn create(&self, path: &Path) -> Result<File, Trouble> {
        let (folder, path) = (self.path.clone(), path.to_owned());
        let create = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
        let created = blocking(move || {
            let file = match create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    fs::remove_file(&path)?;
                    create(&path)?
                }
                created => created?,
            };
            let readers = fs::metadata(&folder)?.mode() & 0o044;
            file.set_permissions(fs::Permissions::from_mode(0o600 | readers))?;
            Ok(file)
        });
        created.await.map_err(Trouble::Target)
    }

    /// As [`Delivery::verify`](super::Delivery::verify).
    pub(super) async fn verify(&self, temporary: &str, record: &FileRecord) -> Result<bool, DeliverError> {
        let Some(bytes) = self.size(temporary).await? else { return Ok(false) };
        if bytes != record.bytes {
            return Ok(false);
        }
        if self.verify != Verify::Readback {
            return Ok(true);
        }
        let path = self.path.join(temporary);
        let digest = blocking(move || digest(&path)).await;
        let digest =
            digest.map_err(|error| self.error(&format!("reading {temporary} back"), temporary, bytes, error))?;
        Ok(digest == record.sha256)
    }

    /// As [`Delivery::publish`](super::Delivery::publish). The rename is on disk when this returns.
    pub(super) async fn publish(&self, temporary: &str, name: &str, publish: Publish) -> Result<(), DeliverError> {
        let (folder, from, to) = (self.path.clone(), self.path.join(temporary), self.path.join(name));
        let renaming = blocking(move || {
            match publish {
                Publish::Replace => fs::rename(&from, &to)?,
                Publish::Refuse => rename_new(&from, &to)?,
            }
            File::open(&folder)?.sync_all()
        });
        renaming.await.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => DeliverError::NameTaken { at: self.place(), name: name.to_owned() },
            ErrorKind::NotFound => DeliverError::TemporaryGone { at: self.place(), name: temporary.to_owned() },
            _ => self.error(&format!("publishing {name}"), name, 0, error),
        })
    }

    /// As [`Delivery::settle`](super::Delivery::settle). A program that was killed while it renamed with
    /// `publish = "refuse"` may have left the file under both names.
    pub(super) async fn settle(
        &self,
        temporary: &str,
        name: &str,
        bytes: u64,
        publish: Publish,
    ) -> Result<PublishOutcome, DeliverError> {
        match (self.size(temporary).await?, self.size(name).await?) {
            (Some(_), None) => Ok(PublishOutcome::NotPublished),
            (Some(_), Some(_)) if publish == Publish::Replace => Ok(PublishOutcome::NotPublished),
            (Some(_), Some(_)) => {
                let (one, other) = (self.path.join(temporary), self.path.join(name));
                let is_same = blocking(move || is_same_file(&one, &other)).await;
                match is_same.map_err(|error| self.error(&format!("looking for {name}"), name, 0, error))? {
                    true => self.remove(None, temporary).await.map(|()| PublishOutcome::Published),
                    false => Ok(PublishOutcome::Conflict),
                }
            }
            (None, Some(found)) if found == bytes => Ok(PublishOutcome::Published),
            (None, _) => Ok(PublishOutcome::Gone),
        }
    }

    /// As [`Delivery::remove`](super::Delivery::remove).
    pub(super) async fn remove(&self, directory: Option<&str>, name: &str) -> Result<(), DeliverError> {
        let folder = directory.map_or(self.path.as_path(), Path::new);
        match tokio::fs::remove_file(folder.join(name)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(self.error(&format!("removing {name}"), name, 0, error))
            }
            _ => Ok(()),
        }
    }

    /// The size of a file in bytes; none if there is no such file.
    async fn size(&self, name: &str) -> Result<Option<u64>, DeliverError> {
        match tokio::fs::symlink_metadata(self.path.join(name)).await {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error(&format!("looking for {name}"), name, 0, error)),
        }
    }

    fn error(&self, step: &str, name: &str, needed: u64, error: io::Error) -> DeliverError {
        error_at(&self.at, step, name, needed, &error)
    }
}

/// Why a file can't be written.
enum Trouble {
    Source(io::Error),
    Target(io::Error),
}

async fn write(mut file: File, block: bytes::Bytes) -> Result<File, Trouble> {
    blocking(move || file.write_all(&block).map(|()| file)).await.map_err(Trouble::Target)
}

fn check(folder: &Path, at: &Arc<Place>, probe: &Path, renamed: &Path) -> Result<(), DeliverError> {
    let denied = |action: &'static str| {
        move |error: io::Error| DeliverError::DirectoryDenied {
            at: Arc::clone(at),
            action,
            cause: io_error(&error),
            otherwise: "",
        }
    };
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(DeliverError::NotADirectory { at: Arc::clone(at) }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(DeliverError::DirectoryMissing { at: Arc::clone(at) });
        }
        Err(error) => return Err(denied("enter it")(error)),
    }
    for leftover in [probe, renamed] {
        // One that stays is told by the creation below.
        let _ = fs::remove_file(leftover);
    }
    let created = OpenOptions::new().write(true).create_new(true).open(probe);
    created.map_err(denied("create files in it"))?;
    fs::rename(probe, renamed).map_err(denied("rename files in it"))?;
    fs::remove_file(renamed).map_err(denied("remove files from it"))
}

/// Renames a file unless the new name exists, in one step. A file system that has no such rename is given a second name
/// first, which it refuses to give if there is one.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        renamed => Ok(renamed?),
    }
}

fn is_same_file(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (fs::symlink_metadata(one)?, fs::symlink_metadata(other)?);
    Ok(one.dev() == other.dev() && one.ino() == other.ino())
}

/// The SHA-256 of a file in lower-case hexadecimal.
fn digest(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher, mut block) = (File::open(path)?, Sha256::new(), vec![0; 256 * 1024]);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&hasher.finalize())),
            length => hasher.update(&block[..length]),
        }
    }
}

fn error_at(at: &Arc<Place>, step: &str, name: &str, needed: u64, error: &io::Error) -> DeliverError {
    let (at, step, cause) = (Arc::clone(at), step.to_owned(), io_error(error));
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            DeliverError::NoSpace { at, name: name.to_owned(), needed, free: 0 }
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => DeliverError::Denied { at, step, cause },
        ErrorKind::NotFound => DeliverError::DirectoryMissing { at },
        _ => DeliverError::Failed { at, step, cause },
    }
}

/// Runs work that may wait for a disk beside the runtime.
async fn blocking<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}
