//! A daemon that dies again and again in the middle of the same run.

use std::time::Duration;

use exportd::daemon::{Limits, RunResult};
use exportd::job::{Job, Retry};
use exportd::run::{RunRecord, RunState};
use exportd::state::{Filter, State};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::support::daemon::TestDaemon;
use crate::support::jobs::daily;
use crate::support::unit::Unit;

const DUE: &str = "2026-11-21T04:00:00Z";

fn nightly() -> Job {
    let [first, max, give_up] = [60, 600, 3600].map(Duration::from_secs);
    Job { retry: Retry { first, max, give_up }, ..daily("nightly", 4, 0) }
}

async fn the_run(state: &State) -> RunRecord {
    let runs = state.history(&Filter { job: Some("nightly".to_owned()), ..Filter::default() }).await.unwrap();
    let [run] = &runs[..] else { panic!("{} runs", runs.len()) };
    run.clone()
}

/// A daemon from before the due time, which has begun the run.
async fn begun(dir: &TempDir, jobs: Vec<Job>) -> TestDaemon {
    let mut daemon = TestDaemon::start(dir.path(), "2026-11-21T03:00:00Z", jobs).await;
    daemon.set(DUE).await;
    daemon.begun().await;
    daemon
}

#[tokio::test]
async fn a_run_that_kills_its_daemon_is_begun_with_growing_pauses_and_fails_in_the_end() {
    let dir = TempDir::new().unwrap();
    let mut state = begun(&dir, vec![nightly()]).await.kill().await;
    let mut now: Timestamp = DUE.parse().unwrap();
    let mut pauses = Vec::new();
    for death in 1.. {
        let mut daemon = TestDaemon::start(dir.path(), &now.to_string(), vec![nightly()]).await;
        let run = the_run(&state).await;
        if run.state == RunState::Failed {
            let error = run.error.unwrap();
            assert!(error.contains(&format!("died {death} times in a row")), "{error}");
            assert!(error.contains("(stage claimed)") && error.contains("exportd run --at"), "{error}");
            break;
        }
        if let Some(at) = run.retry_at {
            assert!(run.error.unwrap().contains(&format!("died {death} times in a row")));
            pauses.push(at.duration_since(now));
            now = at;
            daemon.assert_nothing_began().await;
            daemon.set(&now.to_string()).await;
        }
        daemon.begun().await;
        assert_eq!(the_run(&state).await.attempts, death + 1);
        state = daemon.kill().await;
    }
    let total: SignedDuration = pauses.iter().sum();
    assert_eq!(total, SignedDuration::from_hours(1), "{pauses:?}");
    assert!(pauses[0] < SignedDuration::from_secs(91) && pauses[3] > SignedDuration::from_secs(449), "{pauses:?}");
    assert!(pauses.len() < 12, "{pauses:?}");
}

#[tokio::test]
async fn a_few_deaths_cost_no_pause_and_an_attempt_that_ends_makes_them_forgotten() {
    let dir = TempDir::new().unwrap();
    begun(&dir, vec![nightly()]).await.kill().await;
    let mut now: Timestamp = DUE.parse().unwrap();
    for _ in 0..3 {
        for _ in 0..2 {
            let mut daemon = TestDaemon::start(dir.path(), &now.to_string(), vec![nightly()]).await;
            daemon.begun().await;
            daemon.kill().await;
        }
        let mut daemon = TestDaemon::start(dir.path(), &now.to_string(), vec![nightly()]).await;
        let begun = daemon.begun().await;
        let run = begun.run.clone();
        begun.end(RunResult::Failed { error: "the partner is away".to_owned(), passing: true });
        let waiting = daemon.settled(&run).await;
        now = waiting.retry_at.unwrap();
        daemon.set(&now.to_string()).await;
        daemon.begun().await;
        daemon.kill().await;
    }
}

#[tokio::test]
async fn a_daemon_that_is_told_to_stop_does_not_count_as_dead() {
    let dir = TempDir::new().unwrap();
    for attempt in 1..7 {
        let limits = Limits { grace: Duration::ZERO, ..Limits::default() };
        let now = if attempt == 1 { "2026-11-21T03:00:00Z" } else { DUE };
        let mut daemon = TestDaemon::with_limits(dir.path(), now, vec![nightly()], limits).await;
        daemon.set(DUE).await;
        let _going_on = daemon.begun().await;
        let state = daemon.stop().await;
        let run = the_run(&state).await;
        assert_eq!((run.state, run.attempts), (RunState::Queued, attempt));
        let detail = state.detail(&run.id).await.unwrap().unwrap();
        assert!(detail.attempts.iter().all(|attempt| attempt.ended.is_some()));
    }
}

#[tokio::test]
async fn a_run_that_waits_for_its_turn_has_no_part_in_the_daemons_death() {
    let dir = TempDir::new().unwrap();
    let limits = Limits { workers: 1, ..Limits::default() };
    let jobs = || vec![daily("first", 3, 59), nightly()];
    let mut now = "2026-11-21T03:00:00Z".to_owned();
    for death in 1..7 {
        let mut daemon = TestDaemon::with_limits(dir.path(), &now, jobs(), limits).await;
        now = format!("2026-11-21T{:02}:00:00Z", 3 + death);
        daemon.set(&now).await;
        if death <= 4 {
            assert_eq!(daemon.begun().await.job.label, "first", "it is at work when the daemon dies");
        }
        // The first one is put off after its fourth death, and the other one has its worker.
        let is_at_work = death > 4;
        if is_at_work {
            assert_eq!(daemon.begun().await.job.label, "nightly");
        }
        let run = the_run(&daemon.state).await;
        let expected = if is_at_work { (RunState::Running, 1, None) } else { (RunState::Queued, 0, None) };
        assert_eq!((run.state, run.attempts, run.error), expected, "death {death}");
        if is_at_work {
            break;
        }
        daemon.kill().await;
    }
    let state = State::open(dir.path()).await.unwrap();
    let first = state.history(&Filter { job: Some("first".to_owned()), ..Filter::default() }).await.unwrap().remove(0);
    assert!(first.error.unwrap().contains("died 4 times in a row"));
}

/// Five runs that need more memory than there is, one after the other: each start ends in a kill a moment later.
#[tokio::test]
async fn the_unit_starts_the_daemon_again_until_every_run_that_kills_it_is_put_off() {
    let dir = TempDir::new().unwrap();
    let unit = Unit::read();
    let limits = Limits { workers: 1, ..Limits::default() };
    let [hour, for_days] = [3600, 172_800].map(Duration::from_secs);
    let jobs = || {
        let retry = Retry { first: hour, max: hour, give_up: for_days };
        let hungry = (0..5).map(|number| Job { retry, ..daily(&format!("hungry{number}"), 4, 0) });
        hungry.chain([daily("modest", 4, 10)]).collect::<Vec<Job>>()
    };
    let first: Timestamp = DUE.parse().unwrap();
    let at = |start: &Duration| (first + *start).to_string();
    let life = Duration::from_secs(2);
    let mut starts = vec![Duration::ZERO];
    let mut daemon = TestDaemon::with_limits(dir.path(), "2026-11-21T03:00:00Z", jobs(), limits).await;
    daemon.set(DUE).await;
    loop {
        daemon.begun().await;
        let state = daemon.kill().await;
        assert!(unit.restarts_after_kill(&starts), "the service is out after {} starts, at {starts:?}", starts.len());
        starts.push(starts[starts.len() - 1] + life + unit.time("RestartSec").unwrap());
        daemon = TestDaemon::with_limits(dir.path(), &at(&starts[starts.len() - 1]), jobs(), limits).await;
        let runs = state.history(&Filter::default()).await.unwrap();
        if runs.iter().all(|run| run.state == RunState::Waiting) {
            break;
        }
    }
    assert_eq!(starts.len(), 1 + 5 * 4, "three deaths of each cost no pause");
    daemon.set(&at(&Duration::from_secs(600))).await;
    assert_eq!(daemon.begun().await.job.label, "modest", "all others go on as ever");
}
