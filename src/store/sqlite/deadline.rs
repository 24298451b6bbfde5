//! The time that statements may take.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// Virtual machine steps between two looks at the clock: some thousand looks a second.
const STEPS: i32 = 20_000;

/// When the statements of a connection are interrupted; none while they may take as long as they like.
#[derive(Clone, Default)]
pub(super) struct TimeLimit(Arc<Mutex<Option<Instant>>>);

/// Ends a time limit when it is dropped.
pub(super) struct Deadline<'a>(&'a TimeLimit);

impl TimeLimit {
    /// The limit of `db`, whose only one it must be.
    pub(super) fn of(db: &mut Connection) -> rusqlite::Result<TimeLimit> {
        let limit = TimeLimit::default();
        let own = limit.clone();
        db.progress_handler(STEPS, Some(move || own.get().is_some_and(|end| Instant::now() > end)))?;
        Ok(limit)
    }

    /// Gives statements that long from now on.
    pub(super) fn start(&self, timeout: Duration) -> Deadline<'_> {
        self.set(Instant::now().checked_add(timeout));
        Deadline(self)
    }

    fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, end: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }
}

impl Drop for Deadline<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
