//! `exportd report`: the record of processing. What leaves the house, for whom, how often, why, and how long it stays.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Config;
use crate::job::{Destination, Job, JobExport, PeriodRule, SftpDestination};
use crate::words::Words;

use super::args::ReportArguments;
use super::facts::Facts;
use super::failure::Failure;
use super::output::{self, line};
use super::selection;

/// Shows the record of every job, or of those named.
pub fn report(config: &Config, options: &ReportArguments) -> Result<(), Failure> {
    let jobs = selection::jobs(config, &options.labels)?;
    if options.json {
        return Ok(output::json(&jobs.iter().map(|job| to_json(job, config)).collect::<Vec<_>>())?);
    }
    if jobs.is_empty() {
        return Ok(line("no job is configured: nothing leaves the house")?);
    }
    for (position, job) in jobs.iter().enumerate() {
        if position > 0 {
            line("")?;
        }
        print(job, config)?;
    }
    line("\n* sensitive: tells about a person. Columns that are not named here never leave.")?;
    Ok(())
}

fn print(job: &Job, config: &Config) -> std::io::Result<()> {
    line(if job.enabled { job.label.clone() } else { format!("{} (switched off)", job.label) })?;
    let mut facts = Facts::new();
    facts.add("purpose", if job.description.is_empty() { "not described" } else { &job.description });
    facts.maybe("reason", job.reason.as_deref());
    facts.add("recipient", job.destination.address());
    facts.maybe("", job.destination.is_direct().then_some(output::IN_PLACE));
    facts.add("frequency", job.schedule.words());
    for export in &job.exports {
        let columns: Vec<String> = export
            .columns
            .iter()
            .map(|column| if column.sensitive { format!("{}*", column.name) } else { column.name.clone() })
            .collect();
        facts.add("data", format!("{}, {}: {}", export.name, rows(export), columns.join(", ")));
    }
    for (position, sentence) in retention(config).into_iter().enumerate() {
        facts.add(if position == 0 { "retention" } else { "" }, sentence);
    }
    facts.print(2)
}

/// Which rows of an export a file holds.
fn rows(export: &JobExport) -> String {
    match &export.filter {
        Some(time) => {
            let period = match export.period {
                PeriodRule::TwoYears => "two whole years".to_owned(),
                _ => format!("whole {}", export.window()),
            };
            format!("{} in the last {period}", time.name)
        }
        None => export.window().to_owned(),
    }
}

fn retention(config: &Config) -> [String; 3] {
    let spool = match config.keep {
        Duration::ZERO => "files leave this machine's spool as soon as they are delivered".to_owned(),
        keep => format!("files stay in this machine's spool for {} after their run has ended", output::length(keep)),
    };
    let history = "the history of runs (names, sizes, columns, no data) stays for good";
    [spool, history.to_owned(), "files at the recipient are theirs to delete; exportd never does".to_owned()]
}

fn to_json(job: &Job, config: &Config) -> Value {
    let exports = job.exports.iter().map(|export| {
        let columns = export.columns.iter().map(|column| json!({ "name": column.name, "sensitive": column.sensitive }));
        json!({
            "name": export.name,
            "period": export.filter.is_some().then(|| export.period.word()),
            "filter_by": export.filter.as_ref().map(|time| &time.name),
            "columns": columns.collect::<Vec<_>>(),
        })
    });
    let schedule = &job.schedule;
    json!({
        "job": job.label,
        "enabled": job.enabled,
        "purpose": job.description,
        "reason": job.reason,
        "recipient": match &*job.destination {
            Destination::Sftp(SftpDestination { host, port, user, directory, .. }) => {
                json!({ "host": host, "port": port, "user": user, "directory": directory })
            }
            Destination::Folder(folder) => json!({ "folder": folder.path }),
        },
        "publish": job.destination.publish().word(),
        "frequency": {
            "run": schedule.cadence.word(),
            "at": schedule.at.strftime("%H:%M").to_string(),
            "timezone": schedule.zone.iana_name(),
        },
        "exports": exports.collect::<Vec<_>>(),
        "retention": { "spool_seconds": config.keep.as_secs(), "history_seconds": null, "recipient_seconds": null },
    })
}
