//! Groups, failures, callers that go away, other processes.

use std::sync::atomic::AtomicUsize;

use futures_util::future::{BoxFuture, join_all};
use futures_util::{FutureExt, poll};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;

type Writing<T = ()> = JoinHandle<Result<T, StateError>>;

/// A thread that writes to the table `t` of a new database.
struct Fixture {
    thread: DbThread,
    commits: Arc<AtomicUsize>,
    dir: TempDir,
}

fn fixture() -> Fixture {
    let dir = TempDir::new().unwrap();
    let mut db = Connection::open(dir.path().join("state.db")).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER PRIMARY KEY, blob BLOB)").unwrap();
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    db.commit_hook(Some(count)).unwrap();
    Fixture { thread: DbThread::start("writer", dir.path(), db).unwrap(), commits, dir }
}

impl Fixture {
    /// Keeps the thread busy with a write until the sender that is returned is used or dropped.
    async fn occupy(&self) -> (mpsc::Sender<()>, Writing) {
        let (free, freed) = mpsc::channel();
        let (begin, begun) = oneshot::channel();
        let writing = self.spawn(move |db| {
            let _ = begin.send(());
            let _ = freed.recv();
            insert(db, 0)
        });
        begun.await.unwrap();
        (free, writing)
    }

    fn spawn<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Writing<T> {
        let thread = self.thread.clone();
        tokio::spawn(async move { thread.write(write).await })
    }

    /// Sends writes of `numbers` and returns when all of them wait.
    async fn queue(&self, numbers: std::ops::Range<i64>) -> Vec<BoxFuture<'static, Result<(), StateError>>> {
        let mut writes = Vec::new();
        for n in numbers {
            let thread = self.thread.clone();
            let mut write = async move { thread.write(move |db| insert(db, n)).await }.boxed();
            assert!(poll!(&mut write).is_pending());
            writes.push(write);
        }
        writes
    }

    async fn add(&self, n: i64) -> Result<(), StateError> {
        self.thread.write(move |db| insert(db, n)).await
    }

    async fn rows(&self) -> Vec<i64> {
        self.thread
            .read(|db| db.prepare("SELECT n FROM t ORDER BY n")?.query_map([], |row| row.get(0))?.collect())
            .await
            .unwrap()
    }
}

fn insert(db: &Connection, n: i64) -> rusqlite::Result<()> {
    db.execute("INSERT INTO t (n) VALUES (?)", [n]).map(drop)
}

#[tokio::test]
async fn writes_that_wait_share_a_commit() {
    let fixture = fixture();
    let (free, first) = fixture.occupy().await;
    let others = fixture.queue(1..20).await;
    free.send(()).unwrap();
    first.await.unwrap().unwrap();
    assert!(join_all(others).await.iter().all(Result::is_ok));
    assert_eq!(fixture.rows().await.len(), 20);
    assert_eq!(fixture.commits.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_result_comes_after_the_commit() {
    let fixture = fixture();
    let seen = Connection::open(fixture.dir.path().join("state.db")).unwrap();
    for n in 0..50 {
        fixture.add(n).await.unwrap();
        let count: i64 = seen.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(count, n + 1);
    }
}

#[tokio::test]
async fn a_write_that_fails_is_rolled_back_alone() {
    let fixture = fixture();
    let (free, first) = fixture.occupy().await;
    let before = fixture.queue(1..3).await;
    let doomed = fixture.spawn(|db| {
        insert(db, 7)?;
        insert(db, 7)
    });
    tokio::task::yield_now().await;
    let after = fixture.queue(3..5).await;
    free.send(()).unwrap();
    first.await.unwrap().unwrap();
    assert!(join_all(before.into_iter().chain(after)).await.iter().all(Result::is_ok));
    assert!(doomed.await.unwrap().unwrap_err().to_string().contains("UNIQUE"));
    assert_eq!(fixture.rows().await, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_panic_reaches_its_caller_and_nobody_else() {
    let fixture = fixture();
    let (free, first) = fixture.occupy().await;
    let doomed = fixture.spawn(|db| {
        insert(db, 7)?;
        if db.is_autocommit() { Ok(()) } else { panic!("a bug") }
    });
    tokio::task::yield_now().await;
    let others = fixture.queue(1..3).await;
    free.send(()).unwrap();
    first.await.unwrap().unwrap();
    assert!(doomed.await.unwrap_err().is_panic());
    assert!(join_all(others).await.iter().all(Result::is_ok));
    assert_eq!(fixture.rows().await, [0, 1, 2]);
    let read = fixture.thread.clone();
    let reading: Writing = tokio::spawn(async move { read.read(|_| panic!("a bug")).await });
    assert!(reading.await.unwrap_err().is_panic());
    fixture.add(9).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_fails_the_group_that_it_takes_back_and_no_later_one() {
    let fixture = fixture();
    let limit = |db: &Connection| db.query_row("PRAGMA max_page_count = 20", [], |row| row.get::<_, i64>(0));
    assert_eq!(fixture.thread.read(limit).await.unwrap(), 20);
    let (free, first) = fixture.occupy().await;
    let before = fixture.queue(1..3).await;
    let doomed = fixture.spawn(|db| db.execute("INSERT INTO t VALUES (7, zeroblob(1000000))", []));
    tokio::task::yield_now().await;
    let after = fixture.queue(3..5).await;
    free.send(()).unwrap();
    for lost in [first.await.unwrap()].into_iter().chain(join_all(before).await) {
        let error = lost.unwrap_err();
        assert!(error.is_passing() && error.to_string().contains("full"), "{error}");
    }
    assert!(doomed.await.unwrap().unwrap_err().is_passing());
    assert!(join_all(after).await.iter().all(Result::is_ok));
    assert_eq!(fixture.rows().await, [3, 4]);
}

#[tokio::test]
async fn a_commit_that_fails_fails_its_group() {
    let fixture = fixture();
    let refuse = |db: &Connection| {
        db.execute_batch(
            "CREATE TABLE parent (n INTEGER PRIMARY KEY);
        CREATE TABLE child (n INTEGER REFERENCES parent (n) DEFERRABLE INITIALLY DEFERRED); PRAGMA foreign_keys = ON",
        )
    };
    fixture.thread.read(refuse).await.unwrap();
    let (free, first) = fixture.occupy().await;
    // The orphan is found by the commit only.
    let orphan = fixture.spawn(|db| db.execute("INSERT INTO child VALUES (1)", []));
    tokio::task::yield_now().await;
    let others = fixture.queue(1..3).await;
    free.send(()).unwrap();
    assert!(first.await.unwrap().unwrap_err().is_passing());
    assert!(orphan.await.unwrap().is_err());
    assert!(join_all(others).await.iter().all(Result::is_err));
    fixture.add(9).await.unwrap();
    assert_eq!(fixture.rows().await, [9]);
}

#[tokio::test]
async fn a_caller_that_goes_away_withdraws_what_has_not_begun_and_interrupts_nothing() {
    let fixture = fixture();
    let (free, first) = fixture.occupy().await;
    let withdrawn = fixture.queue(1..4).await;
    let others = fixture.queue(4..6).await;
    drop(withdrawn);
    first.abort();
    free.send(()).unwrap();
    assert!(join_all(others).await.iter().all(Result::is_ok));
    assert_eq!(fixture.rows().await, [0, 4, 5], "the first had begun");
}

#[tokio::test]
async fn a_caller_may_go_away_at_any_poll() {
    let fixture = fixture();
    for polls in 0..8 {
        let mut doomed = fixture
            .thread
            .write(move |db| {
                insert(db, 100 + 2 * polls)?;
                insert(db, 101 + 2 * polls)
            })
            .boxed();
        for _ in 0..polls {
            if poll!(&mut doomed).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(doomed);
        fixture.add(polls).await.unwrap();
    }
    let rows = fixture.rows().await;
    assert_eq!(rows.iter().filter(|n| **n < 100).count(), 8);
    assert!(rows.iter().filter(|n| **n >= 100).count().is_multiple_of(2), "all or nothing: {rows:?}");
}

#[tokio::test]
async fn a_request_that_waits_too_long_is_never_begun() {
    let fixture = fixture();
    let (free, first) = fixture.occupy().await;
    let impatient = DbThread { turn: Duration::from_millis(1), ..fixture.thread.clone() };
    let error = impatient.write(|db| insert(db, 1)).await.unwrap_err();
    assert!(matches!(error, StateError::Busy { .. }), "{error}");
    free.send(()).unwrap();
    first.await.unwrap().unwrap();
    fixture.add(2).await.unwrap();
    assert_eq!(fixture.rows().await, [0, 2]);
}

#[tokio::test]
async fn a_request_that_has_begun_is_waited_for() {
    let fixture = fixture();
    let turn = Duration::from_millis(20);
    let (free, mut writing) = loop {
        let impatient = DbThread { turn, ..fixture.thread.clone() };
        let ((begin, begun), (free, freed)) = (oneshot::channel(), mpsc::channel());
        let write = move |db: &Connection| {
            let _ = begin.send(());
            let _ = freed.recv();
            insert(db, 1)
        };
        let writing = tokio::spawn(async move { impatient.write(write).await });
        // On a busy machine its time may be up before it begins.
        if begun.await.is_ok() {
            break (free, writing);
        }
    };
    assert!(tokio::time::timeout(3 * turn, &mut writing).await.is_err());
    free.send(()).unwrap();
    writing.await.unwrap().unwrap();
}

#[tokio::test]
async fn another_process_delays_writes_and_loses_none() {
    let fixture = fixture();
    let other = Connection::open(fixture.dir.path().join("state.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO t (n) VALUES (-1)").unwrap();
    // Nobody waits for it here: the fixture's connection has rusqlite's patience of five seconds.
    fixture.thread.read(|db| db.busy_timeout(Duration::ZERO)).await.unwrap();
    let error = fixture.add(1).await.unwrap_err();
    assert!(matches!(error, StateError::Busy { .. }), "{error}");
    fixture.thread.read(|db| db.busy_timeout(Duration::from_secs(30))).await.unwrap();
    let waiting = fixture.queue(2..9).await;
    other.execute_batch("COMMIT").unwrap();
    assert!(join_all(waiting).await.iter().all(Result::is_ok));
    assert_eq!(fixture.rows().await.len(), 8);
}

#[tokio::test]
async fn what_was_sent_is_done_before_it_closes_and_nothing_after() {
    let fixture = fixture();
    let (free, first) = fixture.occupy().await;
    let before = fixture.queue(1..3).await;
    let mut closing = fixture.thread.close().boxed();
    assert!(poll!(&mut closing).is_pending());
    let after = fixture.queue(3..5).await;
    free.send(()).unwrap();
    closing.await;
    first.await.unwrap().unwrap();
    assert!(join_all(before).await.iter().all(Result::is_ok));
    assert!(join_all(after).await.iter().all(Result::is_err));
    let error = fixture.add(9).await.unwrap_err();
    assert!(error.is_passing() && error.to_string().contains("closed"), "{error}");
    let db = Connection::open(fixture.dir.path().join("state.db")).unwrap();
    assert_eq!(db.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 3);
}
