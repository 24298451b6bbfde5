//! A running `exportd serve` whose log is read line by line. Killed when dropped.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::program::Program;

/// A minute until a job is due, and what a busy machine may take besides.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running daemon.
pub struct Service {
    child: Child,
    log: Receiver<String>,
    seen: Vec<String>,
}

impl Service {
    pub fn start(program: &Program) -> Service {
        Service::launch(program.command(&["serve"]))
    }

    /// A daemon that meets its end, or an error, at a fail point: `POINT:SIDE=ACTION@N`.
    pub fn with_failpoint(program: &Program, failpoint: &str) -> Service {
        let mut command = program.command(&["serve"]);
        command.env("EXPORTD_FAILPOINT", failpoint);
        Service::launch(command)
    }

    /// A daemon by a command that was made ready.
    pub fn launch(mut command: Command) -> Service {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let (lines, log) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        Service { child, log, seen: Vec::new() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of the log that contains `text`.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> String {
        self.says_or_ends(text).unwrap_or_else(|| panic!("the daemon ended without saying {text:?}:\n{}", self.said()))
    }

    /// Waits for a line of the log that contains `text`. None if the daemon ends before.
    #[track_caller]
    pub fn says_or_ends(&mut self, text: &str) -> Option<String> {
        let limit = Instant::now() + PATIENCE;
        loop {
            match self.log.recv_timeout(limit.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return Some(line);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("the daemon never said {text:?}:\n{}", self.said()),
            }
        }
    }

    /// All that was read of its log.
    pub fn said(&self) -> String {
        self.seen.join("\n")
    }

    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success());
    }

    /// Waits for its end.
    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Tells it to stop, and expects that it does so in good order.
    #[track_caller]
    pub fn stop(self) {
        self.signal("TERM");
        assert_eq!(self.ended().code(), Some(0));
    }

    /// Tells it to stop, and returns all that it has said.
    #[track_caller]
    pub fn stop_and_tell(mut self) -> String {
        self.signal("TERM");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.seen.extend(self.log.iter());
        self.said()
    }

    /// Kills it with `kill -9`, and returns all that it has said.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.seen.extend(self.log.iter());
        self.said()
    }

    /// Waits for its end by `kill -9`.
    #[track_caller]
    pub fn was_killed(self) {
        assert_eq!(self.ended().signal(), Some(9));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
