//! Commands of several users. They are set up by root, and every one is somebody whom each machine has.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::program::{Outcome, Program, outcome};
use super::sshd::set_mode;

/// A user of the machine.
#[derive(Clone, Copy, Debug)]
pub struct User {
    pub name: &'static str,
    pub id: u32,
}

/// Whose the configuration and the state are.
pub const SERVICE: User = User { name: "daemon", id: 1 };

/// Who may not see them.
pub const STRANGER: User = User { name: "nobody", id: 65534 };

/// Whether the tests run as root, who alone can be several users.
pub fn can_be_many() -> bool {
    rustix::process::geteuid().is_root()
}

/// Lets everybody into the program's folder, and puts the built program there: a user may be kept from where it was
/// built.
pub fn open(program: &Program) {
    set_mode(&program.path(""), 0o755);
    let (built, copy) = (env!("CARGO_BIN_EXE_exportd"), program.path("exportd"));
    if fs::hard_link(built, &copy).is_err() {
        fs::copy(built, &copy).unwrap();
    }
    fs::create_dir(program.path("home")).unwrap();
    set_mode(&program.path("home"), 0o777);
}

/// Gives a file or a folder with all in it to a user.
pub fn give(path: &Path, user: User) {
    let done = Command::new("chown").arg("-R").arg(format!("{0}:{0}", user.id)).arg(path).status().unwrap();
    assert!(done.success(), "{}", path.display());
}

/// A command of a user that is not started yet, in the program's folder.
pub fn command(program: &Program, user: User, arguments: &[&str]) -> Command {
    let path = program.path("exportd");
    let words: Vec<&str> = [path.to_str().unwrap()].into_iter().chain(arguments.iter().copied()).collect();
    become_user(program, user, &words)
}

/// Runs a command of a user to its end.
pub fn run(program: &Program, user: User, arguments: &[&str]) -> Outcome {
    outcome(command(program, user, arguments).output().unwrap())
}

/// Follows advice: runs the command that a sentence ends with, `sudo -u NAME …` as that user and `sudo …` as root.
pub fn follow(program: &Program, sentence: &str) -> Outcome {
    let advice = sentence[sentence.find("sudo ").expect("it names a command")..].lines().next().unwrap();
    let (user, rest) = match advice.strip_prefix("sudo -u ") {
        Some(rest) => rest.split_once(' ').unwrap(),
        None => ("root", advice.strip_prefix("sudo ").unwrap()),
    };
    let users = [SERVICE, STRANGER, User { name: "root", id: 0 }];
    let user = users.into_iter().find(|known| known.name == user).unwrap_or_else(|| panic!("who is {user}?"));
    outcome(become_user(program, user, &["sh", "-c", rest]).output().unwrap())
}

/// As sudo does, the environment is a new one.
fn become_user(program: &Program, user: User, words: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={}", user.id)).arg(format!("--regid={}", user.id)).arg("--clear-groups");
    command.args(words).current_dir(program.path("")).env_clear();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", program.path("home"));
    command.stdin(std::process::Stdio::null());
    command
}
