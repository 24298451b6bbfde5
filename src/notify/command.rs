//! Calls a command with a notification on its standard input.

use std::io;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::{LIMIT, Message, NotifyError};
use crate::wording::io_error;

/// The variables of our environment that the command gets. Others may hold passwords.
const PASSED_ON: [&str; 5] = ["PATH", "HOME", "LANG", "TZ", "TMPDIR"];

/// Calls it and waits for it to succeed. When its time is up, it and all its children are killed.
pub(super) async fn call(command: &[String], message: &Message) -> Result<(), NotifyError> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let failed = |fault: String| NotifyError::Command { program: program.clone(), fault };
    let mut process = Command::new(program);
    process.args(arguments).env_clear();
    process.envs(PASSED_ON.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    process.env("EXPORTD_EVENT", message.kind.name());
    if let Some(run) = &message.run {
        process.env("EXPORTD_JOB", &run.job).env("EXPORTD_RUN", run.id.as_str());
    }
    process.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).kill_on_drop(true);
    let mut child = process.spawn().map_err(|error| failed(format!("can't be started: {}", io_error(&error))))?;
    let group = child.id();
    let result = tokio::time::timeout(LIMIT, feed(&mut child, &message.body)).await;
    if let (Err(_), Some(group)) = (&result, group.and_then(|id| Pid::from_raw(id as i32))) {
        // It may just have ended by itself.
        let _ = kill_process_group(group, Signal::KILL);
    }
    match result {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(format!("ended with {status}"))),
        Ok(Err(error)) => Err(failed(format!("can't be waited for: {}", io_error(&error)))),
        Err(_) => Err(failed(format!("took longer than {} s and was ended", LIMIT.as_secs()))),
    }
}

async fn feed(child: &mut Child, body: &[u8]) -> io::Result<std::process::ExitStatus> {
    if let Some(mut input) = child.stdin.take() {
        // A command that does not want to read need not.
        let _ = input.write_all(body).await;
        let _ = input.shutdown().await;
    }
    child.wait().await
}
