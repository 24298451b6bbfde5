//! The daemon: when a run begins, what becomes of occurrences nobody saw, and that none ever comes twice.

use exportd::clearance::Recipient;
use exportd::daemon::{Limits, RunResult, Signal};
use exportd::deliver::Hosts;
use exportd::job::{Job, Missed, Retry};
use exportd::run::RunState;
use std::time::Duration;
use tempfile::TempDir;

use crate::support::daemon::{TestDaemon, runs};
use crate::support::jobs::{daily, on_host};

/// A daemon that sees `jobs` for the first time at 03:00 on 21 November 2026.
async fn at_three(dir: &TempDir, jobs: Vec<Job>) -> TestDaemon {
    TestDaemon::start(dir.path(), "2026-11-21T03:00:00Z", jobs).await
}

#[tokio::test]
async fn a_job_begins_in_the_minute_it_is_due_and_not_before() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_three(&dir, vec![daily("nightly", 4, 0)]).await;
    daemon.set("2026-11-21T03:59:59.999Z").await;
    daemon.assert_nothing_began().await;
    daemon.set("2026-11-21T04:00:00Z").await;
    let begun = daemon.begun().await;
    assert_eq!((begun.job.label.as_str(), begun.run.attempts), ("nightly", 1));
    assert_eq!(begun.run.due.to_string(), "2026-11-21T04:00:00+00:00[UTC]");
    assert_eq!(begun.run.period.0.to_string(), "2026-11-20T00:00:00+00:00[UTC]");
    let run = begun.run.clone();
    begun.end(RunResult::Delivered);
    let run = daemon.settled(&run).await;
    assert_eq!((run.state, run.error), (RunState::Delivered, None));
    daemon.set("2026-11-21T23:59:59Z").await;
    daemon.assert_nothing_began().await;
}

#[tokio::test]
async fn a_clock_that_jumps_either_way_runs_nothing_twice_and_leaves_nothing_out() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_three(&dir, vec![daily("nightly", 4, 0)]).await;
    daemon.synchronise(true).await;
    for time in ["21T04:00:00", "21T03:00:00", "21T04:00:00", "23T12:00:00", "20T00:00:00", "23T12:00:00"] {
        // Once to be noticed, once to be accepted.
        daemon.jump(&format!("2026-11-{time}Z")).await;
        daemon.jump(&format!("2026-11-{time}Z")).await;
    }
    for day in [21, 22, 23] {
        let begun = daemon.begun().await;
        assert_eq!(begun.run.due.day(), day);
        begun.end(RunResult::Delivered);
    }
    daemon.assert_nothing_began().await;
    daemon.set("2026-11-24T04:00:30Z").await;
    assert_eq!(daemon.begun().await.run.due.day(), 24);
    assert_eq!(daemon.runs("nightly").await.len(), 4);
}

/// What a job of that rule does with three occurrences that it missed, in the order of its runs.
async fn after_three_days_down(missed: Missed) -> (Vec<i8>, Vec<String>) {
    let dir = TempDir::new().unwrap();
    let job = Job { missed, ..daily("nightly", 4, 0) };
    at_three(&dir, vec![job.clone()]).await.stop().await.close().await;
    let mut daemon = TestDaemon::start(dir.path(), "2026-11-23T12:00:00Z", vec![job]).await;
    daemon.synchronise(true).await;
    let mut days = Vec::new();
    while daemon.runs("nightly").await.iter().any(|run| run.contains("queued") || run.contains("running")) {
        let begun = daemon.begun().await;
        days.push(begun.run.due.day());
        let run = begun.run.clone();
        begun.end(RunResult::Delivered);
        daemon.settled(&run).await;
    }
    (days, daemon.runs("nightly").await)
}

#[tokio::test]
async fn missed_occurrences_follow_the_jobs_rule_and_none_is_lost_from_history() {
    let history = |states: [&str; 3]| {
        let days = [21, 22, 23].into_iter().zip(states);
        days.map(|(day, state)| format!("2026-11-{day}T04:00:00Z {state} missed")).collect::<Vec<_>>()
    };
    let (delivered, skipped) = ("delivered", "skipped");
    let all = after_three_days_down(Missed::All).await;
    assert_eq!(all, (vec![21, 22, 23], history([delivered; 3])));
    let latest = after_three_days_down(Missed::Latest).await;
    assert_eq!(latest, (vec![23], history([skipped, skipped, delivered])));
    assert_eq!(after_three_days_down(Missed::None).await, (vec![], history([skipped; 3])));
}

#[tokio::test]
async fn a_restart_around_the_due_time_misses_nothing() {
    let dir = TempDir::new().unwrap();
    let job = Job { missed: Missed::None, ..daily("nightly", 4, 0) };
    at_three(&dir, vec![job.clone()]).await.stop().await.close().await;
    let limits = Limits { grace: Duration::ZERO, ..Limits::default() };
    let daemon = TestDaemon::with_limits(dir.path(), "2026-11-21T04:00:20Z", vec![job.clone()], limits).await;
    let state = daemon.stop().await;
    assert_eq!(runs(&state, "nightly").await, ["2026-11-21T04:00:00Z queued schedule"], "parked, not lost");
    state.close().await;
    let mut daemon = TestDaemon::start(dir.path(), "2026-11-21T09:00:00Z", vec![job]).await;
    assert_eq!(daemon.begun().await.run.due.hour(), 4);
    assert_eq!(daemon.runs("nightly").await, ["2026-11-21T04:00:00Z running schedule"]);
}

#[tokio::test]
async fn a_run_that_a_crash_cut_short_is_taken_up_again() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_three(&dir, vec![daily("nightly", 4, 0)]).await;
    daemon.set("2026-11-21T04:00:00Z").await;
    let begun = daemon.begun().await;
    let state = daemon.kill().await;
    assert_eq!(runs(&state, "nightly").await, ["2026-11-21T04:00:00Z running schedule"]);
    state.close().await;
    let mut daemon = TestDaemon::start(dir.path(), "2026-11-21T04:00:10Z", vec![daily("nightly", 4, 0)]).await;
    let again = daemon.begun().await;
    assert_eq!((again.run.id, again.run.attempts), (begun.run.id, 2));
}

#[tokio::test]
async fn a_reload_puts_new_jobs_into_force_from_that_moment() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_three(&dir, vec![daily("a", 4, 0), daily("gone", 6, 0)]).await;
    daemon.set("2026-11-21T04:00:00Z").await;
    daemon.begun().await.end(RunResult::Delivered);
    daemon.set("2026-11-21T05:00:00Z").await;
    // `a` moves to a time that is over today, `b` is new with one that is over too.
    daemon.reload(Ok(vec![daily("a", 4, 30), daily("b", 4, 45), daily("c", 5, 15)])).await;
    daemon.assert_nothing_began().await;
    daemon.set("2026-11-21T06:00:00Z").await;
    assert_eq!(daemon.begun().await.job.label, "c");
    daemon.assert_nothing_began().await;
    daemon.set("2026-11-22T04:30:00Z").await;
    assert_eq!(daemon.begun().await.job.label, "a");
}

#[tokio::test]
async fn a_broken_configuration_is_refused_and_the_one_before_stays_in_force() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_three(&dir, vec![daily("nightly", 4, 0)]).await;
    daemon.reload(Err("jobs.toml:3:1: unknown key".to_owned())).await;
    daemon.set("2026-11-21T04:00:00Z").await;
    assert_eq!(daemon.begun().await.job.label, "nightly");
}

#[tokio::test]
async fn a_job_that_is_switched_off_is_never_due_and_misses_nothing() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_three(&dir, vec![daily("nightly", 4, 0)]).await;
    daemon.reload(Ok(vec![Job { enabled: false, ..daily("nightly", 4, 0) }])).await;
    daemon.set("2026-11-22T12:00:00Z").await;
    daemon.reload(Ok(vec![daily("nightly", 4, 0)])).await;
    daemon.assert_nothing_began().await;
    assert!(daemon.runs("nightly").await.is_empty());
    daemon.set("2026-11-23T04:00:00Z").await;
    assert_eq!(daemon.begun().await.run.due.day(), 23);
}

#[tokio::test]
async fn a_job_runs_once_at_a_time_and_others_do_not_wait_for_it() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_three(&dir, vec![daily("slow", 4, 0), daily("other", 4, 30)]).await;
    daemon.set("2026-11-21T04:00:00Z").await;
    let slow = daemon.begun().await;
    daemon.set("2026-11-22T04:00:00Z").await;
    let other = daemon.begun().await;
    assert_eq!(other.job.label, "other");
    daemon.assert_nothing_began().await;
    let expected = ["2026-11-21T04:00:00Z running schedule", "2026-11-22T04:00:00Z queued schedule"];
    assert_eq!(daemon.runs("slow").await, expected);
    slow.end(RunResult::Delivered);
    let next = daemon.begun().await;
    assert_eq!((next.job.label.as_str(), next.run.due.day()), ("slow", 22));
}

#[tokio::test]
async fn no_more_runs_go_on_than_the_limits_allow() {
    let dir = TempDir::new().unwrap();
    let on_one_host = |label: &str, minute| {
        let mut job = daily(label, 4, minute);
        on_host(&mut job, "SHARED.example");
        job
    };
    let jobs = vec![on_one_host("a", 0), on_one_host("b", 1), on_one_host("c", 2), daily("d", 4, 3), daily("e", 4, 4)];
    let limits = Limits { workers: 3, ..Limits::default() };
    let mut daemon = TestDaemon::with_hosts(dir.path(), "2026-11-21T03:00:00Z", jobs, limits, Hosts::new(2)).await;
    daemon.set("2026-11-21T05:00:00Z").await;
    let mut going_on = vec![daemon.begun().await, daemon.begun().await, daemon.begun().await];
    going_on.sort_by_key(|begun| begun.job.label.clone());
    let labels: Vec<&str> = going_on.iter().map(|begun| begun.job.label.as_str()).collect();
    assert_eq!(labels, ["a", "b", "d"], "the oldest, two of them on the shared host");
    daemon.assert_nothing_began().await;
    going_on.remove(0).end(RunResult::Delivered);
    assert_eq!(daemon.begun().await.job.label, "c");
    going_on.remove(0).end(RunResult::Delivered);
    assert_eq!(daemon.begun().await.job.label, "e");
}

#[tokio::test]
async fn where_one_run_was_refused_no_other_knocks_for_a_minute_and_then_one_at_a_time() {
    let dir = TempDir::new().unwrap();
    let at_one_server = |label: &str, minute| {
        let mut job = daily(label, 4, minute);
        on_host(&mut job, "shared.example");
        job
    };
    let mut jobs: Vec<Job> = ["a", "b", "c", "e"].iter().map(|label| at_one_server(label, 0)).collect();
    jobs.push(daily("d", 4, 1));
    let limits = Limits::default();
    let mut daemon = TestDaemon::with_hosts(dir.path(), "2026-11-21T03:00:00Z", jobs, limits, Hosts::new(2)).await;
    let refused = RunResult::Refused { error: "another host key".to_owned() };
    daemon.set("2026-11-21T04:00:00Z").await;
    let (first, second) = (daemon.begun().await, daemon.begun().await);
    let (run, other) = (first.run.clone(), second.run.clone());
    first.end(refused.clone());
    assert_eq!(daemon.settled(&run).await.state, RunState::Failed, "one try for each occurrence");
    second.end(refused);
    daemon.settled(&other).await;
    daemon.set("2026-11-21T04:00:59Z").await;
    daemon.assert_nothing_began().await;
    daemon.set("2026-11-21T04:01:00Z").await;
    let mut labels = vec![daemon.begun().await, daemon.begun().await];
    labels.sort_by_key(|begun| begun.job.label == "d");
    assert_eq!(labels[1].job.label, "d", "another server is not concerned");
    daemon.assert_nothing_began().await;
    labels.remove(0).end(RunResult::Delivered);
    assert_eq!(Recipient::of(&daemon.begun().await.job.destination).host(), "shared.example");
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_later_and_given_up_when_the_time_is_over() {
    let dir = TempDir::new().unwrap();
    let seconds = Duration::from_secs;
    let retry = Retry { first: seconds(60), max: seconds(60), give_up: seconds(100) };
    let mut daemon = at_three(&dir, vec![Job { retry, ..daily("nightly", 4, 0) }]).await;
    daemon.set("2026-11-21T04:00:00Z").await;
    let away = RunResult::Failed { error: "the partner is away".to_owned(), passing: true };
    let begun = daemon.begun().await;
    let run = begun.run.clone();
    begun.end(away.clone());
    assert_eq!(daemon.settled(&run).await.state, RunState::Waiting);
    daemon.set("2026-11-21T04:00:44Z").await;
    daemon.assert_nothing_began().await;
    daemon.set("2026-11-21T04:01:00Z").await;
    daemon.begun().await.end(away.clone());
    daemon.settled(&run).await;
    daemon.set("2026-11-21T04:01:40Z").await;
    let last = daemon.begun().await;
    assert_eq!(last.run.attempts, 3);
    last.end(away);
    let run = daemon.settled(&run).await;
    assert_eq!((run.state, run.error.as_deref()), (RunState::Failed, Some("the partner is away")));
}

#[tokio::test]
async fn a_panic_fails_that_run_and_no_other() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_three(&dir, vec![daily("a", 4, 0), daily("b", 4, 1)]).await;
    daemon.set("2026-11-21T04:01:00Z").await;
    let (first, second) = (daemon.begun().await, daemon.begun().await);
    let (panicked, fine) = (first.run.clone(), second.run.clone());
    first.panic();
    let panicked = daemon.settled(&panicked).await;
    assert_eq!(panicked.state, RunState::Failed);
    assert!(panicked.error.unwrap().contains("panic"));
    second.end(RunResult::Delivered);
    assert_eq!(daemon.settled(&fine).await.state, RunState::Delivered);
}

#[tokio::test]
async fn stopping_waits_for_what_runs_and_takes_up_nothing() {
    let dir = TempDir::new().unwrap();
    let mut daemon = at_three(&dir, vec![daily("nightly", 4, 0)]).await;
    daemon.set("2026-11-22T04:00:00Z").await;
    let begun = daemon.begun().await;
    daemon.signal(Signal::Stop).await;
    begun.end(RunResult::Delivered);
    let state = daemon.ended().await;
    let expected = ["2026-11-21T04:00:00Z delivered missed", "2026-11-22T04:00:00Z queued schedule"];
    assert_eq!(runs(&state, "nightly").await, expected);
}

#[tokio::test]
async fn a_run_that_outlasts_the_grace_time_is_cut_short_and_parked() {
    let dir = TempDir::new().unwrap();
    let limits = Limits { grace: Duration::ZERO, ..Limits::default() };
    let jobs = vec![daily("nightly", 4, 0)];
    let mut daemon = TestDaemon::with_limits(dir.path(), "2026-11-21T03:00:00Z", jobs, limits).await;
    daemon.set("2026-11-21T04:00:00Z").await;
    let begun = daemon.begun().await;
    let state = daemon.stop().await;
    assert!(begun.stop.is_cancelled());
    assert_eq!(runs(&state, "nightly").await, ["2026-11-21T04:00:00Z queued schedule"]);
}
