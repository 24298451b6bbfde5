//! State: the daemon's own database of jobs, runs, files and attempts.
//!
//! One SQLite file, `state.db`, in the state folder. Every function is one write, done or not done as a whole, that is
//! on disk when it returns; a run's row is written before the step that it announces. SQL runs on two threads, one that
//! writes and one that reads; writes that wait for each other share a commit, see `thread`. Commands and the daemon
//! share the file.
//! Nothing here reads a clock or decides anything: callers say what time it is and what is to be kept.

mod abandoned;
mod clock;
mod command;
mod decide;
mod error;
mod events;
mod files;
mod forget;
mod history;
mod keep;
mod lock;
mod migrate;
mod notices;
mod open;
mod presence;
mod row;
mod runs;
#[cfg(test)]
mod scale;
mod sql;
mod thread;

use std::path::PathBuf;
use std::sync::Arc;

use thread::DbThread;

pub use abandoned::Abandoned;
pub use clock::DecidedAhead;
pub use decide::{Decision, NewRun};
pub use error::StateError;
pub use events::{Event, NewEvent};
pub use files::StoredFile;
pub use history::{Attempt, Filter, RunDetail};
pub use keep::Temporary;
pub use lock::{DaemonLock, Holder};
pub use notices::{Notice, Subject};
pub use presence::Presence;
pub use runs::PendingRun;

pub use crate::job::job_key;

/// The state database, open. Clones share it.
#[derive(Clone, Debug)]
pub struct State {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    path: PathBuf,
    writer: DbThread,
    reader: DbThread,
}
