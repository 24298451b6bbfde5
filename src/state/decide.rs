//! Decisions: which occurrences of which jobs become runs.
//!
//! A job's occurrences and the mark up to which they are decided are written together, and `(job, due time)` is
//! unique: an occurrence is decided once, however often and by whomever it is looked at.

use std::collections::HashMap;

use jiff::{Timestamp, ZonedDateTime};
use sqlx::SqliteConnection;

use super::row::{to_micros, zone_text};
use super::{Presence, State, StateError, job_key};
use crate::period::Period;
use crate::run::{RunId, RunRecord, RunState, Trigger};

/// What was decided about one job.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The job's label.
    pub job: String,
    /// Up to when its occurrences are decided, included.
    pub until: Timestamp,
    /// What becomes of the occurrences since the last decision, oldest first.
    pub runs: Vec<NewRun>,
}

/// A run to be written.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// The due time, in the job's zone.
    pub due: ZonedDateTime,
    /// What makes it.
    pub trigger: Trigger,
    /// [`RunState::Queued`] or [`RunState::Skipped`].
    pub state: RunState,
    /// The period of the job's cadence.
    pub period: Period,
    /// Why it is skipped, in one sentence.
    pub reason: Option<String>,
}

impl State {
    /// Records which jobs are in force from now on, and returns for each, by [`job_key`], up to when its occurrences
    /// are decided. A job that is new, or that was not in force, starts at `now`: what fell due before is not its own.
    pub async fn in_force(&self, labels: &[&str], now: Timestamp) -> Result<HashMap<String, Timestamp>, StateError> {
        let mut tx = self.write().await?;
        let stored: Vec<(String, i64, bool, i64)> =
            sqlx::query_as("SELECT job_key, decided_until, in_force, first_seen FROM job")
                .fetch_all(&mut *tx)
                .await
                .map_err(|error| self.failed(error))?;
        let mut stored: HashMap<String, (i64, bool, i64)> =
            stored.into_iter().map(|(key, until, in_force, seen)| (key, (until, in_force, seen))).collect();
        let mut decided = HashMap::with_capacity(labels.len());
        for label in labels {
            let key = job_key(label);
            let until = match stored.remove(&key) {
                Some((until, true, first_seen)) if first_seen <= to_micros(now) => until.max(first_seen),
                Some((until, true, _)) => until,
                Some((until, false, _)) => self.restart_at(&mut tx, &key, until.max(to_micros(now))).await?,
                None => self.restart_at(&mut tx, &key, to_micros(now)).await?,
            };
            decided.insert(key, self.time_of(until)?);
        }
        for key in stored.into_iter().filter(|(_, (_, in_force, _))| *in_force).map(|(key, _)| key) {
            let update = sqlx::query("UPDATE job SET in_force = 0 WHERE job_key = ?").bind(key);
            update.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        }
        tx.commit().await?;
        Ok(decided)
    }

    /// Records that every occurrence of every job in force up to `until` has been decided.
    pub async fn decided(&self, until: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE job SET decided_until = ?1 WHERE in_force AND decided_until < ?1")
            .bind(to_micros(until))
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// Writes decisions, all or none. Returns the runs that are new.
    ///
    /// An occurrence that already has its run keeps it, unless that run was early and has ended. Such a run stays in
    /// history, and the occurrence gets another one.
    pub async fn decide(&self, decisions: &[Decision], now: Timestamp) -> Result<Vec<RunRecord>, StateError> {
        let mut tx = self.write().await?;
        let mut made = Vec::new();
        for decision in decisions {
            let key = job_key(&decision.job);
            for run in &decision.runs {
                let inserted = match self.insert(&mut tx, &decision.job, run, now).await? {
                    None if self.release_early(&mut tx, &key, &run.due).await? => {
                        self.insert(&mut tx, &decision.job, run, now).await?
                    }
                    inserted => inserted,
                };
                made.extend(inserted);
            }
            sqlx::query("UPDATE job SET decided_until = ?1 WHERE job_key = ?2 AND decided_until < ?1")
                .bind(to_micros(decision.until))
                .bind(key)
                .execute(&mut *tx)
                .await
                .map_err(|error| self.failed(error))?;
        }
        self.commit(tx, "state:decide").await?;
        Ok(made)
    }

    /// Makes a manual run that the command of `presence` works on: it is running from the start, and a daemon beside
    /// leaves it alone. The same due time may be run by hand as often as one likes.
    pub async fn begin_manual(
        &self,
        job: &str,
        due: &ZonedDateTime,
        period: &Period,
        presence: &Presence,
        now: Timestamp,
    ) -> Result<RunRecord, StateError> {
        let run = NewRun {
            due: due.clone(),
            trigger: Trigger::Manual,
            state: RunState::Running,
            period: period.clone(),
            reason: None,
        };
        let mut tx = self.write().await?;
        let made = self.insert(&mut tx, job, &run, now).await?;
        let record = made.ok_or_else(|| self.corrupt("a manual run collides with another one"))?;
        self.begin_attempt(&mut tx, &record.id, presence, now).await?;
        self.commit(tx, "state:start").await?;
        Ok(RunRecord { attempts: 1, started: Some(now), ..record })
    }

    /// Takes an occurrence away from a run that was early and has ended. False if there is no such run.
    async fn release_early(
        &self,
        tx: &mut SqliteConnection,
        key: &str,
        due: &ZonedDateTime,
    ) -> Result<bool, StateError> {
        let released: Option<String> = sqlx::query_scalar(
            "UPDATE run SET occurrence = NULL, early = NULL
             WHERE job_key = ?1 AND occurrence = ?2 AND state IN ('delivered', 'failed', 'skipped') AND early = 'yes'
             RETURNING id",
        )
        .bind(key)
        .bind(to_micros(due.timestamp()))
        .fetch_optional(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        if let Some(run) = &released {
            tracing::warn!(run, %due, "this run was made while the clock was ahead; its occurrence is run again");
        }
        Ok(released.is_some())
    }

    async fn restart_at(&self, tx: &mut SqliteConnection, key: &str, until: i64) -> Result<i64, StateError> {
        sqlx::query(
            "INSERT INTO job (job_key, first_seen, decided_until, in_force) VALUES (?1, ?2, ?2, 1)
             ON CONFLICT (job_key) DO UPDATE SET decided_until = ?2, in_force = 1",
        )
        .bind(key)
        .bind(until)
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(until)
    }

    /// Inserts `run`; none if its occurrence has a run already.
    async fn insert(
        &self,
        tx: &mut SqliteConnection,
        job: &str,
        run: &NewRun,
        now: Timestamp,
    ) -> Result<Option<RunRecord>, StateError> {
        let due = to_micros(run.due.timestamp());
        let finished = (run.state == RunState::Skipped).then_some(now);
        loop {
            let id = RunId::new(now, getrandom::u32().map_err(|error| self.failed(sqlx::Error::Io(error.into())))?);
            let inserted = sqlx::query(
                "INSERT INTO run (id, job_key, job, trigger, due_at, zone, occurrence, period_from, period_to, state,
                                  created_at, finished_at, error)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT (job_key, occurrence) DO NOTHING",
            )
            .bind(id.as_str())
            .bind(job_key(job))
            .bind(job)
            .bind(run.trigger.name())
            .bind(due)
            .bind(zone_text(&run.due))
            .bind((run.trigger != Trigger::Manual).then_some(due))
            .bind(to_micros(run.period.from.timestamp()))
            .bind(to_micros(run.period.to.timestamp()))
            .bind(run.state.name())
            .bind(to_micros(now))
            .bind(finished.map(to_micros))
            .bind(run.reason.as_deref())
            .execute(&mut *tx)
            .await;
            match inserted {
                Ok(done) if done.rows_affected() == 0 => return Ok(None),
                Ok(_) => return Ok(Some(record(id, job, run, finished))),
                // Of thousands of runs made in the same second two may draw the same identifier.
                Err(sqlx::Error::Database(fault)) if fault.is_unique_violation() => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
    }
}

fn record(id: RunId, job: &str, run: &NewRun, finished: Option<Timestamp>) -> RunRecord {
    RunRecord {
        id,
        job: job.to_owned(),
        due: run.due.clone(),
        trigger: run.trigger,
        state: run.state,
        attempts: 0,
        started: None,
        finished,
        waiting_since: None,
        retry_at: None,
        period: (run.period.from.clone(), run.period.to.clone()),
        files: Vec::new(),
        error: run.reason.clone(),
        warnings: Vec::new(),
    }
}
