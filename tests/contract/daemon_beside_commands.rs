//! The daemon beside commands that take runs over, and give them back or bring them to an end.

use std::time::Duration;

use exportd::daemon::RunResult;
use exportd::job::{Job, Retry};
use exportd::run::{RunRecord, RunState};
use exportd::state::State;
use tempfile::TempDir;

use crate::support::daemon::TestDaemon;
use crate::support::jobs::{daily, here, spooled_file};

/// A daemon with two runs of a job due: the first waits for an hour with its files in the spool, the second behind it.
async fn with_a_waiting_run(dir: &TempDir) -> (TestDaemon, RunRecord) {
    let hour = Duration::from_secs(3600);
    let retry = Retry { first: hour, max: hour, give_up: 48 * hour };
    let job = Job { retry, ..daily("nightly", 4, 0) };
    let mut daemon = TestDaemon::start(dir.path(), "2026-11-20T03:00:00Z", vec![job]).await;
    daemon.set("2026-11-21T05:00:00Z").await;
    let begun = daemon.begun().await;
    let run = begun.run.clone();
    daemon
        .state
        .spooled(&run.id, &here().recipient, &[spooled_file("a.csv")], jiff::Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    begun.end(RunResult::Failed { error: "the partner is away".to_owned(), passing: true });
    assert_eq!(daemon.settled(&run).await.state, RunState::Waiting);
    (daemon, run)
}

#[tokio::test]
async fn a_waiting_run_that_a_command_has_delivered_holds_nothing_back() {
    let dir = TempDir::new().unwrap();
    let (mut daemon, run) = with_a_waiting_run(&dir).await;
    let now = "2026-11-21T05:00:30Z".parse().unwrap();
    let presence = daemon.state.presence().unwrap();
    daemon.state.reopen(&run.id, &presence, now).await.unwrap().unwrap();
    daemon.assert_nothing_began().await;
    daemon.state.finish(&run.id, RunState::Delivered, None, now).await.unwrap();
    daemon.set("2026-11-21T05:01:30Z").await;
    let next = daemon.begun().await;
    assert_ne!(next.run.id, run.id);
    assert_eq!(next.run.due.day(), 21);
}

#[tokio::test]
async fn what_another_process_writes_is_noticed_at_the_next_look() {
    let dir = TempDir::new().unwrap();
    let (mut daemon, run) = with_a_waiting_run(&dir).await;
    let other = State::open(dir.path()).await.unwrap();
    let now = "2026-11-21T05:00:01Z".parse().unwrap();
    let presence = other.presence().unwrap();
    other.reopen(&run.id, &presence, now).await.unwrap().unwrap();
    other.finish(&run.id, RunState::Delivered, None, now).await.unwrap();
    daemon.set("2026-11-21T05:00:02Z").await;
    let next = daemon.begun().await;
    assert_eq!(next.run.due.day(), 21, "the night that was held back");
}

#[tokio::test]
async fn a_waiting_run_that_a_command_gives_back_is_the_daemons_again() {
    let dir = TempDir::new().unwrap();
    let (mut daemon, run) = with_a_waiting_run(&dir).await;
    let presence = daemon.state.presence().unwrap();
    let now = "2026-11-21T05:30:00Z".parse().unwrap();
    daemon.state.reopen(&run.id, &presence, now).await.unwrap().unwrap();
    daemon.set("2026-11-21T05:31:00Z").await;
    let next = daemon.begun().await;
    assert_eq!(next.run.due.day(), 21, "the command has the first one");
    next.end(RunResult::Delivered);
    // The command dies without a word.
    drop(presence);
    daemon.set("2026-11-21T06:40:00Z").await;
    let again = daemon.begun().await;
    assert_eq!(again.run.id, run.id);
    again.end(RunResult::Delivered);
    let delivered = daemon.settled(&run).await;
    assert_eq!((delivered.state, delivered.attempts), (RunState::Delivered, 3));
}
