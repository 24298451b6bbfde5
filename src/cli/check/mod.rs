//! `exportd check`: is the configuration right, and with `--connect`, do store and destinations play along?

mod destination;
mod store;

use std::path::Path;

use jiff::Timestamp;

use crate::config::Config;
use crate::job::Job;

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
        listing.row([job.label.clone(), due, exports.join(", "), job.destination.address()]);
    }
    listing.print(0)?;

    let exposed: Vec<&Job> =
        config.jobs.iter().filter(|job| job.exports.iter().any(|export| export.sensitive().count() > 0)).collect();
    if exposed.is_empty() {
        return line("\nNo sensitive column leaves the house.");
    }
    line("\nSensitive columns that leave the house:")?;
    for job in exposed {
        for export in &job.exports {
            let columns: Vec<&str> = export.sensitive().map(|column| column.name.as_str()).collect();
            if !columns.is_empty() {
                line(format!("  {}, {}: {}", job.label, export.name, columns.join(", ")))?;
            }
        }
        line(format!("    because: {}", job.reason.as_deref().unwrap_or_default()))?;
    }
    Ok(())
}
