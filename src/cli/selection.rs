//! Choosing jobs by label, runs by identifier, and due times by what a person types.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, Zoned};

use crate::config::Config;
use crate::job::Job;
use crate::run::RunRecord;
use crate::schedule::first_instant;
use crate::state::State;

use super::failure::Failure;

/// The jobs with these labels, in this order, compared without case; all jobs if there are no labels.
pub fn jobs<'a>(config: &'a Config, labels: &[String]) -> Result<Vec<&'a Job>, Failure> {
    if labels.is_empty() {
        return Ok(config.jobs.iter().collect());
    }
    labels.iter().map(|label| job(config, label)).collect()
}

/// The job with this label.
pub fn job<'a>(config: &'a Config, label: &str) -> Result<&'a Job, Failure> {
    let wanted = label.to_lowercase();
    config.jobs.iter().find(|job| job.label.to_lowercase() == wanted).ok_or_else(|| {
        let known: Vec<&str> = config.jobs.iter().map(|job| job.label.as_str()).collect();
        Failure::usage(format!("there is no job {label:?}; the jobs are {}", known.join(", ")))
    })
}

/// The run whose identifier starts with `prefix`.
pub async fn run(state: &State, prefix: &str) -> Result<RunRecord, Failure> {
    let mut found = state.find(prefix).await.map_err(Failure::unreachable)?;
    match found.len() {
        0 => Err(Failure::usage(format!("there is no run {prefix:?}; exportd history lists them"))),
        1 => Ok(found.remove(0)),
        _ => {
            let candidates: Vec<&str> = found.iter().map(|run| run.id.as_str()).collect();
            Err(Failure::usage(format!("{prefix:?} is the start of several runs: {}", candidates.join(", "))))
        }
    }
}

/// The due time that `text` means for `job`: a date (at the job's time of day), a date and time in the job's zone,
/// or RFC 3339.
pub fn due(job: &Job, text: &str) -> Result<Zoned, Failure> {
    let zone = &job.schedule.zone;
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant.to_zoned(zone.clone()));
    }
    let civil = match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => Ok(date.to_datetime(job.schedule.at)),
        _ => text.parse::<DateTime>(),
    };
    let civil = civil.map_err(|_| {
        Failure::usage(format!(
            "can't read the time {text:?}; write 2026-11-21, 2026-11-21T04:00 or 2026-11-21T04:00:00+01:00"
        ))
    })?;
    Ok(first_instant(civil, zone))
}
