//! `exportd plan`: the coming occurrences with their periods and file names.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::config::Config;
use crate::job::Job;
use crate::plan::Plan;

use super::args::PlanArguments;
use super::failure::Failure;
use super::{output, selection};

/// Stands for the run in names that contain `{{run_id}}`: no run exists yet.
const NO_RUN: &str = "RUN";

/// Lists what falls due within the next days, oldest first. Jobs that are switched off are left out.
pub fn plan(config: &Config, options: &PlanArguments) -> Result<(), Failure> {
    let jobs = selection::jobs(config, &options.labels)?;
    let now = Timestamp::now();
    let until = now + SignedDuration::from_hours(24 * i64::from(options.days));
    let mut coming: Vec<(&Job, Plan)> = jobs
        .iter()
        .filter(|job| job.enabled)
        .flat_map(|job| job.schedule.occurrences(now, until).map(|due| (*job, Plan::new(job, &due, NO_RUN))))
        .collect();
    coming.sort_by_key(|(_, plan)| plan.due.timestamp());

    if options.json {
        return Ok(output::json(&coming.iter().map(|(job, plan)| to_json(job, plan)).collect::<Vec<_>>())?);
    }
    if coming.is_empty() {
        return Ok(output::line(format!("nothing falls due within {}", output::plural(options.days.into(), "day")))?);
    }
    let mut listing = output::Listing::new(&["DUE", "JOB", "PERIOD", "FILES"]);
    for (job, plan) in &coming {
        let period = format!("{} to {}", plan.period.from.date(), plan.period.to.date());
        listing.row([output::time(&plan.due), job.label.clone(), period, names(plan).join("\n")]);
    }
    Ok(listing.print(0)?)
}

fn names(plan: &Plan) -> Vec<String> {
    plan.files.iter().map(|file| file.name.clone()).chain(plan.manifest.clone()).collect()
}

fn to_json(job: &Job, plan: &Plan) -> serde_json::Value {
    json!({
        "job": job.label,
        "due": output::rfc3339(&plan.due),
        "period": { "from": output::rfc3339(&plan.period.from), "to": output::rfc3339(&plan.period.to) },
        "files": names(plan),
    })
}
