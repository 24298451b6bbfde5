//! `exportd redeliver`: the files of a past run once more, from the spool.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::access::shell_word;
use crate::clearance::Recipient;
use crate::config::Config;
use crate::export::{self, Cancel, RunError};
use crate::progress::Progress;
use crate::run::{RunRecord, RunState, rfc3339};
use crate::state::State;

use super::args::RedeliverArguments;
use super::failure::Failure;
use super::{run as runs, selection};

/// Delivers the run whose identifier starts with what was typed, to where its job delivers today.
///
/// `path` is the configuration's, as it was typed.
pub async fn redeliver(config: &Config, path: Option<&Path>, options: &RedeliverArguments) -> Result<(), Failure> {
    let context = runs::open(config).await?;
    let run = selection::run(&context.state, &options.run).await?;
    let Some(job) = config.job(&run.job) else {
        let text = format!("run {} was of the job {}, which is not configured any more", run.id, run.job);
        return Err(Failure::usage(format!("{text}; its destination is not known")));
    };
    let job = Arc::new(job.clone());
    if matches!(run.state, RunState::Waiting | RunState::Delivered | RunState::Failed) {
        // Before anything is recorded: a run that is refused stays as it is.
        let reviewed = export::review(&context, &job, &run.id, options.to_new_recipient).await;
        reviewed.map_err(|error| withheld(&run, path, error))?;
    }
    let presence = context.state.presence().map_err(Failure::unreachable)?;
    let started = Timestamp::now();
    let Some(run) = context.state.reopen(&run.id, &presence, started).await.map_err(Failure::unreachable)? else {
        return Err(refusal(&context.state, path, &run).await);
    };
    let cancel = Cancel::new();
    let interrupted = runs::cancel_on_signal(&cancel)?;
    let progress = Progress::new(run.files.len());
    let permit = context.hosts.permit(&Recipient::of(&job.destination)).await;
    let to_new = options.to_new_recipient;
    let result = export::redeliver(&context, &job, &run, &progress, &cancel, to_new, permit).await;
    interrupted.abort();
    context.hosts.close().await;
    let executed = runs::conclude(&context, &presence, &job, &run, started, &progress, result).await;
    let executed = [executed.map_err(Failure::unreachable)?];
    runs::report(&executed)?;
    runs::verdict(&executed)
}

/// Why a run's files may not be sent, and what can be done about it.
fn withheld(run: &RunRecord, path: Option<&Path>, error: RunError) -> Failure {
    let RunError::Withheld { objections, .. } = &error else { return Failure::unreachable(error) };
    let anew = anew(run, path);
    let remedy = match objections.is_only_recipient() {
        true => format!("--to-new-recipient sends the same files there, {anew} makes them anew"),
        false => format!("make its files anew: {anew}"),
    };
    Failure::work(format!("run {} is not sent: {objections}; {remedy}", run.id))
}

/// The command that makes a run's files anew and delivers them.
fn anew(run: &RunRecord, path: Option<&Path>) -> String {
    let config = path.map(|path| format!(" --config {}", shell_word(path))).unwrap_or_default();
    format!("exportd{config} run {} --at {}", shell_word(&run.job), rfc3339(&run.due))
}

/// Why a run can't be delivered again.
async fn refusal(state: &State, path: Option<&Path>, run: &RunRecord) -> Failure {
    let now = match state.run(&run.id).await {
        Ok(found) => found.map_or(run.state, |run| run.state),
        Err(error) => return Failure::unreachable(error),
    };
    let text = match now {
        RunState::Queued => "is queued: the daemon is going to deliver it".to_owned(),
        RunState::Running => "is being worked on; exportd history says when it has ended".to_owned(),
        RunState::Skipped => format!("was skipped and has no files; make them: {}", anew(run, path)),
        RunState::Waiting | RunState::Delivered | RunState::Failed => {
            format!("has no files in the spool; make them anew: {}", anew(run, path))
        }
    };
    Failure::work(format!("run {} {text}", run.id))
}
