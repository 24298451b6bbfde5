//! What people type: arguments, the commands behind them, and how each ends.
//!
//! Results go to standard output; progress, logs and errors to standard error.

mod args;
mod bars;
mod catalogue;
mod check;
mod configuration;
mod demo;
mod draft;
mod facts;
mod failure;
mod history;
mod init;
mod keys;
mod log_lines;
mod logging;
mod manual;
mod notify;
mod output;
#[cfg(test)]
mod pages;
mod plan;
mod redeliver;
mod reload;
mod report;
mod run;
mod sample;
mod selection;
mod serve;
mod show;
mod status;
mod windows;

use std::process::ExitCode;

use clap::FromArgMatches;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use tokio::runtime::Builder;
use tracing::warn;

use crate::tuning::Tuning;
use args::{Arguments, CatalogueCommand, Command};
use configuration::{load, state_dir, state_folder};
use failure::Failure;
use logging::LAST_LINES;
use output::say;

/// Reads the arguments, does what they say, and returns the exit code.
pub fn main() -> ExitCode {
    // Before any secret is read: whatever the system's limits are, a crash must not leave keys and passwords in a core file.
    let undumpable = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    // A parsed command line that is not what its own declaration says would be a defect; clap ends the process then.
    let arguments = Arguments::from_arg_matches(&args::command().get_matches()).unwrap_or_else(|error| error.exit());
    let is_daemon = matches!(arguments.command, Command::Serve);
    let threads = |error| Failure::work(format!("can't start threads: {error}"));
    let log = match logging::start(is_daemon) {
        Ok(log) => log,
        Err(error) => return end(Err(threads(error)), say),
    };
    if let Err(error) = undumpable {
        warn!(%error, "core files can't be switched off for this process: a crash could write secrets to the disk");
    }
    let processors = std::thread::available_parallelism().map_or(1, |processors| processors.get());
    let threads_of = |tuning: Tuning| processors.saturating_sub(tuning.reserved_processors).max(1);
    // A tuning that can't be read is reported by the commands that need it.
    let workers = configuration::tuning().map_or(1, threads_of);
    let result = match Builder::new_multi_thread().worker_threads(workers).enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(dispatch(arguments));
            // A blocking read of a database may still be waiting for its server; the process need not.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(threads(error)),
    };
    if is_daemon {
        // Nobody may read what a daemon says last, and that must not keep it from ending.
        let code = end(result, |text| log.add(format!("{text}\n").as_bytes()));
        log.flush(LAST_LINES);
        return code;
    }
    log.flush(LAST_LINES);
    end(result, say)
}

async fn dispatch(arguments: Arguments) -> Result<(), Failure> {
    let path = arguments.config.as_deref();
    match arguments.command {
        Command::Demo(options) => demo::demo(options).await,
        Command::Init(options) => init::init(path, *options).await,
        Command::Serve => serve::serve(path).await,
        Command::Status(options) => status::status(path, options).await,
        Command::Reload(options) => reload::reload(&state_dir(path)?, options).await,
        Command::Run(options) => run::run(load(path)?, options).await,
        Command::Check(options) => check::check(path, options).await,
        Command::Plan(options) => plan::plan(&load(path)?, &options),
        Command::History(options) => {
            let folder = state_folder(path)?;
            let done = history::history(&folder.dir, options).await;
            configuration::tell_faults(&folder);
            done
        }
        Command::Show(options) => {
            let folder = state_folder(path)?;
            let done = show::show(&folder.dir, options).await;
            configuration::tell_faults(&folder);
            done
        }
        Command::Report(options) => report::report(&load(path)?, &options),
        Command::Notify(options) => notify::notify(&load(path)?, &options).await,
        Command::Redeliver(options) => redeliver::redeliver(&load(path)?, path, &options).await,
        Command::Catalogue(options) => match &options.command {
            Some(CatalogueCommand::Draft(options)) => draft::draft(path, options).await,
            None => catalogue::catalogue(path, &options),
        },
        Command::Sample(options) => sample::sample(options).await,
        Command::Keygen(options) => keys::keygen(&options),
        Command::Hostkey(options) => keys::hostkey(&options).await,
        Command::Schema(options) => Ok(manual::schema(options.file)?),
        Command::Completions(options) => Ok(manual::completions(options.shell)?),
        Command::Man(options) => manual::page(options.command.as_deref()),
    }
}

fn end(result: Result<(), Failure>, say: impl FnOnce(&str)) -> ExitCode {
    let Err(failure) = result else { return ExitCode::SUCCESS };
    if !failure.text.is_empty() {
        say(failure.text.trim_end());
    }
    ExitCode::from(failure.code)
}
