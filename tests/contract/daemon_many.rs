//! Many runs due at once: all are recorded in one look, and stay queued until their host takes them.

use std::time::Duration;

use exportd::daemon::{Limits, RunResult};
use exportd::deliver::Hosts;
use exportd::job::Job;
use exportd::run::{RunRecord, RunState};
use exportd::state::{Filter, State};
use tempfile::TempDir;

use crate::support::daemon::TestDaemon;
use crate::support::jobs::{daily, on_host};

const BEFORE: &str = "2026-11-21T03:00:00Z";
const DUE: &str = "2026-11-21T04:00:00Z";

fn on_one_host(label: &str) -> Job {
    let mut job = daily(label, 4, 0);
    on_host(&mut job, "shared.example");
    job
}

async fn all(state: &State) -> Vec<RunRecord> {
    state.history(&Filter { limit: u32::MAX, ..Filter::default() }).await.unwrap()
}

async fn count(state: &State, wanted: RunState) -> usize {
    all(state).await.iter().filter(|run| run.state == wanted).count()
}

#[tokio::test]
async fn all_that_are_due_are_recorded_in_one_look_and_take_turns_at_their_host() {
    let dir = TempDir::new().unwrap();
    let jobs: Vec<Job> = (0..300).map(|number| on_one_host(&format!("job{number}"))).collect();
    let limits = Limits::default();
    let mut daemon = TestDaemon::with_hosts(dir.path(), BEFORE, jobs, limits, Hosts::new(2)).await;
    daemon.set(DUE).await;
    let at_work = [daemon.begun().await, daemon.begun().await];
    daemon.assert_nothing_began().await;
    let runs = all(&daemon.state).await;
    assert_eq!(runs.len(), 300);
    assert_eq!(count(&daemon.state, RunState::Running).await, 2, "only what is worked on is running");
    assert!(runs.iter().all(|run| (run.state == RunState::Running) == run.started.is_some()));
    at_work.into_iter().for_each(|begun| begun.end(RunResult::Delivered));
    for _ in 0..298 {
        daemon.begun().await.end(RunResult::Delivered);
    }
    daemon.assert_nothing_began().await;
    let runs = all(&daemon.state).await;
    assert!(runs.iter().all(|run| run.state == RunState::Delivered && run.attempts == 1));
}

#[tokio::test]
async fn a_host_that_is_taken_keeps_no_other_waiting() {
    let dir = TempDir::new().unwrap();
    let mut jobs: Vec<Job> = (0..5).map(|number| on_one_host(&format!("job{number}"))).collect();
    jobs.push(daily("alone", 4, 1));
    let limits = Limits::default();
    let mut daemon = TestDaemon::with_hosts(dir.path(), BEFORE, jobs, limits, Hosts::new(1)).await;
    daemon.set("2026-11-21T04:01:00Z").await;
    let mut labels = [daemon.begun().await.job.label.clone(), daemon.begun().await.job.label.clone()];
    labels.sort();
    assert_eq!(labels[0], "alone", "{labels:?}");
    assert_eq!(count(&daemon.state, RunState::Running).await, 2);
    assert_eq!(count(&daemon.state, RunState::Queued).await, 4);
}

#[tokio::test]
async fn a_daemon_that_stops_leaves_no_trace_of_those_that_wait() {
    let dir = TempDir::new().unwrap();
    let jobs: Vec<Job> = (0..9).map(|number| on_one_host(&format!("job{number}"))).collect();
    let limits = Limits { grace: Duration::ZERO, ..Limits::default() };
    let mut daemon = TestDaemon::with_hosts(dir.path(), BEFORE, jobs, limits, Hosts::new(1)).await;
    daemon.set(DUE).await;
    let at_work = daemon.begun().await;
    let state = daemon.stop().await;
    for run in all(&state).await {
        let attempts = u32::from(run.id == at_work.run.id);
        let detail = state.detail(&run.id).await.unwrap().unwrap();
        assert_eq!((run.state, run.attempts, detail.attempts.len()), (RunState::Queued, attempts, attempts as usize));
        assert_eq!((run.started.is_some(), detail.stage.is_some()), (attempts == 1, attempts == 1));
    }
    let stopped = state.events(0, 1).await.unwrap().remove(0);
    assert_eq!(stopped.detail["parked"], 1, "{}", stopped.text);
}

#[tokio::test]
async fn those_that_wait_go_by_the_jobs_that_are_in_force_when_their_turn_comes() {
    let dir = TempDir::new().unwrap();
    let jobs = || ["a", "b", "c"].map(on_one_host).to_vec();
    let limits = Limits::default();
    let mut daemon = TestDaemon::with_hosts(dir.path(), BEFORE, jobs(), limits, Hosts::new(1)).await;
    daemon.set(DUE).await;
    let first = daemon.begun().await;
    let others: Vec<&str> = ["a", "b", "c"].into_iter().filter(|label| *label != first.job.label).collect();
    assert_eq!(count(&daemon.state, RunState::Queued).await, 2);

    let changed = Job { description: "pinned anew".to_owned(), ..on_one_host(others[0]) };
    daemon.reload(Ok(vec![changed.clone(), on_one_host(&first.job.label)])).await;
    assert_eq!(daemon.runs(others[1]).await, ["2026-11-21T04:00:00Z queued schedule"], "its job is gone");
    first.end(RunResult::Delivered);
    let second = daemon.begun().await;
    assert_eq!((second.job.description.as_str(), second.run.attempts), ("pinned anew", 1));
    second.end(RunResult::Delivered);
    daemon.assert_nothing_began().await;
    daemon.reload(Ok(jobs())).await;
    assert_eq!(daemon.begun().await.job.label, others[1]);
}
