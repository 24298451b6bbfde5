//! What the daemon does about a wall clock that jumps ahead or is set back: it tells people, and sets state right.

use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::json;
use tracing::{error, info, warn};

use super::service::Service;
use super::timekeeper::{Change, Reading};
use super::{Clock, Runner};
use crate::run::{EventKind, NoticeKind};
use crate::state::{NewEvent, StateError};
use crate::wording::plural;

/// A clock that was set back by less than this is told in the log alone: what lies in the future now soon does not.
const WORTH_A_NOTICE: SignedDuration = SignedDuration::from_mins(5);

impl<R: Runner, C: Clock> Service<R, C> {
    /// The time to decide by. Tells what is new about the wall clock, and sets state right when that is accepted.
    pub(super) async fn time(&mut self) -> Timestamp {
        let reading = self.read_clocks();
        // Asking starts a process, so it is done only where it matters.
        let is_synchronised = self.timekeeper.doubts(reading) && self.clock.is_synchronised().await;
        if let Some(change) = self.timekeeper.observe(reading, is_synchronised)
            && let Err(error) = self.note(change, reading).await
        {
            error!(%error, "the clock change can't be recorded; trying again in a second");
            self.timekeeper.forget(change);
        }
        self.timekeeper.now(reading)
    }

    /// The time to decide by, between two looks.
    pub(super) fn now(&self) -> Timestamp {
        self.timekeeper.now(self.read_clocks())
    }

    fn read_clocks(&self) -> Reading {
        Reading { wall: self.clock.now(), boot: self.clock.since_boot() }
    }

    async fn note(&mut self, change: Change, reading: Reading) -> Result<(), StateError> {
        match change {
            Change::Ahead { from, to } => {
                let text = format!(
                    "the clock jumped ahead by {}, from {from:.0} to {to:.0}; what newly fell due is held for five \
                     minutes, or until the system says that its clock is synchronised",
                    length(from, to)
                );
                warn!("{text}");
                self.state.hold_clock(&text).await?;
                self.tell_clock(text, from, to).await;
            }
            Change::Behind { from, to } => {
                warn!(
                    "the clock was set back by {}, from {from:.0} to {to:.0}; nothing begins before its due time",
                    length(to, from)
                );
                self.state.mark_early(to).await?;
            }
            Change::Returned => {
                info!("the clock is right again");
                let was_held = self.state.held_clock().await?.is_some();
                self.state.clock_returned(reading.wall).await?;
                if was_held {
                    self.tell_clock("the clock is right again".to_owned(), reading.wall, reading.wall).await;
                }
            }
            Change::AheadForGood { noticed, by, to } => {
                self.state.clock_jumped(noticed, to).await?;
                self.scheduler.replace(&self.jobs, to).await?;
                self.timekeeper.accept(reading);
                let text = format!("the clock's jump by {} to {to:.0} is accepted", length(to, to + by));
                warn!("{text}; what fell due by then is run now");
                self.tell_clock(text, noticed, to).await;
            }
            Change::BehindForGood { from, to } => {
                self.state.clock_set_back(to, reading.wall).await?;
                self.scheduler.replace(&self.jobs, reading.wall).await?;
                self.reread().await;
                self.tell_set_back(from, reading.wall).await?;
                // Last: what fails before is done again in a second.
                self.timekeeper.accept(reading);
            }
        }
        Ok(())
    }

    async fn tell_set_back(&mut self, from: Timestamp, now: Timestamp) -> Result<(), StateError> {
        let mut text = format!("the clock was set back by {}, to {now:.0}", length(now, from));
        if let Some(ahead) = self.state.decided_ahead(now).await? {
            let due_times = plural(ahead.occurrences as usize, "due time");
            text.push_str(&format!(
                "; {due_times} up to {:.0} had been decided by then: runs begin, or begin again, when their time comes",
                ahead.until
            ));
            if from.duration_since(now) > WORTH_A_NOTICE {
                self.state.notice(NoticeKind::Clock, &text, now).await?;
                self.alerts.poke();
            }
        }
        warn!("{text}");
        self.tell_clock(text, from, now).await;
        Ok(())
    }

    async fn tell_clock(&self, text: String, from: Timestamp, to: Timestamp) {
        let detail = json!({ "from": from.to_string(), "to": to.to_string() }).to_string();
        self.tell(NewEvent { kind: EventKind::Clock, config: None, text, detail }, Vec::new()).await;
    }
}

/// A length of time in its two largest units: `1 d 2 h`.
fn length(from: Timestamp, to: Timestamp) -> String {
    let exact = to.duration_since(from);
    let seconds = exact.round(Unit::Second).unwrap_or(exact).as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn lengths_have_two_units() {
        let zero = Timestamp::UNIX_EPOCH;
        let lengths =
            [12, 60, 3599, 3600, 86_399, 90_000, 400 * 86_400].map(|seconds| length(zero, zero + seconds.seconds()));
        assert_eq!(lengths, ["12 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "23 h 59 min", "1 d 1 h", "400 d 0 h"]);
    }
}
