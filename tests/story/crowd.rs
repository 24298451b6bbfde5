//! A crowd of jobs due at once, interrupted in the middle in every way that an administrator or fate knows.

use std::time::{Duration, Instant};

use exportd::run::RunState;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::shop;
use crate::support::sshd::Sshd;

/// Ten times as many as a host takes at once.
const JOBS: usize = 40;

/// A program whose jobs have all missed one night.
fn program(server: &Sshd) -> Program {
    let program = night::program(server, "");
    // No night falls while the test lasts.
    let at = (Timestamp::now() - 12.hours()).to_zoned_datetime(TimeZone::UTC).strftime("%H:%M").to_string();
    let config = shop::config(server, "").replace("timezone = \"Europe/Paris\"", &format!("at = \"{at}\""));
    let (head, job) = config.split_once("[[job]]").unwrap();
    let labels: Vec<String> = (0..JOBS).map(|number| format!("job{number}")).collect();
    let jobs = labels.iter().map(|label| format!("[[job]]{}", job.replace("\"shop\"", &format!("\"{label}\""))));
    program.configure(&format!("{head}{}", jobs.collect::<String>()));
    night::last_up_all(&program, &labels.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    program
}

/// Waits until some more of them are delivered.
fn sees_delivered(service: &mut Service, count: usize) {
    (0..count).for_each(|_| drop(service.says("\"delivered\"")));
}

/// How many are not delivered, the daemon having ended; all of those are queued.
fn queued(program: &Program) -> usize {
    let runs = oracle::runs(program);
    assert_eq!(runs.len(), JOBS);
    let left = runs.iter().filter(|(run, _)| run.state != RunState::Delivered);
    left.inspect(|(run, _)| assert_eq!(run.state, RunState::Queued, "{}", run.job)).count()
}

#[test]
fn a_crowd_that_is_killed_reloaded_and_stopped_is_delivered_once_and_whole() {
    let server = Sshd::start();
    let program = program(&server);
    let watcher = Watcher::start(&server.directory());

    let mut killed = Service::start(&program);
    sees_delivered(&mut killed, 5);
    killed.kill();

    let mut stopped = Service::start(&program);
    sees_delivered(&mut stopped, 5);
    program.run(&["status"]).expect(0);
    stopped.signal("HUP");
    stopped.says("was read again");
    sees_delivered(&mut stopped, 5);
    let told = Instant::now();
    stopped.stop();
    assert!(told.elapsed() < Duration::from_secs(20), "those that wait are not waited for");
    let left = queued(&program);
    assert!(left > 0, "the end was to come in the middle");

    let mut last = Service::start(&program);
    sees_delivered(&mut last, left);
    last.stop();
    assert_eq!(oracle::settle(&program, watcher).runs.len(), JOBS);
}
