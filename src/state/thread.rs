//! Threads that own a connection and run what callers send them, and group commits.
//!
//! Reads and writes are closures of blocking SQL. A caller sends one and awaits its result; one that goes away withdraws
//! what has not begun, and interrupts nothing. Writes that wait for each other share a transaction, and with it the
//! disk's sync. Each has a savepoint of its own, so one that fails is rolled back alone. Callers get their results when
//! the commit is on disk; if that fails, every write of the group has failed.

use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::StateError;

/// How long a request waits to be begun before that is an error.
const TURN: Duration = Duration::from_secs(30);

/// A thread with a connection of its own. Clones send to the same one, which ends with the last of them.
#[derive(Clone, Debug)]
pub(super) struct DbThread {
    path: PathBuf,
    /// How long a request waits to be begun.
    turn: Duration,
    requests: mpsc::Sender<Request>,
}

enum Request {
    Read(Turn, Read),
    Write(Turn, Write),
    Close(oneshot::Sender<()>),
}

/// Reads, and sends its caller the result.
type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Writes, unless it is given the reason why that is impossible. Its caller has been sent the error that it returns.
type Write = Box<dyn FnOnce(Result<&Connection, StateError>) -> Result<Reply, StateError> + Send>;

/// Sends the caller of a write its result, or why the commit failed.
type Reply = Box<dyn FnOnce(Result<(), StateError>) + Send>;

/// What a caller receives: a result, or the panic of its closure.
type Outcome<T> = thread::Result<Result<T, StateError>>;

/// The right to decide about a request: the thread takes it to begin, or the caller to withdraw.
#[derive(Clone, Default)]
struct Turn(Arc<AtomicBool>);

impl Turn {
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// Withdraws a request when its caller goes away.
struct Caller(Turn);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.take();
    }
}

impl DbThread {
    /// Starts a thread called `name` with a connection to the database at `path`.
    pub(super) fn start(name: &str, path: &Path, connection: Connection) -> Result<DbThread, StateError> {
        let (requests, incoming) = mpsc::channel();
        let own = path.to_owned();
        let started = thread::Builder::new().name(name.to_owned()).spawn(move || serve(connection, &own, &incoming));
        started.map_err(|error| StateError::io(path, &error))?;
        Ok(DbThread { path: path.to_owned(), turn: TURN, requests })
    }

    /// Runs `read`.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StateError> {
        let (sender, receiver) = oneshot::channel();
        let path = self.path.clone();
        let read: Read = Box::new(move |db| {
            let outcome = catch_unwind(AssertUnwindSafe(|| read(db)));
            // A caller that is gone needs no result. The same below.
            let _ = sender.send(outcome.map(|result| result.map_err(|error| StateError::sql(&path, error))));
        });
        self.ask(|turn| Request::Read(turn, read), receiver).await
    }

    /// Runs `write` in a transaction, and returns when that is on disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StateError> {
        let (sender, receiver) = oneshot::channel();
        let path = self.path.clone();
        let write: Write = Box::new(move |db| {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                db.and_then(|db| write(db).map_err(|error| StateError::sql(&path, error)))
            }));
            match outcome {
                Ok(Ok(value)) => Ok(Box::new(move |committed| drop(sender.send(Ok(committed.map(|()| value)))))),
                Ok(Err(error)) => {
                    let _ = sender.send(Ok(Err(error.clone())));
                    Err(error)
                }
                Err(panic) => {
                    let _ = sender.send(Err(panic));
                    Err(StateError::unreachable(&path, "a write panicked"))
                }
            }
        });
        self.ask(|turn| Request::Write(turn, write), receiver).await
    }

    /// Runs what was sent before, then closes the connection.
    pub(super) async fn close(&self) {
        let (sender, closed) = oneshot::channel();
        let _ = self.requests.send(Request::Close(sender));
        let _ = closed.await;
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(Turn) -> Request,
        mut receiver: oneshot::Receiver<Outcome<T>>,
    ) -> Result<T, StateError> {
        let caller = Caller(Turn::default());
        // A thread that has ended drops the request, and with it the sender to `receiver`.
        let _ = self.requests.send(request(caller.0.clone()));
        let outcome = match tokio::time::timeout(self.turn, &mut receiver).await {
            Ok(outcome) => outcome,
            Err(_) if caller.0.take() => return Err(StateError::Busy { path: self.path.clone() }),
            Err(_) => receiver.await,
        };
        match outcome {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(StateError::unreachable(&self.path, "it is closed")),
        }
    }
}

/// Runs requests until one of them says to close, or nobody is left to send any.
fn serve(db: Connection, path: &Path, requests: &mpsc::Receiver<Request>) {
    let closing = loop {
        let Ok(first) = requests.recv() else { return };
        let mut group = Group { db: &db, path, transaction: None, replies: Vec::new() };
        // Those that arrive meanwhile join. Each caller has one at a time, so this ends.
        let closing = iter::once(first).chain(requests.try_iter()).find_map(|request| match request {
            Request::Close(sender) => Some(sender),
            Request::Read(turn, read) => turn.take().then(|| read(&db)).and(None),
            Request::Write(turn, write) => turn.take().then(|| group.add(write)).and(None),
        });
        group.commit();
        if let Some(closing) = closing {
            break closing;
        }
    };
    drop(db);
    let _ = closing.send(());
}

/// Writes that share a transaction.
struct Group<'db> {
    db: &'db Connection,
    path: &'db Path,
    /// None before the first write, and after a transaction that was lost.
    transaction: Option<Transaction<'db>>,
    replies: Vec<Reply>,
}

impl Group<'_> {
    /// Runs `write` in the transaction, which the first one begins.
    fn add(&mut self, write: Write) {
        if let Err(error) = self.run(write) {
            // Rolls back what SQLite itself has not, as it does on a full disk.
            self.transaction = None;
            self.reply(Err(error));
        }
    }

    /// Fails if the transaction is lost, not if the write has failed.
    fn run(&mut self, write: Write) -> Result<(), StateError> {
        let sql = |error| StateError::sql(self.path, error);
        let transaction = match &mut self.transaction {
            Some(transaction) => transaction,
            // With the write lock from the start: a transaction that asks for it later can fail at once.
            none => match Transaction::new_unchecked(self.db, TransactionBehavior::Immediate) {
                Ok(transaction) => none.insert(transaction),
                Err(error) => return write(Err(sql(error))).map(drop),
            },
        };
        let savepoint = match transaction.savepoint() {
            Ok(savepoint) => savepoint,
            Err(error) => return write(Err(sql(error))).map(drop),
        };
        match write(Ok(&savepoint)) {
            Ok(reply) => {
                let kept = savepoint.commit().map_err(sql);
                match &kept {
                    Ok(()) => self.replies.push(reply),
                    Err(error) => reply(Err(error.clone())),
                }
                kept
            }
            // The savepoint is gone if SQLite has rolled back the transaction.
            Err(error) => savepoint.finish().map_err(|_| error),
        }
    }

    fn commit(mut self) {
        if let Some(transaction) = self.transaction.take() {
            let committed = transaction.commit().map_err(|error| StateError::sql(self.path, error));
            self.reply(committed);
        }
    }

    fn reply(&mut self, outcome: Result<(), StateError>) {
        self.replies.drain(..).for_each(|reply| reply(outcome.clone()));
    }
}

#[cfg(test)]
mod tests;
