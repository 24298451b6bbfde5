//! The daemon as a service: a quiet start, reloads that are answered, and no core file.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use crate::support::night;
use crate::support::program::{Program, outcome};
use crate::support::service::Service;
use crate::support::shop;
use crate::support::sshd::{Sshd, names_in};

/// Where the libraries' sources lie on the machine that builds.
const SOURCES: &str = "/.cargo/";

/// A command of the program behind another program with arguments of its own.
fn behind(wrapper: &[&str], program: &Program, arguments: &[&str]) -> Command {
    let inner = program.command(arguments);
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(inner.get_program()).args(inner.get_args()).current_dir(program.path(""));
    for (variable, _) in inner.get_envs() {
        command.env_remove(variable);
    }
    command
}

/// What makes a process of root one of a service: without a certain privilege. Others have none.
fn without(privilege: &str) -> Vec<String> {
    if !rustix::process::geteuid().is_root() {
        return Vec::new();
    }
    let set = |name: &str| format!("--{name}=-{privilege}");
    vec!["setpriv".to_owned(), set("bounding-set"), set("inh-caps")]
}

#[test]
fn a_healthy_start_warns_of_nothing_and_names_no_place_of_the_builder() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    night::last_up(&program, 1);
    // No memory can be locked: the usual limit of a service is soon used up.
    let mut wrapper = without("ipc_lock");
    wrapper.extend(["prlimit", "--memlock=0:0"].map(str::to_owned));
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let mut service = Service::launch(behind(&wrapper, &program, &["serve"]));
    service.says("\"delivered\"");
    let said = service.stop_and_tell();
    for line in said.lines() {
        let told: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert_eq!(told["level"], "INFO", "{line}");
        assert!(!line.contains(SOURCES), "{line}");
    }
    assert!(said.lines().count() > 3, "{said}");
}

#[test]
fn no_line_of_the_log_names_a_place_of_the_builder() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let run = program.command(&["run", "shop", "--at", shop::DAY]).env("EXPORTD_LOG", "trace").output().unwrap();
    let run = outcome(run).expect(0);
    assert!(run.err.contains("\"level\":\"DEBUG\""), "{}", run.err);
    let telling = run.err.lines().find(|line| line.contains(SOURCES) || line.contains("log.file"));
    assert_eq!(telling, None);
}

#[test]
fn a_daemon_that_dies_leaves_no_core_file() {
    let unlimited = ["prlimit", "--core=unlimited:unlimited"];
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let mut control = Command::new(unlimited[0]);
    control.args([unlimited[1], "sh", "-c", "kill -ABRT $$"]).current_dir(program.path(""));
    let control = control.status().unwrap();
    assert!(control.core_dumped(), "this test needs a machine on which processes may leave core files: {control}");
    fs::remove_file(program.path("core")).ok();
    let before = names_in(&program.path(""));
    // What the watchdog sends, and what a filter of system calls does. A segmentation fault ends a process in the same way.
    for signal in ["ABRT", "SYS"] {
        let mut service = Service::launch(behind(&unlimited, &program, &["serve"]));
        service.says("the daemon is up");
        service.signal(signal);
        let ended = service.ended();
        assert!(ended.signal().is_some(), "{signal}: {ended}");
        assert!(!ended.core_dumped(), "{signal}: {ended}");
    }
    let mut after = names_in(&program.path(""));
    after.retain(|name| !before.contains(name));
    assert_eq!(after, ["state"]);
}

#[test]
fn a_reload_is_answered_where_proc_shows_no_process_of_others() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let mut service = Service::start(&program);
    service.says("the daemon is up");
    // As ProtectProc=invisible does it in the unit; the group is one that root is not in. Only root can mount it.
    let mut wrapper: Vec<String> = Vec::new();
    if rustix::process::geteuid().is_root() {
        let script = "mount -t proc -o hidepid=2,gid=65534 proc /proc || exit 99\nexec \"$0\" \"$@\"";
        wrapper.extend(["unshare", "--mount", "sh", "-c", script].map(str::to_owned));
        wrapper.extend(without("sys_ptrace"));
    } else {
        wrapper.push("env".to_owned());
    }
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let reload = || outcome(behind(&wrapper, &program, &["reload"]).output().unwrap());

    let accepted = reload().expect(0);
    assert!(accepted.out.contains("accepted"), "{}", accepted.out);
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("run = \"daily\"", "run = \"dayly\""));
    let refused = reload().expect(2);
    assert!(refused.err.contains("dayly") && refused.err.contains("stays in force"), "{}", refused.err);
    service.stop();
    let gone = reload().expect(1);
    assert!(gone.err.contains("no daemon works with"), "{}", gone.err);
}

#[test]
fn a_program_of_another_version_does_not_reload_the_daemon() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let mut service = Service::start(&program);
    service.says("the daemon is up");
    let lock = program.path("state/daemon.lock");
    let note = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, note.replace(env!("CARGO_PKG_VERSION"), "0.0.9")).unwrap();
    let refused = program.run(&["reload"]).expect(1);
    assert!(refused.err.contains("the daemon is exportd 0.0.9") && refused.err.contains("restart"), "{}", refused.err);
    assert!(!service.stop_and_tell().contains("was read again"));
}

#[test]
fn the_service_manager_is_told_of_start_reload_and_end() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let socket = UnixDatagram::bind(program.path("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut told = Vec::new();
    let mut wait_for = |what: &str| {
        let mut message = [0; 4096];
        let length = socket.recv(&mut message).unwrap_or_else(|error| panic!("never told {what}: {error}; {told:?}"));
        let text = String::from_utf8_lossy(&message[..length]).into_owned();
        told.push(text.clone());
        text
    };
    let mut command = program.command(&["serve"]);
    let service = Service::launch({
        command.env("NOTIFY_SOCKET", program.path("notify"));
        command
    });
    while wait_for("READY=1") != "READY=1\n" {}
    program.run(&["reload"]).expect(0);
    // Both in one message: a systemd that wants the time wants it there, an older one ignores it.
    let reloading = loop {
        let text = wait_for("RELOADING=1");
        assert_ne!(text, "READY=1\n", "a reload begins with its announcement");
        if text.starts_with("RELOADING=1\n") {
            break text;
        }
    };
    assert!(reloading.contains("\nMONOTONIC_USEC="), "{reloading:?}");
    while wait_for("READY=1") != "READY=1\n" {}
    service.stop();
    while wait_for("STOPPING=1") != "STOPPING=1\n" {}
    let is_status = |text: &String| text.starts_with("STATUS=1 job, 0 running, 0 queued; next: shop at ");
    assert!(told.iter().any(is_status), "{told:?}");
}
