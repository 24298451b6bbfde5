//! The status for people, and for programs.

use std::io;

use serde_json::{Value, json};

use super::{JobStatus, Status, UnderWay};
use crate::cli::facts::Facts;
use crate::cli::output::{self, Listing, line};
use crate::config::{Fault, Faults};
use crate::run::{RunRecord, RunState, rfc3339};

pub(super) fn print(status: &Status) -> io::Result<()> {
    daemon(status)?;
    if status.jobs.is_empty() {
        return line("\nno job is known");
    }
    line("")?;
    jobs(status)?;
    under_way(status)
}

fn daemon(status: &Status) -> io::Result<()> {
    let mut facts = Facts::new();
    match &status.daemon {
        Some(daemon) => {
            let since = daemon.since.parse().map_or(daemon.since.clone(), output::local_time);
            facts.add("daemon", format!("up since {since} (process {}, exportd {})", daemon.process, daemon.version));
            facts.maybe("reads", daemon.config.as_ref().map(|path| path.display().to_string()));
        }
        None => {
            let since = status.stopped.map(|at| format!(" since {}", output::local_time(at))).unwrap_or_default();
            facts.add("daemon", format!("not up{since}: nothing runs until exportd serve, or its service, is started"));
            facts.add("file", status.config.display().to_string());
        }
    }
    facts.add("state", status.state_dir.display().to_string());
    facts.maybe("CLOCK", status.clock.held.clone());
    if let Some(ahead) = &status.clock.ahead {
        let until = output::local_time(ahead.until);
        let text = format!(
            "decided ahead: {}, up to {until}, in the future: the clock was ahead then, or is behind now; runs begin, or \
             begin again, when their time comes",
            output::plural(ahead.occurrences as usize, "due time"),
        );
        facts.add("CLOCK", text);
    }
    if let Some(refused) = &status.refused {
        let at = output::local_time(refused.at);
        facts.add("REFUSED", format!("{at}: the new configuration; the one before stays in force"));
        // The picture of the place is for those who mend it: check shows it again.
        let first = refused.text.lines().take(2).map(str::trim).collect::<Vec<_>>().join(" ");
        facts.add("", first);
    }
    if status.faults.is_some() {
        facts.add("FAULT", "the file can't be read as a configuration; a start or a reload would refuse it: see below");
    } else if status.is_file_changed {
        facts.add(
            "CHANGED",
            "the file, or a catalogue that it names, is not the one that was read last; exportd check tries it, and \
             exportd reload puts it into force",
        );
    }
    facts.print(0)
}

fn jobs(status: &Status) -> io::Result<()> {
    let mut listing = Listing::new(&["JOB", "LAST", "DUE", "ENDED", "NEXT DUE"]);
    for job in &status.jobs {
        let last = job.last.as_ref();
        let local = |run: &RunRecord| {
            let zone = run.due.time_zone().clone();
            run.finished.map(|at| short(&at.to_zoned_datetime(zone))).unwrap_or_default()
        };
        listing.row([
            job.label.clone(),
            last.map_or("none yet".to_owned(), |run| run.state.to_string()),
            last.map(|run| short(&run.due)).unwrap_or_default(),
            last.map(local).unwrap_or_default(),
            next_due(job),
        ]);
    }
    listing.print(0)?;
    for job in &status.jobs {
        let Some(run) = job.last.as_ref().filter(|run| run.state == RunState::Failed) else { continue };
        let mut facts = Facts::new();
        let error = run.error.as_deref().unwrap_or("no reason is known");
        facts.add(&format!("{} FAILED", job.label), format!("{error} (exportd show {})", run.id));
        line("")?;
        facts.print(0)?;
    }
    Ok(())
}

fn short(time: &jiff::ZonedDateTime) -> String {
    time.strftime("%m-%d %H:%M").to_string()
}

fn next_due(job: &JobStatus) -> String {
    match &job.next_due {
        Some(due) => output::time(due),
        None if job.is_enabled => "unknown".to_owned(),
        None => "switched off".to_owned(),
    }
}

fn under_way(status: &Status) -> io::Result<()> {
    for job in &status.jobs {
        for waiting in &job.under_way {
            let run = &waiting.run;
            line(format!("\n{} {}: run {}, due {}", job.label, run.state, run.id, output::time(&run.due)))?;
            let mut facts = Facts::new();
            facts.add("why", &waiting.why);
            let zone = run.due.time_zone();
            let again = run.retry_at.map(|at| output::time(&at.to_zoned_datetime(zone.clone())));
            facts.maybe(
                "again",
                again.map(|again| format!("{again}, after {}", output::plural(run.attempts as usize, "attempt"))),
            );
            facts.print(2)?;
        }
    }
    Ok(())
}

pub(super) fn to_json(status: &Status) -> Value {
    let daemon = status.daemon.as_ref().map(|daemon| {
        json!({
            "process": daemon.process,
            "since": daemon.since,
            "version": daemon.version,
            "config": daemon.config,
            "config_changed": status.is_file_changed,
        })
    });
    let refused = status.refused.as_ref().map(|event| json!({ "at": event.at.to_string(), "text": event.text }));
    json!({
        "well": status.is_well(),
        "daemon": daemon,
        "state_dir": status.state_dir,
        "faults": status.faults.iter().flat_map(|faults| faults.iter().map(|fault| fault_json(faults, fault))).collect::<Vec<_>>(),
        "refused": refused,
        "clock": {
            "held": status.clock.held,
            "decided_ahead": status.clock.ahead.as_ref().map(|ahead| {
                json!({ "occurrences": ahead.occurrences, "until": ahead.until.to_string() })
            }),
        },
        "jobs": status.jobs.iter().map(job_json).collect::<Vec<_>>(),
    })
}

fn fault_json(faults: &Faults, fault: &Fault) -> Value {
    let (file, place) = faults.place(fault);
    let place = place.unzip();
    json!({ "file": file, "line": place.0, "column": place.1, "text": fault.in_one_line() })
}

fn job_json(job: &JobStatus) -> Value {
    json!({
        "job": job.label,
        "enabled": job.is_enabled,
        "next_due": job.next_due.as_ref().map(rfc3339),
        "last": job.last,
        "under_way": job.under_way.iter().map(under_way_json).collect::<Vec<_>>(),
    })
}

fn under_way_json(waiting: &UnderWay) -> Value {
    let mut run = serde_json::to_value(&waiting.run).unwrap_or_default();
    run["stage"] = json!(waiting.stage.map(|stage| stage.name()));
    run["why"] = json!(waiting.why);
    run
}
