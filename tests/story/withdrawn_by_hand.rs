//! `exportd redeliver` of files with a column that their job no longer exports, or for another recipient: refused by
//! name, and the run stays as it was.

use std::fs;

use serde_json::Value;

use crate::support::night::{self, WITH_EMAIL, WITHOUT_EMAIL};
use crate::support::oracle;
use crate::support::program::{Outcome, Program};
use crate::support::shop;
use crate::support::sshd::Sshd;

/// A program and its only run, which is delivered and gone from the partner's directory.
fn delivered(server: &Sshd) -> (Program, String, Vec<(String, Vec<u8>)>) {
    let program = night::program_with_email(server, "");
    program.run(&["run", "shop"]).expect(0);
    let run = oracle::runs(&program)[0].0.id.to_string();
    let contents = take_all(server);
    assert_eq!(contents.len(), 3);
    (program, run, contents)
}

/// Takes all files out of the partner's directory.
fn take_all(server: &Sshd) -> Vec<(String, Vec<u8>)> {
    let take = |name: String| {
        let path = server.directory().join(&name);
        let content = fs::read(&path).unwrap();
        fs::remove_file(path).unwrap();
        (name, content)
    };
    server.names().into_iter().map(take).collect()
}

/// All that is recorded of a run, and its files in the spool.
fn everything(program: &Program, run: &str) -> (Value, Vec<u8>) {
    let shown = program.run(&["show", run, "--json"]).expect(0).json();
    (shown, shop::everything_in(&program.path("state/spool").join(run)))
}

/// Redelivers a run in vain, and finds it as it was.
#[track_caller]
fn refused(program: &Program, servers: &[&Sshd], arguments: &[&str]) -> Outcome {
    let before = everything(program, arguments[0]);
    let outcome = program.run(&[&["redeliver"], arguments].concat()).expect(1);
    assert!(everything(program, arguments[0]) == before, "the run is not as it was");
    for server in servers {
        assert_eq!(server.names(), Vec::<String>::new());
    }
    outcome
}

#[test]
fn a_withdrawn_column_is_refused_by_name_until_it_is_allowed_again() {
    let server = Sshd::start();
    let (program, run, contents) = delivered(&server);
    night::configure_exports(&program, &server, WITHOUT_EMAIL, "");
    let told = refused(&program, &[&server], &[&run]).err;
    assert!(told.contains("job shop no longer exports orders (email)"), "{told}");
    let due = exportd::run::rfc3339(&oracle::runs(&program)[0].0.due);
    assert!(told.contains(&format!("exportd run shop --at {due}")) && !told.contains("recipient"), "{told}");
    let allowed = refused(&program, &[&server], &[&run, "--to-new-recipient"]).err;
    assert_eq!(allowed, told, "nothing allows a column");

    night::configure_exports(&program, &server, WITH_EMAIL, "");
    program.run(&["redeliver", &run]).expect(0);
    assert_eq!(take_all(&server), contents);
}

#[test]
fn another_recipient_has_to_be_allowed() {
    let (server, other) = (Sshd::start(), Sshd::start());
    let (program, run, contents) = delivered(&server);
    night::configure_exports(&program, &other, WITH_EMAIL, "");
    let told = refused(&program, &[&server, &other], &[&run]).err;
    let (before, now) = (format!("@127.0.0.1:{}", server.port()), format!("@127.0.0.1:{}", other.port()));
    assert!(told.contains(&before) && told.contains(&now) && told.contains("--to-new-recipient"), "{told}");

    night::configure_exports(&program, &other, WITHOUT_EMAIL, "");
    let both = refused(&program, &[&server, &other], &[&run]).err;
    assert!(both.contains("orders (email)") && both.contains(&now) && !both.contains("--to-new"), "{both}");
    let still = refused(&program, &[&server, &other], &[&run, "--to-new-recipient"]).err;
    assert!(still.contains("orders (email)") && !still.contains(&now), "{still}");

    night::configure_exports(&program, &other, WITH_EMAIL, "");
    program.run(&["redeliver", &run, "--to-new-recipient"]).expect(0);
    assert_eq!(take_all(&other), contents);
    assert_eq!(server.names(), Vec::<String>::new());
    program.run(&["redeliver", &run]).expect(0);
    assert_eq!(take_all(&other), contents, "it belongs to the recipient that it was sent to");
    let shown = program.run(&["show", &run]).expect(0).out;
    assert!(shown.contains(&format!("to {}{before}", crate::support::sshd::current_user())), "{shown}");
}

#[test]
fn another_recipient_gets_all_files_of_a_run_that_was_half_published() {
    let (server, other) = (Sshd::start(), Sshd::start());
    let program = night::program_with_email(&server, "");
    let mut command = program.command(&["run", "shop"]);
    let killed = command.env("EXPORTD_FAILPOINT", "state:published:after=kill").output().unwrap();
    assert_eq!(killed.status.code(), None);
    let run = oracle::runs(&program)[0].0.id.to_string();
    night::configure_exports(&program, &other, WITH_EMAIL, "");
    program.run(&["redeliver", &run, "--to-new-recipient"]).expect(0);
    let names = other.names();
    assert!(names.len() == 3 && names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}

#[test]
fn what_an_earlier_version_has_spooled_is_refused_and_made_anew_by_the_command_that_is_named() {
    let server = Sshd::start();
    let (program, run, contents) = delivered(&server);
    night::forget_clearance(&program);
    let told = refused(&program, &[&server], &[&run, "--to-new-recipient"]).err;
    assert!(told.contains("an earlier version of exportd"), "{told}");
    let (_, command) =
        told.trim_end().split_once("exportd ").and_then(|(_, rest)| rest.split_once("exportd ")).unwrap();
    let words: Vec<&str> = command.split(' ').collect();
    program.run(&words).expect(0);
    let csv = |files: Vec<(String, Vec<u8>)>| files.into_iter().filter(|(name, _)| name.ends_with(".csv"));
    assert!(csv(take_all(&server)).eq(csv(contents)), "of the same period");
}

#[test]
fn a_run_without_files_in_the_spool_is_refused_for_that() {
    let server = Sshd::start();
    let (program, run, _) = delivered(&server);
    night::configure_exports(&program, &server, WITHOUT_EMAIL, "");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("[state]\n", "[state]\nkeep = \"0s\"\n"));
    let told = program.run(&["redeliver", &run]).expect(1).err;
    assert!(told.contains("has no files in the spool"), "{told}");
}
