//! What is asked all the time does not get slower with every run that is kept.

use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, StatementStatus};
use tempfile::TempDir;

use super::thread::DbThread;
use super::{Filter, Inner, State};
use crate::run::{RunId, RunState, Stage};

const RUNS: i64 = 20_000;

/// Steps of SQLite's virtual machine: more than a page of a hundred runs takes, fewer than a look at all of them.
const ENOUGH: i32 = 15_000;

/// The most expensive statement so far.
#[derive(Clone, Default)]
struct Costs(Arc<(AtomicI32, Mutex<String>)>);

impl Costs {
    fn note(&self, event: TraceEvent<'_>) {
        if let TraceEvent::Profile(statement, _) = event {
            let steps = statement.get_status(StatementStatus::VmStep);
            if self.0.0.fetch_max(steps, Ordering::Relaxed) < steps {
                *self.0.1.lock().unwrap() = statement.sql().into_owned();
            }
        }
    }

    /// Fails if a statement since the last time cost too much.
    fn settle(&self, what: &str) {
        let (steps, sql) = (self.0.0.swap(0, Ordering::Relaxed), self.0.1.lock().unwrap());
        assert!(steps < ENOUGH, "{what}: {steps} steps for {sql}");
    }
}

fn traced(path: &Path, costs: &Costs) -> DbThread {
    let mut db = Connection::open(path).unwrap();
    let costs = costs.clone();
    let note = move |event: TraceEvent<'_>| costs.note(event);
    db.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(note)).unwrap();
    // Each time prepared anew, because a statement counts all its steps.
    db.set_prepared_statement_cache_capacity(0);
    DbThread::start("traced", path, db).unwrap()
}

/// State with as many jobs as runs; each job's run is delivered, but for a few that fail and a few under way.
async fn crowded(costs: &Costs) -> (TempDir, State) {
    let dir = TempDir::new().unwrap();
    State::open(dir.path()).await.unwrap().close().await;
    let path = dir.path().join("state.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(&format!(
        "BEGIN;
         CREATE TEMP TABLE n AS WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {RUNS} - 1)
             SELECT n FROM n;
         INSERT INTO job (job_key, first_seen, decided_until, in_force)
             SELECT 'job' || n, 0, {RUNS}, 1 FROM n;
         INSERT INTO run (id, job_key, job, trigger, due_at, zone, occurrence, period_from, period_to, state, stage,
                          attempts, created_at, started_at, finished_at, owner)
             SELECT printf('%012d', n), 'job' || n, 'job' || n, 'schedule', n, 'UTC', n, n, n,
                    CASE n % 2000 WHEN 0 THEN 'failed' WHEN 1 THEN 'queued' WHEN 2 THEN 'running' WHEN 3 THEN 'waiting'
                                  ELSE 'delivered' END,
                    'published', 1, n, n, n, CASE n % 2000 WHEN 2 THEN 'daemon' END
             FROM n;
         INSERT INTO attempt (run, number, started_at, ended_at) SELECT printf('%012d', n), 1, n, n FROM n;
         INSERT INTO file (run, position, name, export, row_count, bytes, sha256, spool)
             SELECT printf('%012d', n), 0, 'a', 'a', 1, 1, '', iif(n % 2000 = 0, '/spool/a', NULL) FROM n;
         INSERT INTO event (at, kind, text, detail) SELECT n, 'started', '', '{{}}' FROM n;
         INSERT INTO notice (kind, run, made_at) SELECT 'failure', printf('%012d', n), n FROM n;
         INSERT INTO definition (job_key, definition) SELECT 'job' || n, '{{}}' FROM n;
         COMMIT;"
    ))
    .unwrap();
    let (writer, reader) = (traced(&path, costs), traced(&path, costs));
    let inner = Inner { dir: dir.path().to_owned(), path, writer, reader };
    (dir, State { inner: Arc::new(inner) })
}

#[tokio::test]
async fn no_listing_looks_at_every_run() {
    let costs = Costs::default();
    let (_dir, state) = crowded(&costs).await;
    let now = Timestamp::from_microsecond(RUNS).unwrap();
    let run = RunId::from_stored("000000000002");

    assert_eq!(state.history(&Filter::default()).await.unwrap().len(), 100);
    costs.settle("history");
    let of_job = Filter { job: Some("job7".to_owned()), ..Filter::default() };
    assert_eq!(state.history(&of_job).await.unwrap().len(), 1);
    costs.settle("history of a job");
    assert_eq!(state.history(&Filter { since: Some(now), ..Filter::default() }).await.unwrap().len(), 0);
    costs.settle("history since a time");
    assert_eq!(state.events(0, 100).await.unwrap().len(), 100);
    costs.settle("events");
    assert!(state.detail(&run).await.unwrap().is_some());
    costs.settle("one run");
    assert_eq!(state.find("00000000000").await.unwrap().len(), 10);
    costs.settle("a part of an identifier");

    assert_eq!(state.last_ended("job7").await.unwrap().unwrap().state, RunState::Delivered);
    costs.settle("the last run of a job");
    assert_eq!(state.last_size("job7").await.unwrap(), Some(1));
    costs.settle("the last size of a job");
    assert_eq!(state.under_way().await.unwrap().len(), 30);
    costs.settle("what is under way");
    assert_eq!(state.definitions("job5", 100).await.unwrap().len(), 100);
    costs.settle("definitions");
    assert!(state.decided_ahead(now).await.unwrap().is_none());
    costs.settle("what is decided ahead");
}

#[tokio::test]
async fn nothing_that_the_daemon_does_all_the_time_looks_at_every_run() {
    let costs = Costs::default();
    let (_dir, state) = crowded(&costs).await;
    let now = Timestamp::from_microsecond(RUNS).unwrap();
    let run = RunId::from_stored("000000000001");

    assert_eq!(state.unfinished().await.unwrap().len(), 30);
    costs.settle("the queue");
    assert_eq!(state.queued(100).await.unwrap().len(), 10);
    costs.settle("queued runs");
    assert_eq!(state.abandoned().await.unwrap().len(), 10);
    costs.settle("abandoned runs");
    assert!(state.settle_commands(now).await.unwrap().is_empty());
    costs.settle("runs of commands");
    assert_eq!(state.spool_users().await.unwrap().len(), 20);
    costs.settle("users of the spool");
    assert_eq!(state.spooled_before(now).await.unwrap().len(), 10);
    costs.settle("what may leave the spool");
    assert_eq!(state.note_late(SignedDuration::ZERO, now).await.unwrap(), 30);
    costs.settle("late runs");
    assert_eq!(state.pending_notices(now, 100).await.unwrap().len(), 30);
    costs.settle("pending notices");
    assert!(state.temporaries(&run, "job1").await.unwrap().is_empty());
    costs.settle("hidden files");

    assert_eq!(state.start(std::slice::from_ref(&run), now).await.unwrap().len(), 1);
    costs.settle("a start");
    state.stage(&run, Stage::Querying, now).await.unwrap();
    costs.settle("a stage");
    state.finish(&run, RunState::Failed, Some("refused"), now).await.unwrap();
    costs.settle("an end");
    state.mark_early(now).await.unwrap();
    state.clock_returned(now).await.unwrap();
    costs.settle("a clock that returned");
    assert_eq!(state.park(now).await.unwrap(), 10);
    costs.settle("the end of the daemon");
}

#[tokio::test]
async fn forgetting_keeps_nobody_waiting() {
    let costs = Costs::default();
    let (dir, state) = crowded(&costs).await;
    // A second run of each job, so that the first may go.
    let db = Connection::open(dir.path().join("state.db")).unwrap();
    db.execute_batch(&format!(
        "INSERT INTO run (id, job_key, job, trigger, due_at, zone, period_from, period_to, state, created_at, finished_at)
         SELECT 'z' || id, job_key, job, 'manual', due_at, 'UTC', 0, 0, 'delivered', {RUNS}, {RUNS} FROM run"
    ))
    .unwrap();
    let forgotten = state.forget_before(Timestamp::from_microsecond(2000).unwrap()).await.unwrap();
    assert_eq!(forgotten, 1996, "all but one with a file in the spool and three under way");
    costs.settle("forgetting");
}
