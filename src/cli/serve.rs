//! `exportd serve`: the daemon.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;

use tokio_util::sync::CancellationToken;

use crate::config::{self, Config, GeneralSettings};
use crate::daemon::{self, Configuration, Daemon, DaemonError, Limits, Refusal, RunResult, Runner, SystemClock};
use crate::deliver::{Hosts, Permit};
use crate::export::{self, Cancel, Context, RunError};
use crate::job::Job;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::run::{Origin, RunRecord};
use crate::spool::Spool;
use crate::state::{DaemonLock, State};

use super::configuration;
use super::failure::Failure;

/// How wide a fault may be in the log, in characters.
const LOG_WIDTH: usize = 120;

/// Runs jobs whenever they are due, until the process is told to stop.
pub async fn serve(path: Option<&Path>) -> Result<(), Failure> {
    let found = config::find_config(path).map_err(|faults| configuration::failure(&faults))?;
    if let Some(note) = &found.note {
        tracing::info!("{note}");
    }
    let path = found.path;
    let config = configuration::load(Some(&path))?;
    let state = State::open(&config.state_dir).await.map_err(Failure::unreachable)?;
    let mut lock = DaemonLock::acquire(&config.state_dir).map_err(Failure::unreachable)?;
    lock.announce(&path).map_err(Failure::unreachable)?;
    let tuning = super::configuration::tuning()?;
    let spool = Spool::open(&config.state_dir).map_err(Failure::unreachable)?.with_tuning(tuning);
    let hosts = Hosts::default();
    let (store, keep, origin) = (config.store.clone(), config.keep, origin(&config));
    let context = Context::new(store, spool, state.clone(), keep, origin, tuning, hosts.clone());
    let context = Arc::new(RwLock::new(context));
    let in_force = Arc::new(Mutex::new(config.settings.clone()));
    let daemon = Daemon {
        state,
        lock,
        configuration: offer(config, context.clone(), in_force.clone()),
        load: loader(path, context.clone(), in_force),
        runner: Exports { context: context.clone() },
        clock: SystemClock::start().await.map_err(failure)?,
        signals: daemon::listen().map_err(failure)?,
        limits: Limits::default(),
        hosts: hosts.clone(),
    };
    let served = daemon::serve(daemon).await.map_err(failure);
    hosts.close().await;
    served
}

fn origin(config: &Config) -> Origin {
    Origin { actor: "daemon".to_owned(), config: config.digest.clone() }
}

fn failure(error: DaemonError) -> Failure {
    match error {
        DaemonError::State(error) => Failure::unreachable(error),
        error => Failure::work(error),
    }
}

/// Reads the same file again.
fn loader(path: PathBuf, context: Arc<RwLock<Context>>, in_force: Arc<Mutex<GeneralSettings>>) -> daemon::Load {
    Arc::new(move || {
        // Before it is read: a file that changes in between is told as what it was, and can be read once more.
        let digest = config::digest_of(&path).ok();
        match Config::load(&path) {
            Ok(config) => Ok(offer(config, context.clone(), in_force.clone())),
            Err(faults) => Err(Refusal { faults: faults.render(false, LOG_WIDTH), digest }),
        }
    })
}

/// What the daemon takes over from a configuration. A run that is under way keeps the store and the job that it began
/// with; the state folder stays what it was as long as the daemon lives.
fn offer(config: Config, context: Arc<RwLock<Context>>, in_force: Arc<Mutex<GeneralSettings>>) -> Configuration {
    let origin = origin(&config);
    let Config { jobs, digest, notify, store, keep, settings, .. } = config;
    let changes = in_force.lock().unwrap_or_else(PoisonError::into_inner).changes(&settings);
    let accept = Box::new(move || {
        let mut context = context.write().unwrap_or_else(PoisonError::into_inner);
        (context.store, context.keep, context.origin) = (store, keep, origin);
        let mut in_force = in_force.lock().unwrap_or_else(PoisonError::into_inner);
        *in_force = settings.taken_over(&in_force);
    });
    Configuration { jobs, digest, changes, notify, accept }
}

/// The runner of the real thing.
struct Exports {
    context: Arc<RwLock<Context>>,
}

impl Exports {
    fn context(&self) -> Context {
        self.context.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Runner for Exports {
    async fn run(&self, job: Arc<Job>, run: RunRecord, permit: Permit, stop: CancellationToken) -> RunResult {
        let context = self.context();
        let files = Plan::new(&job, &run.due, run.id.as_str()).files.len();
        let progress = Progress::new(files);
        let cancel = Cancel::new();
        let follow = cancel.clone();
        let follower = tokio::spawn(async move {
            stop.cancelled().await;
            follow.cancel();
        });
        let result = export::execute(&context, &job, &run, &progress, &cancel, permit).await;
        follower.abort();
        match result {
            Ok(()) => RunResult::Delivered,
            Err(RunError::Cancelled) => RunResult::Stopped,
            Err(error) if error.is_refusal() => RunResult::Refused { error: error.to_string() },
            Err(error) => RunResult::Failed { error: error.to_string(), passing: error.is_passing() },
        }
    }

    async fn tidy(&self, now: Timestamp) {
        match export::tidy(&self.context(), now).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "folders of the spool that nobody needs are removed"),
            Err(error) => tracing::warn!(%error, "the spool can't be cleared"),
        }
    }
}
