//! `exportd serve`: the daemon.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_util::sync::CancellationToken;

use crate::config::{self, Config};
use crate::daemon::{self, Daemon, DaemonError, Limits, RunResult, Runner, SystemClock};
use crate::export::{self, Cancel, Context, RunError};
use crate::job::Job;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::run::RunRecord;
use crate::spool::Spool;
use crate::state::{DaemonLock, State};
use crate::store::StoreSettings;

use super::failure::Failure;

/// How wide a fault may be in the log, in characters.
const LOG_WIDTH: usize = 120;

/// Runs jobs whenever they are due, until the process is told to stop.
pub async fn serve(path: Option<&Path>) -> Result<(), Failure> {
    let path = config::find_config(path).map_err(|faults| super::report(&faults))?;
    let config = super::load(Some(&path))?;
    let state = State::open(&config.state_dir).await.map_err(Failure::unreachable)?;
    let lock = DaemonLock::acquire(&config.state_dir).map_err(Failure::unreachable)?;
    let spool = Spool::open(&config.state_dir).map_err(Failure::unreachable)?;
    let store = Arc::new(RwLock::new(config.store));
    let daemon = Daemon {
        state: state.clone(),
        lock,
        jobs: config.jobs,
        load: loader(path, store.clone()),
        runner: Exports { store, spool, state },
        clock: SystemClock::start().await.map_err(failure)?,
        signals: daemon::listen().map_err(failure)?,
        limits: Limits::default(),
    };
    daemon::serve(daemon).await.map_err(failure)
}

fn failure(error: DaemonError) -> Failure {
    match error {
        DaemonError::State(error) => Failure::unreachable(error),
        error => Failure::work(error),
    }
}

/// Reads the same file again. A run that is under way keeps the store and the job that it began with; the state
/// folder stays what it was as long as the daemon lives.
fn loader(path: PathBuf, store: Arc<RwLock<StoreSettings>>) -> daemon::Load {
    Arc::new(move || {
        let config = Config::load(&path).map_err(|faults| faults.render(false, LOG_WIDTH))?;
        *store.write().unwrap_or_else(PoisonError::into_inner) = config.store;
        Ok(config.jobs)
    })
}

/// The runner of the real thing.
struct Exports {
    store: Arc<RwLock<StoreSettings>>,
    spool: Spool,
    state: State,
}

impl Runner for Exports {
    async fn run(&self, job: Arc<Job>, run: RunRecord, stop: CancellationToken) -> RunResult {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner).clone();
        let context = Context { store, spool: self.spool.clone(), state: self.state.clone() };
        let files = Plan::new(&job, &run.due, run.id.as_str()).files.len();
        let progress = Progress::new(files);
        let cancel = Cancel::new();
        let follow = cancel.clone();
        let follower = tokio::spawn(async move {
            stop.cancelled().await;
            follow.cancel();
        });
        let result = export::execute(&context, &job, &run, &progress, &cancel).await;
        follower.abort();
        match result {
            Ok(()) => RunResult::Delivered,
            Err(RunError::Cancelled) => RunResult::Stopped,
            Err(error) => RunResult::Failed { error: error.to_string(), passing: error.is_passing() },
        }
    }
}
