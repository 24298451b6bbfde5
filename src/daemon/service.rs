//! The loop itself: look at the clock, begin what may begin, record what has ended, reload, stop.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::abandoned;
use super::alerts::Alerts;
use super::attempt::{Attempts, Ticket};
use super::jobs::Jobs;
use super::queue::Queue;
use super::retry::retry_at;
use super::scheduler::Scheduler;
use super::systemd::Notifier;
use super::timekeeper::{Reading, Timekeeper};
use super::{Clock, Configuration, DaemonError, Limits, Load, RunResult, Runner, Signal};
use crate::clearance::Recipient;
use crate::deliver::Hosts;
use crate::run::{EventKind, RunRecord, RunState, rfc3339};
use crate::state::{Holder, NewEvent, PendingRun, State, StateError};
use crate::wording::plural;

/// How long attempts have to return after they were told to stop.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How long the daemon tries, when told to stop, to decide what has fallen due: a disk that hangs must not hold up
/// the end.
const LAST_LOOK: Duration = Duration::from_secs(3);

/// How often state is asked for runs whose commands have died; what commands write is noticed at once.
const ADOPTION: SignedDuration = SignedDuration::from_secs(60);

/// How often what nobody needs is cleared away.
const TIDYING: SignedDuration = SignedDuration::from_mins(10);

pub(super) struct Service<R, C> {
    pub(super) state: State,
    pub(super) clock: Arc<C>,
    pub(super) timekeeper: Timekeeper,
    pub(super) load: Load,
    pub(super) limits: Limits,
    pub(super) hosts: Hosts,
    pub(super) jobs: Jobs,
    pub(super) scheduler: Scheduler,
    pub(super) queue: Queue,
    pub(super) attempts: Attempts<R>,
    /// Results that state could not be told of yet. Their jobs stay busy until it is.
    unrecorded: Vec<(Ticket, RunResult)>,
    pub(super) alerts: Alerts,
    pub(super) notifier: Notifier,
    /// Why the last reload was refused, for the status line.
    pub(super) refused: Option<String>,
    last_adoption: Timestamp,
    /// What others had written when that was last looked at.
    adopted: Option<i64>,
    last_tidying: Timestamp,
}

impl<R: Runner, C: Clock> Service<R, C> {
    pub(super) async fn start(
        state: State,
        configuration: Configuration,
        load: Load,
        runner: R,
        clock: C,
        (limits, hosts): (Limits, Hosts),
        holder: &Holder,
    ) -> Result<Service<R, C>, DaemonError> {
        state.verify().await?;
        let clock = Arc::new(clock);
        let reading = Reading { wall: clock.now(), boot: clock.since_boot() };
        let was_held = state.held_clock().await?.is_some();
        let timekeeper = Timekeeper::new(state.highest_clock().await?, was_held, reading);
        let now = timekeeper.now(reading);
        state.note_clock(now).await?;
        if !timekeeper.doubts(reading) {
            state.clock_returned(now).await?;
        }
        state.settle_commands(now).await?;
        let jobs = Jobs::new(configuration.jobs);
        abandoned::settle(&state, &jobs, now).await?;
        let mut service = Service {
            scheduler: Scheduler::new(state.clone()),
            attempts: Attempts::new(runner),
            alerts: Alerts::start(state.clone(), clock.clone()),
            state,
            clock,
            timekeeper,
            load,
            limits,
            hosts,
            jobs,
            queue: Queue::default(),
            unrecorded: Vec::new(),
            notifier: Notifier::new(),
            refused: None,
            last_adoption: now,
            adopted: None,
            last_tidying: now,
        };
        service.scheduler.replace(&service.jobs, now).await?;
        service.state.unfinished().await?.into_iter().for_each(|run| service.queue.push(run));
        service.alerts.set(configuration.notify);
        (configuration.accept)();
        service.tell_start(configuration.digest, holder).await?;
        service.tidy(now);
        info!(jobs = service.scheduler.len(), queued = service.queue.len(), "the daemon is up");
        Ok(service)
    }

    /// Works until told to stop, then brings what is going on to an end.
    pub(super) async fn work(&mut self, mut signals: mpsc::Receiver<Signal>) {
        self.look().await;
        self.note_late(self.now()).await;
        self.show_status();
        self.notifier.ready();
        loop {
            self.start_runs().await;
            self.show_status();
            self.notifier.alive();
            tokio::select! {
                () = self.clock.tick() => { self.look().await; }
                Some((ticket, result)) = self.attempts.ended() => self.record_all(ticket, result).await,
                signal = signals.recv() => match signal {
                    Some(Signal::Reload) => self.reload().await,
                    Some(Signal::Stop) | None => break,
                },
            }
        }
        self.stop(signals).await;
    }

    /// Decides what has fallen due, and records what could not be recorded before. False if state can't be written.
    pub(super) async fn look(&mut self) -> bool {
        let now = self.time().await;
        // However far the clock has moved, and in whichever direction.
        let is_time = now.duration_since(self.last_adoption).abs() >= ADOPTION;
        if self.is_changed_by_others().await || is_time {
            self.last_adoption = now;
            self.adopt(now).await;
            self.note_late(now).await;
            // Notices that did not get through, and what commands beside us have brought to an end.
            self.alerts.poke();
        }
        if now.duration_since(self.last_tidying).abs() >= TIDYING {
            self.tidy(now);
        }
        for (ticket, result) in std::mem::take(&mut self.unrecorded) {
            self.record(ticket, result).await;
        }
        match self.scheduler.look(now).await {
            Ok(made) => {
                made.into_iter().for_each(|run| self.enqueue(run));
                true
            }
            Err(error) => {
                error!(%error, "due runs can't be recorded, so none is started; trying again in a second");
                false
            }
        }
    }

    async fn is_changed_by_others(&mut self) -> bool {
        // A state that can't be read is reported by what needs it.
        let Ok(changes) = self.state.changes_of_others().await else { return false };
        self.adopted.replace(changes) != Some(changes)
    }

    /// Takes over runs that commands have given back, and lets go of those that they have brought to an end.
    async fn adopt(&mut self, now: Timestamp) {
        if let Err(error) = self.state.settle_commands(now).await {
            warn!(%error, "runs of terminated commands can't be reset yet");
        }
        if self.reread().await {
            info!(queued = self.queue.len(), "commands have changed the queue");
        }
    }

    /// Takes what is queued from state, and returns whether that is something else.
    pub(super) async fn reread(&mut self) -> bool {
        match self.state.unfinished().await {
            Ok(mut runs) => {
                let mut taken = self.attempts.runs();
                taken.extend(self.unrecorded.iter().map(|(ticket, _)| &ticket.run.record.id));
                runs.retain(|run| !taken.contains(&run.record.id));
                self.queue.replace(runs)
            }
            Err(error) => {
                warn!(%error, "the queue can't be read from state");
                false
            }
        }
    }

    /// Has people told of occurrences that are late.
    pub(super) async fn note_late(&self, now: Timestamp) {
        let Some(late) = self.alerts.late() else { return };
        match self.state.note_late(late, now).await {
            Ok(0) => {}
            Ok(_) => self.alerts.poke(),
            Err(error) => warn!(%error, "late runs can't be read from state"),
        }
    }

    /// Begins to clear away what nobody needs, beside everything else.
    fn tidy(&mut self, now: Timestamp) {
        self.last_tidying = now;
        let (runner, state) = (self.attempts.runner(), self.state.clone());
        tokio::spawn(async move {
            if let Err(error) = state.note_clock(now).await {
                warn!(%error, "the time can't be recorded");
            }
            runner.tidy(now).await
        });
    }

    fn enqueue(&mut self, record: RunRecord) {
        let (job, run, due) = (&record.job, &record.id, rfc3339(&record.due));
        if record.state == RunState::Skipped {
            warn!(%job, %run, %due, "skipped: {}", record.error.as_deref().unwrap_or("by the job's rule"));
            return;
        }
        info!(%job, %run, %due, trigger = %record.trigger, "due");
        self.queue.push(PendingRun { record, stage: None, first_failed: None, retry_at: None });
    }

    /// Records how attempts ended: one, and those that have ended meanwhile.
    async fn record_all(&mut self, ticket: Ticket, result: RunResult) {
        self.record(ticket, result).await;
        while let Some((ticket, result)) = self.attempts.ended_by_now() {
            self.record(ticket, result).await;
        }
    }

    /// Records how an attempt ended; keeps it for later if state can't be written now.
    async fn record(&mut self, ticket: Ticket, result: RunResult) {
        let now = self.now();
        match self.settle(&ticket, &result).await {
            Ok(again) => {
                self.alerts.poke();
                match result {
                    RunResult::Refused { .. } => self.hosts.pause(&Recipient::of(&ticket.job.destination), now),
                    RunResult::Delivered => self.hosts.resume(&Recipient::of(&ticket.job.destination)),
                    RunResult::Failed { .. } | RunResult::Stopped => {}
                }
                again.into_iter().for_each(|run| self.queue.push(run));
                self.queue.release(&ticket.job);
            }
            Err(error) => {
                error!(job = %ticket.job.label, run = %ticket.run.record.id, %error, "a result can't be recorded yet");
                self.unrecorded.push((ticket, result));
            }
        }
    }

    /// Writes the result; returns the run if it is to be tried again.
    async fn settle(&self, ticket: &Ticket, result: &RunResult) -> Result<Option<PendingRun>, StateError> {
        let Ticket { job, run, .. } = ticket;
        let (id, now) = (&run.record.id, self.now());
        let (job_label, due) = (&job.label, rfc3339(&run.record.due));
        let (error, passing) = match result {
            RunResult::Delivered => {
                self.state.finish(id, RunState::Delivered, None, now).await?;
                info!(job = %job_label, run = %id, %due, "delivered");
                return Ok(None);
            }
            // Left as it is: the end of the daemon queues it again.
            RunResult::Stopped => return Ok(None),
            RunResult::Failed { error, passing } => (error, *passing),
            RunResult::Refused { error } => (error, false),
        };
        let attempts = run.record.attempts;
        let first_failed = run.first_failed.unwrap_or(now);
        // Without randomness runs come back together: worse, and no reason to fail.
        let dice = getrandom::u32().unwrap_or(0);
        match passing.then(|| retry_at(&job.retry, attempts, first_failed, now, dice)).flatten() {
            Some(at) => {
                self.state.wait(id, error, at, now).await?;
                warn!(job = %job_label, run = %id, %due, attempts, retry_at = %at, "{error}");
                Ok(Some(PendingRun { first_failed: Some(first_failed), retry_at: Some(at), ..run.clone() }))
            }
            None => {
                self.state.finish(id, RunState::Failed, Some(error), now).await?;
                error!(job = %job_label, run = %id, %due, attempts, "failed: {error}");
                Ok(None)
            }
        }
    }

    /// Decides what has fallen due, for good.
    async fn look_last(&mut self) {
        let now = self.now();
        if self.look().await
            && let Err(error) = self.settle_time(now).await
        {
            warn!(%error, "the next start decides these due times again");
        }
    }

    async fn settle_time(&self, now: Timestamp) -> Result<(), StateError> {
        self.scheduler.settle(now).await?;
        self.state.note_clock(now).await
    }

    async fn stop(&mut self, mut signals: mpsc::Receiver<Signal>) {
        self.notifier.stopping();
        info!(running = self.attempts.len(), "stopping");
        if tokio::time::timeout(LAST_LOOK, self.look_last()).await.is_err() {
            warn!("state can't be written in time; the next start decides these due times again");
        }
        self.finish_attempts(self.limits.grace, &mut signals).await;
        self.attempts.stop();
        self.finish_attempts(LAST_WORDS, &mut signals).await;
        self.attempts.abort();
        while let Some((ticket, result)) = self.attempts.ended().await {
            self.record(ticket, result).await;
        }
        self.alerts.stop().await;
        // Nothing of ours runs any more: what is marked so is parked for the next daemon.
        let parked = self.state.park(self.clock.now()).await;
        let text = match &parked {
            Ok(0) | Err(_) => "no run was in progress".to_owned(),
            Ok(1) => "1 run was cut short and is queued again".to_owned(),
            Ok(parked) => format!("{parked} runs were cut short and are queued again"),
        };
        let detail = json!({ "parked": parked.as_ref().ok() }).to_string();
        self.tell(NewEvent { kind: EventKind::Stopped, config: None, text, detail }, Vec::new()).await;
        match parked {
            Ok(0) => info!("stopped"),
            Ok(parked) => info!(parked, "stopped; runs that were cut short are queued again"),
            Err(error) => warn!(%error, "stopped; the next start queues what was cut short"),
        }
    }

    /// Waits for attempts to end, at most `limit`, or until told again to stop.
    async fn finish_attempts(&mut self, limit: Duration, signals: &mut mpsc::Receiver<Signal>) {
        let end = tokio::time::sleep(limit);
        tokio::pin!(end);
        loop {
            self.notifier.alive();
            tokio::select! {
                ended = self.attempts.ended() => match ended {
                    Some((ticket, result)) => self.record(ticket, result).await,
                    None => return,
                },
                () = &mut end => return,
                Some(Signal::Stop) = signals.recv() => return,
                () = self.clock.tick() => {}
            }
        }
    }

    pub(super) fn show_status(&mut self) {
        let jobs = plural(self.scheduler.len(), "job");
        let mut status = format!("{jobs}, {} running, {} queued", self.attempts.len(), self.queue.len());
        if let Some((at, job)) = self.scheduler.next_due() {
            let due = rfc3339(&at.to_zoned_datetime(job.schedule.zone.clone()));
            status.push_str(&format!("; next: {} at {due}", job.label));
        }
        if let Some(faults) = &self.refused {
            let first = faults.lines().find(|line| !line.trim().is_empty()).unwrap_or("see the log");
            status.push_str(&format!("; the new configuration was refused, the one before is in force: {first}"));
        }
        self.notifier.status(status);
    }
}
