//! The life of a run: begun, staged, parked, ended.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::row::{RECORD, from_json, to_json, to_micros};
use super::{Presence, State, StateError};
use crate::run::{RunId, RunRecord, RunState, Stage, Warning};

/// Identifiers as one value that a statement can take apart.
pub(super) fn id_list<'a>(runs: impl IntoIterator<Item = &'a RunId>) -> String {
    serde_json::Value::from_iter(runs.into_iter().map(RunId::as_str)).to_string()
}

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
        let mut tx = self.write().await?;
        // A stage that was reached is kept: the attempt goes on from it, unless the files were read too early.
        let sql = format!(
            "UPDATE run SET state = 'running', owner = 'daemon', presence = NULL, attempts = attempts + 1,
                            started_at = coalesce(started_at, ?1),
                            stage = iif(early IS NULL, coalesce(stage, 'claimed'), 'claimed'), early = NULL
             WHERE id IN (SELECT value FROM json_each(?2)) AND state IN ('queued', 'waiting')
             RETURNING {RECORD}"
        );
        let started = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(to_micros(now)).bind(id_list(runs));
        let started = started.fetch_all(&mut *tx).await.map_err(|error| self.failed(error))?;
        let started: Vec<RunRecord> = started.iter().map(|row| self.record(row)).collect::<Result<_, _>>()?;
        let ids = id_list(started.iter().map(|run| &run.id));
        sqlx::query(
            "INSERT INTO attempt (run, number, started_at)
             SELECT id, attempts, ? FROM run WHERE id IN (SELECT value FROM json_each(?))",
        )
        .bind(to_micros(now))
        .bind(ids)
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        self.commit(tx, "state:start").await?;
        Ok(started)
    }

    /// Records that a run enters `stage`. Returns when that is on disk; only then may the stage begin.
    pub async fn stage(&self, run: &RunId, stage: Stage, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        self.set_stage(&mut tx, run, stage, now).await?;
        self.commit(tx, "state:stage").await
    }

    /// Adds to what a run warns of. The next reading of the store for the same run begins anew.
    pub async fn warned(&self, run: &RunId, warnings: &[Warning]) -> Result<(), StateError> {
        if warnings.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        let known = sqlx::query_scalar("SELECT warnings FROM run WHERE id = ?").bind(run.as_str());
        let known: Option<String> = known.fetch_one(&mut *tx).await.map_err(|error| self.failed(error))?;
        let known: Vec<Warning> = from_json(known).unwrap_or_default();
        let is_new = |known: &&Warning| warnings.iter().all(|warning| warning.text != known.text);
        let warnings: Vec<&Warning> = known.iter().filter(is_new).chain(warnings).collect();
        let update = sqlx::query("UPDATE run SET warnings = ? WHERE id = ?").bind(to_json(&warnings));
        update.bind(run.as_str()).execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        self.commit(tx, "state:stage").await
    }

    /// Ends a run for good, as delivered or failed, with the error of its last attempt.
    pub async fn finish(
        &self,
        run: &RunId,
        state: RunState,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE run SET state = ?, error = ?, finished_at = ?, owner = NULL, presence = NULL, fallback = NULL,
                            retry_at = NULL
             WHERE id = ?",
        )
        .bind(state.name())
        .bind(error)
        .bind(to_micros(now))
        .bind(run.as_str())
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        self.end_attempt(&mut tx, run, error, now).await?;
        self.note_end(&mut tx, run, state == RunState::Failed, now).await?;
        self.commit(tx, "state:finish").await
    }

    /// Parks a run whose attempt failed for a passing reason until `retry_at`.
    pub async fn wait(&self, run: &RunId, error: &str, retry_at: Timestamp, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        self.set_waiting(&mut tx, run, error, retry_at, now).await?;
        self.end_attempt(&mut tx, run, Some(error), now).await?;
        self.commit(tx, "state:wait").await
    }

    /// The queued runs, oldest due time first, at most `limit`.
    pub async fn queued(&self, limit: u32) -> Result<Vec<RunRecord>, StateError> {
        let sql = format!("SELECT {RECORD} FROM run WHERE state = 'queued' ORDER BY due_at, id LIMIT ?");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(limit).fetch_all(self.reader()).await;
        rows.map_err(|error| self.failed(error))?.iter().map(|row| self.record(row)).collect()
    }

    /// The runs that wait for an attempt or are in one, oldest due time first; commands' own are left out.
    pub async fn unfinished(&self) -> Result<Vec<PendingRun>, StateError> {
        let sql = format!(
            "SELECT {RECORD}, stage, first_failed_at FROM run
             WHERE state IN ('queued', 'running', 'waiting') AND owner IS NOT 'command' ORDER BY due_at, id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(self.reader()).await;
        let rows = rows.map_err(|error| self.failed(error))?;
        let pending = rows.iter().map(|row| {
            let record = self.record(row)?;
            let has_stage = self.get::<Option<String>>(row, "stage")?.is_some();
            Ok(PendingRun {
                retry_at: record.retry_at,
                stage: has_stage.then(|| self.word(row, "stage")).transpose()?,
                first_failed: self.maybe_time(row, "first_failed_at")?,
                record,
            })
        });
        pending.collect()
    }

    pub(super) async fn set_waiting(
        &self,
        tx: &mut SqliteConnection,
        run: &RunId,
        error: &str,
        retry_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StateError> {
        sqlx::query(
            "UPDATE run SET state = 'waiting', error = ?1, retry_at = ?2, owner = NULL,
                            first_failed_at = coalesce(first_failed_at, ?3)
             WHERE id = ?4",
        )
        .bind(error)
        .bind(to_micros(retry_at))
        .bind(to_micros(now))
        .bind(run.as_str())
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }

    pub(super) async fn set_stage(
        &self,
        tx: &mut SqliteConnection,
        run: &RunId,
        stage: Stage,
        now: Timestamp,
    ) -> Result<(), StateError> {
        sqlx::query(
            "UPDATE run SET stage = ?1, read_at = iif(?1 = 'querying', ?2, read_at),
                            warnings = iif(?1 = 'querying', NULL, warnings)
             WHERE id = ?3",
        )
        .bind(stage.name())
        .bind(to_micros(now))
        .bind(run.as_str())
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        sqlx::query(
            "INSERT INTO passage (run, attempt, position, stage, entered_at)
             SELECT id, attempts, (SELECT count(*) FROM passage WHERE passage.run = run.id AND attempt = run.attempts),
                    ?1, ?2
             FROM run WHERE id = ?3",
        )
        .bind(stage.name())
        .bind(to_micros(now))
        .bind(run.as_str())
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Begins the attempt of a command.
    pub(super) async fn begin_attempt(
        &self,
        tx: &mut SqliteConnection,
        run: &RunId,
        presence: &Presence,
        now: Timestamp,
    ) -> Result<(), StateError> {
        sqlx::query(
            "UPDATE run SET owner = 'command', presence = ?, attempts = attempts + 1, started_at = coalesce(started_at, ?),
                            stage = coalesce(stage, 'claimed')
             WHERE id = ?",
        )
        .bind(presence.name())
        .bind(to_micros(now))
        .bind(run.as_str())
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        sqlx::query("INSERT INTO attempt (run, number, started_at) SELECT id, attempts, ? FROM run WHERE id = ?")
            .bind(to_micros(now))
            .bind(run.as_str())
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    pub(super) async fn end_attempt(
        &self,
        tx: &mut SqliteConnection,
        run: &RunId,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        sqlx::query(
            "UPDATE attempt SET ended_at = ?1, error = ?2
             WHERE run = ?3 AND number = (SELECT attempts FROM run WHERE id = ?3)",
        )
        .bind(to_micros(now))
        .bind(error)
        .bind(run.as_str())
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }
}
