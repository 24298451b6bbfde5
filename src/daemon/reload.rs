//! Taking a configuration into force, at the start and when told to read it again: what changed is logged and kept.
//!
//! A refused one changes nothing: neither jobs nor store settings. That it was refused is in the log, in the service
//! manager's status line, and in state, from where it outlives whoever looks for it.

use serde_json::json;
use tracing::{error, info, warn};

use super::configuration::{Changes, Configuration, Refusal};
use super::jobs::Jobs;
use super::service::Service;
use super::{Clock, Runner};
use crate::definition::Definition;
use crate::run::EventKind;
use crate::state::{Holder, NewEvent, StateError};

impl<R: Runner, C: Clock> Service<R, C> {
    /// Reads the configuration again and puts it into force, or keeps the one before.
    pub(super) async fn reload(&mut self) {
        self.notifier.reloading();
        let load = self.load.clone();
        // Reading files may take its time, and a defect in it must not end the daemon.
        let loaded = tokio::task::spawn_blocking(move || load()).await;
        let result = match loaded {
            Ok(Ok(configuration)) => self.replace(configuration).await,
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => {
                let faults = "reading it ended in a defect of exportd (a panic)".to_owned();
                Err(Refusal { faults, digest: None })
            }
        };
        self.refused = None;
        if let Err(Refusal { faults, digest }) = result {
            error!("the new configuration is refused, the one before stays in force: {faults}");
            let detail = json!({ "faults": faults });
            self.tell(NewEvent { kind: EventKind::Refused, config: digest, text: faults.clone(), detail }, None).await;
            self.refused = Some(faults);
        }
        self.show_status();
        self.notifier.ready();
    }

    /// Puts a configuration into force, after all that fell due under the jobs before was decided by their schedules.
    async fn replace(&mut self, next: Configuration) -> Result<(), Refusal> {
        let now = self.clock.now();
        let Configuration { jobs, digest, notify, accept } = next;
        let refuse = |faults| Refusal { faults, digest: Some(digest.clone()) };
        if !self.look().await {
            return Err(refuse("state can't be written".to_owned()));
        }
        let jobs = Jobs::new(jobs);
        let definitions = jobs.definitions();
        let before = self.state.definitions().await.map_err(|error| refuse(error.to_string()))?;
        self.scheduler.settle(now).await.map_err(|error| refuse(error.to_string()))?;
        self.scheduler.replace(&jobs, now).await.map_err(|error| refuse(error.to_string()))?;
        // What waits for its turn goes by the new jobs, or not at all.
        self.take_back().await;
        self.jobs = jobs;
        self.alerts.set(notify);
        accept();
        let changes = Changes::between(&before, &definitions);
        info!("the configuration was read again: {}", changes.summary());
        log_exposed(&changes);
        let (text, detail) = (changes.to_string(), json!(changes));
        let event = NewEvent { kind: EventKind::Accepted, config: Some(digest), text, detail };
        self.tell(event, Some(&definitions)).await;
        self.note_late(now).await;
        let held = self.queue.held(&self.jobs);
        if held > 0 {
            warn!(runs = held, "queued runs of jobs that are gone or switched off stay queued until these come back");
        }
        Ok(())
    }

    /// Records that the daemon is up with `digest`, and what that changes against the last one that was accepted.
    pub(super) async fn tell_start(&self, digest: String, holder: &Holder) -> Result<(), StateError> {
        let definitions = self.jobs.definitions();
        let before = self.state.definitions().await?;
        let changes = Changes::between(&before, &definitions);
        let first = before.is_empty();
        if !first && changes != Changes::default() {
            info!("since the last configuration that was accepted: {}", changes.summary());
            log_exposed(&changes);
        }
        let text = match first {
            true => format!("process {}, for the first time: {changes}", holder.process),
            false => format!("process {}: {changes}", holder.process),
        };
        let (process, version) = (holder.process, &holder.version);
        let detail = json!({ "process": process, "version": version, "file": holder.config, "changes": changes });
        let event = NewEvent { kind: EventKind::Started, config: Some(digest), text, detail };
        self.state.record_event(&event, Some(&definitions), self.clock.now()).await
    }

    /// Records an event. That it can't be recorded stops nothing.
    pub(super) async fn tell(&self, event: NewEvent, definitions: Option<&[Definition]>) {
        if let Err(error) = self.state.record_event(&event, definitions, self.clock.now()).await {
            error!(%error, event = event.kind.name(), "an event can't be recorded");
        }
    }
}

fn log_exposed(changes: &Changes) {
    for exposure in &changes.exposed {
        let (job, export, recipient) = (&exposure.job, &exposure.export, &exposure.recipient);
        let (columns, sensitive) = (exposure.columns.join(", "), exposure.sensitive.join(", "));
        warn!(%job, %export, %recipient, %columns, %sensitive, "columns newly leave the house");
    }
}
