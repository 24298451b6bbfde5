//! What the spool holds, as far as state knows, and what may lie at destinations under hidden names.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, Params, params};

use super::files::insert_temporary;
use super::row::{UNFINISHED, from_json, run_id, to_json, to_micros};
use super::sql::Sql;
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
        let users = format!(
            "SELECT run FROM file WHERE spool IS NOT NULL
             UNION ALL SELECT id AS run FROM run WHERE {UNFINISHED} AND state = 'running'"
        );
        self.read(move |db| run_ids(db, &users, [])).await
    }

    /// The runs with files in the spool that ended at `before` or earlier.
    pub async fn spooled_before(&self, before: Timestamp) -> Result<HashSet<RunId>, StateError> {
        let ended = "SELECT DISTINCT file.run FROM file JOIN run ON run.id = file.run
                     WHERE file.spool IS NOT NULL AND run.state IN ('delivered', 'failed') AND run.finished_at <= ?";
        self.read(move |db| run_ids(db, ended, [to_micros(before)])).await
    }

    /// Records that a run's files have left the spool.
    pub async fn forget_spool(&self, run: &RunId) -> Result<(), StateError> {
        let run = run.clone();
        let forget = "UPDATE file SET spool = NULL, contents = NULL WHERE run = ?";
        self.write_at("state:forget", move |db| db.change(forget, [run.as_str()]).map(drop)).await
    }

    /// The bytes of the files that the job's latest delivered run made; none before the first.
    pub async fn last_size(&self, job: &str) -> Result<Option<u64>, StateError> {
        let key = job_key(job);
        let size = "SELECT sum(bytes) FROM file
                    WHERE run = (SELECT id FROM run WHERE job_key = ? AND state = 'delivered'
                                 ORDER BY created_at DESC, due_at DESC, id DESC LIMIT 1)";
        let size = self.read(move |db| db.first(size, [key], |row| row.get::<_, Option<i64>>(0))).await?;
        Ok(size.flatten().map(|bytes| bytes as u64))
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
        let (run, names, origin) = (run.clone(), names.to_vec(), origin.clone());
        let (location, reason) = (to_json(location), reason.map(str::to_owned));
        self.write_at("state:temporaries", move |db| {
            db.change(
                "UPDATE attempt SET actor = ?1, config = ?2, location = ?3, reason = ?4
                 WHERE run = ?5 AND number = (SELECT attempts FROM run WHERE id = ?5)",
                params![origin.actor, origin.config, location, reason, run.as_str()],
            )?;
            // After the attempt, which tells where they lie.
            names.iter().try_for_each(|name| insert_temporary(db, &run, name))
        })
        .await
    }

    /// Records hidden names that a run is about to make at the destination; returns when that is on disk.
    pub async fn expect_temporaries(&self, run: &RunId, names: &[String]) -> Result<(), StateError> {
        let (run, names) = (run.clone(), names.to_vec());
        self.write_at("state:temporaries", move |db| names.iter().try_for_each(|name| insert_temporary(db, &run, name)))
            .await
    }

    /// Records that the destination was reached: the host key that it has proven, and hidden names that are gone.
    pub async fn reached(&self, run: &RunId, host_key: Option<&str>, gone: &[Temporary]) -> Result<(), StateError> {
        let (run, host_key, gone) = (run.clone(), host_key.map(str::to_owned), gone.to_vec());
        self.write_at("state:released", move |db| {
            db.change(
                "UPDATE attempt SET host_key = ?1
                 WHERE run = ?2 AND number = (SELECT attempts FROM run WHERE id = ?2)",
                params![host_key, run.as_str()],
            )?;
            release(db, &gone)
        })
        .await
    }

    /// The hidden names that this run, or a run of the same job that has ended, may have left at destinations.
    pub async fn temporaries(&self, run: &RunId, job: &str) -> Result<Vec<Temporary>, StateError> {
        let (run, key) = (run.clone(), job_key(job));
        self.read(move |db| {
            db.all(
                "SELECT temporary.run, temporary.name, temporary.location
                 FROM temporary JOIN run ON run.id = temporary.run
                 WHERE run.id = ?1 OR (run.job_key = ?2 AND run.state IN ('delivered', 'failed', 'skipped'))
                 ORDER BY temporary.run, temporary.name",
                [run.as_str(), &key],
                |row| {
                    let location = from_json(row.get("location")?);
                    Ok(Temporary { run: run_id(row, "run")?, name: row.get("name")?, location })
                },
            )
        })
        .await
    }

    /// Records that hidden names are gone from the destination. A file that was up under one is not up any more.
    pub async fn forget_temporaries(&self, gone: &[Temporary]) -> Result<(), StateError> {
        if gone.is_empty() {
            return Ok(());
        }
        let gone = gone.to_vec();
        self.write_at("state:released", move |db| release(db, &gone)).await
    }
}

fn release(db: &Connection, gone: &[Temporary]) -> rusqlite::Result<()> {
    for Temporary { run, name, .. } in gone {
        let temporary = [run.as_str(), name];
        db.change("DELETE FROM temporary WHERE run = ? AND name = ?", temporary)?;
        db.change("UPDATE file SET temp_name = NULL WHERE NOT is_published AND run = ? AND temp_name = ?", temporary)?;
    }
    Ok(())
}

fn run_ids(db: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<HashSet<RunId>> {
    Ok(db.all(sql, params, |row| run_id(row, "run"))?.into_iter().collect())
}
