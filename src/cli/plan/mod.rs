//! `exportd plan`: the coming occurrences with their periods and file names, and what is odd about them.

mod notes;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use serde_json::json;

use crate::clearance::Location;
use crate::config::Config;
use crate::job::Job;
use crate::plan::{self, Plan, PlannedExport, PlannedFile};
use crate::run::rfc3339;

use super::args::PlanArguments;
use super::failure::Failure;
use super::{output, selection};

/// Stands for the run in names that contain `{{run_id}}`: no run exists yet.
pub const NO_RUN: &str = "RUN";

/// Lists what falls due within the next days, oldest first. Jobs that are switched off are left out.
pub fn plan(config: &Config, options: &PlanArguments) -> Result<(), Failure> {
    let jobs = selection::jobs(config, &options.labels)?;
    let here = TimeZone::system();
    let from = match &options.from {
        Some(text) => selection::moment(text, &here)?,
        None => Timestamp::now(),
    };
    let span = SignedDuration::from_hours(24 * i64::from(options.days));
    let until = from.checked_add(span).unwrap_or(Timestamp::MAX);
    let mut coming: Vec<(&Job, Plan)> = jobs
        .iter()
        .filter(|job| job.enabled)
        .flat_map(|job| job.schedule.occurrences(from, until).map(|due| (*job, Plan::new(job, &due, NO_RUN))))
        .collect();
    coming.sort_by_key(|(_, plan)| plan.due.timestamp());

    if options.json {
        return Ok(output::json(&coming.iter().map(|(job, plan)| to_json(job, plan)).collect::<Vec<_>>())?);
    }
    if coming.is_empty() {
        return Ok(output::line(format!("nothing falls due within {}", output::plural(options.days.into(), "day")))?);
    }
    Ok(list(&coming, &here)?)
}

/// Each occurrence on a line of its own, its peculiarities and files below it: names are longer than columns can be.
fn list(coming: &[(&Job, Plan)], here: &TimeZone) -> std::io::Result<()> {
    let local = |due: &ZonedDateTime| due.with_time_zone(here.clone());
    let is_abroad = coming.iter().any(|(_, plan)| local(&plan.due).offset() != plan.due.offset());
    let mut headings = vec!["DUE", "HERE", "PERIOD", "JOB"];
    if !is_abroad {
        headings.remove(1);
    }
    let mut listing = output::Listing::unwrapped(&headings);
    for (job, plan) in coming {
        let period = output::period(&plan.period.from, &plan.period.to);
        let mut cells = vec![output::time(&plan.due), output::time(&local(&plan.due)), period, job.label.clone()];
        if !is_abroad {
            cells.remove(1);
        }
        listing.row(cells);
        let notes = notes::of(job, plan).into_iter().map(|note| format!("  ! {note}"));
        let directory = varying_directory(job, plan).map(|directory| format!("    into {directory}:"));
        let files = plan.files.iter().map(|file| format!("    {}", file_line(job, plan, file)));
        let manifest = plan.manifest.iter().map(|name| format!("    {name}"));
        listing.below(notes.chain(directory).chain(files).chain(manifest).collect());
    }
    listing.print(0)
}

/// The directory of an occurrence, if each has its own.
fn varying_directory(job: &Job, plan: &Plan) -> Option<String> {
    let destination = plan::destination(job, &plan.due);
    (destination != job.destination).then(|| Location::of(&destination).directory)
}

/// A file's name, and what it covers where that is not the occurrence's period.
fn file_line(job: &Job, plan: &Plan, file: &PlannedFile) -> String {
    let covered = |part: &PlannedExport| match &part.period {
        None => Some(job.exports[part.index].window().to_owned()),
        Some(period) if *period != plan.period => Some(output::period(&period.from, &period.to)),
        Some(_) => None,
    };
    let mut others: Vec<String> = file.parts.iter().filter_map(covered).collect();
    others.dedup();
    match (others.is_empty(), file.parts.len()) {
        (true, _) => file.name.clone(),
        (false, 1) => format!("{}  ({})", file.name, others.join("; ")),
        (false, _) => format!("{}  (in parts {})", file.name, others.join("; ")),
    }
}

/// All names of an occurrence, the manifest's last.
pub fn names(plan: &Plan) -> Vec<String> {
    plan.files.iter().map(|file| file.name.clone()).chain(plan.manifest.clone()).collect()
}

fn to_json(job: &Job, plan: &Plan) -> serde_json::Value {
    json!({
        "job": job.label,
        "due": rfc3339(&plan.due),
        "period": { "from": rfc3339(&plan.period.from), "to": rfc3339(&plan.period.to) },
        "directory": Location::of(&plan::destination(job, &plan.due)).directory,
        "files": names(plan),
    })
}
