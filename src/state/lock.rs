//! One daemon for each state folder.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::{Timestamp, Unit};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::StateError;

/// The proof that this process is the only daemon of a state folder. The system takes the lock back when the process
/// ends, however it ends; dropping this gives it back earlier.
#[derive(Debug)]
pub struct DaemonLock {
    _file: File,
}

impl DaemonLock {
    /// Locks `daemon.lock` in `dir`, which must exist, and writes into it who holds it. Refused with
    /// [`StateError::Held`] while another process has it.
    pub fn acquire(dir: &Path) -> Result<DaemonLock, StateError> {
        let path = dir.join("daemon.lock");
        let failed = |error| StateError::io(&path, &error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                return Err(StateError::Held { dir: dir.to_owned(), holder: holder(&mut file) });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        let since = Timestamp::now().round(Unit::Second).unwrap_or(Timestamp::UNIX_EPOCH);
        let note = format!("process {}, since {since}\n", std::process::id());
        // Opened and written in place: another process may be waiting for a look at the same file.
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(note.as_bytes())).map_err(failed)?;
        Ok(DaemonLock { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut note = String::new();
    match file.read_to_string(&mut note) {
        Ok(_) if !note.trim().is_empty() => note.trim().to_owned(),
        _ => "it has not said which process it is".to_owned(),
    }
}
