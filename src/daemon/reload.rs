//! Taking a configuration into force, at the start and when told to read it again: what changed is logged and kept.
//!
//! A refused one changes nothing: neither jobs nor store settings. That it was refused is in the log, in the service
//! manager's status line, and in state, from where it outlives whoever looks for it.

use std::panic::AssertUnwindSafe;
use std::path::Path;

use serde::Serialize;
use serde_json::json;
use tracing::{error, info, warn};

use super::changes::{Changes, Comparison};
use super::configuration::{Configuration, Refusal};
use super::jobs::Jobs;
use super::service::Service;
use super::{Clock, Runner};
use crate::run::EventKind;
use crate::state::{Holder, NewEvent, StateError};

/// What is kept of a start, for programs.
#[derive(Serialize)]
struct Start<'a> {
    process: u32,
    version: &'a str,
    file: Option<&'a Path>,
    changes: &'a Changes,
}

impl<R: Runner, C: Clock> Service<R, C> {
    /// Reads the configuration again and puts it into force, or keeps the one before.
    pub(super) async fn reload(&mut self) {
        self.notifier.reloading();
        let load = self.load.clone();
        // On this thread, where all else would wait for it anyway: what the reading leaves behind is memory that this
        // thread uses again, and no other would. A defect in it must not end the daemon.
        let result = match std::panic::catch_unwind(AssertUnwindSafe(|| load())) {
            Ok(Ok(configuration)) => self.replace(configuration).await,
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => {
                let faults = "reading it hit a bug in exportd (a panic)".to_owned();
                Err(Refusal { faults, digest: None })
            }
        };
        self.refused = None;
        if let Err(Refusal { faults, digest }) = result {
            error!("the new configuration is refused, the one before stays in force: {faults}");
            let detail = json!({ "faults": faults }).to_string();
            self.tell(NewEvent { kind: EventKind::Refused, config: digest, text: faults.clone(), detail }, &[]).await;
            self.refused = Some(faults);
        }
        self.show_status();
        self.notifier.ready();
    }

    /// Puts a configuration into force, after all that fell due under the jobs before was decided by their schedules.
    async fn replace(&mut self, next: Configuration) -> Result<(), Refusal> {
        let now = self.now();
        let Configuration { jobs, digest, changes: settings, notify, accept } = next;
        let refuse = |faults| Refusal { faults, digest: Some(digest.clone()) };
        if !self.look().await {
            return Err(refuse("state can't be written".to_owned()));
        }
        let jobs = Jobs::new(jobs);
        let compared = Comparison::with(&self.state, &jobs).await.map_err(|error| refuse(error.to_string()))?;
        self.scheduler.settle(now).await.map_err(|error| refuse(error.to_string()))?;
        self.scheduler.replace(&jobs, now).await.map_err(|error| refuse(error.to_string()))?;
        self.jobs = jobs;
        self.alerts.set(notify);
        accept();
        let changes = Changes { settings, ..compared.changes };
        info!("the configuration was read again: {}", changes.summary());
        log_exposed(&changes);
        let (text, detail) = (changes.to_string(), to_text(&changes));
        let event = NewEvent { kind: EventKind::Accepted, config: Some(digest), text, detail };
        self.tell(event, &compared.rewritten).await;
        self.note_late(now).await;
        let held = self.queue.held(&self.jobs);
        if held > 0 {
            warn!(runs = held, "queued runs of jobs that are gone or switched off stay queued until these come back");
        }
        Ok(())
    }

    /// Records that the daemon is up with `digest`, and what that changes against the last one that was accepted.
    pub(super) async fn tell_start(&self, digest: String, holder: &Holder) -> Result<(), StateError> {
        let Comparison { changes, rewritten, is_first } = Comparison::with(&self.state, &self.jobs).await?;
        if !is_first && changes != Changes::default() {
            info!("since the last configuration that was accepted: {}", changes.summary());
            log_exposed(&changes);
        }
        let text = match is_first {
            true => format!("process {}, for the first time: {changes}", holder.process),
            false => format!("process {}: {changes}", holder.process),
        };
        let (process, version, file) = (holder.process, holder.version.as_str(), holder.config.as_deref());
        let detail = to_text(&Start { process, version, file, changes: &changes });
        let event = NewEvent { kind: EventKind::Started, config: Some(digest), text, detail };
        self.state.record_event(&event, &rewritten, &|key| self.jobs.definition(key), self.clock.now()).await
    }

    /// Records an event, and the definitions of the jobs of those keys as they are in force. That it can't be recorded
    /// stops nothing.
    pub(super) async fn tell(&self, event: NewEvent, rewritten: &[String]) {
        let (definition, now) = (|key: &str| self.jobs.definition(key), self.clock.now());
        if let Err(error) = self.state.record_event(&event, rewritten, &definition, now).await {
            error!(%error, event = event.kind.name(), "an event can't be recorded");
        }
    }
}

fn to_text(detail: &impl Serialize) -> String {
    serde_json::to_string(detail).expect("names and numbers are plain data")
}

fn log_exposed(changes: &Changes) {
    for exposure in &changes.exposed {
        let (job, export, recipient) = (&exposure.job, &exposure.export, &exposure.recipient);
        let (columns, sensitive) = (exposure.columns.join(", "), exposure.sensitive.join(", "));
        warn!(%job, %export, %recipient, %columns, %sensitive, "columns newly leave the house");
    }
}
