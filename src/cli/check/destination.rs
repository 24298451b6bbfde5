//! Do the destinations let us in, and what can their servers do?

use std::collections::BTreeSet;

use crate::cli::output::line;
use crate::config::Config;
use crate::deliver::{DeliverError, ServerFacts, Session};
use crate::job::{Destination, Publish};

/// The name of the probe that a check puts into a directory and removes again.
const PROBE: &str = "check";

/// Reaches every destination once, however many jobs share it. False if one of them has a fault.
pub async fn check(config: &Config) -> std::io::Result<bool> {
    let mut is_well = true;
    let mut seen = BTreeSet::new();
    for job in &config.jobs {
        let name = job.destination.address();
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

async fn reach(destination: &Destination) -> Result<ServerFacts, DeliverError> {
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
