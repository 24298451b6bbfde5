//! `exportd status`: one screen. Is a daemon up, is its configuration the one on disk, and how is each job?
//!
//! What it tells comes from the lock and from state, so it needs no password of the store, and tells as much of a
//! daemon that was killed as of one that is up.

mod show;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ZonedDateTime};

use crate::access;
use crate::config::{self, Config, Faults, StateFolder};
use crate::definition::Definition;
use crate::job::Schedule;
use crate::run::{EventKind, RunRecord, RunState, Stage};
use crate::state::{DecidedAhead, Event, Holder, RunDetail, State, job_key};

use super::args::StatusArguments;
use super::configuration;
use super::failure::Failure;
use super::output;

/// How many events are looked through for the last word on the configuration.
const EVENTS: u32 = 100;

/// How many jobs are read at a time.
const DEFINITIONS: u32 = 100;

/// All that is shown.
struct Status {
    /// The file by which the state was found.
    config: PathBuf,
    state_dir: PathBuf,
    daemon: Option<Holder>,
    /// What is wrong with the file, as far as it is read to find the state.
    faults: Option<Faults>,
    /// The file that the daemon reads, or a catalogue that it names, is not what the daemon has read last.
    is_file_changed: bool,
    /// The daemon's last word on its configuration, if it was no.
    refused: Option<Event>,
    /// When the last daemon ended as it was told to, while none is up.
    stopped: Option<Timestamp>,
    clock: ClockStatus,
    jobs: Vec<JobStatus>,
}

/// What is wrong with the wall clock, as far as state knows.
#[derive(Default)]
struct ClockStatus {
    /// It has jumped ahead, and that is in doubt.
    held: Option<String>,
    /// It was ahead when due times were decided, or is behind now.
    ahead: Option<DecidedAhead>,
}

/// How one job is.
struct JobStatus {
    label: String,
    /// None if it is not in the configuration any more, or switched off.
    next_due: Option<ZonedDateTime>,
    schedule: Option<Schedule>,
    is_enabled: bool,
    last: Option<RunRecord>,
    under_way: Vec<UnderWay>,
}

/// A run that has not ended.
struct UnderWay {
    run: RunRecord,
    stage: Option<Stage>,
    why: String,
}

/// Shows how daemon and jobs are. The exit code is 0 if all is well, and 1 if somebody should look.
pub async fn status(path: Option<&Path>, options: StatusArguments) -> Result<(), Failure> {
    let path = configuration::find(path)?;
    let StateFolder { dir: state_dir, faults } =
        config::state_folder(&path).map_err(|faults| configuration::failure(&faults))?;
    let daemon = Holder::of(&state_dir).map_err(Failure::unreachable)?;
    let state = State::open_existing(&state_dir).await.map_err(Failure::unreachable)?;
    let mut status = match state {
        Some(state) => look(&state, state_dir, daemon, &path).await?,
        None => Status {
            config: whole(&path),
            state_dir,
            daemon,
            faults: None,
            is_file_changed: false,
            refused: None,
            stopped: None,
            clock: ClockStatus::default(),
            jobs: configured(&path, Timestamp::now()),
        },
    };
    status.faults = faults;
    if options.json {
        output::json(&show::to_json(&status))?;
    } else {
        show::print(&status)?;
        if let Some(faults) = &status.faults {
            return Err(Failure { code: 1, text: format!("\n{}", configuration::failure(faults).text) });
        }
    }
    if status.is_well() { Ok(()) } else { Err(Failure::reported()) }
}

async fn look(state: &State, state_dir: PathBuf, daemon: Option<Holder>, path: &Path) -> Result<Status, Failure> {
    let now = Timestamp::now();
    state.settle_commands(now).await.map_err(Failure::unreachable)?;
    let events = state.events(0, EVENTS).await.map_err(Failure::unreachable)?;
    let about_configuration = events.iter().find(|event| !matches!(event.kind, EventKind::Stopped | EventKind::Clock));
    let refused = about_configuration.filter(|event| event.kind == EventKind::Refused && daemon.is_some()).cloned();
    let read = about_configuration.and_then(|event| event.config.clone());
    let stopped = events.first().filter(|event| event.kind == EventKind::Stopped && daemon.is_none());
    let stopped = stopped.map(|event| event.at);

    let mut jobs: Vec<JobStatus> = Vec::new();
    let mut last = String::new();
    loop {
        let mut page = state.definitions(&last, DEFINITIONS).await.map_err(Failure::unreachable)?;
        let definitions = page.iter().filter_map(|(_, text)| Definition::parse(text));
        jobs.extend(definitions.map(|definition| fresh(&definition, now)));
        let Some((key, _)) = page.pop() else { break };
        last = key;
    }
    if jobs.is_empty() {
        jobs = configured(path, now);
    }
    let clock = ClockStatus {
        held: state.held_clock().await.map_err(Failure::unreachable)?.filter(|_| daemon.is_some()),
        ahead: state.decided_ahead(now).await.map_err(Failure::unreachable)?,
    };
    if clock.held.is_some() || clock.ahead.is_some() {
        go_by_decisions(state, &mut jobs, now).await?;
    }
    for run in state.under_way().await.map_err(Failure::unreachable)? {
        let key = job_key(&run.job);
        let place = jobs.iter().position(|job| job_key(&job.label) == key).unwrap_or_else(|| {
            jobs.push(JobStatus::gone(&run.job));
            jobs.len() - 1
        });
        let detail = match run.state {
            RunState::Running => state.detail(&run.id).await.map_err(Failure::unreachable)?,
            _ => None,
        };
        let why = why(&run, detail.as_ref(), &jobs[place], daemon.is_some(), now);
        let stage = detail.and_then(|detail| detail.stage);
        jobs[place].under_way.push(UnderWay { run, stage, why });
    }
    for job in &mut jobs {
        job.last = state.last_ended(&job.label).await.map_err(Failure::unreachable)?;
    }
    let is_file_changed = match daemon.as_ref().map(|daemon| daemon.config.as_deref().map(config::digest_of)) {
        // A file that we may not read is not one that has changed.
        Some(Some(Err(error))) if access::is_denied(&error) => false,
        Some(file) => file.and_then(Result::ok) != read,
        None => false,
    };
    Ok(Status { config: whole(path), state_dir, daemon, faults: None, is_file_changed, refused, stopped, clock, jobs })
}

fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Where the wall clock is not to be relied on, what is next follows from what is decided.
async fn go_by_decisions(state: &State, jobs: &mut [JobStatus], now: Timestamp) -> Result<(), Failure> {
    let decided = state.decided_by_job(now).await.map_err(Failure::unreachable)?;
    let mut decided: HashMap<String, _> =
        decided.into_iter().map(|(key, until, ahead)| (key, (until, ahead))).collect();
    for job in jobs {
        let Some((schedule, (until, ahead))) = job.schedule.as_ref().zip(decided.remove(&job_key(&job.label))) else {
            continue;
        };
        let undecided = schedule.next_due(until);
        let ahead = ahead.map(|ahead| ahead.to_zoned_datetime(schedule.zone.clone()));
        job.next_due = Some(ahead.filter(|ahead| *ahead < undecided).unwrap_or(undecided));
    }
    Ok(())
}

/// What the file says, where no daemon has said what is in force. A file with faults says nothing here: `check` does.
fn configured(path: &Path, now: Timestamp) -> Vec<JobStatus> {
    let Ok(config) = Config::load(path) else { return Vec::new() };
    config.jobs.iter().map(|job| fresh(&Definition::of(job), now)).collect()
}

fn fresh(definition: &Definition, now: Timestamp) -> JobStatus {
    let is_enabled = definition.is_enabled();
    let schedule = definition.schedule().filter(|_| is_enabled);
    JobStatus {
        label: definition.label().to_owned(),
        next_due: schedule.as_ref().map(|schedule| schedule.next_due(now)),
        schedule,
        is_enabled,
        last: None,
        under_way: Vec::new(),
    }
}

/// What a run waits for, in one sentence.
fn why(run: &RunRecord, detail: Option<&RunDetail>, job: &JobStatus, is_up: bool, now: Timestamp) -> String {
    let error = run.error.as_deref().unwrap_or("it failed");
    match run.state {
        RunState::Running => match detail {
            Some(RunDetail { stage: Some(stage), .. }) => format!("at work: {stage}"),
            _ => "at work".to_owned(),
        },
        _ if !job.is_enabled => "its job is switched off or no longer configured".to_owned(),
        RunState::Waiting if is_up => error.to_owned(),
        RunState::Waiting => format!("{error} (no daemon is up to try again)"),
        _ if !is_up => "no daemon is up".to_owned(),
        _ if run.due.timestamp() > now => "its due time lies in the future".to_owned(),
        _ => match job.under_way.first() {
            Some(first) => format!("waits behind {}", first.run.id),
            None => "waits for its turn".to_owned(),
        },
    }
}

impl JobStatus {
    fn gone(label: &str) -> JobStatus {
        JobStatus {
            label: label.to_owned(),
            next_due: None,
            schedule: None,
            is_enabled: false,
            last: None,
            under_way: Vec::new(),
        }
    }

    /// Whether its last run failed, or one waits because it did.
    fn is_troubled(&self) -> bool {
        let has_failed = self.last.as_ref().is_some_and(|run| run.state == RunState::Failed);
        has_failed || self.under_way.iter().any(|waiting| waiting.run.state == RunState::Waiting)
    }
}

impl Status {
    fn is_well(&self) -> bool {
        let is_up = self.daemon.is_some() && self.refused.is_none() && self.faults.is_none();
        is_up && self.clock.ahead.is_none() && !self.jobs.iter().any(JobStatus::is_troubled)
    }
}
