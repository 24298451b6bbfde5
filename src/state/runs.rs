//! The life of a run: begun, staged, parked, ended.

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};

use super::row::{RECORD, to_micros};
use super::{Presence, State, StateError};
use crate::run::{RunId, RunRecord, RunState, Stage};

/// Who works on a running run.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'a> {
    /// The daemon of the state folder: what it leaves running when it dies, its successor takes up.
    Daemon,
    /// A command in the foreground: the daemon leaves its runs alone as long as the command is present.
    Command(&'a Presence),
}

impl<'a> Owner<'a> {
    pub(super) fn name(self) -> &'static str {
        match self {
            Owner::Daemon => "daemon",
            Owner::Command(_) => "command",
        }
    }

    pub(super) fn presence(self) -> Option<&'a str> {
        match self {
            Owner::Daemon => None,
            Owner::Command(presence) => Some(presence.name()),
        }
    }
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
    /// Begins an attempt at a queued or waiting run and returns the run as it is now. None if it is neither: then
    /// somebody else has it, or it has ended.
    pub async fn start(&self, run: &RunId, owner: Owner<'_>, now: Timestamp) -> Result<Option<RunRecord>, StateError> {
        let mut tx = self.write().await?;
        let taken = sqlx::query("UPDATE run SET state = 'running' WHERE id = ? AND state IN ('queued', 'waiting')")
            .bind(run.as_str())
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        if taken.rows_affected() == 0 {
            return Ok(None);
        }
        self.begin_attempt(&mut tx, run, owner, now).await?;
        self.commit(tx, "state:start").await?;
        self.run(run).await
    }

    /// Records that a run enters `stage`. Returns when that is on disk; only then may the stage begin.
    pub async fn stage(&self, run: &RunId, stage: Stage, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        self.set_stage(&mut tx, run, stage, now).await?;
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
        tx: &mut Transaction<'_, Sqlite>,
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
        .execute(&mut **tx)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }

    pub(super) async fn set_stage(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        run: &RunId,
        stage: Stage,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let update = sqlx::query("UPDATE run SET stage = ? WHERE id = ?").bind(stage.name()).bind(run.as_str());
        update.execute(&mut **tx).await.map_err(|error| self.failed(error))?;
        sqlx::query(
            "INSERT INTO passage (run, attempt, position, stage, entered_at)
             SELECT id, attempts, (SELECT count(*) FROM passage WHERE passage.run = run.id AND attempt = run.attempts),
                    ?1, ?2
             FROM run WHERE id = ?3",
        )
        .bind(stage.name())
        .bind(to_micros(now))
        .bind(run.as_str())
        .execute(&mut **tx)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }

    pub(super) async fn begin_attempt(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        run: &RunId,
        owner: Owner<'_>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        // A stage that was reached is kept: the next attempt goes on from it.
        sqlx::query(
            "UPDATE run SET owner = ?, presence = ?, attempts = attempts + 1, started_at = coalesce(started_at, ?),
                            stage = coalesce(stage, 'claimed')
             WHERE id = ?",
        )
        .bind(owner.name())
        .bind(owner.presence())
        .bind(to_micros(now))
        .bind(run.as_str())
        .execute(&mut **tx)
        .await
        .map_err(|error| self.failed(error))?;
        sqlx::query("INSERT INTO attempt (run, number, started_at) SELECT id, attempts, ? FROM run WHERE id = ?")
            .bind(to_micros(now))
            .bind(run.as_str())
            .execute(&mut **tx)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    pub(super) async fn end_attempt(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
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
        .execute(&mut **tx)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }
}
