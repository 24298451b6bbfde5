//! `exportd reload`: has the running daemon read its configuration again, and says what came of it.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::access::Denied;
use crate::config;
use crate::run::EventKind;
use crate::state::{Event, Holder, State};

use super::args::ReloadArguments;
use super::failure::Failure;
use super::output::{self, line};

/// How long the daemon may take to answer.
const LIMIT: Duration = Duration::from_secs(60);

/// How often state is asked for the answer.
const PAUSE: Duration = Duration::from_millis(50);

/// Signals the daemon of the state folder, waits for its answer in state, and reports it.
pub async fn reload(state_dir: &Path, options: ReloadArguments) -> Result<(), Failure> {
    let Some(holder) = Holder::of(state_dir).map_err(Failure::unreachable)? else {
        return Err(Failure::work(format!("no daemon works with {}; exportd serve starts one", state_dir.display())));
    };
    require_same_version(&holder)?;
    let state = State::open(state_dir).await.map_err(Failure::unreachable)?;
    let last = state.events(0, 1).await.map_err(Failure::unreachable)?.first().map_or(0, |event| event.id);
    signal(&holder)?;
    let event = answer(&state, state_dir, &holder, last).await?;
    let is_accepted = event.kind == EventKind::Accepted;
    if options.json {
        output::json(&json!({
            "accepted": is_accepted,
            "at": event.at.to_string(),
            "config": event.config,
            "text": event.text,
            "detail": event.detail,
        }))?;
        return if is_accepted { Ok(()) } else { Err(Failure { code: 2, text: String::new() }) };
    }
    if !is_accepted {
        return Err(Failure::usage(format!("{}\nrefused: the configuration before stays in force", event.text)));
    }
    line(format!("accepted: {}", event.text))?;
    if event.detail["exposed"].as_array().is_some_and(|exposed| exposed.iter().any(has_sensitive)) {
        line("* sensitive")?;
    }
    Ok(())
}

/// Opening the state would bring it to the format of this program, under a daemon that may know only an older one.
fn require_same_version(holder: &Holder) -> Result<(), Failure> {
    let (ours, daemons) = (env!("CARGO_PKG_VERSION"), &holder.version);
    if daemons == ours {
        return Ok(());
    }
    let text = format!("the daemon is exportd {daemons} and this is exportd {ours}, so nothing was reloaded");
    Err(Failure::work(format!("{text}; restart the daemon, which reads the configuration too")))
}

fn has_sensitive(exposure: &serde_json::Value) -> bool {
    exposure["sensitive"].as_array().is_some_and(|columns| !columns.is_empty())
}

fn signal(holder: &Holder) -> Result<(), Failure> {
    let process = holder.process;
    if !holder.is_reachable() {
        let text = "the daemon runs in another container, where its process number means something else";
        return Err(Failure::work(format!("{text}; run exportd reload there, or send it SIGHUP")));
    }
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Failure::work(format!("{process} can't be a process number")))?;
    kill_process(pid, Signal::HUP).map_err(|errno| match errno {
        Errno::PERM => Failure::work(format!(
            "the daemon (process {process}) can't be signalled: {}, or: systemctl reload exportd",
            Denied::of(Path::new(&format!("/proc/{process}")))
        )),
        Errno::SRCH => Failure::work(format!("the daemon (process {process}) has just ended")),
        errno => Failure::work(format!("process {process} can't be told: {}", std::io::Error::from(errno))),
    })
}

/// Waits for what the daemon says about the files as they are now: what it says of an earlier content may come first.
/// If they can't be read by whoever asks, any answer is taken for it.
async fn answer(state: &State, state_dir: &Path, holder: &Holder, last: i64) -> Result<Event, Failure> {
    let wanted = holder.config.as_deref().and_then(|path| config::digest_of(path).ok());
    let end = Instant::now() + LIMIT;
    loop {
        let events = state.events(last, 100).await.map_err(Failure::unreachable)?;
        let mut answers =
            events.into_iter().filter(|event| matches!(event.kind, EventKind::Accepted | EventKind::Refused));
        if let Some(event) = answers.find(|event| wanted.is_none() || event.config == wanted || Instant::now() >= end) {
            return Ok(event);
        }
        if Holder::of(state_dir).map_err(Failure::unreachable)?.is_none() {
            return Err(Failure::work("the daemon has ended before it answered; its log says why"));
        }
        if Instant::now() >= end {
            let limit = LIMIT.as_secs();
            return Err(Failure::work(format!("the daemon was told, and has not answered for {limit} s; see its log")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
