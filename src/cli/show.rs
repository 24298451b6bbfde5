//! `exportd show`: one run in full.

use std::path::Path;

use jiff::{Timestamp, ZonedDateTime};
use serde_json::{Value, json};

use crate::clearance::{Location, Recipient};
use crate::run::RunState;
use crate::state::{Attempt, RunDetail, State, StoredFile};

use super::args::ShowArguments;
use super::facts::Facts;
use super::failure::Failure;
use super::output::{self, line};
use super::selection;

/// Shows the run whose identifier starts with what was typed.
pub async fn show(state_dir: &Path, options: ShowArguments) -> Result<(), Failure> {
    let Some(state) = State::open_existing(state_dir).await.map_err(Failure::unreachable)? else {
        let place = state_dir.display();
        return Err(Failure::usage(format!("there is no run {:?}: there is no state in {place}", options.run)));
    };
    state.settle_commands(Timestamp::now()).await.map_err(Failure::unreachable)?;
    let run = selection::run(&state, &options.run).await?;
    let detail = state.detail(&run.id).await.map_err(Failure::unreachable)?;
    let detail = detail.ok_or_else(|| Failure::usage(format!("the run {} is gone", run.id)))?;
    if options.json {
        return Ok(output::json(&to_json(&detail)?)?);
    }
    print(&detail)?;
    print_files(&detail)?;
    Ok(print_timeline(&detail)?)
}

fn print(detail: &RunDetail) -> std::io::Result<()> {
    let run = &detail.record;
    let local = |at: Option<Timestamp>| at.map(|at| local_time(at, &run.due));
    let stage = detail.stage.map(|stage| stage.to_string());
    let is_under_way = !matches!(run.state, RunState::Delivered | RunState::Skipped);
    let host_key = detail.attempts.iter().rev().find_map(|attempt| attempt.host_key.clone());
    let last = detail.last_set_out();
    let location = last.and_then(|attempt| attempt.location.as_ref());
    let mut facts = Facts::new();
    facts
        .add("run", run.id.to_string())
        .add("job", &run.job)
        .add("due", output::time(&run.due))
        .add("period", format!("{} to {}", output::time(&run.period.0), output::time(&run.period.1)))
        .add("trigger", run.trigger.to_string())
        .add("state", run.state.to_string())
        .maybe("stage", stage.filter(|_| is_under_way))
        .add("attempts", run.attempts.to_string())
        .maybe("started", local(run.started))
        .maybe("finished", local(run.finished))
        .maybe("waits since", local(run.waiting_since))
        .maybe("next try", local(run.retry_at))
        .maybe("recipient", location.map(|location| location.recipient.to_string()))
        .maybe("directory", location.and_then(directory))
        .maybe("host key", host_key)
        .maybe("reason", last.and_then(|attempt| attempt.reason.as_deref()))
        .maybe("error", run.error.as_deref());
    for warning in &run.warnings {
        facts.add("warning", warning.to_string());
    }
    facts.print(0)
}

/// The directory on a server. A folder of this machine is the recipient itself.
fn directory(location: &Location) -> Option<&str> {
    matches!(location.recipient, Recipient::Sftp { .. }).then_some(location.directory.as_str())
}

fn print_files(detail: &RunDetail) -> std::io::Result<()> {
    if detail.files.is_empty() {
        return Ok(());
    }
    line("\nFiles")?;
    for stored in &detail.files {
        let file = &stored.file;
        line(format!("  {}", file.name))?;
        let place = match (file.published, stored.spool.is_some()) {
            (true, true) => "delivered; still in the spool",
            (true, false) => "delivered",
            (false, true) => "not delivered; in the spool",
            (false, false) => "not delivered; gone from the spool",
        };
        let mut facts = Facts::new();
        facts.add("place", place);
        if stored.is_manifest {
            facts.add("content", format!("the manifest, {}", output::plural(file.bytes as usize, "byte")));
        } else {
            let (rows, bytes) =
                (output::plural(file.rows as usize, "row"), output::plural(file.bytes as usize, "byte"));
            facts.add("content", format!("{}, {rows}, {bytes}", file.export));
        }
        facts.add("sha-256", &file.sha256);
        facts.maybe("unreadable", file.unreadable_words());
        let mark = |name: &String| if stored.sensitive.contains(name) { format!("{name}*") } else { name.clone() };
        let columns: Vec<String> = stored.columns.iter().map(mark).collect();
        facts.maybe("columns", (!columns.is_empty()).then(|| columns.join(", ")));
        facts.print(4)?;
    }
    if detail.files.iter().any(|stored| !stored.sensitive.is_empty()) {
        line("  * sensitive")?;
    }
    Ok(())
}

/// What happened when, attempt by attempt.
fn print_timeline(detail: &RunDetail) -> std::io::Result<()> {
    if detail.attempts.is_empty() {
        return Ok(());
    }
    line("\nTimeline")?;
    let (recipients_differ, reasons_differ) = (differ(detail, recipient), differ(detail, reason));
    for (position, attempt) in detail.attempts.iter().enumerate() {
        let mut facts = Facts::new();
        let time = |at: Timestamp| {
            at.to_zoned_datetime(detail.record.due.time_zone().clone()).strftime("%m-%d %H:%M:%S").to_string()
        };
        let by = attempt.actor.as_ref().map(|actor| format!(" by {actor}")).unwrap_or_default();
        let config = attempt.config.as_ref().map(|digest| format!(", configuration {}", short(digest)));
        facts.add(&time(attempt.started), format!("attempt {}{by}{}", attempt.number, config.unwrap_or_default()));
        facts.maybe("", recipient(attempt).filter(|_| recipients_differ).map(|to| format!("  to {to}")));
        facts.maybe("", reason(attempt).filter(|_| reasons_differ).map(|reason| format!("  reason: {reason}")));
        facts.maybe("", attempt.discarded.as_ref().map(|why| format!("  spooled files made anew: {why}")));
        for (stage, at) in &attempt.passages {
            facts.add(&time(*at), format!("  {stage}"));
        }
        let is_last = position + 1 == detail.attempts.len();
        let (at, outcome) = outcome(attempt, is_last && detail.record.state == RunState::Running);
        facts.add(&at.map(time).unwrap_or_default(), format!("  {outcome}"));
        facts.print(2)?;
    }
    Ok(())
}

fn recipient(attempt: &Attempt) -> Option<String> {
    attempt.location.as_ref().map(|location| location.recipient.to_string())
}

fn reason(attempt: &Attempt) -> Option<String> {
    attempt.reason.clone()
}

/// Whether attempts that set out for the destination differ in something.
fn differ(detail: &RunDetail, something: fn(&Attempt) -> Option<String>) -> bool {
    let mut found = detail.attempts.iter().filter(|attempt| attempt.has_set_out()).map(something);
    let first = found.next();
    found.any(|other| Some(other) != first)
}

fn outcome(attempt: &Attempt, is_under_way: bool) -> (Option<Timestamp>, String) {
    let outcome = match (&attempt.error, attempt.ended) {
        (Some(error), _) => format!("failed: {error}"),
        (None, Some(ended)) => format!("done, after {}", output::elapsed(attempt.started, ended)),
        (None, None) if is_under_way => "under way".to_owned(),
        (None, None) => "cut short: the process ended in the middle, or was told to".to_owned(),
    };
    (attempt.ended, outcome)
}

/// As much of a digest as people compare.
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// What history says of the run, and all else that is known of it.
fn to_json(detail: &RunDetail) -> std::io::Result<Value> {
    let mut run = serde_json::to_value(&detail.record)?;
    run["stage"] = json!(detail.stage.map(|stage| stage.name()));
    run["reason"] = json!(detail.last_set_out().and_then(|attempt| attempt.reason.as_deref()));
    run["files"] = detail.files.iter().filter(|stored| !stored.is_manifest).map(file_json).collect();
    run["manifest"] = detail.files.iter().find(|stored| stored.is_manifest).map(file_json).into();
    run["timeline"] = detail.attempts.iter().map(attempt_json).collect();
    Ok(run)
}

fn file_json(stored: &StoredFile) -> Value {
    let file = &stored.file;
    json!({
        "name": file.name,
        "export": file.export,
        "rows": file.rows,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "published": file.published,
        "in_spool": stored.spool.is_some(),
        "columns": stored.columns,
        "sensitive": stored.sensitive,
        "unreadable": file.unreadable,
    })
}

fn attempt_json(attempt: &Attempt) -> Value {
    let stages = attempt.passages.iter().map(|(stage, at)| json!({ "stage": stage.name(), "at": at.to_string() }));
    json!({
        "attempt": attempt.number,
        "started": attempt.started.to_string(),
        "ended": attempt.ended.map(|at| at.to_string()),
        "by": attempt.actor,
        "config": attempt.config,
        "recipient": recipient(attempt),
        "directory": attempt.location.as_ref().map(|location| &location.directory),
        "host_key": attempt.host_key,
        "reason": attempt.reason,
        "discarded": attempt.discarded,
        "stages": stages.collect::<Vec<_>>(),
        "error": attempt.error,
    })
}

fn local_time(at: Timestamp, due: &ZonedDateTime) -> String {
    output::time(&at.to_zoned_datetime(due.time_zone().clone()))
}
