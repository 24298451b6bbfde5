//! `exportd check`: is the configuration right, and with `--connect`, do store and destinations play along?

mod destination;
mod store;

use std::path::Path;

use jiff::Timestamp;

use crate::config::Config;
use crate::job::{Destination, Job};

use super::args::CheckArguments;
use super::failure::Failure;
use super::output::{self, Listing, line};
use store::Verdict;

/// Reports all faults of the configuration, or what it would do; then tries the connections if asked to.
pub async fn check(path: Option<&Path>, options: CheckArguments) -> Result<(), Failure> {
    let config = super::load(path)?;
    summary(&config)?;
    if !options.connect {
        line(
            "\nThe configuration is valid. Nothing was connected to; --connect also tries the store and the destinations.",
        )?;
        return Ok(());
    }
    line("")?;
    let store = store::check(&config).await?;
    let destinations = destination::check(&config).await?;
    match (store, destinations) {
        (Verdict::Well, true) => Ok(line("\nAll is well.")?),
        (Verdict::Unreachable, _) => Err(Failure { code: 3, text: String::new() }),
        _ => Err(Failure::reported()),
    }
}

/// What would run, and which sensitive columns would leave the house.
fn summary(config: &Config) -> std::io::Result<()> {
    let now = Timestamp::now();
    let mut listing = Listing::new(&["JOB", "NEXT DUE", "EXPORTS", "DESTINATION"]);
    for job in &config.jobs {
        let due = if job.enabled { output::time(&job.schedule.next_due(now)) } else { "switched off".to_owned() };
        let exports: Vec<&str> = job.exports.iter().map(|export| export.name.as_str()).collect();
        listing.row([job.label.clone(), due, exports.join(", "), address(&job.destination)]);
    }
    listing.print(0)?;

    let exposed: Vec<(String, String)> = config.jobs.iter().flat_map(sensitive).collect();
    if exposed.is_empty() {
        return line("\nNo sensitive column leaves the house.");
    }
    line("\nSensitive columns that leave the house:")?;
    for (place, columns) in exposed {
        line(format!("  {place}: {columns}"))?;
    }
    Ok(())
}

fn sensitive(job: &Job) -> impl Iterator<Item = (String, String)> {
    job.exports.iter().filter_map(|export| {
        let columns: Vec<&str> =
            export.columns.iter().filter(|column| column.sensitive).map(|column| column.name.as_str()).collect();
        (!columns.is_empty()).then(|| (format!("{}, {}", job.label, export.name), columns.join(", ")))
    })
}

/// Where files go, as `user@host:directory`.
fn address(destination: &Destination) -> String {
    let Destination { user, host, port, directory, .. } = destination;
    match port {
        22 => format!("{user}@{host}:{directory}"),
        port => format!("{user}@{host}:{port}:{directory}"),
    }
}
