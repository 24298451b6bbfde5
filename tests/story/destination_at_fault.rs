//! A destination that can't take files: one sentence, exit code 1, nothing left behind, and not one row read.
//!
//! The store of these jobs does not exist, so a run that asked for rows first would complain about that instead.

use std::fs;

use crate::support::program::{Outcome, Program};
use crate::support::shop;
use crate::support::sshd::{self, Options, Sshd};

/// Runs the job with `old` in its configuration replaced by `new`, and expects it to fail for `reason`.
#[track_caller]
fn fails(server: &Sshd, old: &str, new: &str, reason: &str) -> Outcome {
    let config = shop::config(server, "");
    assert!(config.contains(old), "{old:?} is not in the configuration");
    let program = Program::new(&config.replace(old, new));
    fs::write(program.path("catalogue.toml"), shop::CATALOGUE).unwrap();
    assert!(!program.path("shop.db").exists());

    let run = program.run(&["run", "shop"]).expect(1);
    assert!(run.err.contains(reason), "{reason:?} is missing in: {}", run.err);
    assert_eq!(run.err.trim_end().lines().count(), 1, "one sentence: {}", run.err);
    assert!(!run.err.contains("shop.db"), "the store was opened first: {}", run.err);
    assert_eq!(server.names(), Vec::<String>::new());
    assert_eq!(fs::read_dir(program.path("state/spool")).unwrap().count(), 0);

    let connect = program.run(&["check", "--connect"]);
    assert!(connect.out.contains(reason) || connect.err.contains(reason), "check does not see it: {connect:?}");
    // Code 3, for the store is not there either; 2, where it is seen before anything is connected to.
    assert!(connect.code == 3 || connect.code == 2 && connect.err.contains("jobs.toml:"), "{connect:?}");
    run
}

#[test]
fn another_host_key() {
    let server = Sshd::start();
    let pinned = server.fingerprint("ed25519");
    let other = format!("SHA256:{}", "A".repeat(43));
    let run = fails(&server, &pinned, &other, "presents the host key");
    assert!(run.err.contains(&pinned) && run.err.contains(&other), "both keys are shown: {}", run.err);
}

#[test]
fn a_key_that_is_not_let_in() {
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let stranger = folder.path().join("stranger");
    sshd::make_key(&stranger, &["-t", "ed25519", "-N", ""]);
    let known = server.destination().key.display().to_string();
    fails(&server, &known, &stranger.display().to_string(), "authorized_keys");
}

#[test]
fn a_missing_directory() {
    let server = Sshd::start();
    let directory = server.destination().directory;
    fails(
        &server,
        &format!("directory = \"{directory}\""),
        &format!("directory = \"{directory}/nowhere\""),
        "does not exist",
    );
}

#[test]
fn a_directory_that_may_only_be_read() {
    let server = Sshd::with(Options { unprivileged: true, ..Options::default() });
    sshd::run(std::process::Command::new("chmod").arg("555").arg(server.directory()));
    sshd::run(std::process::Command::new("chown").arg("root").arg(server.directory()));
    fails(&server, "zone = \"Europe/Paris\"", "zone = \"UTC\"", "does not allow user nobody");
}

#[test]
fn a_closed_port() {
    let server = Sshd::start();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fails(&server, &format!("port = {}", server.port()), &format!("port = {free}"), "can't be reached");
}

#[test]
fn a_key_file_that_others_can_read() {
    let server = Sshd::start();
    let key = server.destination().key;
    sshd::run(std::process::Command::new("chmod").arg("644").arg(&key));
    fails(&server, "zone = \"Europe/Paris\"", "zone = \"UTC\"", &key.display().to_string());
}
