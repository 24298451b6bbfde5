//! From the queue to work: all that may begin is begun in one commit, and what finds its host free goes to work.

use jiff::SignedDuration;
use tracing::{error, warn};

use super::queue::Choice;
use super::service::Service;
use super::{Clock, Runner};

/// How long runs wait that could not be begun because state could not be written.
const STATE_PAUSE: SignedDuration = SignedDuration::from_secs(10);

impl<R: Runner, C: Clock> Service<R, C> {
    /// Begins what may begin, and sets to work what may go to work.
    pub(super) async fn fill(&mut self) {
        let now = self.now();
        let Choice { begin, work } = self.queue.choose(&self.jobs, &self.limits, self.attempts.len(), now);
        if !begin.is_empty() {
            match self.state.start(&begin, now).await {
                Ok(begun) => self.queue.note_begun(&begin, begun),
                Err(error) => {
                    error!(runs = begin.len(), %error, "runs can't be recorded, so they are not begun");
                    self.queue.put_off(&begin, now.checked_add(STATE_PAUSE).unwrap_or(now));
                }
            }
        }
        for key in work {
            if let Some((job, run)) = self.queue.take(&key, &self.jobs) {
                self.attempts.begin(job, run);
            }
        }
    }

    /// Has all that is begun and waits for its turn begin anew: by other jobs, or under another daemon.
    pub(super) async fn take_back(&mut self) {
        let begun = self.queue.begun();
        if begun.is_empty() {
            return;
        }
        match self.state.take_back(&begun).await {
            Ok(()) => self.queue.take_back(),
            // They stay begun, which is only said too early.
            Err(error) => warn!(runs = begun.len(), %error, "runs that wait for their turn can't be taken back"),
        }
    }
}
