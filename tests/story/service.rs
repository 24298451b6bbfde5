//! The daemon as a service: a quiet start.

use std::process::Command;

use crate::support::night;
use crate::support::program::{Program, outcome};
use crate::support::service::Service;
use crate::support::shop;
use crate::support::sshd::Sshd;

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
