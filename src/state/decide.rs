//! Decisions: which occurrences of which jobs become runs.
//!
//! A job's occurrences and the mark up to which they are decided are written together, and `(job, due time)` is
//! unique: an occurrence is decided once, however often and by whomever it is looked at.

use std::collections::HashMap;

use jiff::{Timestamp, ZonedDateTime};
use rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY;
use rusqlite::{Connection, params};

use super::row::{maybe_time, run_id, time, to_micros, zone_text};
use super::runs::begin_attempt;
use super::sql::Sql;
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
        let keys: Vec<String> = labels.iter().map(|label| job_key(label)).collect();
        self.write(move |db| {
            let stored = db.all("SELECT job_key, decided_until, in_force, first_seen FROM job", [], |row| {
                let decided_until = time(row, "decided_until")?;
                let (in_force, first_seen) = (row.get("in_force")?, time(row, "first_seen")?);
                Ok((row.get("job_key")?, StoredJob { decided_until, in_force, first_seen }))
            })?;
            let mut stored: HashMap<String, StoredJob> = stored.into_iter().collect();
            let mut decided = HashMap::with_capacity(keys.len());
            for key in keys {
                let until = match stored.remove(&key) {
                    Some(job) if !job.in_force => restart_at(db, &key, job.decided_until.max(now))?,
                    Some(job) if job.first_seen <= now => job.decided_until.max(job.first_seen),
                    Some(job) => job.decided_until,
                    None => restart_at(db, &key, now)?,
                };
                decided.insert(key, until);
            }
            for (key, _) in stored.into_iter().filter(|(_, job)| job.in_force) {
                db.change("UPDATE job SET in_force = 0 WHERE job_key = ?", [key])?;
            }
            Ok(decided)
        })
        .await
    }

    /// Records that every occurrence of every job in force up to `until` has been decided.
    pub async fn decided(&self, until: Timestamp) -> Result<(), StateError> {
        let update = "UPDATE job SET decided_until = ?1 WHERE in_force AND decided_until < ?1";
        self.write(move |db| db.change(update, [to_micros(until)]).map(drop)).await
    }

    /// Writes decisions, all or none. Returns the runs that are new.
    ///
    /// An occurrence that already has its run keeps it, unless that run was early and has ended. Such a run stays in
    /// history, and the occurrence gets another one. An occurrence whose run is forgotten gets no other.
    pub async fn decide(&self, decisions: &[Decision], now: Timestamp) -> Result<Vec<RunRecord>, StateError> {
        let decisions = decisions.to_vec();
        self.write_at("state:decide", move |db| {
            let mut made = Vec::new();
            for Decision { job, until, runs } in &decisions {
                let key = job_key(job);
                let forgotten = forgotten_until(db, &key)?;
                for run in runs.iter().filter(|run| Some(run.due.timestamp()) > forgotten) {
                    let inserted = match insert(db, job, run, now)? {
                        None if release_early(db, &key, &run.due)? => insert(db, job, run, now)?,
                        inserted => inserted,
                    };
                    made.extend(inserted);
                }
                db.change(
                    "UPDATE job SET decided_until = ?1 WHERE job_key = ?2 AND decided_until < ?1",
                    params![to_micros(*until), key],
                )?;
            }
            Ok(made)
        })
        .await
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
        let (job, presence) = (job.to_owned(), presence.name().to_owned());
        let made = self.write_at("state:start", move |db| {
            let Some(record) = insert(db, &job, &run, now)? else { return Ok(None) };
            begin_attempt(db, &record.id, &presence, now)?;
            Ok(Some(RunRecord { attempts: 1, started: Some(now), ..record }))
        });
        made.await?.ok_or_else(|| StateError::corrupt(self.path(), "a manual run collides with another one"))
    }
}

/// What is stored of a job.
struct StoredJob {
    decided_until: Timestamp,
    in_force: bool,
    first_seen: Timestamp,
}

/// Up to when the runs of a job's occurrences may be forgotten; all of these occurrences are decided.
fn forgotten_until(db: &Connection, key: &str) -> rusqlite::Result<Option<Timestamp>> {
    let until = "SELECT forgotten_until FROM job WHERE job_key = ?";
    Ok(db.first(until, [key], |row| maybe_time(row, "forgotten_until"))?.flatten())
}

/// Takes an occurrence away from a run that was early and has ended. False if there is no such run.
fn release_early(db: &Connection, key: &str, due: &ZonedDateTime) -> rusqlite::Result<bool> {
    let released = db.first(
        "UPDATE run SET occurrence = NULL, early = NULL
         WHERE job_key = ?1 AND occurrence = ?2 AND state IN ('delivered', 'failed', 'skipped') AND early = 'yes'
         RETURNING id",
        params![key, to_micros(due.timestamp())],
        |row| run_id(row, "id"),
    )?;
    if let Some(run) = &released {
        tracing::warn!(%run, %due, "this run was made while the clock was ahead; its occurrence is run again");
    }
    Ok(released.is_some())
}

fn restart_at(db: &Connection, key: &str, until: Timestamp) -> rusqlite::Result<Timestamp> {
    db.change(
        "INSERT INTO job (job_key, first_seen, decided_until, in_force) VALUES (?1, ?2, ?2, 1)
         ON CONFLICT (job_key) DO UPDATE SET decided_until = ?2, in_force = 1",
        params![key, to_micros(until)],
    )?;
    Ok(until)
}

/// Inserts `run`; none if its occurrence has a run already.
fn insert(db: &Connection, job: &str, run: &NewRun, now: Timestamp) -> rusqlite::Result<Option<RunRecord>> {
    let due = to_micros(run.due.timestamp());
    let finished = (run.state == RunState::Skipped).then_some(now);
    loop {
        let random = getrandom::u32().map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let id = RunId::new(now, random);
        let inserted = db.change(
            "INSERT INTO run (id, job_key, job, trigger, due_at, zone, occurrence, period_from, period_to, state,
                              created_at, finished_at, error)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (job_key, occurrence) DO NOTHING",
            params![
                id.as_str(),
                job_key(job),
                job,
                run.trigger.name(),
                due,
                zone_text(&run.due),
                (run.trigger != Trigger::Manual).then_some(due),
                to_micros(run.period.from.timestamp()),
                to_micros(run.period.to.timestamp()),
                run.state.name(),
                to_micros(now),
                finished.map(to_micros),
                run.reason,
            ],
        );
        match inserted {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(record(id, job, run, finished))),
            // Of thousands of runs made in the same second two may draw the same identifier.
            Err(error) if error.sqlite_extended_error_code() == Some(SQLITE_CONSTRAINT_PRIMARYKEY) => {}
            Err(error) => return Err(error),
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
