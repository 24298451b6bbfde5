//! Alerts: sends pending notices from state, concurrently with everything else.
//!
//! One task sends one notice after another and tries each a few times. No run waits for it, however many runs fail and
//! however slow the receiver is. A failure that was not sent when the daemon ended is sent by the next daemon. A recovery
//! is sent at most once: if the daemon dies at that moment, not at all.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify as Poke;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Clock;
use crate::notify::{Message, Notify};
use crate::state::{Notice, State, StateError, Subject};

/// How often a notice is tried.
const TRIES: u32 = 6;

/// The wait after the first try that failed; each later one is twice the one before.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// How many notices are looked up at once.
const BATCH: u32 = 100;

/// How much time the notice that is being sent has when the daemon stops.
const LAST_WORDS: Duration = Duration::from_secs(5);

pub(super) struct Alerts {
    settings: Arc<RwLock<Option<Notify>>>,
    poke: Arc<Poke>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Alerts {
    /// Starts the task, which sends the pending notices whenever it is [poked](Alerts::poke).
    pub(super) fn start<C: Clock>(state: State, clock: Arc<C>) -> Alerts {
        let (settings, poke, stop) = (Arc::new(RwLock::new(None)), Arc::new(Poke::new()), CancellationToken::new());
        let sender = Sender { state, clock, settings: settings.clone(), stop: stop.clone() };
        let poked = poke.clone();
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = poked.notified() => {}
                    () = sender.stop.cancelled() => return,
                }
                if let Err(error) = sender.send_pending().await {
                    warn!(%error, "pending notices can't be read from state");
                }
            }
        });
        Alerts { settings, poke, stop, task }
    }

    /// Puts other settings into force.
    pub(super) fn set(&self, notify: Option<Notify>) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = notify;
        self.poke();
    }

    /// After how long an occurrence is late.
    pub(super) fn late(&self) -> Option<SignedDuration> {
        let late = self.settings.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|notify| notify.late);
        late.and_then(|late| SignedDuration::try_from(late).ok())
    }

    /// Has the task look for pending notices.
    pub(super) fn poke(&self) {
        self.poke.notify_one();
    }

    /// Ends. Unsent notices are left for the next daemon.
    pub(super) async fn stop(&mut self) {
        self.stop.cancel();
        if tokio::time::timeout(LAST_WORDS, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

struct Sender<C> {
    state: State,
    clock: Arc<C>,
    settings: Arc<RwLock<Option<Notify>>>,
    stop: CancellationToken,
}

impl<C: Clock> Sender<C> {
    async fn send_pending(&self) -> Result<(), StateError> {
        loop {
            let Some(notify) = self.settings.read().unwrap_or_else(PoisonError::into_inner).clone() else {
                return self.state.drop_notices().await;
            };
            let pending = self.state.pending_notices(self.clock.now(), BATCH).await?;
            if pending.is_empty() {
                return Ok(());
            }
            for notice in pending {
                if self.stop.is_cancelled() {
                    return Ok(());
                }
                self.send(&notify, &notice).await?;
            }
        }
    }

    async fn send(&self, notify: &Notify, notice: &Notice) -> Result<(), StateError> {
        let now = self.clock.now();
        let (about, message) = match &notice.subject {
            Subject::Text(text) => (text.clone(), Message::plain(notice.kind, text, now, false)),
            Subject::Run(id) => match self.state.run(id).await? {
                Some(run) => (format!("{}, run {id}", run.job), Message::new(notice.kind, run, now, false)),
                None => return self.state.tried_notice(notice, false, None, now).await,
            },
        };
        self.state.trying_notice(notice).await?;
        let outcomes = notify.send(&message).await;
        let is_sent = outcomes.iter().any(Result::is_ok);
        for error in outcomes.into_iter().filter_map(Result::err) {
            warn!(event = %notice.kind, about, %error, "a notice did not get through");
        }
        let now = self.clock.now();
        let again = (!is_sent).then(|| next_try(notice.tries + 1, now)).flatten();
        match (is_sent, again) {
            (true, _) => info!(event = %notice.kind, about, "told"),
            (false, Some(_)) => {}
            (false, None) => error!(event = %notice.kind, about, "the notice could not be sent; giving up"),
        }
        self.state.tried_notice(notice, is_sent, again, now).await
    }
}

/// When a notice is tried again after `tries` tries; none: it is not tried again.
fn next_try(tries: u32, now: Timestamp) -> Option<Timestamp> {
    (tries < TRIES).then(|| now.checked_add(FIRST_WAIT * (1 << (tries - 1))).ok()).flatten()
}
