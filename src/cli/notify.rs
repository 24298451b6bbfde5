//! `exportd notify`: tries `[notify]` with a notice that nothing happened for.

use jiff::Timestamp;

use crate::config::Config;
use crate::notify::Message;
use crate::period::Period;
use crate::run::{NoticeKind, RunId, RunRecord, RunState, Trigger};

use super::args::NotifyArguments;
use super::failure::Failure;
use super::output::line;

/// Sends a test to everybody that the configuration names, and reports what came of it.
pub async fn notify(config: &Config, options: &NotifyArguments) -> Result<(), Failure> {
    let Some(notify) = &config.notify else {
        return Err(Failure::usage("the configuration has no [notify]; docs/configuration.md shows one"));
    };
    let kind: NoticeKind = options.event.parse().map_err(Failure::usage)?;
    let message = match kind {
        NoticeKind::Clock => {
            Message::plain(kind, "the clock is right: this is a test of [notify]", Timestamp::now(), true)
        }
        kind => about_run(config, kind)?,
    };
    let mut is_told = true;
    for (name, outcome) in names(config).into_iter().zip(notify.send(&message).await) {
        match outcome {
            Ok(()) => line(format!("ok     {name}"))?,
            Err(error) => {
                is_told = false;
                line(format!("FAULT  {error}"))?;
            }
        }
    }
    if is_told { Ok(()) } else { Err(Failure::reported()) }
}

/// What is told of a run that is made up.
fn about_run(config: &Config, kind: NoticeKind) -> Result<Message, Failure> {
    let Some(job) = config.jobs.first() else {
        return Err(Failure::usage("the configuration has no job to make up a run of"));
    };
    let now = Timestamp::now();
    let due = job.schedule.latest_due(now);
    let period = Period::of_cadence(&due, &job.schedule);
    let run = RunRecord {
        id: RunId::new(now, std::process::id()),
        job: job.label.clone(),
        due,
        trigger: Trigger::Manual,
        state: if kind == NoticeKind::Recovery { RunState::Delivered } else { RunState::Failed },
        attempts: 1,
        started: Some(now),
        finished: Some(now),
        waiting_since: None,
        retry_at: None,
        period: (period.from, period.to),
        files: Vec::new(),
        error: (kind != NoticeKind::Recovery).then(|| "nothing failed: this is a test of [notify]".to_owned()),
        warnings: Vec::new(),
    };
    Ok(Message::new(kind, run, now, true))
}

fn names(config: &Config) -> Vec<&'static str> {
    let notify = config.notify.as_ref();
    let command = notify.and_then(|notify| notify.command.as_ref()).map(|_| "the command took it");
    let url = notify.and_then(|notify| notify.url.as_ref()).map(|_| "the url took it");
    command.into_iter().chain(url).collect()
}
