//! What the service manager is told: readiness, reloads, the status line, and that the loop makes progress.
//!
//! Without a service manager all of it does nothing.

use sd_notify::NotifyState;
use tracing::warn;

pub(super) struct Notifier {
    has_watchdog: bool,
    status: String,
}

impl Notifier {
    pub(super) fn new() -> Notifier {
        Notifier { has_watchdog: sd_notify::watchdog_enabled().is_some(), status: String::new() }
    }

    /// The daemon works, or works again after a reload.
    pub(super) fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    /// A reload has begun; [`Notifier::ready`] ends it.
    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(error) => warn!(%error, "the service manager can't be notified of the reload"),
        }
    }

    /// The daemon is about to end.
    pub(super) fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    /// The loop has come round. Called from nowhere else: a loop that hangs must be seen to hang.
    pub(super) fn alive(&self) {
        if self.has_watchdog {
            tell(&[NotifyState::Watchdog]);
        }
    }

    /// Sets the line that `systemctl status` shows.
    pub(super) fn status(&mut self, status: String) {
        if status != self.status {
            tell(&[NotifyState::Status(&status)]);
            self.status = status;
        }
    }
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        warn!(%error, "the service manager can't be notified");
    }
}
