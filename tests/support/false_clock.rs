//! A wall clock that a test sets for the programs that it starts (libfaketime); the time since boot stays true.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::{SignedDuration, Timestamp};

use super::program::{Outcome, Program, outcome};

/// What the programs of a test take for the time, and for what the system says of it.
pub struct FalseClock {
    folder: PathBuf,
    offset: i64,
}

impl FalseClock {
    /// A clock that is right, and not synchronised.
    pub fn new(program: &Program) -> FalseClock {
        let folder = program.path("clock");
        fs::create_dir(&folder).unwrap();
        // It stands in for systemd's program, which would answer for this machine.
        let timedatectl = folder.join("timedatectl");
        fs::write(&timedatectl, format!("#!/bin/sh\ncat {}/synchronised\n", folder.display())).unwrap();
        fs::set_permissions(&timedatectl, fs::Permissions::from_mode(0o755)).unwrap();
        let mut clock = FalseClock { folder, offset: 0 };
        clock.synchronise(false);
        clock.set(0);
        clock
    }

    /// Puts the clock ahead of the true time by so many seconds.
    pub fn set(&mut self, offset: i64) {
        self.offset = offset;
        replace(&self.folder.join("offset"), &format!("{offset:+}"));
    }

    /// The time that it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.offset)
    }

    pub fn synchronise(&self, is_synchronised: bool) {
        replace(&self.folder.join("synchronised"), if is_synchronised { "yes\n" } else { "no\n" });
    }

    /// A command of the program that lives by this clock.
    pub fn command(&self, program: &Program, arguments: &[&str]) -> Command {
        let mut command = program.command(arguments);
        let path = std::env::var("PATH").unwrap();
        command
            .env("PATH", format!("{}:{path}", self.folder.display()))
            .env("LD_PRELOAD", library())
            .env("FAKETIME_TIMESTAMP_FILE", self.folder.join("offset"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
        command
    }

    /// Runs such a command to its end.
    pub fn run(&self, program: &Program, arguments: &[&str]) -> Outcome {
        outcome(self.command(program, arguments).output().unwrap())
    }
}

/// Whoever reads meanwhile finds the old text or the new one.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut libraries = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    libraries.find(|library| library.exists()).expect("libfaketime is not installed; scripts/test does that")
}
