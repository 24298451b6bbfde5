//! The time that statements may take.

use std::time::{Duration, Instant};

use rusqlite::Connection;

/// Virtual machine steps between two looks at the clock: some thousand looks a second.
const STEPS: i32 = 20_000;

/// Interrupts statements once their time is up, as long as it lives.
pub(super) struct Deadline<'a>(&'a Connection);

impl<'a> Deadline<'a> {
    /// From now on.
    pub(super) fn start(db: &'a Connection, timeout: Duration) -> rusqlite::Result<Deadline<'a>> {
        let started = Instant::now();
        db.progress_handler(STEPS, Some(move || started.elapsed() > timeout))?;
        Ok(Deadline(db))
    }
}

impl Drop for Deadline<'_> {
    fn drop(&mut self) {
        // Only a connection that is gone refuses, and it has nothing left to interrupt.
        let _ = self.0.progress_handler(0, None::<fn() -> bool>);
    }
}
