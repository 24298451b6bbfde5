//! `exportd show`: one run in full.

use crate::config::Config;
use crate::run::RunRecord;
use crate::state::State;

use super::args::ShowArguments;
use super::failure::Failure;
use super::output::{self, Listing};

/// Shows the run whose identifier starts with what was typed.
pub async fn show(config: &Config, options: ShowArguments) -> Result<(), Failure> {
    let state = State::open(&config.state_dir).await.map_err(Failure::unreachable)?;
    let mut found = state.find(&options.run).await.map_err(Failure::unreachable)?;
    let run = match found.len() {
        0 => return Err(Failure::usage(format!("there is no run {:?}; exportd history lists them", options.run))),
        1 => found.remove(0),
        _ => {
            let candidates: Vec<&str> = found.iter().map(|run| run.id.as_str()).collect();
            let text = format!("{:?} is the start of several runs: {}", options.run, candidates.join(", "));
            return Err(Failure::usage(text));
        }
    };
    if options.json { Ok(output::json(&run)?) } else { Ok(print(&run)?) }
}

fn print(run: &RunRecord) -> std::io::Result<()> {
    let zone = run.due.time_zone();
    let local = |at: Option<jiff::Timestamp>| at.map(|at| output::time(&at.to_zoned(zone.clone())));
    let period = format!("{} to {}", output::time(&run.period.0), output::time(&run.period.1));
    let facts = [
        ("run", Some(run.id.to_string())),
        ("job", Some(run.job.clone())),
        ("due", Some(output::time(&run.due))),
        ("period", Some(period)),
        ("trigger", Some(run.trigger.to_string())),
        ("state", Some(run.state.to_string())),
        ("attempts", Some(run.attempts.to_string())),
        ("started", local(run.started)),
        ("finished", local(run.finished)),
        ("error", run.error.clone()),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            output::line(format!("{name:<9} {value}"))?;
        }
    }
    if run.files.is_empty() {
        return Ok(());
    }
    output::line("")?;
    let mut listing = Listing::new(&["FILE", "EXPORT", "ROWS", "BYTES", "SHA-256"]).numbers(&[2, 3]);
    for file in &run.files {
        let (rows, bytes) = (output::count(file.rows), output::count(file.bytes));
        listing.row([file.name.clone(), file.export.clone(), rows, bytes, file.sha256.clone()]);
    }
    listing.print(0)
}
