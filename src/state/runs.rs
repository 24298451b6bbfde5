//! The life of a run: begun, staged, parked, ended.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::notices::note_end;
use super::row::{RECORD, UNFINISHED, from_json, maybe_time, maybe_word, record, records, to_json, to_micros};
use super::sql::Sql;
use super::{State, StateError};
use crate::run::{RunId, RunRecord, RunState, Stage, Warning};

/// A run that has not ended, with what its next attempt depends on.
#[derive(Clone, Debug)]
pub struct PendingRun {
    /// The run.
    pub record: RunRecord,
    /// How far its last attempt came; none before the first.
    pub stage: Option<Stage>,
    /// When its first attempt failed.
    pub first_failed: Option<Timestamp>,
    /// Not to be tried before; only while it is waiting.
    pub retry_at: Option<Timestamp>,
}

impl State {
    /// Begins an attempt of the daemon at each of `runs` that is queued or waiting, all in one commit, and returns those
    /// as they are now, in no order. Of the others somebody else has taken care, or they have ended.
    pub async fn start(&self, runs: &[RunId], now: Timestamp) -> Result<Vec<RunRecord>, StateError> {
        let runs = id_list(runs);
        self.write_at("state:start", move |db| {
            // A stage that was reached is kept: the attempt goes on from it, unless the files were read too early.
            let sql = format!(
                "UPDATE run SET state = 'running', owner = 'daemon', presence = NULL, attempts = attempts + 1,
                                started_at = coalesce(started_at, ?1),
                                stage = iif(early IS NULL, coalesce(stage, 'claimed'), 'claimed'), early = NULL
                 WHERE id IN (SELECT value FROM json_each(?2)) AND state IN ('queued', 'waiting')
                 RETURNING {RECORD}"
            );
            let started = db.all(&sql, params![to_micros(now), runs], record)?;
            db.change(
                "INSERT INTO attempt (run, number, started_at)
                 SELECT id, attempts, ? FROM run WHERE id IN (SELECT value FROM json_each(?))",
                params![to_micros(now), id_list(started.iter().map(|run| &run.id))],
            )?;
            Ok(started)
        })
        .await
    }

    /// Records that a run enters `stage`. Returns when that is on disk; only then may the stage begin.
    pub async fn stage(&self, run: &RunId, stage: Stage, now: Timestamp) -> Result<(), StateError> {
        let run = run.clone();
        self.write_at("state:stage", move |db| set_stage(db, &run, stage, now)).await
    }

    /// Adds to what a run warns of. The next reading of the store for the same run begins anew.
    pub async fn warned(&self, run: &RunId, warnings: &[Warning]) -> Result<(), StateError> {
        if warnings.is_empty() {
            return Ok(());
        }
        let (run, warnings) = (run.clone(), warnings.to_vec());
        self.write_at("state:stage", move |db| {
            let known = db.first("SELECT warnings FROM run WHERE id = ?", [run.as_str()], |row| row.get("warnings"))?;
            let known: Vec<Warning> = from_json(known.flatten()).unwrap_or_default();
            let is_new = |known: &&Warning| warnings.iter().all(|warning| warning.text != known.text);
            let warnings: Vec<&Warning> = known.iter().filter(is_new).chain(&warnings).collect();
            db.change("UPDATE run SET warnings = ? WHERE id = ?", [&to_json(&warnings), run.as_str()]).map(drop)
        })
        .await
    }

    /// Ends a run for good, as delivered or failed, with the error of its last attempt.
    pub async fn finish(
        &self,
        run: &RunId,
        state: RunState,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let (run, error) = (run.clone(), error.map(str::to_owned));
        self.write_at("state:finish", move |db| {
            db.change(
                "UPDATE run SET state = ?, error = ?, finished_at = ?, owner = NULL, presence = NULL, fallback = NULL,
                                retry_at = NULL
                 WHERE id = ?",
                params![state.name(), error, to_micros(now), run.as_str()],
            )?;
            end_attempt(db, &run, error.as_deref(), now)?;
            note_end(db, &run, state == RunState::Failed, now)
        })
        .await
    }

    /// Parks a run whose attempt failed for a passing reason until `retry_at`.
    pub async fn wait(&self, run: &RunId, error: &str, retry_at: Timestamp, now: Timestamp) -> Result<(), StateError> {
        let (run, error) = (run.clone(), error.to_owned());
        self.write_at("state:wait", move |db| {
            set_waiting(db, &run, &error, retry_at, now)?;
            end_attempt(db, &run, Some(&error), now)
        })
        .await
    }

    /// The queued runs, oldest due time first, at most `limit`.
    pub async fn queued(&self, limit: u32) -> Result<Vec<RunRecord>, StateError> {
        let queued = format!("WHERE {UNFINISHED} AND state = 'queued' ORDER BY due_at, id LIMIT ?");
        self.read(move |db| records(db, &queued, [limit])).await
    }

    /// The runs that wait for an attempt or are in one, oldest due time first; commands' own are left out.
    pub async fn unfinished(&self) -> Result<Vec<PendingRun>, StateError> {
        let sql = format!(
            "SELECT {RECORD}, stage FROM run
             WHERE {UNFINISHED} AND owner IS NOT 'command' ORDER BY due_at, id"
        );
        self.read(move |db| {
            db.all(&sql, [], |row| {
                let record = record(row)?;
                Ok(PendingRun {
                    retry_at: record.retry_at,
                    stage: maybe_word(row, "stage")?,
                    first_failed: maybe_time(row, "first_failed_at")?,
                    record,
                })
            })
        })
        .await
    }
}

/// Identifiers as one value that a statement can take apart.
fn id_list<'a>(runs: impl IntoIterator<Item = &'a RunId>) -> String {
    serde_json::Value::from_iter(runs.into_iter().map(RunId::as_str)).to_string()
}

pub(super) fn set_waiting(
    db: &Connection,
    run: &RunId,
    error: &str,
    retry_at: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.change(
        "UPDATE run SET state = 'waiting', error = ?, retry_at = ?, owner = NULL,
                        first_failed_at = coalesce(first_failed_at, ?)
         WHERE id = ?",
        params![error, to_micros(retry_at), to_micros(now), run.as_str()],
    )?;
    Ok(())
}

pub(super) fn set_stage(db: &Connection, run: &RunId, stage: Stage, now: Timestamp) -> rusqlite::Result<()> {
    let entered = params![stage.name(), to_micros(now), run.as_str()];
    db.change(
        "UPDATE run SET stage = ?1, read_at = iif(?1 = 'querying', ?2, read_at),
                        warnings = iif(?1 = 'querying', NULL, warnings)
         WHERE id = ?3",
        entered,
    )?;
    db.change(
        "INSERT INTO passage (run, attempt, position, stage, entered_at)
         SELECT id, attempts, (SELECT count(*) FROM passage WHERE passage.run = run.id AND attempt = run.attempts),
                ?1, ?2
         FROM run WHERE id = ?3",
        entered,
    )?;
    Ok(())
}

/// Begins the attempt of the command with that presence.
pub(super) fn begin_attempt(db: &Connection, run: &RunId, presence: &str, now: Timestamp) -> rusqlite::Result<()> {
    db.change(
        "UPDATE run SET owner = 'command', presence = ?, attempts = attempts + 1, started_at = coalesce(started_at, ?),
                        stage = coalesce(stage, 'claimed')
         WHERE id = ?",
        params![presence, to_micros(now), run.as_str()],
    )?;
    db.change(
        "INSERT INTO attempt (run, number, started_at) SELECT id, attempts, ? FROM run WHERE id = ?",
        params![to_micros(now), run.as_str()],
    )?;
    Ok(())
}

pub(super) fn end_attempt(db: &Connection, run: &RunId, error: Option<&str>, now: Timestamp) -> rusqlite::Result<()> {
    db.change(
        "UPDATE attempt SET ended_at = ?1, error = ?2
         WHERE run = ?3 AND number = (SELECT attempts FROM run WHERE id = ?3)",
        params![to_micros(now), error, run.as_str()],
    )?;
    Ok(())
}
