//! `kill -9` at every step: what was begun goes on at the next start, once, whole, and nothing is left behind.
//!
//! Each story arms one fail point at its first passage, then at its second, until a run passes untouched.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use exportd::failpoint::POINTS;

use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::sshd::{Sshd, names_in};

const DECIDING: &[&str] =
    &["state:decide", "state:start", "state:temporaries", "destination:reach", "state:released", "state:finish"];
const READING: &[&str] = &["spool:folder", "spool:open", "spool:write", "spool:sync", "spool:entry", "state:spooled"];
const STAGING: &[&str] = &["state:stage"];
const UPLOADING: &[&str] = &["state:uploading", "destination:upload"];
const PUBLISHING: &[&str] = &["destination:rename", "state:published"];
const CLEARING: &[&str] = &["spool:remove", "state:forget"];
const WAITING: &[&str] = &["state:wait"];
const REFUSED: &[&str] = &["destination:clean"];
const ANEW: &[&str] = &["state:discard"];
const BY_HAND: &[&str] = &["state:reopen", "state:hand-over", "state:fall-back"];

#[test]
fn every_point_has_its_story() {
    let told = [DECIDING, READING, STAGING, UPLOADING, PUBLISHING, CLEARING, WAITING, REFUSED, ANEW, BY_HAND];
    let told: BTreeSet<&str> = told.into_iter().flatten().copied().collect();
    assert_eq!(told, POINTS.iter().copied().collect());
}

#[test]
fn killed_while_it_decides_what_is_due_and_reaches_the_partner() {
    each_passage(DECIDING, "");
}

#[test]
fn killed_while_it_reads_the_store() {
    each_passage(READING, "");
}

#[test]
fn killed_between_two_stages() {
    each_passage(STAGING, "");
}

#[test]
fn killed_while_it_uploads() {
    each_passage(UPLOADING, "");
}

#[test]
fn killed_while_it_publishes() {
    each_passage(PUBLISHING, "");
}

#[test]
fn killed_while_it_publishes_where_nothing_may_be_replaced() {
    each_passage(PUBLISHING, "publish = \"refuse\"");
}

#[test]
fn killed_while_it_writes_in_place() {
    let points = ["destination:reach", "state:spooled", "state:stage", "destination:upload", "state:published"];
    each_passage(&points, "publish = \"direct\"");
}

#[test]
fn killed_before_it_renames_what_is_then_to_be_written_in_place() {
    let server = Sshd::start();
    for place in ["destination:rename:before", "destination:rename:after"] {
        let program = night::program(&server, "");
        night::last_up(&program, 1);
        Service::with_failpoint(&program, &format!("{place}=kill")).was_killed();
        night::configure(&program, &server, "publish = \"direct\"");
        let watcher = Watcher::start(&server.directory());
        deliver(&program);
        oracle::settle(&program, watcher);
        clear(&server);
    }
}

#[test]
fn killed_while_it_clears_the_spool() {
    each_passage(CLEARING, "keep = \"0s\"");
}

#[test]
fn killed_while_it_puts_a_run_off() {
    for side in ["before", "after"] {
        let mut server = Sshd::start();
        let program = night::program(&server, "");
        night::last_up(&program, 1);
        let watcher = Watcher::start(&server.directory());
        server.stop();
        Service::with_failpoint(&program, &format!("state:wait:{side}=kill")).was_killed();
        server.start_again();
        deliver(&program);
        oracle::settle(&program, watcher);
    }
}

#[test]
fn killed_while_it_takes_files_away_that_the_partner_refuses() {
    let server = Sshd::start();
    for side in ["before", "after"] {
        let program = night::program(&server, "");
        // Long enough to look at the directory between two attempts.
        let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
        program.configure(&config.replace("\"1s\"", "\"10s\""));
        night::last_up(&program, 1);
        // A folder has the name of the second file: the first one is published when that is found out.
        let second = dry_run_names(&program).into_iter().find(|name| name.ends_with("invoices.csv"));
        let obstacle = server.directory().join(second.expect("the job makes a file of invoices"));
        fs::create_dir(&obstacle).unwrap();
        Service::with_failpoint(&program, &format!("destination:clean:{side}=kill")).was_killed();

        let mut service = Service::start(&program);
        service.says("retry_at");
        service.stop();
        assert!(!server.names().iter().any(|name| name.ends_with(".part")), "{:?}", server.names());

        fs::remove_dir(&obstacle).unwrap();
        let watcher = Watcher::start(&server.directory());
        deliver(&program);
        oracle::settle(&program, watcher);
        clear(&server);
    }
}

#[test]
fn killed_while_a_person_redelivers() {
    let server = Sshd::start();
    for failpoint in
        ["state:reopen:before", "state:reopen:after", "destination:rename:after", "destination:rename:before@2"]
    {
        let program = night::program(&server, "");
        let (place, nth) = failpoint.split_once('@').unwrap_or((failpoint, "1"));
        program.run(&["run", "shop"]).expect(0);
        let (run, _) = &oracle::runs(&program)[0];
        let command = ["redeliver", run.id.as_str()];
        let killed =
            program.command(&command).env("EXPORTD_FAILPOINT", format!("{place}=kill@{nth}")).output().unwrap();
        assert_eq!(killed.status.code(), None, "{place}");
        let history = program.run(&["history", "--json"]).expect(0).json();
        assert_eq!(history[0]["state"], "delivered", "it was delivered once, and still is");
        program.run(&command).expect(0);
        oracle::settle(&program, Watcher::start(&server.directory()));
        clear(&server);
    }
}

#[test]
fn killed_while_it_makes_files_anew() {
    let server = Sshd::start();
    for place in ["state:discard:before", "state:discard:after", "spool:remove:before", "spool:remove:after"] {
        let program = night::program_with_email(&server, "");
        night::last_up(&program, 1);
        Service::with_failpoint(&program, "destination:rename:before=kill").was_killed();
        let watcher = Watcher::start(&server.directory());
        night::configure_exports(&program, &server, night::WITHOUT_EMAIL, "");
        Service::with_failpoint(&program, &format!("{place}=kill")).was_killed();
        deliver(&program);
        oracle::settle(&program, watcher);
        assert!(!night::holds_email(&server.directory()), "{place}");
        let shown = program.run(&["show", oracle::runs(&program)[0].0.id.as_str(), "--json"]).expect(0).out;
        assert!(shown.contains("no longer exports orders (email)"), "{place}: why is on record\n{shown}");
        clear(&server);
    }
}

#[test]
fn killed_while_a_person_redelivers_to_another_recipient() {
    let (server, other) = (Sshd::start(), Sshd::start());
    for side in ["before", "after"] {
        let program = night::program(&server, "");
        program.run(&["run", "shop"]).expect(0);
        let (run, _) = &oracle::runs(&program)[0];
        night::configure(&program, &other, "");
        let command = ["redeliver", run.id.as_str(), "--to-new-recipient"];
        let killed =
            program.command(&command).env("EXPORTD_FAILPOINT", format!("state:hand-over:{side}=kill")).output();
        assert_eq!(killed.unwrap().status.code(), None, "{side}");
        assert_eq!(program.run(&["history", "--json"]).expect(0).json()[0]["state"], "delivered");
        program.run(&command).expect(0);
        oracle::settle(&program, Watcher::start(&other.directory()));
        clear(&server);
        clear(&other);
    }
}

#[test]
fn killed_while_it_records_that_a_command_failed() {
    let mut server = Sshd::start();
    let program = night::program(&server, "");
    server.stop();
    let mut command = program.command(&["run", "shop"]);
    let killed = command.env("EXPORTD_FAILPOINT", "state:fall-back:before=kill").output().unwrap();
    assert_eq!(killed.status.code(), None);
    let history = program.run(&["history", "--json"]).expect(0).json();
    assert_eq!(history[0]["state"], "failed");
    assert!(history[0]["error"].as_str().unwrap().contains("ended in the middle"), "{}", history[0]["error"]);
    let again = program.command(&["run", "shop"]).env("EXPORTD_FAILPOINT", "state:fall-back:after=kill").output();
    assert_eq!(again.unwrap().status.code(), None);
    let history = program.run(&["history", "--json"]).expect(0).json();
    assert!(history[0]["error"].as_str().unwrap().contains("can't be reached"), "{}", history[0]["error"]);
}

#[track_caller]
fn each_passage(points: &[&str], more: &str) {
    let server = Sshd::start();
    each_passage_of(points, &server.directory(), || keeping(&server, more));
}

/// A program whose job has the keys `more`, and whose state has those of them that begin with `keep`.
fn keeping(server: &Sshd, more: &str) -> Program {
    let (state, job): (Vec<&str>, Vec<&str>) = more.lines().partition(|line| line.starts_with("keep"));
    let program = night::program(server, &job.join("\n"));
    if let [keep] = state[..] {
        let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
        program.configure(&config.replace("[state]\n", &format!("[state]\n{keep}\n")));
    }
    program
}

/// Kills a daemon of a new program at each passage of each point, lets another one continue, and asks the oracles.
#[track_caller]
pub fn each_passage_of(points: &[&str], directory: &Path, new: impl Fn() -> Program) {
    for point in points {
        for side in ["before", "after"] {
            let failpoint = |nth| format!("{point}:{side}=kill@{nth}");
            let passages = (1..).take_while(|nth| is_survived(&new(), directory, &failpoint(*nth))).count();
            // Some steps of the spool have no side after: what follows them at once has a point of its own.
            let has_side = side == "before" || !["spool:open", "spool:write", "spool:sync"].contains(point);
            assert_eq!(passages > 0, has_side, "{point}:{side} was passed {passages} times");
        }
    }
}

/// False if nothing was killed, because the point was not passed that often.
fn is_survived(program: &Program, directory: &Path, failpoint: &str) -> bool {
    night::last_up(program, 1);
    let watcher = Watcher::start(directory);
    let mut service = Service::with_failpoint(program, failpoint);
    let was_killed = service.says_or_ends("\"delivered\"").is_none();
    if was_killed {
        service.was_killed();
        deliver(program);
    } else {
        service.stop();
    }
    let settled = oracle::settle(program, watcher);
    assert_eq!(settled.runs.len(), 1, "{failpoint}");
    for name in names_in(directory) {
        fs::remove_file(directory.join(name)).unwrap();
    }
    was_killed
}

/// Starts the daemon, waits until the one run is delivered, and stops it.
fn deliver(program: &Program) {
    let mut service = Service::start(program);
    if oracle::runs(program).iter().any(|(run, _)| run.state.name() == "delivered") {
        service.says("the daemon is up");
    } else {
        service.says("\"delivered\"");
    }
    service.stop();
}

fn dry_run_names(program: &Program) -> Vec<String> {
    program.run(&["run", "shop", "--dry-run", "--output", "names"]).expect(0);
    names_in(&program.path("names"))
}

fn clear(server: &Sshd) {
    for name in server.names() {
        fs::remove_file(server.directory().join(name)).unwrap();
    }
}
