//! One daemon for each state folder, and who it is.
//!
//! The lock is the system's, so a daemon that was killed is known to be gone. What the file says about its holder is
//! only believed while the lock is held, and a process number only in the namespace that it was written in.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{Timestamp, Unit};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::StateError;
use crate::access;

/// How often, and how long in all, a lock that is held is asked for again: whoever looks whether a daemon is up holds
/// it for a moment.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// The proof that this process is the only daemon of a state folder. The system takes the lock back when the process
/// ends, however it ends; dropping this gives it back earlier.
#[derive(Debug)]
pub struct DaemonLock {
    file: File,
    path: PathBuf,
    holder: Holder,
}

/// The daemon of a state folder, as it has introduced itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process number.
    pub process: u32,
    /// When it came up, in RFC 3339.
    pub since: String,
    /// Its version.
    pub version: String,
    /// The configuration that it reads; none until it has found it.
    pub config: Option<PathBuf>,
    /// Where its process number means something.
    namespace: Option<String>,
    /// When the process began, as the system counts; numbers are used again.
    birth: Option<String>,
}

impl DaemonLock {
    /// Locks `daemon.lock` in `dir`, which must exist, and writes into it who holds it. Refused with
    /// [`StateError::Held`] while another process has it.
    pub fn acquire(dir: &Path) -> Result<DaemonLock, StateError> {
        let path = dir.join("daemon.lock");
        let failed = |error| StateError::io(&path, &error);
        let file = access::open_or_make(&path).map_err(failed)?;
        let mut tries = 0;
        loop {
            tries += 1;
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tries < TRIES => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let holder = read(&file).map_or("it has not said which process it is".to_owned(), |holder| {
                        format!("process {}, since {}", holder.process, holder.since)
                    });
                    return Err(StateError::Held { dir: dir.to_owned(), holder });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let holder = Holder {
            process: std::process::id(),
            since: Timestamp::now().round(Unit::Second).unwrap_or(Timestamp::UNIX_EPOCH).to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config: None,
            namespace: namespace(),
            birth: birth(std::process::id()),
        };
        let lock = DaemonLock { file, path, holder };
        lock.write()?;
        Ok(lock)
    }

    /// Says which configuration the daemon reads.
    pub fn announce(&mut self, config: &Path) -> Result<(), StateError> {
        self.holder.config = Some(std::path::absolute(config).unwrap_or_else(|_| config.to_owned()));
        self.write()
    }

    /// Who holds the lock.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    fn write(&self) -> Result<(), StateError> {
        let note = serde_json::to_vec(&self.holder).expect("a holder is plain data");
        // In place and at once: somebody may be reading.
        let written = self.file.write_all_at(&note, 0).and_then(|()| self.file.set_len(note.len() as u64));
        written.map_err(|error| StateError::io(&self.path, &error))
    }
}

impl Holder {
    /// The daemon that works with the state folder `dir`; none if there is none.
    pub fn of(dir: &Path) -> Result<Option<Holder>, StateError> {
        let path = dir.join("daemon.lock");
        let failed = |error: io::Error| StateError::io(&path, &error);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        for _ in 0..TRIES {
            match file.try_lock_shared() {
                Ok(()) => return Ok(None),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            match read(&file) {
                Some(holder) if !holder.is_outdated() => return Ok(Some(holder)),
                // It has the lock and has not yet written who it is.
                _ => std::thread::sleep(PAUSE),
            }
        }
        Err(failed(io::Error::other("a daemon holds it that does not say which process it is")))
    }

    /// Whether its process number is one that this process may use.
    pub fn is_reachable(&self) -> bool {
        self.namespace.is_some() && self.namespace == namespace()
    }

    /// Whether these are the words of an earlier holder.
    fn is_outdated(&self) -> bool {
        if !self.is_reachable() || self.birth.is_none() {
            return false;
        }
        match birth(self.process) {
            Some(birth) => self.birth != Some(birth),
            // Gone or hidden. Where /proc hides the processes of other users (hidepid=, ProtectProc=), it also hides those
            // of the same user that leave no core files.
            None => !exists(self.process),
        }
    }
}

fn read(file: &File) -> Option<Holder> {
    let mut note = vec![0; 16 * 1024];
    let length = file.read_at(&mut note, 0).ok()?;
    serde_json::from_slice(&note[..length]).ok()
}

fn namespace() -> Option<String> {
    Some(fs::read_link("/proc/self/ns/pid").ok()?.to_string_lossy().into_owned())
}

fn exists(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

/// The 22nd word of the process's `stat`, counted behind its name, which may hold anything.
fn birth(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_known_while_it_holds_the_lock_and_not_after() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Holder::of(dir.path()).unwrap(), None);
        let mut lock = DaemonLock::acquire(dir.path()).unwrap();
        lock.announce(Path::new("/etc/exportd/jobs.toml")).unwrap();
        let holder = Holder::of(dir.path()).unwrap().expect("it is held");
        assert_eq!((holder.process, &holder), (std::process::id(), lock.holder()));
        assert_eq!(holder.config.as_deref(), Some(Path::new("/etc/exportd/jobs.toml")));
        assert!(holder.is_reachable());
        drop(lock);
        assert_eq!(Holder::of(dir.path()).unwrap(), None);
    }

    #[test]
    fn the_words_of_an_earlier_holder_are_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let lock = DaemonLock::acquire(dir.path()).unwrap();
        let earlier = Holder { birth: Some("1".to_owned()), ..lock.holder().clone() };
        fs::write(dir.path().join("daemon.lock"), serde_json::to_vec(&earlier).unwrap()).unwrap();
        assert!(Holder::of(dir.path()).is_err(), "held, by nobody knows whom");
    }
}
