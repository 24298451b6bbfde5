//! What the spool holds, as far as state knows, and what may lie at destinations under hidden names.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::{QueryBuilder, SqliteConnection};

use super::row::{from_json, to_json, to_micros};
use super::{State, StateError, job_key};
use crate::clearance::Location;
use crate::run::{Origin, RunId};

/// A hidden name that may exist at a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Temporary {
    /// The run that may have made it.
    pub run: RunId,
    /// The name.
    pub name: String,
    /// Where it lies; none if that was not recorded.
    pub location: Option<Location>,
}

impl State {
    /// The runs that may have files in the spool: those that say so, and those that are being worked on.
    pub async fn spool_users(&self) -> Result<HashSet<RunId>, StateError> {
        let users = "SELECT run FROM file WHERE spool IS NOT NULL UNION SELECT id FROM run WHERE state = 'running'";
        self.run_ids(users, None).await
    }

    /// The runs with files in the spool that ended at `before` or earlier.
    pub async fn spooled_before(&self, before: Timestamp) -> Result<HashSet<RunId>, StateError> {
        let ended = "SELECT DISTINCT file.run FROM file JOIN run ON run.id = file.run
                     WHERE file.spool IS NOT NULL AND run.state IN ('delivered', 'failed') AND run.finished_at <= ?";
        self.run_ids(ended, Some(to_micros(before))).await
    }

    /// Records that a run's files have left the spool.
    pub async fn forget_spool(&self, run: &RunId) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        let update = sqlx::query("UPDATE file SET spool = NULL, contents = NULL WHERE run = ?").bind(run.as_str());
        update.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        self.commit(tx, "state:forget").await
    }

    /// The bytes of the files that the job's latest delivered run made; none before the first.
    pub async fn last_size(&self, job: &str) -> Result<Option<u64>, StateError> {
        let size: Option<i64> = sqlx::query_scalar(
            "SELECT sum(bytes) FROM file
             WHERE run = (SELECT id FROM run WHERE job_key = ? AND state = 'delivered'
                          ORDER BY created_at DESC, due_at DESC, id DESC LIMIT 1)",
        )
        .bind(job_key(job))
        .fetch_one(self.reader())
        .await
        .map_err(|error| self.failed(error))?;
        Ok(size.map(|bytes| bytes as u64))
    }

    /// Records that an attempt goes to its destination: where that is, the hidden names that it is about to make
    /// there, who makes it by which configuration, and why sensitive columns may be sent. Returns when that is on disk.
    pub async fn reaching(
        &self,
        run: &RunId,
        names: &[String],
        origin: &Origin,
        location: &Location,
        reason: Option<&str>,
    ) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE attempt SET actor = ?1, config = ?2, location = ?3, reason = ?4
             WHERE run = ?5 AND number = (SELECT attempts FROM run WHERE id = ?5)",
        )
        .bind(&origin.actor)
        .bind(&origin.config)
        .bind(to_json(location))
        .bind(reason)
        .bind(run.as_str())
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        // After the attempt, which tells where they lie.
        for name in names {
            self.insert_temporary(&mut tx, run, name).await?;
        }
        self.commit(tx, "state:temporaries").await
    }

    /// Records hidden names that a run is about to make at the destination; returns when that is on disk.
    pub async fn expect_temporaries(&self, run: &RunId, names: &[String]) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        for name in names {
            self.insert_temporary(&mut tx, run, name).await?;
        }
        self.commit(tx, "state:temporaries").await
    }

    /// Records that the destination was reached: the host key that it has proven, and hidden names that are gone.
    pub async fn reached(&self, run: &RunId, host_key: Option<&str>, gone: &[Temporary]) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE attempt SET host_key = ?1 WHERE run = ?2 AND number = (SELECT attempts FROM run WHERE id = ?2)",
        )
        .bind(host_key)
        .bind(run.as_str())
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        self.release(&mut tx, gone).await?;
        self.commit(tx, "state:released").await
    }

    /// The hidden names that this run, or a run of the same job that has ended, may have left at destinations.
    pub async fn temporaries(&self, run: &RunId, job: &str) -> Result<Vec<Temporary>, StateError> {
        let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(
            "SELECT temporary.run, temporary.name, temporary.location FROM temporary JOIN run ON run.id = temporary.run
             WHERE run.id = ?1 OR (run.job_key = ?2 AND run.state IN ('delivered', 'failed', 'skipped'))
             ORDER BY temporary.run, temporary.name",
        )
        .bind(run.as_str())
        .bind(job_key(job))
        .fetch_all(self.reader())
        .await
        .map_err(|error| self.failed(error))?;
        let temporaries = rows.into_iter().map(|(run, name, location)| {
            let location = from_json(location);
            Temporary { run: RunId::from_stored(&run), name, location }
        });
        Ok(temporaries.collect())
    }

    /// Records that hidden names are gone from the destination. A file that was up under one is not up any more.
    pub async fn forget_temporaries(&self, gone: &[Temporary]) -> Result<(), StateError> {
        if gone.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        self.release(&mut tx, gone).await?;
        self.commit(tx, "state:released").await
    }

    async fn release(&self, tx: &mut SqliteConnection, gone: &[Temporary]) -> Result<(), StateError> {
        for Temporary { run, name, .. } in gone {
            let mut delete = QueryBuilder::new("DELETE FROM temporary WHERE run = ");
            delete.push_bind(run.as_str()).push(" AND name = ").push_bind(name);
            delete.build().execute(&mut *tx).await.map_err(|error| self.failed(error))?;
            let mut release = QueryBuilder::new("UPDATE file SET temp_name = NULL WHERE NOT is_published AND run = ");
            release.push_bind(run.as_str()).push(" AND temp_name = ").push_bind(name);
            release.build().execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    async fn run_ids(&self, sql: &'static str, bound: Option<i64>) -> Result<HashSet<RunId>, StateError> {
        let mut query = sqlx::query_scalar::<_, String>(sql);
        if let Some(bound) = bound {
            query = query.bind(bound);
        }
        let ids = query.fetch_all(self.reader()).await.map_err(|error| self.failed(error))?;
        Ok(ids.iter().map(|id| RunId::from_stored(id)).collect())
    }
}
