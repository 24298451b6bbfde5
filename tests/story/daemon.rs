//! The daemon: a job at its minute, a broken file on reload, a second daemon, a stop, many jobs of one server.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::fs;

use crate::support::counted::Counted;
use crate::support::night;
use crate::support::service::Service;
use crate::support::shop;
use crate::support::sshd::Sshd;

/// The shop's job, due at the next full minute that leaves the daemon time to start, in a zone of its own.
fn due_soon(server: &Sshd) -> (String, String) {
    let zone = TimeZone::get("America/St_Johns").unwrap();
    let due = (Timestamp::now() + SignedDuration::from_secs(65)).to_zoned_datetime(zone);
    let at = due.strftime("%H:%M").to_string();
    let config = shop::config(server, &format!("at = \"{at}\"")).replace("Europe/Paris", "America/St_Johns");
    (config, format!("{}T{at}:00", due.date()))
}

#[test]
fn a_job_runs_at_its_minute_and_a_broken_file_changes_nothing() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let (config, due) = due_soon(&server);
    program.configure(&config);
    let mut daemon = Service::start(&program);
    daemon.says("the daemon is up");

    let second = program.run(&["serve"]).expect(3);
    assert!(second.err.contains(&daemon.id().to_string()), "says who holds the state: {}", second.err);

    program.configure(&config.replace("run = \"daily\"", "run = \"dayly\""));
    daemon.signal("HUP");
    let refused = daemon.says("dayly");
    assert!(refused.contains("jobs.toml"), "{refused}");

    daemon.says("delivered");
    program.configure(&config);
    let history = program.run(&["history", "--json"]).expect(0).json();
    assert_eq!(history.as_array().unwrap().len(), 1);
    assert_eq!(history[0]["trigger"], "schedule");
    assert_eq!(history[0]["state"], "delivered");
    assert!(history[0]["due"].as_str().unwrap().starts_with(&due), "{} is not {due}", history[0]["due"]);
    assert_eq!(server.names().len(), 1);

    daemon.stop();
}

#[test]
fn many_jobs_of_one_server_share_its_connections() {
    let server = Counted::start();
    let program = night::program(&server.sshd, "");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    let (head, job) = config.split_once("[[job]]").unwrap();
    let labels: Vec<String> = (0..12).map(|number| format!("shop{number}")).collect();
    let jobs: Vec<String> =
        labels.iter().map(|label| job.replace("label = \"shop\"", &format!("label = \"{label}\""))).collect();
    fs::write(program.path("jobs.toml"), format!("{head}[[job]]{}", jobs.join("[[job]]"))).unwrap();

    let one_by_one: Vec<&str> = ["run"].into_iter().chain(labels.iter().map(String::as_str)).collect();
    program.run(&one_by_one).expect(0);
    assert_eq!(server.sessions().len(), 1, "one command, one connection");

    night::last_up_all(&program, &labels.iter().map(String::as_str).collect::<Vec<_>>(), 2);
    let mut service = Service::start(&program);
    for _ in 0..24 {
        service.says("\"delivered\"");
    }
    service.stop();
    let sessions = server.sessions().len() - 1;
    assert!((1..=4).contains(&sessions), "24 runs, {sessions} connections");
}
