//! A log that can't be written: whatever becomes of standard error, runs are delivered and the daemon stops when told.

use std::fs;
use std::io::{PipeReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::night;
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::sshd::Sshd;

/// What a busy machine may take for a step.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the end may take of a daemon that has nothing left to do.
const END: Duration = Duration::from_secs(20);

/// A daemon whose standard error is the test's business. Killed when dropped.
struct Daemon<'p> {
    program: &'p Program,
    child: Child,
}

impl<'p> Daemon<'p> {
    fn start(program: &'p Program, mut command: Command, stderr: impl Into<Stdio>) -> Daemon<'p> {
        let child = command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
        Daemon { program, child }
    }

    /// Waits until something holds, while the daemon lives.
    #[track_caller]
    fn until(&mut self, what: &str, mut holds: impl FnMut() -> bool) {
        let limit = Instant::now() + PATIENCE;
        while !holds() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the daemon has ended ({ended:?}) before {what}");
            assert!(Instant::now() < limit, "never: {what}");
        }
    }

    /// The run that was missed is delivered, a reload is answered, and the daemon ends in good order when it is told.
    #[track_caller]
    fn does_its_work(mut self) {
        self.delivers_and_reloads();
        self.stops();
    }

    #[track_caller]
    fn delivers_and_reloads(&mut self) {
        let program = self.program;
        self.until("the missed run is delivered", || {
            let history = program.run(&["history", "--json"]).expect(0).json();
            history.as_array().unwrap().iter().any(|run| run["state"] == "delivered")
        });
        assert!(program.run(&["reload"]).expect(0).out.starts_with("accepted"));
    }

    #[track_caller]
    fn stops(self) {
        let pid = self.child.id().to_string();
        let mut child = self.release();
        let (tell, told) = mpsc::channel::<ExitStatus>();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let waiter = std::thread::spawn(move || tell.send(child.wait().unwrap()));
        let Ok(ended) = told.recv_timeout(END) else {
            Command::new("kill").args(["-KILL", &pid]).status().unwrap();
            panic!("told to stop, it did not end");
        };
        waiter.join().unwrap().unwrap();
        assert_eq!(ended.code(), Some(0), "{ended:?}");
    }

    /// The process, which is then for somebody else to end.
    fn release(mut self) -> Child {
        let placeholder = Command::new("true").spawn().unwrap();
        std::mem::replace(&mut self.child, placeholder)
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The shop's job, with one night missed.
fn program(server: &Sshd) -> Program {
    let program = night::program(server, "");
    night::last_up(&program, 1);
    program
}

fn at_level(program: &Program, level: &str) -> Command {
    let mut command = program.command(&["serve"]);
    command.env("EXPORTD_LOG", level);
    command
}

/// What a log says of lines that were lost.
fn lost(line: &str) -> Option<u64> {
    serde_json::from_str::<Value>(line).ok()?["lost"].as_u64()
}

#[test]
fn a_disk_that_is_always_full_costs_the_log_and_nothing_else() {
    let server = Sshd::start();
    let program = program(&server);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    Daemon::start(&program, program.command(&["serve"]), full).does_its_work();
}

#[test]
fn a_pipe_that_is_closed_costs_the_log_and_nothing_else() {
    let server = Sshd::start();
    let program = program(&server);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Daemon::start(&program, program.command(&["serve"]), writer).does_its_work();
}

#[test]
fn a_pipe_that_nobody_reads_costs_the_log_and_nothing_else() {
    let server = Sshd::start();
    let program = program(&server);
    let (mut reader, writer) = std::io::pipe().unwrap();
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).unwrap();
    Daemon::start(&program, at_level(&program, "trace"), writer).does_its_work();
    let mut log = Vec::new();
    reader.read_to_end(&mut log).unwrap();
    let log = String::from_utf8_lossy(&log);
    assert!(!log.is_empty() && !log.contains("\"stopped\""), "the pipe was not even full: {} bytes", log.len());
}

#[test]
fn a_reader_that_comes_late_is_told_how_many_lines_were_lost() {
    let server = Sshd::start();
    let program = program(&server);
    night::last_up(&program, 4);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut daemon = Daemon::start(&program, at_level(&program, "trace"), writer);
    daemon.delivers_and_reloads();
    // All that is wrong with a file is one line; some of them are more than the queue holds.
    let sound = fs::read_to_string(program.path("jobs.toml")).unwrap();
    let nonsense: String = (0..1000).map(|key| format!("nobody_knows_{key} = 1\n")).collect();
    program.configure(&format!("{nonsense}{sound}"));
    for _ in 0..10 {
        program.run(&["reload"]).expect(2);
    }
    program.configure(&sound);
    let (tell, told) = mpsc::channel();
    let reading = std::thread::spawn(move || read_lines(reader, &tell));
    daemon.until("the log says how many lines were lost", || told.try_iter().any(|line| lost(&line).is_some()));
    daemon.stops();
    let lines = reading.join().unwrap();
    for line in &lines {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("not a whole line ({error}): {line}"));
    }
    assert!(lines.iter().filter_map(|line| lost(line)).all(|lost| lost > 0));
    assert!(lines.iter().any(|line| line.contains("\"stopped\"")), "the end is not lost: {:?}", lines.last());
}

/// All lines until the end, each told when it comes.
fn read_lines(mut reader: PipeReader, tell: &mpsc::Sender<String>) -> Vec<String> {
    let (mut lines, mut rest, mut buffer) = (Vec::new(), Vec::new(), vec![0; 65_536]);
    loop {
        let length = reader.read(&mut buffer).unwrap();
        if length == 0 {
            assert!(rest.is_empty(), "the last line has no end");
            return lines;
        }
        rest.extend_from_slice(&buffer[..length]);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8(rest.drain(..=end).collect()).unwrap().trim_end().to_owned();
            // The test may have heard enough.
            let _ = tell.send(line.clone());
            lines.push(line);
        }
    }
}

#[test]
fn a_log_whose_disk_gets_room_again_says_how_many_lines_were_lost() {
    let server = Sshd::start();
    let program = program(&server);
    fs::create_dir(program.path("disk")).unwrap();
    let script = "mount -t tmpfs -o size=64k tmpfs disk || exit 99\n\
                  : > disk/log; cat /dev/zero > disk/filler 2>/dev/null; exec \"$0\" \"$@\" 2>> disk/log";
    let inner = program.command(&["serve"]);
    let namespace = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    let mut command = Command::new("unshare");
    command.args([namespace, "sh", "-c", script]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(program.path(""));
    let mut daemon = Daemon::start(&program, command, Stdio::null());
    daemon.delivers_and_reloads();

    // The disk is the daemon's alone, and seen through it.
    let inside = |name: &str| {
        let path = program.path("disk").join(name);
        PathBuf::from(format!("/proc/{}/root{}", daemon.child.id(), path.display()))
    };
    let (log, filler) = (inside("log"), inside("filler"));
    assert_eq!(fs::read_to_string(&log).unwrap(), "", "there was room");
    fs::remove_file(filler).unwrap();
    daemon.until("the log says how many lines were lost", || {
        fs::read_to_string(&log).unwrap().lines().any(|line| lost(line).is_some_and(|lost| lost >= 3))
    });
    // One that logs again has room, too.
    program.run(&["reload"]).expect(0);
    daemon.until("the next reload is logged", || fs::read_to_string(&log).unwrap().contains("read again"));
    daemon.stops();
}

#[test]
fn a_defect_is_logged_with_its_place_and_without_its_words() {
    let server = Sshd::start();
    let program = program(&server);
    let mut service = Service::with_failpoint(&program, "destination:upload:before=panic");
    let line = service.says("\"place\"");
    assert!(line.contains("src/failpoint.rs:") && line.contains("\"ERROR\""), "{line}");
    service.says("failed: ");
    assert!(!service.said().contains("as EXPORTD_FAILPOINT wants it"), "{}", service.said());
    service.stop();
}

#[test]
fn a_daemon_that_can_not_start_ends_with_its_own_exit_code() {
    let program = Program::new("nonsense");
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(program.command(&["serve"]).stderr(full()).status().unwrap().code(), Some(2));
    let told = program.run(&["serve"]).expect(2).err;
    assert!(told.contains("jobs.toml:1:"), "nothing of it is lost: {told}");
    // Nor where nobody reads it, and it does not fit.
    let (_reader, writer) = std::io::pipe().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "head -c 65536 /dev/zero >&2; exec \"$0\" \"$@\""]);
    let inner = program.command(&["serve"]);
    command.arg(inner.get_program()).args(inner.get_args()).current_dir(program.path("")).process_group(0);
    let mut child = command.stderr(writer).spawn().unwrap();
    let limit = Instant::now() + END;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > limit {
            child.kill().unwrap();
            panic!("it waits for a reader of its log");
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn a_run_that_fails_keeps_its_exit_code_where_nobody_reads_why() {
    let mut server = Sshd::start();
    let program = night::program(&server, "");
    server.stop();
    let told = program.run(&["run", "shop"]);
    assert!(told.code > 0 && told.err.contains("job shop: "), "{told:?}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = program.command(&["run", "shop"]).stdout(Stdio::null()).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(told.code));
}
