//! An OpenSSH server that keeps count of its SFTP sessions.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Pid;
use tempfile::TempDir;

use super::sshd::{Options, Sshd};

/// The server, and where each of its sessions enters the number of its process before it answers anything.
pub struct Counted {
    pub sshd: Sshd,
    folder: TempDir,
}

impl Counted {
    pub fn start() -> Counted {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("sftp-server");
        let list = folder.path().join("sessions");
        fs::write(&list, "").unwrap();
        let text = format!("#!/bin/sh\necho $$ >> {}\nexec /usr/lib/openssh/sftp-server\n", list.display());
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let sshd = Sshd::with(Options { subsystem: Some(script.display().to_string()), ..Options::default() });
        Counted { sshd, folder }
    }

    /// The processes of all sessions that there have been, the first one first.
    pub fn sessions(&self) -> Vec<Pid> {
        let list = fs::read_to_string(self.folder.path().join("sessions")).unwrap();
        list.lines().map(|line| Pid::from_raw(line.parse().unwrap()).unwrap()).collect()
    }
}
