//! What happens while a clock is in doubt: due times, failures, reloads and restarts in the five minutes.

use std::time::Duration;

use exportd::daemon::RunResult;
use exportd::job::{Job, Retry};
use exportd::run::{RunState, Stage};
use tempfile::TempDir;

use crate::support::daemon::TestDaemon;
use crate::support::jobs::daily;

fn nightly() -> Job {
    daily("nightly", 4, 0)
}

async fn started(dir: &TempDir, now: &str) -> TestDaemon {
    TestDaemon::start(dir.path(), now, vec![nightly()]).await
}

#[tokio::test]
async fn what_ran_at_its_time_while_the_clock_was_in_doubt_is_not_run_again() {
    let dir = TempDir::new().unwrap();
    let mut daemon = started(&dir, "2026-11-22T03:58:00Z").await;
    daemon.jump("2026-11-22T03:57:50Z").await;
    daemon.set("2026-11-22T04:00:00Z").await;
    let begun = daemon.begun().await;
    let run = begun.run.clone();
    daemon.state.stage(&run.id, Stage::Querying, "2026-11-22T04:00:01Z".parse().unwrap()).await.unwrap();
    begun.end(RunResult::Delivered);
    daemon.settled(&run).await;
    daemon.set("2026-11-22T04:02:50Z").await;
    daemon.set("2026-11-22T12:00:00Z").await;
    daemon.assert_nothing_began().await;
    assert_eq!(daemon.runs("nightly").await, ["2026-11-22T04:00:00Z delivered schedule"]);
}

#[tokio::test]
async fn a_new_job_makes_up_for_no_time_before_it_was_seen() {
    let dir = TempDir::new().unwrap();
    let daemon = started(&dir, "2026-11-21T12:00:00Z").await;
    daemon.stop().await.close().await;
    // The battery is empty, and no network tells the time for a day.
    let mut daemon = started(&dir, "1970-01-01T00:00:10Z").await;
    daemon.set("1970-01-02T00:00:10Z").await;
    daemon.assert_nothing_began().await;
    daemon.jump("2026-11-22T14:00:00Z").await;
    daemon.set("2026-11-22T14:06:00Z").await;
    daemon.set("2026-11-22T14:12:00Z").await;
    let begun = daemon.begun().await;
    assert_eq!(begun.run.due.day(), 22);
    begun.end(RunResult::Delivered);
    daemon.assert_nothing_began().await;
    assert_eq!(daemon.runs("nightly").await.len(), 1);
}

#[tokio::test]
async fn files_read_early_by_a_run_that_goes_on_are_not_kept_for_its_time() {
    let dir = TempDir::new().unwrap();
    let mut daemon = started(&dir, "2026-11-21T12:00:00Z").await;
    daemon.synchronise(true).await;
    for _ in 0..2 {
        daemon.jump("2026-11-22T12:00:00Z").await;
    }
    let begun = daemon.begun().await;
    let run = begun.run.clone();
    for stage in [Stage::Querying, Stage::Spooled] {
        daemon.state.stage(&run.id, stage, "2026-11-22T12:00:01Z".parse().unwrap()).await.unwrap();
    }
    for _ in 0..2 {
        daemon.jump("2026-11-21T12:00:10Z").await;
    }
    // It is still at work when the clock is accepted, and fails then.
    begun.end(RunResult::Failed { error: "the partner is away".to_owned(), passing: true });
    daemon.settled(&run).await;
    daemon.set("2026-11-22T03:59:59Z").await;
    daemon.assert_nothing_began().await;
    daemon.set("2026-11-22T04:00:00Z").await;
    let again = daemon.begun().await;
    assert_eq!(again.run.id, run.id);
    let stage = daemon.state.detail(&run.id).await.unwrap().unwrap().stage.unwrap();
    assert_eq!(stage, Stage::Claimed, "the store is read again");
}

#[tokio::test]
async fn a_clock_in_doubt_ends_no_retries() {
    let dir = TempDir::new().unwrap();
    let seconds = Duration::from_secs;
    let retry = Retry { first: seconds(60), max: seconds(60), give_up: seconds(3600) };
    let jobs = vec![Job { retry, ..nightly() }];
    let mut daemon = TestDaemon::start(dir.path(), "2026-11-22T03:59:00Z", jobs).await;
    daemon.set("2026-11-22T04:00:00Z").await;
    let away = RunResult::Failed { error: "the partner is away".to_owned(), passing: true };
    let begun = daemon.begun().await;
    let run = begun.run.clone();
    daemon.jump("2026-11-25T04:00:10Z").await;
    begun.end(away.clone());
    let waiting = daemon.settled(&run).await;
    assert_eq!(waiting.state, RunState::Waiting);
    assert_eq!(waiting.retry_at.unwrap().to_string().get(..10), Some("2026-11-22"));
    daemon.assert_nothing_began().await;
    daemon.jump("2026-11-22T04:00:20Z").await;
    daemon.set("2026-11-22T04:01:20Z").await;
    assert_eq!(daemon.begun().await.run.attempts, 2);
}

#[tokio::test]
async fn a_restart_does_not_accept_a_jump_that_is_held() {
    let dir = TempDir::new().unwrap();
    let daemon = started(&dir, "2026-11-21T12:00:00Z").await;
    daemon.jump("2026-11-22T12:00:00Z").await;
    daemon.stop().await.close().await;
    let mut daemon = started(&dir, "2026-11-22T12:00:20Z").await;
    daemon.assert_nothing_began().await;
    assert!(daemon.state.held_clock().await.unwrap().is_some());
    daemon.jump("2026-11-21T12:00:30Z").await;
    daemon.assert_nothing_began().await;
    assert!(daemon.runs("nightly").await.is_empty());
    assert_eq!(daemon.state.held_clock().await.unwrap(), None);
}

#[tokio::test]
async fn a_job_that_is_gone_makes_the_clock_no_concern() {
    let dir = TempDir::new().unwrap();
    let jobs = || vec![nightly(), daily("other", 5, 0)];
    let mut daemon = TestDaemon::start(dir.path(), "2026-11-21T12:00:00Z", jobs()).await;
    daemon.synchronise(true).await;
    for _ in 0..2 {
        daemon.jump("2026-11-22T12:00:00Z").await;
    }
    for _ in 0..2 {
        daemon.begun().await.end(RunResult::Delivered);
    }
    for _ in 0..2 {
        daemon.jump("2026-11-21T12:00:10Z").await;
    }
    let now = "2026-11-21T12:00:10Z".parse().unwrap();
    assert_eq!(daemon.state.decided_ahead(now).await.unwrap().unwrap().occurrences, 2);
    daemon.reload(Ok(vec![nightly()])).await;
    assert_eq!(daemon.state.decided_ahead(now).await.unwrap().unwrap().occurrences, 1);
}

#[tokio::test]
async fn a_job_that_comes_during_a_hold_begins_when_it_ends() {
    let dir = TempDir::new().unwrap();
    let mut daemon = started(&dir, "2026-11-21T12:00:00Z").await;
    // The machine was ten days behind.
    daemon.jump("2026-12-01T12:00:00Z").await;
    daemon.set("2026-12-01T12:00:10Z").await;
    daemon.reload(Ok(vec![nightly(), daily("new", 5, 0)])).await;
    daemon.set("2026-12-01T12:05:00Z").await;
    for _ in 0..10 {
        let begun = daemon.begun().await;
        assert_eq!(begun.job.label, "nightly");
        begun.end(RunResult::Delivered);
    }
    daemon.assert_nothing_began().await;
    assert!(daemon.runs("new").await.is_empty());
    daemon.set("2026-12-02T05:00:00Z").await;
    let labels = [daemon.begun().await.job.label.clone(), daemon.begun().await.job.label.clone()];
    assert!(labels.contains(&"new".to_owned()), "{labels:?}");
}

#[tokio::test]
async fn a_clock_that_was_ahead_from_the_first_day_stops_nothing_when_it_is_right() {
    let dir = TempDir::new().unwrap();
    let mut daemon = started(&dir, "2026-12-21T12:00:00Z").await;
    for day in 22..25 {
        daemon.set(&format!("2026-12-{day}T04:00:00Z")).await;
        daemon.begun().await.end(RunResult::Delivered);
    }
    daemon.jump("2026-11-24T04:10:00Z").await;
    daemon.set("2026-11-24T04:15:00Z").await;
    daemon.set("2026-11-25T04:00:00Z").await;
    assert_eq!(daemon.begun().await.run.due.date().to_string(), "2026-11-25");
}
