//! What becomes of the occurrences since the last look: pure.

use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use crate::job::{Job, Missed};
use crate::period::Period;
use crate::run::{RunState, Trigger};
use crate::state::{Decision, NewRun};

/// An occurrence that is found later than this after its due time was missed: no daemon was running.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// Decides all occurrences of `job` in `(after, now]`. Those on time are queued; those missed follow the job's rule.
pub(super) fn decide(job: &Job, after: Timestamp, now: Timestamp) -> Decision {
    let occurrences: Vec<ZonedDateTime> = job.schedule.occurrences(after, now).collect();
    let is_missed = |due: &ZonedDateTime| now.duration_since(due.timestamp()) > LATE;
    let missed = occurrences.iter().filter(|due| is_missed(due)).count();
    let runs = occurrences.into_iter().enumerate().map(|(place, due)| {
        let kept = match job.missed {
            _ if place >= missed => Ok(Trigger::Schedule),
            Missed::All => Ok(Trigger::Missed),
            Missed::Latest if place + 1 == missed => Ok(Trigger::Missed),
            Missed::Latest => Err("a later one was missed too, and the job runs only the latest (missed = \"latest\")"),
            Missed::None => Err("it was missed, and the job runs none of those (missed = \"none\")"),
        };
        let period = Period::of_cadence(&due, &job.schedule);
        match kept {
            Ok(trigger) => NewRun { due, trigger, state: RunState::Queued, period, reason: None },
            Err(reason) => {
                let reason = Some(format!("the daemon was not up at its due time, or its clock was wrong: {reason}"));
                NewRun { due, trigger: Trigger::Missed, state: RunState::Skipped, period, reason }
            }
        }
    });
    Decision { job: job.label.clone(), until: now, runs: runs.collect() }
}
