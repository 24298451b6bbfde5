//! Presence: whether the command that works on a run is still there.
//!
//! A command holds a lock on a file of its own in `commands/` as long as it lives; the system takes the lock back
//! however the process ends. A process number would be used again one day, and means nothing across containers.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::StateError;
use crate::access;

/// The proof that a command of this process uses a state folder. Dropping it ends that.
#[derive(Debug)]
pub struct Presence {
    name: String,
    path: PathBuf,
    _file: File,
}

impl Presence {
    /// Announces a command in the state folder `dir`, which must exist.
    pub fn announce(dir: &Path) -> Result<Presence, StateError> {
        let folder = dir.join("commands");
        access::make_folder(&folder).map_err(|error| StateError::io(&folder, &error))?;
        loop {
            let random = getrandom::u64().map_err(|error| StateError::io(&folder, &error.into()))?;
            let name = format!("{}-{random:016x}", std::process::id());
            let path = folder.join(&name);
            let file = create_locked(&path).map_err(|error| StateError::io(&path, &error))?;
            if let Some(file) = file {
                return Ok(Presence { name, path, _file: file });
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // What stays behind is removed by the next command that looks for leftovers.
        let _ = fs::remove_file(&self.path);
    }
}

/// None if somebody took the new file for a leftover before it was locked.
fn create_locked(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    access::hand_over(&file, access::folder_of(path));
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let is_there = fs::symlink_metadata(path).and_then(|there| Ok(there.ino() == file.metadata()?.ino()));
    Ok(is_there.unwrap_or(false).then_some(file))
}

/// Whether the command of that presence is still at work. A folder that can't be read counts as yes: a run that is
/// taken for dead too early could be done twice.
pub(super) fn is_present(dir: &Path, name: &str) -> bool {
    let path = dir.join("commands").join(name);
    match OpenOptions::new().write(true).open(&path) {
        Ok(file) => file.try_lock().is_err(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

/// Removes the files of commands that were killed. Links are not followed: this process may be root's, and the folder
/// another user's.
pub(super) fn remove_leftovers(dir: &Path) {
    let commands = dir.join("commands");
    if !fs::symlink_metadata(&commands).is_ok_and(|there| there.is_dir()) {
        return;
    }
    let Ok(entries) = fs::read_dir(commands) else { return };
    let no_link = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
        let Ok(file) = OpenOptions::new().write(true).custom_flags(no_link).open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            // Removed while it is locked, so that its maker, should it come now, sees that it is gone.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_not_looked_for_behind_a_link() {
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(elsewhere.path().join("passwd"), "root").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("commands")).unwrap();
        remove_leftovers(dir.path());
        assert!(elsewhere.path().join("passwd").exists());
    }

    #[test]
    fn a_command_is_present_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let presence = Presence::announce(dir.path()).unwrap();
        let name = presence.name().to_owned();
        assert!(is_present(dir.path(), &name));
        remove_leftovers(dir.path());
        assert!(is_present(dir.path(), &name), "the living are no leftovers");
        drop(presence);
        assert!(!is_present(dir.path(), &name));
    }

    #[test]
    fn a_killed_command_is_not_present_and_its_file_goes() {
        let dir = tempfile::tempdir().unwrap();
        let presence = Presence::announce(dir.path()).unwrap();
        let (name, path) = (presence.name().to_owned(), presence.path.clone());
        drop(presence);
        fs::write(&path, b"").unwrap();
        assert!(!is_present(dir.path(), &name));
        remove_leftovers(dir.path());
        assert!(!path.exists());
    }
}
