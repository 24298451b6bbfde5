//! A real daemon whose wall clock is set while it runs.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use serde_json::Value;

use crate::support::false_clock::FalseClock;
use crate::support::hook::Hook;
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::shop;
use crate::support::sshd::Sshd;

const DAY: i64 = 86_400;

/// The shop's job, due in six hours, and that due time.
fn due_later(server: &Sshd, more: &str) -> (Program, ZonedDateTime) {
    let program = shop::program(server, "");
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let soon = (Timestamp::now() + SignedDuration::from_hours(6)).to_zoned_datetime(zone);
    let due = soon.with().second(0).subsec_nanosecond(0).build().unwrap();
    let config = shop::config(server, &format!("at = \"{}\"", due.strftime("%H:%M")));
    program.configure(&config.replace("[state]", &format!("{more}\n[state]")));
    (program, due)
}

/// Adds an order of the day before `due`.
fn order(program: &Program, due: &ZonedDateTime) {
    let at = due.start_of_day().unwrap().timestamp() - SignedDuration::from_hours(1);
    let insert = r#"INSERT INTO "order""; --" ("placed at", "größe", total, paid) VALUES (?1, 'XL', '12.5', 1)"#;
    rusqlite::Connection::open(program.path("shop.db")).unwrap().execute(insert, [at.to_string()]).unwrap();
}

fn status(clock: &FalseClock, program: &Program, code: i32) -> Value {
    clock.run(program, &["status", "--json"]).expect(code).json()
}

#[test]
fn a_clock_that_is_a_day_ahead_for_a_moment_makes_no_file() {
    let server = Sshd::start();
    let (program, due) = due_later(&server, "");
    let mut clock = FalseClock::new(&program);
    let mut daemon = Service::launch(clock.command(&program, &["serve"]));
    daemon.says("the daemon is up");
    clock.set(DAY);
    daemon.says("the clock jumped ahead by 1 d");
    let held = status(&clock, &program, 0);
    assert!(held["clock"]["held"].as_str().unwrap().contains("held for five minutes"), "{held}");
    assert_eq!(held["jobs"][0]["next_due"], exportd::run::rfc3339(&due), "what is held is next");
    let screen = clock.run(&program, &["status"]).expect(0).out;
    assert!(screen.contains("CLOCK"), "{screen}");
    clock.set(0);
    daemon.says("the clock is right again");
    assert_eq!(status(&clock, &program, 0)["clock"]["held"], Value::Null);
    daemon.stop();
    assert_eq!(program.run(&["history", "--json"]).expect(0).json(), serde_json::json!([]));
    assert!(server.names().is_empty());
    let events = program.run(&["history", "--events"]).expect(0).out;
    assert!(events.contains("jumped ahead") && events.contains("right again"), "{events}");
}

#[test]
fn a_file_made_too_early_is_told_and_made_again_when_its_time_comes() {
    let server = Sshd::start();
    let hook = Hook::start("204 No Content");
    let (program, due) = due_later(&server, &format!("[notify]\nurl = \"http://127.0.0.1:{}/hook\"", hook.port));
    order(&program, &due);
    let mut clock = FalseClock::new(&program);
    // The system says so of a clock that is wrong: what may follow from that is what this story is about.
    clock.synchronise(true);
    let mut daemon = Service::launch(clock.command(&program, &["serve"]));
    daemon.says("the daemon is up");
    clock.set(DAY);
    daemon.says("\"delivered\"");
    clock.set(0);
    daemon.says("was set back");
    daemon.says("1 due time up to");
    let notice = hook.posted().body;
    assert_eq!((&notice["event"], &notice["run"]), (&Value::from("clock"), &Value::Null));
    assert!(notice["text"].as_str().unwrap().contains("set back"), "{notice}");
    let ahead = status(&clock, &program, 1);
    assert_eq!((&ahead["well"], &ahead["clock"]["decided_ahead"]["occurrences"]), (&false.into(), &1.into()));
    assert_eq!(ahead["jobs"][0]["next_due"], exportd::run::rfc3339(&due));
    let screen = clock.run(&program, &["status"]).expect(1).out;
    assert!(screen.contains("CLOCK"), "{screen}");

    order(&program, &due);
    let left = due.timestamp().duration_since(clock.now()).as_secs();
    clock.set(left + 3);
    daemon.says("its occurrence is run again");
    daemon.says("\"delivered\"");
    assert_eq!(status(&clock, &program, 0)["well"], true);
    daemon.stop();
    let history = clock.run(&program, &["history", "--json"]).expect(0).json();
    let rows: Vec<u64> = (0..2).map(|run| history[run]["files"][0]["rows"].as_u64().unwrap()).collect();
    assert_eq!(history[0]["due"], history[1]["due"]);
    assert_eq!(rows[0].max(rows[1]), rows[0].min(rows[1]) + 1, "{history}");
    assert_eq!(server.names().len(), 1, "it has replaced the early one");
    let lines = std::fs::read_to_string(server.directory().join(&server.names()[0])).unwrap().lines().count() as u64;
    assert_eq!(lines, rows[0].max(rows[1]) + 1);
}
