//! Whether an upload has opened its remote file.

use std::sync::atomic::{AtomicU8, Ordering};

/// What an upload has done to the file whose name it writes, also if it was cancelled or lost its connection. Later
/// tries at the same file add to it.
#[derive(Debug, Default)]
pub struct Opening(AtomicU8);

/// The values that an [`Opening`] takes. A later one outweighs an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Opened {
    /// Nothing: if there is a file of that name, it is as it was.
    No,
    /// It was asked to be opened, and no answer has come.
    Unknown,
    /// It is created or emptied, so that what is there is ours.
    Yes,
}

impl Opening {
    /// What is known by now.
    pub fn state(&self) -> Opened {
        match self.0.load(Ordering::SeqCst) {
            0 => Opened::No,
            1 => Opened::Unknown,
            _ => Opened::Yes,
        }
    }

    /// Notes that the file is about to be opened. Dropping the request without an answer leaves it unknown.
    pub(super) fn ask(&self) -> Asked<'_> {
        Asked { opening: self, outcome: Opened::Unknown }
    }
}

/// A request to open a file.
pub(super) struct Asked<'a> {
    opening: &'a Opening,
    outcome: Opened,
}

impl Asked<'_> {
    /// The answer has come.
    pub(super) fn answer(mut self, is_open: bool) {
        self.outcome = if is_open { Opened::Yes } else { Opened::No };
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.opening.0.fetch_max(self.outcome as u8, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_an_answer_stays_in_doubt() {
        let opening = Opening::default();
        opening.ask().answer(false);
        assert_eq!(opening.state(), Opened::No);
        drop(opening.ask());
        assert_eq!(opening.state(), Opened::Unknown);
        opening.ask().answer(false);
        assert_eq!(opening.state(), Opened::Unknown, "the first request may have emptied the file");
        opening.ask().answer(true);
        opening.ask().answer(false);
        assert_eq!(opening.state(), Opened::Yes);
    }
}
