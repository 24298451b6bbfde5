//! Runs that a daemon left in the middle: told to stop, or killed.
//!
//! An attempt that a daemon has parked has an end; one that died with its daemon never gets one, and so the deaths in
//! a row can be counted. All of this is only for the holder of the folder's [`DaemonLock`](super::DaemonLock).

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::row::{RECORD, UNFINISHED, maybe_time, record, to_micros, word};
use super::runs::set_waiting;
use super::sql::Sql;
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
             FROM run WHERE {UNFINISHED} AND state = 'running' AND owner = 'daemon' ORDER BY due_at, id"
        );
        self.read(move |db| {
            db.all(&sql, [], |row| {
                Ok(Abandoned {
                    record: record(row)?,
                    stage: word(row, "stage")?,
                    deaths: row.get("deaths")?,
                    first_failed: maybe_time(row, "first_failed_at")?,
                })
            })
        })
        .await
    }

    /// Queues again what a daemon left running when it died, attempts and stages kept. Returns how many runs there
    /// were.
    pub async fn requeue_abandoned(&self) -> Result<usize, StateError> {
        self.write(requeue).await
    }

    /// The same for a daemon's own runs, which it has cut short because it was told to stop.
    pub async fn park(&self, now: Timestamp) -> Result<usize, StateError> {
        self.write(move |db| {
            let end = format!(
                "UPDATE attempt SET ended_at = ?, error = ?
                 WHERE ended_at IS NULL AND (run, number) IN
                     (SELECT id, attempts FROM run WHERE {UNFINISHED} AND state = 'running' AND owner = 'daemon')"
            );
            db.change(&end, params![to_micros(now), PARKED])?;
            requeue(db)
        })
        .await
    }

    /// Parks a run that died with its daemon until `retry_at`; its attempt goes on counting as dead.
    pub async fn put_off(
        &self,
        run: &RunId,
        error: &str,
        retry_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let (run, error) = (run.clone(), error.to_owned());
        self.write(move |db| set_waiting(db, &run, &error, retry_at, now)).await
    }
}

fn requeue(db: &Connection) -> rusqlite::Result<usize> {
    let queue = format!(
        "UPDATE run SET state = 'queued', owner = NULL WHERE {UNFINISHED} AND state = 'running' AND owner = 'daemon'"
    );
    db.change(&queue, [])
}
