//! Servers that grant some requests and refuse others: what a delivery needs, and what is said where that is missing.

use std::fs;
use std::path::PathBuf;

use crate::support::program::{Outcome, Program};
use crate::support::shop;
use crate::support::sshd::{Options, Sshd, set_mode};

/// A server whose rights can be changed while it runs.
struct Strict {
    server: Sshd,
    denied: PathBuf,
    _folder: tempfile::TempDir,
}

impl Strict {
    /// A server that refuses these requests, named as `sftp-server -P` names them.
    fn refusing(requests: &str) -> Strict {
        let folder = tempfile::tempdir().unwrap();
        let (script, denied) = (folder.path().join("server"), folder.path().join("denied"));
        let text = format!("#!/bin/sh\nexec /usr/lib/openssh/sftp-server $(cat {})\n", denied.display());
        fs::write(&script, text).unwrap();
        set_mode(&script, 0o755);
        let subsystem = Some(script.display().to_string());
        let server = Sshd::with(Options { subsystem, ..Options::default() });
        let strict = Strict { server, denied, _folder: folder };
        strict.refuse(requests);
        strict
    }

    /// Refuses these requests from the next connection on; none if it is empty.
    fn refuse(&self, requests: &str) {
        let option = if requests.is_empty() { String::new() } else { format!("-P {requests}") };
        fs::write(&self.denied, option).unwrap();
    }

    fn hidden(&self) -> Vec<String> {
        self.server.names().into_iter().filter(|name| name.starts_with('.')).collect()
    }

    fn shown(&self) -> Vec<String> {
        self.server.names().into_iter().filter(|name| !name.starts_with('.')).collect()
    }
}

fn deliver(program: &Program, day: u8) -> Outcome {
    program.run(&["run", "shop", "--at", &format!("2026-11-{day}")])
}

#[test]
fn a_server_that_removes_nothing_gets_every_file_and_keeps_one_probe() {
    for (denied, job) in [
        ("remove", "publish = \"refuse\""),
        ("remove", "publish = \"replace\""),
        ("remove", "publish = \"refuse\"\nverify = \"readback\""),
        ("remove,posix-rename", "publish = \"refuse\""),
    ] {
        let strict = Strict::refusing(denied);
        let program = shop::program(&strict.server, job);
        let first = deliver(&program, 21).expect(0);
        assert!(first.err.contains("does not let files be removed"), "{denied} {job}: {}", first.err);
        let kept = strict.hidden();
        assert_eq!(kept.len(), 1, "{denied} {job}: {kept:?}");
        for day in [22, 23] {
            let later = deliver(&program, day).expect(0);
            assert!(!later.err.contains("does not let"), "{denied} {job}: {}", later.err);
            assert_eq!(strict.hidden(), kept, "{denied} {job}");
        }
        assert_eq!(strict.shown().len(), 3, "{denied} {job}");

        for _ in 0..2 {
            let checked = program.run(&["check", "--connect"]).expect(0);
            assert!(checked.out.contains("doesn't let files be removed"), "{denied} {job}: {}", checked.out);
            assert_eq!(strict.hidden().len(), 2, "{denied} {job}: a check has a probe of its own");
        }
        let json = program.run(&["check", "--connect", "--json"]).expect(0).json();
        assert_eq!(json["destinations"][0]["server"]["remove"], false);
        assert_eq!(json["destinations"][0]["server"]["several_handles"], true);

        strict.refuse("");
        deliver(&program, 24).expect(0);
        program.run(&["check", "--connect"]).expect(0);
        assert_eq!(strict.hidden(), Vec::<String>::new(), "{denied} {job}: the right has come");
    }
}

#[test]
fn what_a_failed_run_leaves_there_is_told_once_and_removed_when_that_is_allowed() {
    let strict = Strict::refusing("remove");
    let program = shop::program(&strict.server, "publish = \"refuse\"");
    fs::write(strict.server.directory().join("shop_2026_11_21_orders.csv"), "theirs").unwrap();
    let failed = deliver(&program, 21).expect(1);
    assert!(failed.err.contains("exists already"), "{}", failed.err);
    let (told, named) = ("hidden files may stay", ".shop_2026_11_21_orders.csv.");
    assert!(failed.err.contains(told) && failed.err.contains(named), "{}", failed.err);
    assert_eq!(strict.hidden().len(), 2, "the probe, and the file that could not be published");
    let next = deliver(&program, 22).expect(0);
    assert!(!next.err.contains("hidden files") && !next.err.contains("not let"), "{}", next.err);
    assert_eq!(strict.hidden().len(), 2);
    strict.refuse("");
    deliver(&program, 23).expect(0);
    assert_eq!(strict.hidden(), Vec::<String>::new());
}

#[test]
fn a_replacement_that_has_to_remove_is_refused_before_the_store_is_read() {
    let strict = Strict::refusing("remove,posix-rename");
    let program = shop::program(&strict.server, "allow_gap = true");
    fs::remove_file(program.path("shop.db")).unwrap();
    for _ in 0..4 {
        let failed = deliver(&program, 21).expect(1);
        assert!(failed.err.contains("does not allow") && failed.err.contains("remove files from it"), "{}", failed.err);
    }
    let kept = strict.hidden();
    assert!(kept.len() <= 2, "no run adds one: {kept:?}");
}

#[test]
fn the_rename_that_is_tried_is_the_one_that_publishes() {
    for (denied, publish) in [("rename", "refuse"), ("posix-rename,rename", "replace")] {
        let strict = Strict::refusing(denied);
        let program = shop::program(&strict.server, &format!("publish = {publish:?}"));
        fs::remove_file(program.path("shop.db")).unwrap();
        let failed = deliver(&program, 21).expect(1);
        assert!(failed.err.contains("rename files in it"), "{denied} {publish}: {}", failed.err);
        assert_eq!(strict.server.names(), Vec::<String>::new());
    }
    let strict = Strict::refusing("rename");
    deliver(&shop::program(&strict.server, "publish = \"replace\""), 21).expect(0);
}
