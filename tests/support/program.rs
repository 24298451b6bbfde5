//! The built program in a folder of its own: a configuration in, exit code and output out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with a configuration, a state and whatever a test puts beside them. Gone when dropped.
pub struct Program {
    folder: tempfile::TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Outcome {
    /// Itself, if the exit code is `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Outcome {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// The output read as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}):\n{}", self.out))
    }
}

impl Program {
    /// A folder with `jobs.toml` holding `config`.
    pub fn new(config: &str) -> Program {
        let program = Program { folder: tempfile::tempdir().unwrap() };
        program.configure(config);
        program
    }

    /// Replaces the configuration.
    pub fn configure(&self, config: &str) {
        fs::write(self.path("jobs.toml"), config).unwrap();
    }

    /// A path in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command that is not started yet, in the folder, with nothing of the surroundings that could sway it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exportd"));
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null());
        for variable in [
            "EXPORTD_CONFIG",
            "EXPORTD_LOG",
            "EXPORTD_STORE_URL",
            "STATE_DIRECTORY",
            "CREDENTIALS_DIRECTORY",
            "NOTIFY_SOCKET",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        outcome(self.command(arguments).output().unwrap())
    }
}

/// What a finished process left behind.
pub fn outcome(output: Output) -> Outcome {
    Outcome {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
