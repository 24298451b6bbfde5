//! How far a run has come, and what there is to warn of: written by the work, read by what shows it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::run::{Stage, Warning};

/// How far a run has come. Clones show the same run.
#[derive(Clone, Debug)]
pub struct Progress {
    stage: Arc<AtomicU8>,
    /// One for each file, in the order of the plan.
    pub files: Arc<[FileProgress]>,
    warnings: Arc<Mutex<Vec<Warning>>>,
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

/// How many warnings are kept of a run; the last of them says that there are more. The log has all.
const MOST_WARNINGS: usize = 50;
const LAST_WARNING: usize = MOST_WARNINGS - 1;
const MORE_WARNINGS: &str = "there are more warnings than are kept; the log has all of them";

/// How many characters of a warning are kept.
const LONGEST_WARNING: usize = 1000;

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

    /// Adds something that a person should know even if the run succeeds: about one export, or about the whole run. What
    /// is said of several exports is kept once.
    pub fn warn(&self, export: Option<&str>, text: &str) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match text.char_indices().nth(LONGEST_WARNING) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        if let Some(known) = warnings.iter_mut().find(|known| known.text == text) {
            known.exports.extend(export.filter(|name| !known.exports.iter().any(|one| one == name)).map(str::to_owned));
            return;
        }
        match warnings.len() {
            MOST_WARNINGS => {}
            LAST_WARNING => warnings.push(Warning { exports: Vec::new(), text: MORE_WARNINGS.to_owned() }),
            _ => warnings.push(Warning { exports: export.map(str::to_owned).into_iter().collect(), text }),
        }
    }

    /// What was warned of so far.
    pub fn warnings(&self) -> Vec<Warning> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_kept_once_and_warnings_are_bounded() {
        let progress = Progress::new(1);
        for export in ["orders", "items", "orders"] {
            progress.warn(Some(export), "rows are hidden");
        }
        progress.warn(None, &"é".repeat(5000));
        let told: Vec<String> = progress.warnings().iter().map(Warning::to_string).collect();
        assert_eq!(told, ["orders, items: rows are hidden".to_owned(), format!("{}…", "é".repeat(LONGEST_WARNING))]);
        for number in 0..100 {
            progress.warn(Some("orders"), &number.to_string());
        }
        let told = progress.warnings();
        assert_eq!(told.len(), MOST_WARNINGS);
        assert_eq!(told[MOST_WARNINGS - 1].to_string(), MORE_WARNINGS);
    }

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
