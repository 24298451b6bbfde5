//! Runs that a daemon left in the middle: told to stop, or killed.
//!
//! An attempt that a daemon has parked has an end; one that died with its daemon never gets one, and so the deaths in
//! a row can be counted. All of this is only for the holder of the folder's [`DaemonLock`](super::DaemonLock).

use jiff::Timestamp;

use super::row::{RECORD, to_micros};
use super::{State, StateError};
use crate::run::{RunId, RunRecord, Stage};

/// What a parked attempt says.
const PARKED: &str = "the daemon was told to stop; the run continues when the daemon restarts";

/// A run that the last daemon was working on when it died.
#[derive(Clone, Debug)]
pub struct Abandoned {
    /// The run.
    pub record: RunRecord,
    /// How far it had come.
    pub stage: Stage,
    /// How many attempts in a row have died with their daemons, the last one included.
    pub deaths: u32,
    /// When one of its attempts first failed, or was put off for dying.
    pub first_failed: Option<Timestamp>,
}

impl State {
    /// The runs that the last daemon was working on when it died.
    pub async fn abandoned(&self) -> Result<Vec<Abandoned>, StateError> {
        let sql = format!(
            "SELECT {RECORD}, coalesce(stage, 'claimed') AS stage,
                    (SELECT count(*) FROM attempt
                     WHERE attempt.run = run.id AND number > coalesce(
                         (SELECT max(number) FROM attempt AS ended WHERE ended.run = run.id AND ended_at IS NOT NULL),
                         0)) AS deaths
             FROM run WHERE state = 'running' AND owner = 'daemon' ORDER BY due_at, id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(self.reader()).await;
        let rows = rows.map_err(|error| self.failed(error))?;
        let abandoned = rows.iter().map(|row| {
            Ok(Abandoned {
                record: self.record(row)?,
                stage: self.word(row, "stage")?,
                deaths: self.get(row, "deaths")?,
                first_failed: self.maybe_time(row, "first_failed_at")?,
            })
        });
        abandoned.collect()
    }

    /// Queues again what a daemon left running when it died, attempts and stages kept. Returns how many runs there
    /// were.
    pub async fn requeue_abandoned(&self) -> Result<u64, StateError> {
        self.requeue(None).await
    }

    /// The same for a daemon's own runs, which it has cut short because it was told to stop.
    pub async fn park(&self, now: Timestamp) -> Result<u64, StateError> {
        self.requeue(Some(now)).await
    }

    /// Parks a run that died with its daemon until `retry_at`; its attempt goes on counting as dead.
    pub async fn put_off(
        &self,
        run: &RunId,
        error: &str,
        retry_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        self.set_waiting(&mut tx, run, error, retry_at, now).await?;
        tx.commit().await
    }

    async fn requeue(&self, ended: Option<Timestamp>) -> Result<u64, StateError> {
        let mut tx = self.write().await?;
        if let Some(ended) = ended {
            sqlx::query(
                "UPDATE attempt SET ended_at = ?1, error = ?2
                 WHERE ended_at IS NULL AND (run, number) IN
                     (SELECT id, attempts FROM run WHERE state = 'running' AND owner = 'daemon')",
            )
            .bind(to_micros(ended))
            .bind(PARKED)
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        }
        let queued =
            sqlx::query("UPDATE run SET state = 'queued', owner = NULL WHERE state = 'running' AND owner = 'daemon'")
                .execute(&mut *tx)
                .await
                .map_err(|error| self.failed(error))?;
        tx.commit().await?;
        Ok(queued.rows_affected())
    }
}
