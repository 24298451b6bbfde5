//! How a command ends that did not do its work: one sentence for the reader, one exit code for the caller.

use std::fmt;

/// Why a command did not do its work. The exit codes are part of the interface; `docs/operations.md` lists them.
#[derive(Debug)]
pub struct Failure {
    /// What the process exits with.
    pub code: u8,
    /// What is said, in plain words. Empty when everything has been said already.
    pub text: String,
}

impl Failure {
    /// A run or a check failed: exit code 1.
    pub fn work(error: impl fmt::Display) -> Failure {
        Failure { code: 1, text: error.to_string() }
    }

    /// A run or a check failed, and its report has been printed: exit code 1.
    pub fn reported() -> Failure {
        Failure { code: 1, text: String::new() }
    }

    /// The arguments or the configuration can't be used: exit code 2.
    pub fn usage(error: impl fmt::Display) -> Failure {
        Failure { code: 2, text: error.to_string() }
    }

    /// The state or the store can't be reached: exit code 3.
    pub fn unreachable(error: impl fmt::Display) -> Failure {
        Failure { code: 3, text: error.to_string() }
    }
}

impl From<std::io::Error> for Failure {
    /// Writing to standard output failed. A reader that has seen enough (`| head`) is no failure at all.
    fn from(error: std::io::Error) -> Failure {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Failure { code: 0, text: String::new() };
        }
        Failure::work(format!("can't write to standard output: {error}"))
    }
}
