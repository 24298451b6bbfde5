//! A daemon whose wall clock is wrong for a while, in either direction: nothing runs too early, nothing is lost.

use exportd::daemon::RunResult;
use exportd::job::Job;
use exportd::run::{EventKind, RunState};
use exportd::state::State;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::support::daemon::{Begun, TestDaemon, runs};
use crate::support::jobs::daily;

/// A daemon that sees `nightly`, due at 04:00, for the first time at noon on 21 November 2026.
async fn at_noon(dir: &TempDir) -> TestDaemon {
    TestDaemon::start(dir.path(), "2026-11-21T12:00:00Z", vec![daily("nightly", 4, 0)]).await
}

/// Delivers a run that was read at `read`, as the daemon's clock shows it.
async fn deliver(daemon: &TestDaemon, begun: Begun, read: &str) {
    let (run, read) = (begun.run.clone(), read.parse().unwrap());
    daemon.state.stage(&run.id, exportd::run::Stage::Querying, read).await.unwrap();
    begun.end(RunResult::Delivered);
    daemon.settled(&run).await;
}

/// Lets the nights from the 22nd to the 25th pass, each with its delivery.
async fn four_nights(daemon: &mut TestDaemon) {
    for day in 22..26 {
        daemon.set(&format!("2026-11-{day}T04:00:00Z")).await;
        let begun = daemon.begun().await;
        deliver(daemon, begun, &format!("2026-11-{day}T04:00:01Z")).await;
    }
}

async fn clock_events(state: &State) -> Vec<String> {
    let mut events = state.events(0, 100).await.unwrap();
    events.retain(|event| event.kind == EventKind::Clock);
    events.reverse();
    events.into_iter().map(|event| event.text).collect()
}

/// How many due times are decided that lie in the future at `now`.
async fn ahead(state: &State, now: &str) -> u64 {
    let now: Timestamp = now.parse().unwrap();
    state.decided_ahead(now).await.unwrap().map_or(0, |ahead| ahead.occurrences)
}

#[tokio::test]
async fn a_clock_that_is_a_day_ahead_for_three_seconds_runs_nothing() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_noon(&dir).await;
    daemon.jump("2026-11-22T12:00:00Z").await;
    daemon.assert_nothing_began().await;
    assert!(daemon.state.held_clock().await.unwrap().unwrap().contains("jumped ahead by 1 d 0 h"));
    daemon.jump("2026-11-21T12:00:03Z").await;
    daemon.assert_nothing_began().await;
    assert_eq!(daemon.state.held_clock().await.unwrap(), None);
    assert!(daemon.runs("nightly").await.is_empty(), "nothing is decided");
    assert_eq!(clock_events(&daemon.state).await.len(), 2, "the jump, and the return");
    daemon.set("2026-11-22T04:00:00Z").await;
    assert_eq!(daemon.begun().await.run.due.day(), 22);
}

#[tokio::test]
async fn what_falls_due_in_its_own_time_runs_while_a_jump_is_held() {
    let dir = TempDir::new().unwrap();
    let mut daemon = TestDaemon::start(dir.path(), "2026-11-22T03:58:00Z", vec![daily("nightly", 4, 0)]).await;
    daemon.jump("2026-12-22T03:58:00Z").await;
    daemon.set("2026-12-22T03:59:59Z").await;
    daemon.assert_nothing_began().await;
    daemon.set("2026-12-22T04:00:00Z").await;
    assert_eq!(daemon.begun().await.run.due.date().to_string(), "2026-11-22");
    daemon.assert_nothing_began().await;
}

#[tokio::test]
async fn a_jump_that_stands_is_accepted_after_five_minutes_or_at_once_where_the_clock_is_synchronised() {
    for is_synchronised in [false, true] {
        let dir = TempDir::new().unwrap();
        let mut daemon = at_noon(&dir).await;
        daemon.jump("2026-11-22T12:00:00Z").await;
        if is_synchronised {
            daemon.synchronise(true).await;
        } else {
            daemon.set("2026-11-22T12:04:59Z").await;
            daemon.assert_nothing_began().await;
            daemon.set("2026-11-22T12:05:00Z").await;
        }
        assert_eq!(daemon.begun().await.run.due.day(), 22, "{is_synchronised}");
        assert_eq!(daemon.state.held_clock().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_file_made_by_a_clock_that_was_ahead_is_made_again_when_its_time_comes() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_noon(&dir).await;
    daemon.synchronise(true).await;
    for _ in 0..2 {
        daemon.jump("2026-11-23T10:00:00Z").await;
    }
    for _ in 0..2 {
        let begun = daemon.begun().await;
        deliver(&daemon, begun, "2026-11-23T10:00:01Z").await;
    }
    for _ in 0..2 {
        daemon.jump("2026-11-21T12:00:10Z").await;
    }
    assert_eq!(ahead(&daemon.state, "2026-11-21T12:00:10Z").await, 2);
    let told = clock_events(&daemon.state).await;
    assert!(told.last().unwrap().contains("2 due times up to 2026-11-23T04:00:00Z"), "{told:?}");
    daemon.set("2026-11-22T03:59:59Z").await;
    daemon.assert_nothing_began().await;
    daemon.set("2026-11-22T04:00:00Z").await;
    let again = daemon.begun().await;
    assert_eq!((again.run.due.day(), again.run.attempts), (22, 1));
    deliver(&daemon, again, "2026-11-22T04:00:00Z").await;
    assert_eq!(ahead(&daemon.state, "2026-11-22T04:00:01Z").await, 1);
    daemon.set("2026-11-23T04:00:02Z").await;
    assert_eq!(daemon.begun().await.run.due.day(), 23);
    assert_eq!(ahead(&daemon.state, "2026-11-23T04:00:02Z").await, 0);
    let expected = [
        "2026-11-22T04:00:00Z delivered missed",
        "2026-11-22T04:00:00Z delivered schedule",
        "2026-11-23T04:00:00Z delivered missed",
        "2026-11-23T04:00:00Z running schedule",
    ];
    let mut all = daemon.runs("nightly").await;
    all.sort();
    assert_eq!(all, expected);
    // What was made again is not made a third time.
    daemon.assert_nothing_began().await;
}

#[tokio::test]
async fn an_early_file_is_made_again_by_a_daemon_that_was_down_at_its_time() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_noon(&dir).await;
    daemon.synchronise(true).await;
    for _ in 0..2 {
        daemon.jump("2026-11-22T12:00:00Z").await;
    }
    let begun = daemon.begun().await;
    deliver(&daemon, begun, "2026-11-22T12:00:01Z").await;
    for _ in 0..2 {
        daemon.jump("2026-11-21T12:00:10Z").await;
    }
    daemon.stop().await.close().await;
    // By now the time at which it was read seems to be over.
    let mut daemon = TestDaemon::start(dir.path(), "2026-11-22T20:00:00Z", vec![daily("nightly", 4, 0)]).await;
    let again = daemon.begun().await;
    assert_eq!((again.run.due.day(), again.run.trigger.name()), (22, "missed"));
}

#[tokio::test]
async fn a_clock_that_was_400_days_ahead_stops_nothing_when_it_is_right_again() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_noon(&dir).await;
    for _ in 0..2 {
        daemon.jump("2027-12-26T12:00:00Z").await;
    }
    daemon.set("2027-12-26T12:05:00Z").await;
    let early = daemon.begun().await;
    assert_eq!(early.run.due.date().to_string(), "2026-11-22");
    daemon.jump("2026-11-21T12:05:10Z").await;
    assert_eq!(daemon.state.unfinished().await.unwrap().len(), 400, "one runs, the others are queued");
    daemon.set("2026-11-21T12:10:10Z").await;
    early.end(RunResult::Delivered);
    daemon.assert_nothing_began().await;
    // A job that comes now, and one whose time changes, run when they should.
    daemon.reload(Ok(vec![daily("nightly", 5, 0), daily("new", 4, 30)])).await;
    daemon.set("2026-11-22T04:30:00Z").await;
    assert_eq!(daemon.begun().await.job.label, "new");
    daemon.set("2026-11-22T05:00:00Z").await;
    let next = daemon.begun().await;
    assert_eq!((next.job.label.as_str(), next.run.due.date().to_string().as_str()), ("nightly", "2026-11-22"));
}

#[tokio::test]
async fn a_job_first_seen_by_a_clock_that_was_ahead_does_not_wait_for_that_time() {
    let dir = TempDir::new().unwrap();
    let jobs: Vec<Job> = vec![daily("nightly", 4, 0)];
    let mut daemon = TestDaemon::start(dir.path(), "2030-01-01T00:00:00Z", jobs).await;
    daemon.jump("2026-11-21T12:00:00Z").await;
    daemon.set("2026-11-21T12:05:00Z").await;
    daemon.set("2026-11-22T04:00:00Z").await;
    assert_eq!(daemon.begun().await.run.due.date().to_string(), "2026-11-22");
}

#[tokio::test]
async fn a_clock_that_begins_in_1970_repeats_no_history() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_noon(&dir).await;
    four_nights(&mut daemon).await;
    daemon.stop().await.close().await;
    let mut daemon = TestDaemon::start(dir.path(), "1970-01-01T00:00:10Z", vec![daily("nightly", 4, 0)]).await;
    assert_eq!(ahead(&daemon.state, "1970-01-01T00:00:10Z").await, 4);
    daemon.set("1970-01-01T00:06:00Z").await;
    daemon.set("1970-01-03T12:00:00Z").await;
    daemon.assert_nothing_began().await;
    for _ in 0..2 {
        daemon.jump("2026-11-25T16:00:00Z").await;
    }
    daemon.set("2026-11-25T16:05:00Z").await;
    daemon.assert_nothing_began().await;
    assert_eq!(daemon.runs("nightly").await.len(), 4);
    daemon.set("2026-11-26T04:00:00Z").await;
    assert_eq!(daemon.begun().await.run.due.day(), 26);
}

#[tokio::test]
async fn a_clock_that_was_days_behind_repeats_nothing_when_it_is_right_again() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_noon(&dir).await;
    four_nights(&mut daemon).await;
    daemon.jump("2026-11-23T12:00:00Z").await;
    daemon.set("2026-11-23T12:06:00Z").await;
    daemon.jump("2026-11-25T04:07:00Z").await;
    daemon.set("2026-11-25T04:13:00Z").await;
    daemon.assert_nothing_began().await;
    assert_eq!(daemon.runs("nightly").await.len(), 4);
    assert_eq!(ahead(&daemon.state, "2026-11-25T04:13:00Z").await, 0);
}

#[tokio::test]
async fn a_start_after_two_days_without_a_synchronised_clock_waits_five_minutes() {
    let dir = TempDir::new().unwrap();
    at_noon(&dir).await.stop().await.close().await;
    let mut daemon = TestDaemon::start(dir.path(), "2026-11-23T12:00:00Z", vec![daily("nightly", 4, 0)]).await;
    daemon.set("2026-11-23T12:04:59Z").await;
    daemon.assert_nothing_began().await;
    daemon.set("2026-11-23T12:05:00Z").await;
    let begun = daemon.begun().await;
    assert_eq!((begun.run.due.day(), begun.run.state), (22, RunState::Running));
    let state = daemon.kill().await;
    assert_eq!(runs(&state, "nightly").await.len(), 2);
}

#[tokio::test]
async fn files_read_early_and_not_delivered_are_read_again_at_their_time() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_noon(&dir).await;
    daemon.synchronise(true).await;
    for _ in 0..2 {
        daemon.jump("2026-11-22T12:00:00Z").await;
    }
    let begun = daemon.begun().await;
    let run = begun.run.clone();
    let read: Timestamp = "2026-11-22T12:00:01Z".parse().unwrap();
    daemon.state.stage(&run.id, exportd::run::Stage::Querying, read).await.unwrap();
    daemon.state.stage(&run.id, exportd::run::Stage::Spooled, read).await.unwrap();
    begun.end(RunResult::Failed { error: "the partner is away".to_owned(), passing: true });
    daemon.settled(&run).await;
    for _ in 0..2 {
        daemon.jump("2026-11-21T12:00:10Z").await;
    }
    daemon.set("2026-11-22T03:00:00Z").await;
    daemon.assert_nothing_began().await;
    daemon.set("2026-11-22T04:00:00Z").await;
    let again = daemon.begun().await;
    assert_eq!((&again.run.id, again.run.attempts), (&run.id, 2));
    let stage = daemon.state.detail(&run.id).await.unwrap().unwrap().stage.unwrap();
    assert_eq!(stage.name(), "claimed", "the store is read again");
}
