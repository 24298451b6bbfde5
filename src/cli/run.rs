//! `exportd run`: jobs now, in the foreground.

use std::path::Path;
use std::sync::Arc;

use jiff::{Timestamp, ZonedDateTime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::clearance::Recipient;
use crate::config::Config;
use crate::deliver::Hosts;
use crate::export::{self, Cancel, Context, Production, RunError};
use crate::job::Job;
use crate::period::Period;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::run::{FileRecord, Origin, RunId, RunRecord, RunState, Warning};
use crate::spool::Spool;
use crate::state::{Presence, State};

use super::args::RunArguments;
use super::bars::Bars;
use super::facts::Facts;
use super::failure::Failure;
use super::output::{self, Listing};
use super::{selection, windows};

/// A job that has been run.
pub struct Executed {
    job: String,
    /// None for a dry run, which history does not know.
    run: Option<RunId>,
    files: Vec<FileRecord>,
    /// What they cover. Empty where they were made by an earlier run.
    covers: Vec<String>,
    took: String,
    warnings: Vec<Warning>,
    error: Option<RunError>,
}

impl Executed {
    /// Whether it did all it was to do.
    pub fn is_done(&self) -> bool {
        self.error.is_none()
    }
}

/// Runs the named jobs one after the other and reports what came of each. A job that fails does not keep the next
/// from running.
pub async fn run(config: Config, options: RunArguments) -> Result<(), Failure> {
    let mut wanted = Vec::new();
    for label in &options.labels {
        let job = selection::job(&config, label)?;
        let due = match &options.at {
            Some(text) => {
                let due = selection::due(job, text)?;
                selection::require_past(job, &due, Timestamp::now())?;
                due
            }
            None => job.schedule.latest_due(Timestamp::now()),
        };
        wanted.push((Arc::new(job.clone()), due));
    }
    let cancel = Cancel::new();
    let interrupted = cancel_on_signal(&cancel)?;
    let executed = if options.dry_run {
        dry_run(&config, wanted, &options.output, &cancel).await?
    } else {
        execute_all(&config, wanted, &cancel).await?
    };
    interrupted.abort();
    report(&executed)?;
    if options.dry_run && executed.iter().any(Executed::is_done) {
        output::line(format!("\nNothing was delivered; the files are in {}", options.output.display()))?;
    }
    verdict(&executed)
}

/// What the command says about all its runs.
pub fn verdict(executed: &[Executed]) -> Result<(), Failure> {
    match executed.iter().filter_map(|executed| executed.error.as_ref()).next() {
        None => Ok(()),
        Some(error) if error.is_unreachable() => Err(Failure { code: 3, text: String::new() }),
        Some(_) => Err(Failure::reported()),
    }
}

/// From now on expresses the wish to end when a person or the system does, until the task is aborted. Whoever says so
/// twice does not want to wait; what is left then is taken away by the job's next run.
pub fn cancel_on_signal(cancel: &Cancel) -> Result<JoinHandle<()>, Failure> {
    let watch = |kind| signal(kind).map_err(|error| Failure::work(format!("can't watch for signals: {error}")));
    // Before anything is begun: a signal that nobody watches for would end the process on the spot.
    let (mut terminate, mut interrupt) = (watch(SignalKind::terminate())?, watch(SignalKind::interrupt())?);
    let cancel = cancel.clone();
    Ok(tokio::spawn(async move {
        let mut told = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        told().await;
        cancel.cancel();
        told().await;
        std::process::exit(1);
    }))
}

/// Runs jobs for their due times, with history, until all are done or the user has had enough.
pub async fn execute_all(
    config: &Config,
    wanted: Vec<(Arc<Job>, ZonedDateTime)>,
    cancel: &Cancel,
) -> Result<Vec<Executed>, Failure> {
    let context = open(config).await?;
    let presence = context.state.presence().map_err(Failure::unreachable)?;
    let mut executed = Vec::new();
    for (job, due) in wanted {
        if cancel.is_cancelled() {
            break;
        }
        executed.push(execute(&context, &presence, job, due, cancel).await.map_err(Failure::unreachable)?);
    }
    context.hosts.close().await;
    Ok(executed)
}

/// Opens state and spool for a command that works on runs, and clears away what earlier ones left.
pub async fn open(config: &Config) -> Result<Context, Failure> {
    let state = State::open(&config.state_dir).await.map_err(Failure::unreachable)?;
    let tuning = super::configuration::tuning()?;
    let spool = Spool::open(&config.state_dir).map_err(Failure::unreachable)?.with_tuning(tuning);
    let (store, origin) = (config.store.clone(), origin(config));
    let context = Context::new(store, spool, state, config.keep, origin, tuning, Hosts::default());
    export::tidy(&context, Timestamp::now()).await.map_err(Failure::unreachable)?;
    Ok(context)
}

/// The person behind a command, by the configuration that it has read.
fn origin(config: &Config) -> Origin {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    // Behind sudo, who typed matters more than whom they became.
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(variable);
    let actor = user.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()));
    Origin { actor, config: config.digest.clone() }
}

async fn execute(
    context: &Context,
    presence: &Presence,
    job: Arc<Job>,
    due: ZonedDateTime,
    cancel: &Cancel,
) -> Result<Executed, RunError> {
    let started = Timestamp::now();
    let period = Period::of_cadence(&due, &job.schedule);
    let run = context.state.begin_manual(&job.label, &due, &period, presence, started).await?;
    let plan = Plan::new(&job, &due, run.id.as_str());
    let progress = Progress::new(plan.files.len());
    let bars = Bars::show(&plan, &progress);
    let permit = context.hosts.permit(&Recipient::of(&job.destination)).await;
    let result = export::execute(context, &job, &run, &progress, cancel, permit).await;
    drop(bars);

    let executed = conclude(context, presence, &job, &run, started, result).await?;
    Ok(Executed { covers: windows::of_run(&job, &due), ..executed })
}

/// Records how a command's attempt at a run ended.
pub async fn conclude(
    context: &Context,
    presence: &Presence,
    job: &Job,
    run: &RunRecord,
    started: Timestamp,
    result: Result<(), RunError>,
) -> Result<Executed, RunError> {
    let finished = Timestamp::now();
    match &result {
        Ok(()) => context.state.finish(&run.id, RunState::Delivered, None, finished).await?,
        Err(error) => context.state.fall_back(&run.id, presence, &error.to_string(), finished).await?,
    }
    let recorded = context.state.run(&run.id).await?;
    let (files, warnings) = recorded.map(|run| (run.files, run.warnings)).unwrap_or_default();
    let took = output::elapsed(started, finished);
    let (job, run) = (job.label.clone(), Some(run.id.clone()));
    Ok(Executed { job, run, files, covers: Vec::new(), took, warnings, error: result.err() })
}

/// Writes the files of jobs into `output` and delivers nothing; history does not hear of it.
async fn dry_run(
    config: &Config,
    wanted: Vec<(Arc<Job>, ZonedDateTime)>,
    output: &Path,
    cancel: &Cancel,
) -> Result<Vec<Executed>, Failure> {
    std::fs::create_dir_all(output)
        .map_err(|error| Failure::usage(format!("can't make the folder {}: {error}", output.display())))?;
    let spool = Spool::open(output).map_err(Failure::usage)?;
    let mut executed = Vec::new();
    for (job, due) in wanted {
        let started = Timestamp::now();
        let (label, covers) = (job.label.clone(), windows::of_run(&job, &due));
        let result = produce_into(config, job, due, &spool, output, cancel).await;
        let took = output::elapsed(started, Timestamp::now());
        let ((files, warnings), error) = match result {
            Ok(produced) => (produced, None),
            Err(error) => ((Vec::new(), Vec::new()), Some(error)),
        };
        executed.push(Executed { job: label, run: None, files, covers, took, warnings, error });
    }
    // Empty now, unless something in it could not be moved; then it tells more than it harms.
    let _ = std::fs::remove_dir(output.join("spool"));
    Ok(executed)
}

/// Writes the files of a job into `output`. Returns them, and what is to be known about them.
async fn produce_into(
    config: &Config,
    job: Arc<Job>,
    due: ZonedDateTime,
    spool: &Spool,
    output: &Path,
    cancel: &Cancel,
) -> Result<(Vec<FileRecord>, Vec<Warning>), RunError> {
    let id = RunId::new(Timestamp::now(), std::process::id());
    let plan = Arc::new(Plan::new(&job, &due, id.as_str()));
    let progress = Progress::new(plan.files.len());
    let _bars = Bars::show(&plan, &progress);
    let folder = Arc::new(spool.run(&id)?);
    let (store, cancel) = (config.store.clone(), cancel.clone());
    let production = Production { store, job, plan, folder, progress: progress.clone(), cancel, begun: None };
    let artifacts = match export::produce(production).await {
        Ok(artifacts) => artifacts,
        Err(error) => {
            spool.remove(&id)?;
            return Err(error);
        }
    };
    for artifact in &artifacts {
        artifact.move_to(&output.join(&artifact.name))?;
    }
    spool.remove(&id)?;
    Ok((artifacts.iter().map(|artifact| artifact.record()).collect(), progress.warnings()))
}

/// Says what came of each job: its files on standard output, warnings and its error on standard error.
pub fn report(executed: &[Executed]) -> std::io::Result<()> {
    let mut listing = Listing::new(&["JOB", "FILE", "ROWS", "SIZE", "TOOK"]).numbers(&[2, 3, 4]);
    for done in executed.iter().filter(|executed| executed.is_done()) {
        for (position, file) in done.files.iter().enumerate() {
            let first = |text: &str| if position == 0 { text.to_owned() } else { String::new() };
            let (rows, size) = (output::count(file.rows), output::size(file.bytes));
            listing.row([first(&done.job), file.name.clone(), rows, size, first(&done.took)]);
        }
    }
    if executed.iter().any(Executed::is_done) {
        listing.print(0)?;
    }
    report_windows(executed)?;
    for executed in executed {
        let of_files =
            executed.files.iter().filter_map(|file| Some(format!("{}: {}", file.name, file.unreadable_words()?)));
        for warning in executed.warnings.iter().map(Warning::to_string).chain(of_files) {
            output::say(&format!("warning: job {}, {warning}", executed.job));
        }
    }
    for failed in executed {
        let Some(error) = &failed.error else { continue };
        let run = failed.run.as_ref().map(|run| format!(" (run {run})")).unwrap_or_default();
        output::say(&format!("job {}: {error}{run}", failed.job));
    }
    Ok(())
}

/// Says what the files of each job cover: whether they hold a day or all rows is not to be seen from their names.
fn report_windows(executed: &[Executed]) -> std::io::Result<()> {
    let mut facts = Facts::new();
    for done in executed.iter().filter(|executed| executed.is_done()) {
        for (position, window) in done.covers.iter().enumerate() {
            facts.add(if position == 0 { &done.job } else { "" }, window);
        }
    }
    if facts.is_empty() {
        return Ok(());
    }
    output::line("\nWhat the files cover:")?;
    facts.print(2)
}
