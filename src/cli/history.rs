//! `exportd history`: past runs, newest first.

use std::path::Path;

use jiff::Timestamp;

use crate::run::{RunRecord, RunState};
use crate::state::{Filter, State};

use super::args::HistoryArguments;
use super::failure::Failure;
use super::output::{self, Listing};

/// Lists runs, of one job or of all. A job that is no longer configured keeps its history.
pub async fn history(state_dir: &Path, options: HistoryArguments) -> Result<(), Failure> {
    let state = State::open(state_dir).await.map_err(Failure::unreachable)?;
    state.settle_commands(Timestamp::now()).await.map_err(Failure::unreachable)?;
    let filter = Filter { job: options.label.clone(), limit: options.limit, ..Filter::default() };
    let runs = state.history(&filter).await.map_err(Failure::unreachable)?;
    if options.json {
        return Ok(output::json(&runs)?);
    }
    if runs.is_empty() {
        let whose = options.label.map(|label| format!(" of {label}")).unwrap_or_default();
        return Ok(output::line(format!("no runs{whose} yet"))?);
    }
    let mut listing =
        Listing::new(&["RUN", "JOB", "DUE", "STATE", "FILES", "ROWS", "SIZE", "TOOK"]).numbers(&[4, 5, 6, 7]);
    for run in &runs {
        listing.row(cells(run));
    }
    listing.print(0)?;
    let troubled = runs.iter().find(|run| matches!(run.state, RunState::Failed | RunState::Waiting));
    if let Some(run) = troubled {
        output::line(format!("\nWhy a run failed or waits: exportd show {}", run.id))?;
    }
    Ok(())
}

/// The state; of a run that waits, also when it is tried again.
fn state(run: &RunRecord) -> String {
    match run.retry_at {
        Some(at) => format!("waiting until {}", output::time(&at.to_zoned(run.due.time_zone().clone()))),
        None => run.state.to_string(),
    }
}

fn cells(run: &RunRecord) -> [String; 8] {
    let rows = run.files.iter().map(|file| file.rows).sum();
    let bytes = run.files.iter().map(|file| file.bytes).sum();
    let took = match (run.started, run.finished) {
        (Some(started), Some(finished)) => output::elapsed(started, finished),
        _ => String::new(),
    };
    [
        run.id.to_string(),
        run.job.clone(),
        output::time(&run.due),
        state(run),
        output::count(run.files.len() as u64),
        output::count(rows),
        output::size(bytes),
        took,
    ]
}
