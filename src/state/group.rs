//! Group commits: writes that wait for each other share a transaction, and with it one sync of the disk.
//!
//! All writes go through one connection, in the order of a fair queue. A write has a savepoint of its own. The transaction
//! around it is committed by a task in the same queue, behind all writers that were waiting when the transaction began. A
//! single writer waits for nobody; many share one sync. A write that fails, or whose caller is gone, is rolled back alone.
//! No write is reported as done before it is on disk; if the commit fails, every write of the group has failed.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::StateError;

/// How long a writer waits in the queue before that is an error.
const TURN: Duration = Duration::from_secs(30);

/// The queue of writers. Clones are the same queue.
#[derive(Clone, Debug)]
pub(super) struct Line {
    path: PathBuf,
    group: Arc<Mutex<Group>>,
}

/// The connection, and the transaction on it that is open or not.
#[derive(Debug)]
struct Group {
    path: PathBuf,
    /// None once state is closed.
    connection: Option<SqliteConnection>,
    standing: Standing,
    /// The writers that wait until the transaction is on disk.
    members: Vec<oneshot::Sender<Result<(), StateError>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// There is no transaction.
    Closed,
    /// There is one, and all that is written in it is to stay.
    Open,
    /// There is one, and in it a write that has not ended.
    Written,
    /// A statement that begins or ends it was interrupted, so it is not known whether it took effect.
    Doubtful,
}

/// A write on its way. Dropped, it is taken back.
#[derive(Debug)]
pub(super) struct Write {
    group: OwnedMutexGuard<Group>,
}

impl Line {
    pub(super) fn new(path: PathBuf, connection: SqliteConnection) -> Line {
        let (connection, members) = (Some(connection), Vec::new());
        let group = Group { path: path.clone(), connection, standing: Standing::Closed, members };
        Line { path, group: Arc::new(Mutex::new(group)) }
    }

    /// Waits for the turn to write. Others wait from here on, until the write is over.
    pub(super) async fn join(&self) -> Result<Write, StateError> {
        let mut group = self.turn().await?;
        group.settle().await;
        if group.standing == Standing::Closed {
            // The write lock from the start: a transaction that asks for it half-way can fail at once.
            group.move_to(Standing::Open, "BEGIN IMMEDIATE").await?;
            let line = Arc::clone(&self.group);
            tokio::spawn(async move { line.lock_owned().await.finish().await });
        }
        group.move_to(Standing::Written, "SAVEPOINT own").await?;
        Ok(Write { group })
    }

    /// A number that changes whenever another connection than ours has written.
    pub(super) async fn data_version(&self) -> Result<i64, StateError> {
        let mut group = self.turn().await?;
        let version = sqlx::query_scalar("PRAGMA data_version").fetch_one(group.connection()?).await;
        version.map_err(|error| StateError::sql(&self.path, error))
    }

    /// Brings to disk what is written, and gives the connection back for good.
    pub(super) async fn close(&self) {
        let mut group = self.group.lock().await;
        group.finish().await;
        if let Some(connection) = group.connection.take() {
            // Everything is on disk; what the file is left with, the next one to open it puts in order.
            let _ = connection.close().await;
        }
    }

    async fn turn(&self) -> Result<OwnedMutexGuard<Group>, StateError> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.group).lock_owned()).await;
        turn.map_err(|_| StateError::Busy { path: self.path.clone() })
    }
}

impl Write {
    /// Returns when the write is on disk.
    pub(super) async fn commit(mut self) -> Result<(), StateError> {
        self.group.move_to(Standing::Open, "RELEASE own").await?;
        let (tell, told) = oneshot::channel();
        self.group.members.push(tell);
        let path = self.group.path.clone();
        drop(self);
        told.await.unwrap_or_else(|_| Err(gone(&path, "it is closed")))
    }
}

impl Deref for Write {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.group.connection.as_ref().expect("state that is closed lets nobody join")
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.group.connection.as_mut().expect("state that is closed lets nobody join")
    }
}

impl Group {
    fn connection(&mut self) -> Result<&mut SqliteConnection, StateError> {
        let closed = || gone(&self.path, "it is closed");
        self.connection.as_mut().ok_or_else(closed)
    }

    /// Moves a boundary of the transaction. If that fails, the transaction is given up.
    async fn move_to(&mut self, next: Standing, sql: &'static str) -> Result<(), StateError> {
        let before = std::mem::replace(&mut self.standing, Standing::Doubtful);
        let moved = sqlx::query(sql).execute(self.connection()?).await;
        let Err(error) = moved else {
            self.standing = next;
            return Ok(());
        };
        let error = StateError::sql(&self.path, error);
        match before {
            Standing::Closed => self.standing = Standing::Closed,
            _ => self.give_up(&error).await,
        }
        Err(error)
    }

    /// Rolls back what the writer before has left unfinished.
    async fn settle(&mut self) {
        match self.standing {
            Standing::Closed | Standing::Open => {}
            // Fails where SQLite itself has given up the transaction, as on a full disk; then it is given up for all.
            Standing::Written => drop(self.move_to(Standing::Open, "ROLLBACK TO own; RELEASE own").await),
            Standing::Doubtful => {
                let error = gone(&self.path, "a write was interrupted");
                self.give_up(&error).await;
            }
        }
    }

    /// Brings the transaction to disk, if there still is one, and tells its members.
    async fn finish(&mut self) {
        self.settle().await;
        if self.standing != Standing::Open {
            return;
        }
        if self.move_to(Standing::Closed, "COMMIT").await.is_ok() {
            self.tell(&Ok(()));
        }
    }

    /// Ends the transaction without its writes, and tells its members why.
    async fn give_up(&mut self, error: &StateError) {
        if let Ok(connection) = self.connection() {
            // Nothing to roll back is as good.
            let _ = sqlx::query("ROLLBACK").execute(connection).await;
        }
        self.standing = Standing::Closed;
        self.tell(&Err(error.clone()));
    }

    fn tell(&mut self, outcome: &Result<(), StateError>) {
        // A cancelled caller needs no reply.
        self.members.drain(..).for_each(|member| drop(member.send(outcome.clone())));
    }
}

fn gone(path: &Path, cause: &str) -> StateError {
    StateError::Unreachable { path: path.to_owned(), cause: cause.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    async fn line() -> Line {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::query("CREATE TABLE t (n INTEGER PRIMARY KEY)").execute(&mut connection).await.unwrap();
        Line::new("state.db".into(), connection)
    }

    async fn insert(write: &mut Write, n: usize) -> bool {
        sqlx::query("INSERT INTO t VALUES (?)").bind(n as i64).execute(&mut **write).await.is_ok()
    }

    async fn add(line: Line, n: usize) -> Result<(), StateError> {
        let mut write = line.join().await?;
        assert!(insert(&mut write, n).await);
        write.commit().await
    }

    async fn rows(line: &Line) -> Vec<i64> {
        let mut write = line.join().await.unwrap();
        sqlx::query_scalar("SELECT n FROM t ORDER BY n").fetch_all(&mut *write).await.unwrap()
    }

    /// Begins to add `numbers`, each in a write of its own, and returns when all of them are queued.
    async fn queue(
        line: &Line,
        numbers: std::ops::Range<usize>,
    ) -> Vec<tokio::task::JoinHandle<Result<(), StateError>>> {
        let tasks = numbers.map(|n| tokio::spawn(add(line.clone(), n))).collect();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        tasks
    }

    #[tokio::test]
    async fn who_waits_goes_to_disk_together() {
        let line = line().await;
        let commits = Arc::new(AtomicUsize::new(0));
        let mut first = line.join().await.unwrap();
        let counted = Arc::clone(&commits);
        first
            .lock_handle()
            .await
            .unwrap()
            .set_commit_hook(move || counted.fetch_add(1, Ordering::Relaxed) < usize::MAX);
        assert!(insert(&mut first, 0).await);
        let others = queue(&line, 1..20).await;
        first.commit().await.unwrap();
        for other in join_all(others).await {
            other.unwrap().unwrap();
        }
        assert_eq!(rows(&line).await.len(), 20);
        assert_eq!(commits.load(Ordering::Relaxed), 2, "one for the first, one for all who waited");
    }

    #[tokio::test]
    async fn what_fails_or_is_given_up_is_taken_back_alone() {
        let line = line().await;
        let (before, mut doomed) = (queue(&line, 0..2).await, line.join().await.unwrap());
        assert!(insert(&mut doomed, 7).await);
        assert!(!insert(&mut doomed, 7).await, "twice");
        let after = queue(&line, 3..5).await;
        drop(doomed);
        for other in join_all(before.into_iter().chain(after)).await {
            other.unwrap().unwrap();
        }
        assert_eq!(rows(&line).await, [0, 1, 3, 4]);
    }

    #[tokio::test]
    async fn a_transaction_that_the_database_gives_up_has_failed_for_all_in_it() {
        let line = line().await;
        let holder = line.join().await.unwrap();
        let before = queue(&line, 0..2).await;
        let (doomed, freed) = tokio::join!(line.join(), holder.commit());
        freed.unwrap();
        let mut doomed = doomed.unwrap();
        // As a full disk makes it do.
        sqlx::query("ROLLBACK").execute(&mut *doomed).await.unwrap();
        drop(doomed);
        for other in join_all(before).await {
            assert!(other.unwrap().unwrap_err().is_passing());
        }
        add(line.clone(), 9).await.unwrap();
        assert_eq!(rows(&line).await, [9]);
    }

    #[tokio::test]
    async fn a_turn_that_is_given_up_half_way_harms_nobody_after_it() {
        let line = line().await;
        for polls in 0..6 {
            let mut joining = Box::pin(line.join());
            // Wherever it has come by then.
            for _ in 0..polls {
                if futures_util::poll!(&mut joining).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(joining);
            add(line.clone(), polls).await.unwrap();
        }
        assert_eq!(rows(&line).await.len(), 6);
    }

    #[tokio::test]
    async fn nobody_writes_once_it_is_closed() {
        let line = line().await;
        add(line.clone(), 1).await.unwrap();
        line.close().await;
        assert!(line.join().await.is_err());
    }
}
