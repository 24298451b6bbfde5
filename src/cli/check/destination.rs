//! Do the destinations let us in, and what can their servers do?

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::finding::{Finding, Level};
use crate::cli::output;
use crate::config::Config;
use crate::deliver::{DeliverError, Delivery, Options, Survey};
use crate::job::{Destination, Publish, SftpDestination, Verify};
use crate::plan;

/// The name of the probe that a check puts into a directory and removes again.
const PROBE: &str = "check";

/// What a partner has to know whose files are written in place.
const IN_PLACE: &str = "publish = \"direct\" writes files under their final names, so a reader may see half of one, and \
                        whether they can be written shows with the first; manifest = true tells readers when all are whole";

/// What a delivery in place can't do without, unless its job says so.
const NO_SIZES: &str = "doesn't describe files, so their sizes can't be compared; set verify = \"none\" if the directory is \
                        meant to be only written to";

/// A destination that was looked at.
pub struct Looked {
    /// Where it is.
    pub address: String,
    /// What there is to say about it.
    pub findings: Vec<Finding>,
    /// What its server can do; none if files can't be put there.
    pub survey: Option<Survey>,
}

impl Looked {
    /// It as programs read it.
    pub fn json(&self) -> Value {
        let survey = self.survey.as_ref().map(|survey| {
            let facts = &survey.facts;
            json!({
                "host_key": facts.host_key.as_ref().map(|key| key.fingerprint.as_str()),
                "software": facts.version,
                "banner": facts.banner,
                "posix_rename": facts.posix_rename,
                "fsync": facts.fsync,
                "limits": survey.write_limit.is_some(),
                "write_bytes": survey.write_limit,
                "statvfs": facts.statvfs,
                "free_bytes": survey.free,
                "stat": survey.stat,
                "list": survey.list,
                "several_handles": survey.several_handles,
                "remove": survey.remove,
            })
        });
        json!({ "destination": self.address, "server": survey, "findings": self.findings })
    }
}

/// Reaches every destination once, however many jobs share it. A directory with variables is that of the next due time.
pub async fn look(config: &Config) -> Vec<Looked> {
    let mut seen: Vec<Arc<Destination>> = Vec::new();
    let mut looked = Vec::new();
    for job in &config.jobs {
        let due = job.schedule.next_due(Timestamp::now());
        let destination = plan::destination(job, &due);
        if seen.contains(&destination) {
            continue;
        }
        let mut address = destination.address();
        if destination != job.destination {
            address = format!("{address} (of {}, due {})", job.label, output::time(&due));
        }
        seen.push(Arc::clone(&destination));
        let (findings, survey) = match reach(&destination).await {
            Ok(survey) => (judge(&address, &destination, survey.as_ref()), survey),
            Err(error) => (vec![Finding::new(Level::Fault, &address, error.to_string())], None),
        };
        looked.push(Looked { address, findings, survey });
    }
    looked
}

async fn reach(destination: &Destination) -> Result<Option<Survey>, DeliverError> {
    let delivery = Delivery::open(destination, &Options::default()).await?;
    let probe = delivery.check_again(PROBE).await?;
    let survey = delivery.survey(PROBE, &probe).await?;
    delivery.close().await;
    Ok(survey)
}

/// What a job has to know about the server, the good news first.
fn judge(address: &str, destination: &Destination, survey: Option<&Survey>) -> Vec<Finding> {
    match (destination, survey) {
        (Destination::Sftp(sftp), Some(survey)) => judge_server(address, sftp, survey),
        _ if destination.is_direct() => {
            vec![Finding::new(Level::Ok, address, "folder found"), Finding::new(Level::Hint, address, IN_PLACE)]
        }
        _ => vec![Finding::new(Level::Ok, address, "folder readable and writable")],
    }
}

fn judge_server(address: &str, destination: &SftpDestination, survey: &Survey) -> Vec<Finding> {
    let key = survey.facts.host_key.as_ref();
    let key = key.map(|key| format!("host key {} {}, ", key.algorithm, key.fingerprint)).unwrap_or_default();
    let can = match (destination.publish, destination.verify) {
        (Publish::Direct, _) => "not tried",
        (_, Verify::None) => "writable",
        _ => "readable and writable",
    };
    let room = survey.free.map(|free| format!(", {} free", output::size(free))).unwrap_or_default();
    let mut findings = vec![Finding::new(Level::Ok, address, format!("{key}directory {can}{room}"))];
    findings.extend(replacement(address, destination, survey));
    if destination.publish == Publish::Direct {
        findings.push(Finding::new(Level::Hint, address, IN_PLACE));
    }
    if !survey.stat && destination.verify != Verify::None {
        findings.push(Finding::new(Level::Fault, address, NO_SIZES));
    }
    let hints = [
        (
            survey.facts.fsync,
            "can't be asked to sync a file to its disk (no fsync@openssh.com); files are delivered without",
        ),
        (survey.stat || destination.verify != Verify::None, "doesn't describe files, so sizes are not compared"),
        (
            survey.list || destination.publish == Publish::Direct,
            "doesn't list the directory; files are delivered without",
        ),
        (
            survey.remove != Some(false),
            "doesn't let files be removed; an empty hidden file of this check stays in the directory and one of each job, \
             and what a failed run has uploaded stays, too",
        ),
        (
            survey.several_handles != Some(false),
            "lets one file be open at a time, so files go up one after the other; channels = 1 saves tries",
        ),
        (
            survey.write_limit.is_some(),
            "doesn't tell how much it takes at once (no limits@openssh.com); writes have 32 KiB",
        ),
        (
            survey.free.is_some(),
            "doesn't tell its free space (no statvfs@openssh.com); a full disk shows as a plain failure",
        ),
    ];
    let lacks = hints.into_iter().filter(|(is_there, _)| !is_there);
    findings.extend(lacks.map(|(_, text)| Finding::new(Level::Hint, address, text)));
    findings
}

fn replacement(address: &str, destination: &SftpDestination, survey: &Survey) -> Option<Finding> {
    let lack = "can't replace a file in one step (no posix-rename@openssh.com)";
    let (level, rest) = match (destination.publish, destination.allow_gap) {
        _ if survey.facts.posix_rename => return None,
        (Publish::Refuse | Publish::Direct, _) => return None,
        (Publish::Replace, true) => (Level::Hint, "; allow_gap accepts a moment without it"),
        (Publish::Replace, false) => (Level::Fault, "; set publish = \"refuse\", or allow_gap = true"),
    };
    Some(Finding::new(level, address, format!("{lack}{rest}")))
}
