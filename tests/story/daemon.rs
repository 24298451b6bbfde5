//! The daemon: a job at its minute, a broken file on reload, a second daemon, a stop.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::support::service::Service;
use crate::support::shop;
use crate::support::sshd::Sshd;

/// The shop's job, due at the next full minute that leaves the daemon time to start, in a zone of its own.
fn due_soon(server: &Sshd) -> (String, String) {
    let zone = TimeZone::get("America/St_Johns").unwrap();
    let due = (Timestamp::now() + SignedDuration::from_secs(65)).to_zoned(zone);
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
