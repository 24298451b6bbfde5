//! What a check finds: at which place, how bad, and in which words.

use serde::Serialize;

use crate::cli::facts::hanging;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing; runs succeed nevertheless.
    Hint,
    /// Runs fail until somebody changes something.
    Fault,
}

/// Something that a check has found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at: the store, an export of a job, a destination.
    pub place: String,
    /// What there is to say, with the remedy.
    pub text: String,
}

impl Finding {
    /// Something found at a place.
    pub fn new(level: Level, place: &str, text: impl Into<String>) -> Finding {
        Finding { level, place: place.to_owned(), text: text.into() }
    }

    /// Prints it for people.
    pub fn print(&self) -> std::io::Result<()> {
        let word = match self.level {
            Level::Ok => "ok",
            Level::Hint => "hint",
            Level::Fault => "FAULT",
        };
        hanging(0, &format!("{word:<6} {}: {}", self.place, self.text))
    }
}

/// Whether nothing has to be corrected.
pub fn is_well(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.level != Level::Fault)
}
