//! A folder on this machine as a destination, with the promises of a server: hidden temporary names, a sync before the
//! rename, and a rename in one step.
//!
//! The folder may be mounted from elsewhere, so every step has a limit, after which it counts as stalled.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::blocks::Blocks;
use super::error::{DeliverError, Place};
use super::opening::{Opened, Opening};
use super::probe::{Probe, probe_names};
use super::publish::PublishOutcome;
use crate::digest;
use crate::growth::Follower;
use crate::job::{FolderDestination, Publish, Verify};
use crate::run::FileRecord;
use crate::tuning::Tuning;
use crate::wording::io_error;

/// How long a sync may take: a slow disk may have to write all of a large file.
const SYNC: Duration = Duration::from_secs(600);

/// A folder that files are put into.
pub struct Folder {
    destination: FolderDestination,
    at: Arc<Place>,
    /// How long a step other than a sync may take.
    stall: Duration,
    tuning: Tuning,
}

/// Why a step failed.
enum Trouble {
    /// The spooled file can't be read.
    Source(io::Error),
    /// The folder, or a file in it, can't be used.
    Target(io::Error),
    /// It took longer than its limit.
    Stalled(Duration),
}

impl Folder {
    /// A folder. Nothing is looked at before [`Folder::check`].
    pub(super) fn open(destination: &FolderDestination, stall: Duration, tuning: Tuning) -> Folder {
        let at = Arc::new(Place::of_folder(&destination.path));
        Folder { destination: destination.clone(), at, stall, tuning }
    }

    pub(super) fn place(&self) -> Arc<Place> {
        Arc::clone(&self.at)
    }

    /// As [`Delivery::check`](super::Delivery::check). Every kind of step is tried that a delivery needs.
    pub(super) async fn check(&self, probe: &str) -> Result<Probe, DeliverError> {
        let [probe, renamed] = probe_names(probe).map(|name| self.path(&name));
        let (folder, publish) = (self.destination.path.clone(), self.destination.publish);
        let checking = within(SYNC, move || Ok(check(&folder, publish, &probe, &renamed)));
        match checking.await.map_err(|trouble| self.explain("checking", "a probe", 0, trouble))? {
            Ok(probe) => Ok(probe),
            Err(Unusable::NoDirectory) => Err(DeliverError::NotADirectory { at: self.place() }),
            Err(Unusable::For(action, error)) => Err(match error.kind() {
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    let (at, cause) = (self.place(), io_error(&error));
                    DeliverError::DirectoryDenied { at, action, cause, otherwise: "" }
                }
                _ => self.error(&format!("checking whether it can {action}"), "a probe", 0, &error),
            }),
        }
    }

    /// As [`Delivery::upload`](super::Delivery::upload).
    pub(super) async fn upload(
        &self,
        path: &Path,
        follower: Follower,
        temporary: &str,
        sent: &AtomicU64,
        opening: &Opening,
    ) -> Result<(), DeliverError> {
        sent.store(0, Ordering::Relaxed);
        let error = match self.copy(path, follower.clone(), temporary, sent, opening).await {
            Ok((bytes, found)) if found == bytes => return Ok(()),
            Ok((sent, found)) => {
                DeliverError::SizeDiffers { at: self.place(), name: temporary.to_owned(), sent, found }
            }
            Err(Trouble::Source(error)) => DeliverError::LocalFile { path: path.to_owned(), cause: io_error(&error) },
            Err(trouble) => {
                let missing = follower.extent().bytes.saturating_sub(sent.load(Ordering::Relaxed));
                self.explain(&format!("writing {temporary}"), temporary, missing, trouble)
            }
        };
        if opening.state() == Opened::Yes {
            // If it stays, the next run removes it.
            let _ = self.remove(None, temporary).await;
        }
        Err(error)
    }

    /// Copies a file as it grows. Returns the bytes written, and the size of the synced file.
    async fn copy(
        &self,
        path: &Path,
        follower: Follower,
        temporary: &str,
        sent: &AtomicU64,
        opening: &Opening,
    ) -> Result<(u64, u64), Trouble> {
        let source = tokio::fs::File::open(path).await.map_err(Trouble::Source)?.into_std().await;
        let blocks = Blocks::read(source, follower, self.tuning.upload_block);
        let asked = opening.ask();
        let created = self.create(temporary).await;
        match &created {
            Ok(_) => asked.answer(true),
            Err(Trouble::Stalled(_)) => drop(asked),
            Err(_) => asked.answer(false),
        }
        let (mut file, mut bytes) = (created?, 0);
        while let Some((_, block)) = blocks.next().await.map_err(Trouble::Source)? {
            bytes += block.len() as u64;
            file = within(self.stall, move || file.write_all(&block).map(|()| file)).await?;
            sent.store(bytes, Ordering::Relaxed);
        }
        let size = within(SYNC, move || file.sync_all().and_then(|()| Ok(file.metadata()?.len()))).await?;
        Ok((bytes, size))
    }

    /// Creates a file exclusively, in the place of a leftover of the same name.
    async fn create(&self, name: &str) -> Result<File, Trouble> {
        let (folder, path) = (self.destination.path.clone(), self.path(name));
        let is_direct = self.destination.publish == Publish::Direct;
        let abandoned = Abandoned::default();
        let is_abandoned = Arc::clone(&abandoned.0);
        within(self.stall, move || {
            let created = match create(&folder, &path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && is_direct => overwrite(&path),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    fs::remove_file(&path)?;
                    create(&folder, &path)
                }
                created => created,
            };
            // The upload was cancelled, and cleaning may have looked for the file already.
            if created.is_ok() && is_abandoned.load(Ordering::SeqCst) {
                let _ = fs::remove_file(&path);
            }
            created
        })
        .await
    }

    /// As [`Delivery::verify`](super::Delivery::verify).
    pub(super) async fn verify(&self, temporary: &str, record: &FileRecord) -> Result<bool, DeliverError> {
        let Some(bytes) = self.size(temporary).await? else { return Ok(false) };
        if bytes != record.bytes || self.destination.verify != Verify::Readback {
            return Ok(bytes == record.bytes);
        }
        let path = self.path(temporary);
        let digest = within(SYNC, move || digest::sha256(File::open(path)?)).await;
        let failed = |trouble| self.explain(&format!("reading {temporary} back"), temporary, 0, trouble);
        Ok(digest.map_err(failed)? == record.sha256)
    }

    /// As [`Delivery::publish`](super::Delivery::publish). The rename is on disk when this returns without an error.
    pub(super) async fn publish(&self, temporary: &str, name: &str, publish: Publish) -> Result<(), DeliverError> {
        if publish == Publish::Direct {
            return Ok(());
        }
        let (from, to) = (self.path(temporary), self.path(name));
        let renamed = within(self.stall, move || rename(&from, &to, publish)).await;
        let at = self.place();
        renamed.map_err(|trouble| match trouble {
            Trouble::Target(error) if error.kind() == ErrorKind::AlreadyExists => {
                DeliverError::NameTaken { at, name: name.to_owned() }
            }
            Trouble::Target(error) if error.kind() == ErrorKind::NotFound => {
                DeliverError::TemporaryGone { at, name: temporary.to_owned() }
            }
            trouble => self.explain(&format!("publishing {name}"), name, 0, trouble),
        })?;
        let folder = self.destination.path.clone();
        let synced = within(SYNC, move || sync_folder(&folder)).await;
        // It has its name; whether that outlasts a power cut is not known.
        synced.map_err(|trouble| {
            let cause = match trouble {
                Trouble::Source(error) | Trouble::Target(error) => io_error(&error),
                Trouble::Stalled(limit) => format!("no sync within {} s", limit.as_secs()),
            };
            DeliverError::PublishUnknown { at: self.place(), name: name.to_owned(), cause }
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
                let (one, other) = (self.path(temporary), self.path(name));
                let is_same = within(self.stall, move || is_same_file(&one, &other)).await;
                match is_same.map_err(|trouble| self.explain(&format!("looking for {name}"), name, 0, trouble))? {
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
        let path = directory.map_or(self.destination.path.as_path(), Path::new).join(name);
        match within(self.stall, move || fs::remove_file(path)).await {
            Err(Trouble::Target(error)) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|trouble| self.explain(&format!("removing {name}"), name, 0, trouble)),
        }
    }

    /// The size of a file in bytes; none if there is no such file.
    pub(super) async fn size(&self, name: &str) -> Result<Option<u64>, DeliverError> {
        let path = self.path(name);
        match within(self.stall, move || fs::symlink_metadata(path)).await {
            Ok(found) => Ok(Some(found.len())),
            Err(Trouble::Target(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(trouble) => Err(self.explain(&format!("looking for {name}"), name, 0, trouble)),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.destination.path.join(name)
    }

    fn explain(&self, step: &str, name: &str, needed: u64, trouble: Trouble) -> DeliverError {
        match trouble {
            Trouble::Source(error) | Trouble::Target(error) => self.error(step, name, needed, &error),
            Trouble::Stalled(limit) => DeliverError::Stalled { at: self.place(), step: step.to_owned(), limit },
        }
    }

    fn error(&self, step: &str, name: &str, needed: u64, error: &io::Error) -> DeliverError {
        let (at, step, cause) = (self.place(), step.to_owned(), io_error(error));
        match error.kind() {
            ErrorKind::StorageFull => {
                let system = rustix::fs::statvfs(&self.destination.path);
                let free = system.map_or(0, |system| system.f_bavail.saturating_mul(system.f_frsize));
                DeliverError::NoSpace { at, name: name.to_owned(), needed, free }
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => DeliverError::Denied { at, step, cause },
            ErrorKind::NotFound => DeliverError::DirectoryMissing { at },
            _ => DeliverError::Failed { at, step, cause },
        }
    }
}

/// Set when nobody waits for a step any more.
#[derive(Default)]
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Why a folder can't be used.
enum Unusable {
    NoDirectory,
    /// It does not allow this action.
    For(&'static str, io::Error),
}

fn check(folder: &Path, publish: Publish, probe: &Path, renamed: &Path) -> Result<Probe, Unusable> {
    let to = |action: &'static str| move |error: io::Error| Unusable::For(action, error);
    if !fs::metadata(folder).map_err(to("enter it"))?.is_dir() {
        return Err(Unusable::NoDirectory);
    }
    if publish == Publish::Direct {
        return Ok(Probe::NotMade);
    }
    fs::read_dir(folder).map_err(to("list it"))?;
    for leftover in [probe, renamed] {
        // If one stays, the creation below reports it.
        let _ = fs::remove_file(leftover);
    }
    create(folder, probe).map_err(to("create files in it"))?;
    rename(probe, renamed, publish).map_err(to("rename files in it"))?;
    sync_folder(folder).map_err(to("sync it"))?;
    fs::remove_file(renamed).map_err(to("remove files from it"))?;
    Ok(Probe::Removed)
}

/// Opens a file that is there, and no link, to write it anew.
fn overwrite(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().write(true).truncate(true).custom_flags(flags).open(path)
}

/// Creates a file exclusively. It gets the folder's group and the folder's read rights, as far as we may give them: the
/// daemon's umask protects its secrets, and these files are for others.
fn create(folder: &Path, path: &Path) -> io::Result<File> {
    let folder = fs::metadata(folder)?;
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let _ = fchown(&file, None, Some(folder.gid()));
    let _ = file.set_permissions(fs::Permissions::from_mode(0o600 | (folder.mode() & 0o044)));
    Ok(file)
}

fn rename(from: &Path, to: &Path, publish: Publish) -> io::Result<()> {
    match publish {
        Publish::Replace | Publish::Direct => fs::rename(from, to),
        Publish::Refuse => rename_new(from, to),
    }
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

/// Brings a rename to the disk. Some mounted file systems can't sync a folder; there a rename is as durable as they are.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

fn is_same_file(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (fs::symlink_metadata(one)?, fs::symlink_metadata(other)?);
    Ok(one.dev() == other.dev() && one.ino() == other.ino())
}

/// Runs work that may wait for a disk, for at most `limit`. The thread of stalled work is not waited for.
async fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(done)) => done.map_err(Trouble::Target),
        Ok(Err(failed)) => std::panic::resume_unwind(failed.into_panic()),
        Err(_) => Err(Trouble::Stalled(limit)),
    }
}
