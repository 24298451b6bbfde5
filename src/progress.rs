//! How far a run has come, and what there is to warn of: written by the work, read by what shows it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::run::Stage;

/// How far a run has come. Clones show the same run.
#[derive(Clone, Debug)]
pub struct Progress {
    stage: Arc<AtomicU8>,
    /// One for each file, in the order of the plan.
    pub files: Arc<[FileProgress]>,
    warnings: Arc<Mutex<Vec<String>>>,
}

/// How far one file has come.
#[derive(Clone, Debug, Default)]
pub struct FileProgress {
    /// Rows written, headers not counted.
    pub rows: Arc<AtomicU64>,
    /// Bytes made of them; of a zip, before compression.
    pub bytes: Arc<AtomicU64>,
    /// The file's size once it is finished, else 0.
    pub size: Arc<AtomicU64>,
    /// Bytes that the destination has acknowledged.
    pub sent: Arc<AtomicU64>,
}

/// The stages in their order; a stage is kept as its position here.
const STAGES: [Stage; 7] = [
    Stage::Claimed,
    Stage::Querying,
    Stage::Spooled,
    Stage::Uploading,
    Stage::Uploaded,
    Stage::Publishing,
    Stage::Published,
];

impl Progress {
    /// The start of a run of `files` files.
    pub fn new(files: usize) -> Progress {
        let files = (0..files).map(|_| FileProgress::default()).collect();
        Progress { stage: Arc::default(), files, warnings: Arc::default() }
    }

    /// How far the run has come.
    pub fn stage(&self) -> Stage {
        STAGES[usize::from(self.stage.load(Ordering::Relaxed)).min(STAGES.len() - 1)]
    }

    /// Says that the run has come to `stage`.
    pub fn enter(&self, stage: Stage) {
        let position = STAGES.iter().position(|one| *one == stage).unwrap_or_default();
        self.stage.store(position as u8, Ordering::Relaxed);
    }

    /// Adds something that a person should know, even if the run succeeds.
    pub fn warn(&self, warning: String) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// What was warned of so far.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_show_the_same_run() {
        let progress = Progress::new(2);
        let shown = progress.clone();
        progress.enter(Stage::Publishing);
        progress.files[1].rows.fetch_add(7, Ordering::Relaxed);
        assert_eq!(shown.stage(), Stage::Publishing);
        assert_eq!(shown.files[1].rows.load(Ordering::Relaxed), 7);
    }
}
