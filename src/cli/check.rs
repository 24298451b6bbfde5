//! `exportd check`: is the configuration right, and with `--connect`, do store and destinations play along?

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use crate::config::Config;
use crate::deliver::{ServerFacts, Session};
use crate::job::{Destination, Job, Publish};
use crate::store::{Snapshot, StoreError};

use super::args::CheckArguments;
use super::failure::Failure;
use super::output::{self, Listing, line};

/// The name of the probe that a check puts into a directory and removes again.
const PROBE: &str = "check";

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
    let store = check_store(&config).await?;
    let destinations = check_destinations(&config).await?;
    match (store, destinations) {
        (Ok(()), true) => Ok(line("\nAll is well.")?),
        (Err(error), _) if !error.is_permanent() => Err(Failure { code: 3, text: String::new() }),
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

fn address(destination: &Destination) -> String {
    let Destination { user, host, port, directory, .. } = destination;
    match port {
        22 => format!("{user}@{host}:{directory}"),
        port => format!("{user}@{host}:{port}:{directory}"),
    }
}

/// Opens the store and looks for every table and column of every job. The outer error is one of printing.
async fn check_store(config: &Config) -> std::io::Result<Result<(), StoreError>> {
    let mut snapshot = match Snapshot::open(&config.store).await {
        Ok(snapshot) => snapshot,
        Err(error) => {
            line(format!("FAULT  store: {error}"))?;
            return Ok(Err(error));
        }
    };
    line("ok     store: opened, read only")?;
    let mut result = Ok(());
    for job in &config.jobs {
        for export in &job.exports {
            match snapshot.prepare(export).await {
                Ok(prepared) => {
                    line(format!(
                        "ok     {}, {}: {}",
                        job.label,
                        export.name,
                        output::plural(export.columns.len(), "column")
                    ))?;
                    prepared
                        .hints
                        .iter()
                        .try_for_each(|hint| line(format!("hint   {}, {}: {hint}", job.label, export.name)))?;
                }
                Err(error) => {
                    line(format!("FAULT  {}, {}: {error}", job.label, export.name))?;
                    result = Err(error);
                }
            }
        }
    }
    snapshot.close().await;
    Ok(result)
}

/// Reaches every destination once, however many jobs share it. False if one of them has a fault.
async fn check_destinations(config: &Config) -> std::io::Result<bool> {
    let mut is_well = true;
    let mut seen = BTreeSet::new();
    for job in &config.jobs {
        let name = address(&job.destination);
        let publish = job.destination.publish == Publish::Replace;
        if !seen.insert((name.clone(), publish, job.destination.key.clone())) {
            continue;
        }
        match reach(&job.destination).await {
            Ok(facts) => {
                line(format!("ok     {name}: {}directory readable and writable", proven(&facts)))?;
                for lack in lacks(&facts, &job.destination) {
                    is_well &= !lack.is_fault;
                    line(format!("{}  {name}: {}", if lack.is_fault { "FAULT" } else { "hint " }, lack.text))?;
                }
            }
            Err(error) => {
                is_well = false;
                line(format!("FAULT  {name}: {error}"))?;
            }
        }
    }
    Ok(is_well)
}

async fn reach(destination: &Destination) -> Result<ServerFacts, crate::deliver::DeliverError> {
    let session = Session::open(destination).await?;
    session.check_directory(PROBE).await?;
    let facts = session.server().clone();
    session.close().await;
    Ok(facts)
}

/// The key that the server has proven, for people to compare.
fn proven(facts: &ServerFacts) -> String {
    facts.host_key.as_ref().map(|key| format!("host key {} {}, ", key.algorithm, key.fingerprint)).unwrap_or_default()
}

/// Something that a server can't do.
struct Lack {
    text: &'static str,
    is_fault: bool,
}

fn lacks(facts: &ServerFacts, destination: &Destination) -> Vec<Lack> {
    let mut lacks = Vec::new();
    if !facts.posix_rename && destination.publish == Publish::Replace {
        lacks.push(if destination.allow_gap {
            Lack { text: "can't replace a file in one step; allow_gap accepts a moment without it", is_fault: false }
        } else {
            Lack {
                text: "can't replace a file in one step; set publish = \"refuse\", or allow_gap = true",
                is_fault: true,
            }
        });
    }
    if !facts.fsync {
        lacks.push(Lack {
            text: "can't be asked to sync a file to its disk; files are delivered without",
            is_fault: false,
        });
    }
    lacks
}
