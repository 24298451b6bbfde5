//! The daemon: a job at its minute, a broken file on reload, a second daemon, a stop.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::support::program::Program;
use crate::support::shop;
use crate::support::sshd::Sshd;

/// A minute until the job is due, and what a busy machine may take besides.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `exportd serve` whose log is read line by line. Killed when dropped.
struct Daemon {
    child: Child,
    log: Receiver<String>,
    seen: Vec<String>,
}

impl Daemon {
    fn start(program: &Program) -> Daemon {
        let mut child = program.command(&["serve"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let (lines, log) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        Daemon { child, log, seen: Vec::new() }
    }

    /// Waits for a line of the log that contains `text`.
    #[track_caller]
    fn says(&mut self, text: &str) -> String {
        let limit = Instant::now() + PATIENCE;
        while let Ok(line) = self.log.recv_timeout(limit.saturating_duration_since(Instant::now())) {
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
        panic!("the daemon never said {text:?}; it said:\n{}", self.seen.join("\n"));
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success());
    }

    /// Waits for its end and returns its exit code.
    fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The shop's job, due at the next full minute that leaves the daemon time to start, in a zone of its own.
fn due_soon(server: &Sshd) -> (String, String) {
    let zone = TimeZone::get("America/St_Johns").unwrap();
    let due = (Timestamp::now() + SignedDuration::from_secs(65)).to_zoned(zone);
    let at = due.strftime("%H:%M").to_string();
    let config = shop::config(server, &format!("at = \"{at}\"")).replace("Europe/Paris", "America/St_Johns");
    (config, format!("{}T{at}:00", due.date()))
}

#[test]
fn a_job_runs_at_its_minute_and_a_broken_file_changes_nothing() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let (config, due) = due_soon(&server);
    program.configure(&config);
    let mut daemon = Daemon::start(&program);
    daemon.says("the daemon is up");

    let second = program.run(&["serve"]).expect(3);
    assert!(second.err.contains(&daemon.child.id().to_string()), "says who holds the state: {}", second.err);

    program.configure(&config.replace("run = \"daily\"", "run = \"dayly\""));
    daemon.signal("HUP");
    let refused = daemon.says("dayly");
    assert!(refused.contains("jobs.toml"), "{refused}");

    daemon.says("delivered");
    program.configure(&config);
    let history = program.run(&["history", "--json"]).expect(0).json();
    assert_eq!(history.as_array().unwrap().len(), 1);
    assert_eq!(history[0]["trigger"], "schedule");
    assert_eq!(history[0]["state"], "delivered");
    assert!(history[0]["due"].as_str().unwrap().starts_with(&due), "{} is not {due}", history[0]["due"]);
    assert_eq!(server.names().len(), 1);

    daemon.signal("TERM");
    assert_eq!(daemon.end(), Some(0));
}
