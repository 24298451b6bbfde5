//! `exportd show`: one run in full.

use jiff::{Timestamp, Zoned};

use std::path::Path;

use crate::run::RunState;
use crate::state::{RunDetail, State};

use super::args::ShowArguments;
use super::failure::Failure;
use super::output::{self, Listing};
use super::selection;

/// Shows the run whose identifier starts with what was typed.
pub async fn show(state_dir: &Path, options: ShowArguments) -> Result<(), Failure> {
    let state = State::open(state_dir).await.map_err(Failure::unreachable)?;
    state.settle_commands(Timestamp::now()).await.map_err(Failure::unreachable)?;
    let run = selection::run(&state, &options.run).await?;
    if options.json {
        return Ok(output::json(&run)?);
    }
    let detail = state.detail(&run.id).await.map_err(Failure::unreachable)?;
    let detail = detail.ok_or_else(|| Failure::usage(format!("the run {} is gone", run.id)))?;
    print(&detail)?;
    print_files(&detail)?;
    Ok(print_attempts(&detail)?)
}

fn print(detail: &RunDetail) -> std::io::Result<()> {
    let run = &detail.record;
    let local = |at: Option<Timestamp>| at.map(|at| local_time(at, &run.due));
    let period = format!("{} to {}", output::time(&run.period.0), output::time(&run.period.1));
    let is_under_way = !matches!(run.state, RunState::Delivered | RunState::Skipped);
    let facts = [
        ("run", Some(run.id.to_string())),
        ("job", Some(run.job.clone())),
        ("due", Some(output::time(&run.due))),
        ("period", Some(period)),
        ("trigger", Some(run.trigger.to_string())),
        ("state", Some(run.state.to_string())),
        ("stage", detail.stage.filter(|_| is_under_way).map(|stage| stage.to_string())),
        ("attempts", Some(run.attempts.to_string())),
        ("started", local(run.started)),
        ("finished", local(run.finished)),
        ("waits since", local(run.waiting_since)),
        ("next try", local(run.retry_at)),
        ("error", run.error.clone()),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            output::line(format!("{name:<11} {value}"))?;
        }
    }
    Ok(())
}

fn print_files(detail: &RunDetail) -> std::io::Result<()> {
    if detail.files.is_empty() {
        return Ok(());
    }
    output::line("")?;
    let mut listing = Listing::new(&["FILE", "EXPORT", "ROWS", "BYTES", "PLACE", "SHA-256"]).numbers(&[2, 3]);
    for stored in &detail.files {
        let file = &stored.file;
        let export = if stored.is_manifest { "(manifest)" } else { &file.export };
        let (rows, bytes) = (output::count(file.rows), output::count(file.bytes));
        let place = match (stored.is_published, stored.spool.is_some()) {
            (true, true) => "published, spool",
            (true, false) => "published",
            (false, true) => "spool",
            (false, false) => "gone",
        };
        listing.row([&file.name, export, &rows, &bytes, place, &file.sha256]);
    }
    listing.print(0)
}

/// One attempt is the run itself; of several, each is told.
fn print_attempts(detail: &RunDetail) -> std::io::Result<()> {
    if detail.attempts.len() < 2 {
        return Ok(());
    }
    output::line("")?;
    let mut listing = Listing::new(&["ATTEMPT", "STARTED", "TOOK", "OUTCOME"]).numbers(&[0, 2]);
    for (position, attempt) in detail.attempts.iter().enumerate() {
        let is_last = position + 1 == detail.attempts.len();
        let outcome = match (&attempt.error, attempt.ended) {
            (Some(error), _) => error.as_str(),
            (None, Some(_)) => "done",
            (None, None) if is_last && detail.record.state == RunState::Running => "under way",
            (None, None) => "cut short: the process ended in the middle",
        };
        let took = attempt.ended.map_or(String::new(), |ended| output::elapsed(attempt.started, ended));
        let started = local_time(attempt.started, &detail.record.due);
        listing.row([&attempt.number.to_string(), &started, &took, outcome]);
    }
    listing.print(0)
}

fn local_time(at: Timestamp, due: &Zoned) -> String {
    output::time(&at.to_zoned(due.time_zone().clone()))
}
