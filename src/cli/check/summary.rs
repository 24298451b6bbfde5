//! What a configuration would do: when each job is due, which files it makes, and what leaves the house by it.

use jiff::Timestamp;

use crate::cli::facts::{Facts, hanging};
use crate::cli::output::{self, line};
use crate::cli::plan::NO_RUN;
use crate::config::Config;
use crate::job::{Job, JobExport};
use crate::plan::{self, Plan, PlannedFile};

/// Prints each job with its next run, then all sensitive columns in one place.
pub fn print(config: &Config) -> std::io::Result<()> {
    let now = Timestamp::now();
    for job in &config.jobs {
        print_job(job, now)?;
    }
    let switched_off = config.jobs.iter().filter(|job| !job.enabled).count();
    let off = if switched_off > 0 { format!(", {switched_off} of them switched off") } else { String::new() };
    line(format!("{}{off}.", output::plural(config.jobs.len(), "job")))?;

    let exposed: Vec<&Job> =
        config.jobs.iter().filter(|job| job.exports.iter().any(|export| export.sensitive().count() > 0)).collect();
    if exposed.is_empty() {
        return line("No sensitive column leaves the house.");
    }
    line("Sensitive columns that leave the house:")?;
    exposed.into_iter().try_for_each(print_sensitive)
}

fn print_sensitive(job: &Job) -> std::io::Result<()> {
    for export in &job.exports {
        let columns: Vec<&str> = export.sensitive().map(|column| column.name.as_str()).collect();
        if !columns.is_empty() {
            hanging(2, &format!("{}, {}: {}", job.label, export.name, columns.join(", ")))?;
        }
    }
    hanging(4, &format!("because: {}", job.reason.as_deref().unwrap_or_default()))
}

fn print_job(job: &Job, now: Timestamp) -> std::io::Result<()> {
    let due = job.schedule.next_due(now);
    let plan = Plan::new(job, &due, NO_RUN);
    let when = if job.enabled { format!("next due {}", output::time(&due)) } else { "switched off".to_owned() };
    line(format!("{}: {when}", job.label))?;
    if !job.description.is_empty() {
        hanging(2, &job.description)?;
    }
    let mut facts = Facts::new();
    facts.add("to", plan::destination(job, &due).address());
    facts.maybe("", job.destination.is_direct().then_some(output::IN_PLACE));
    facts.add("covers", output::period(&plan.period.from, &plan.period.to));
    let files = plan.files.iter().map(|file| (file.name.clone(), contents(job, file)));
    let manifest = plan.manifest.iter().map(|name| (name.clone(), "the manifest".to_owned()));
    for (position, (name, contents)) in files.chain(manifest).enumerate() {
        facts.add(if position == 0 { "files" } else { "" }, format!("{name}: {contents}"));
    }
    facts.print(2)?;
    line("")
}

/// The exports in a file, each with what it covers and the number of its columns.
fn contents(job: &Job, file: &PlannedFile) -> String {
    let part = |export: &JobExport| {
        let sensitive = export.sensitive().count();
        let held = if sensitive > 0 { format!(", {sensitive} of them sensitive") } else { String::new() };
        format!("{}, {}, {}{held}", export.name, export.window(), output::plural(export.columns.len(), "column"))
    };
    file.parts.iter().map(|planned| part(&job.exports[planned.index])).collect::<Vec<_>>().join("; ")
}
