//! `exportd history`: past runs, newest first, or what the daemon did beside them.

use std::path::Path;

use jiff::Timestamp;
use serde_json::json;

use crate::run::{RunRecord, RunState};
use crate::state::{Event, Filter, State};

use super::args::HistoryArguments;
use super::failure::Failure;
use super::output::{self, Listing, line};
use super::{facts, selection};

/// Lists runs, of one job or of all, or events. A job that is no longer configured keeps its history. Where there is
/// no state yet there is no history, and none is begun.
pub async fn history(state_dir: &Path, options: HistoryArguments) -> Result<(), Failure> {
    let since = options.since.as_deref().map(|text| selection::since(text, Timestamp::now())).transpose()?;
    let state = State::open_existing(state_dir).await.map_err(Failure::unreachable)?;
    if options.events {
        let events = match &state {
            Some(state) => state.events(0, options.limit).await.map_err(Failure::unreachable)?,
            None => Vec::new(),
        };
        let events: Vec<Event> =
            events.into_iter().filter(|event| since.is_none_or(|since| event.at >= since)).collect();
        return Ok(show_events(&events, options.json)?);
    }
    let filter = Filter {
        job: options.label.clone(),
        state: options.state.as_deref().and_then(|word| word.parse().ok()),
        since,
        limit: options.limit,
    };
    let runs = match &state {
        Some(state) => {
            state.settle_commands(Timestamp::now()).await.map_err(Failure::unreachable)?;
            state.history(&filter).await.map_err(Failure::unreachable)?
        }
        None => Vec::new(),
    };
    if options.json {
        return Ok(output::json(&runs)?);
    }
    if runs.is_empty() {
        return Ok(line(nothing(&options, state_dir, state.is_some()))?);
    }
    Ok(list(&runs)?)
}

fn nothing(options: &HistoryArguments, state_dir: &Path, has_state: bool) -> String {
    if !has_state {
        return format!("no runs yet: there is no state in {}", state_dir.display());
    }
    let whose = options.label.as_ref().map(|label| format!(" of {label}")).unwrap_or_default();
    match (&options.state, &options.since) {
        (None, None) => format!("no runs{whose} yet"),
        _ => format!("no such runs{whose}"),
    }
}

fn list(runs: &[RunRecord]) -> std::io::Result<()> {
    let mut listing =
        Listing::new(&["RUN", "JOB", "DUE", "STATE", "FILES", "ROWS", "SIZE", "TOOK"]).numbers(&[5, 6, 7]);
    for run in runs {
        listing.row(cells(run));
    }
    listing.print(0)?;
    if runs.iter().any(|run| unpublished(run) > 0) {
        line("\n! files that are not delivered")?;
    }
    if runs.iter().any(|run| !run.warnings.is_empty()) {
        line("\n* with warnings: exportd show RUN")?;
    }
    let troubled = runs.iter().find(|run| matches!(run.state, RunState::Failed | RunState::Waiting));
    if let Some(run) = troubled {
        line(format!("\nWhy a run failed or waits: exportd show {}", run.id))?;
    }
    Ok(())
}

/// How many finished files of a run that is over are not at the destination.
fn unpublished(run: &RunRecord) -> usize {
    match run.state {
        RunState::Failed | RunState::Waiting => run.files.iter().filter(|file| !file.published).count(),
        _ => 0,
    }
}

/// The state, marked if there are warnings; of a run that waits, also when it is tried again.
fn state(run: &RunRecord) -> String {
    let mark = if run.warnings.is_empty() { "" } else { "*" };
    match run.retry_at {
        Some(at) => format!("waiting until {}{mark}", output::time(&at.to_zoned_datetime(run.due.time_zone().clone()))),
        None => format!("{}{mark}", run.state),
    }
}

fn cells(run: &RunRecord) -> [String; 8] {
    let rows = run.files.iter().map(|file| file.rows).sum();
    let bytes = run.files.iter().map(|file| file.bytes).sum();
    let took = match (run.started, run.finished) {
        (Some(started), Some(finished)) => output::elapsed(started, finished),
        _ => String::new(),
    };
    let files = match (unpublished(run), run.files.len()) {
        (0, all) => all.to_string(),
        (missing, all) if missing == all => format!("{all}!"),
        (missing, all) => format!("{missing}! of {all}"),
    };
    [
        run.id.to_string(),
        run.job.clone(),
        output::time(&run.due),
        state(run),
        files,
        output::count(rows),
        output::size(bytes),
        took,
    ]
}

fn show_events(events: &[Event], as_json: bool) -> std::io::Result<()> {
    if as_json {
        let all = events.iter().map(|event| {
            json!({
                "event": event.kind.name(),
                "at": event.at.to_string(),
                "config": event.config,
                "text": event.text,
                "detail": event.detail,
            })
        });
        return output::json(&all.collect::<Vec<_>>());
    }
    if events.is_empty() {
        return line("no events yet: no daemon has worked with this state");
    }
    let mut told = facts::Facts::new();
    for event in events {
        told.add(&format!("{}  {}", output::local_time(event.at), event.kind), &event.text);
    }
    told.print(0)
}
