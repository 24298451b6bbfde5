//! The way of rows into finished files: read and encoded on one thread, hashed and written on another, compressed
//! between them on all cores.
//!
//! The reading thread fills blocks and sends them over a bounded channel, so a slow disk slows the database down
//! instead of filling memory; emptied blocks come back to be filled again. A file comes into being only through
//! `finish`: whatever is dropped before leaves nothing behind, the threads included.

mod archive;
mod deflate;
mod file;
mod output;
mod rows;
mod zip;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use self::file::{FileSink, plain};
pub use self::zip::{Member, Zip};
use crate::progress::FileProgress;
use crate::spool::SpoolError;

/// What a file's maker shares with those who watch or stop it.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Counts up while rows are written.
    pub progress: FileProgress,
    /// Set to true, it ends the writing at the next row.
    pub cancel: Arc<AtomicBool>,
}

/// Why a file did not come into being.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The spool refused it.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// Somebody stopped it.
    #[error("the run was stopped")]
    Cancelled,
    /// The rows ended before their time, for a reason that whoever read them knows.
    #[error("{name} was not written to its end")]
    Unfinished {
        /// The file's name.
        name: String,
    },
    /// A finished zip does not hold what was written to it, by another reader's account.
    #[error("{name} is not the zip that was written; its directory has {difference}")]
    BadZip {
        /// The file's name.
        name: String,
        /// The first difference, in words.
        difference: String,
    },
}

impl PipelineError {
    /// Whether the same work may succeed later without anybody changing the configuration.
    pub fn is_passing(&self) -> bool {
        match self {
            PipelineError::Spool(error) => error.is_passing(),
            PipelineError::Cancelled | PipelineError::Unfinished { .. } => true,
            PipelineError::BadZip { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests;
