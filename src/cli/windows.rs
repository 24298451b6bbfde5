//! Which window of its data each export of a job covers, for people: `day: messages`, `all rows: agents`.

use jiff::ZonedDateTime;

use super::facts::hanging;
use super::output;
use crate::job::{Job, JobExport};
use crate::period::Period;

/// The exports of a job in the order of the job, those of the same window together.
fn grouped(job: &Job) -> Vec<(&JobExport, Vec<&str>)> {
    let mut groups: Vec<(&JobExport, Vec<&str>)> = Vec::new();
    for export in &job.exports {
        match groups.iter_mut().find(|(first, _)| first.window() == export.window()) {
            Some((_, names)) => names.push(&export.name),
            None => groups.push((export, vec![&export.name])),
        }
    }
    groups
}

/// Prints what every run of `job` covers, a line for each window.
pub fn print(job: &Job) -> std::io::Result<()> {
    let print =
        |(export, names): (&JobExport, Vec<&str>)| hanging(2, &format!("{}: {}", export.window(), names.join(", ")));
    grouped(job).into_iter().try_for_each(print)
}

/// What the run of `job` for `due` covers, with the days of each period.
pub fn of_run(job: &Job, due: &ZonedDateTime) -> Vec<String> {
    let line = |(export, names): (&JobExport, Vec<&str>)| {
        let period = export.filter.as_ref().and_then(|_| Period::before(export.period, due, &job.schedule));
        let days = period.map(|period| format!(" {}", output::period(&period.from, &period.to))).unwrap_or_default();
        format!("{}{days}: {}", export.window(), names.join(", "))
    };
    grouped(job).into_iter().map(line).collect()
}
