//! The state folder, looked at when somebody asks whether a configuration works on this machine.
//!
//! Whether a folder can be made or written to is not in its mode alone: a file system may be read-only, or may take no
//! folders at all. So it is tried, with an empty folder that is removed at once.

use std::fs;
use std::io;
use std::path::Path;

use super::fault::Fault;
use crate::access::{self, Denied, folder_of};
use crate::wording::io_error;

/// What keeps this user, and perhaps not the daemon's, from using the state folder `dir`: it, or a folder on its way, is
/// another user's.
pub fn of_another(dir: &Path) -> Option<Denied> {
    let looked = match access::is_there(dir) {
        true => fs::metadata(dir).and_then(|found| if found.is_dir() { try_folder(dir) } else { Ok(()) }),
        false => Ok(()),
    };
    looked.err().filter(access::is_denied)?;
    Some(Denied::at(dir)).filter(|denied| !denied.is_own())
}

/// What keeps the daemon from keeping its state in `dir`; none if nothing does. Nothing is left behind.
pub(super) fn fault(dir: &Path) -> Option<Fault> {
    if of_another(dir).is_some() {
        return None;
    }
    if access::is_there(dir) {
        return match fs::metadata(dir) {
            Ok(found) if !found.is_dir() => {
                let fault = Fault::new(format!("the state folder {} is not a folder", dir.display()));
                Some(fault.label("name a folder, or a new one"))
            }
            Ok(_) => refused(dir, dir, "written to", &try_folder(dir).err()?),
            Err(error) => refused(dir, dir, "used", &error),
        };
    }
    let mut there = folder_of(dir);
    while !access::is_there(there) && folder_of(there) != there {
        there = folder_of(there);
    }
    refused(dir, there, "created", &try_folder(there).err()?)
}

fn refused(dir: &Path, place: &Path, what: &str, error: &io::Error) -> Option<Fault> {
    let fault = Fault::new(format!("the state folder {} can't be {what}", dir.display()));
    if access::is_denied(error) {
        let denied = Denied::at(place);
        return Some(fault.label(denied.what()).help(denied.remedy()));
    }
    Some(fault.label(format!("{}: {}", place.display(), io_error(error))))
}

fn try_folder(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".exportd-check-{}", std::process::id()));
    fs::create_dir(&probe)?;
    fs::remove_dir(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(dir: &Path) -> Option<String> {
        fault(dir).map(|fault| format!("{}; {}", fault.message, fault.label))
    }

    #[test]
    fn a_folder_that_can_be_made_or_used_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!((told(folder.path()), told(&folder.path().join("a/b"))), (None, None));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_takes_no_state_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(told(&file).unwrap().contains("file is not a folder"));
        assert!(told(&file.join("state")).unwrap().ends_with("file: not a directory"));
        // The system's own file system, which takes folders from nobody.
        assert_eq!(
            told(Path::new("/proc/state")).unwrap(),
            "the state folder /proc/state can't be created; /proc: no such file or directory"
        );
        assert!(told(Path::new("/proc")).unwrap().contains("can't be written to"));
        std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
        assert!(told(&folder.path().join("link")).unwrap().contains("can't be used"));
    }
}
