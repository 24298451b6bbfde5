//! Runs that commands work on, beside a daemon or without one.
//!
//! Such a run knows what it falls back to: an attempt that fails, or whose process dies, leaves it as it was.

use jiff::Timestamp;
use rusqlite::params;

use super::presence::{self, Presence};
use super::row::{UNFINISHED, run_id, to_micros};
use super::runs::{begin_attempt, end_attempt};
use super::sql::Sql;
use super::{State, StateError};
use crate::run::{RunId, RunRecord};

/// The error of a run whose command died while it worked on it.
const ENDED: &str = "the process that worked on it ended in the middle";

impl State {
    /// Announces that a command of this process is going to work on runs.
    pub fn presence(&self) -> Result<Presence, StateError> {
        Presence::announce(self.dir())
    }

    /// Begins another attempt at a run that has ended or waits, to deliver its files again: all of them if it was
    /// delivered, else those that are not published. None if it is neither, or has no files in the spool.
    pub async fn reopen(
        &self,
        run: &RunId,
        presence: &Presence,
        now: Timestamp,
    ) -> Result<Option<RunRecord>, StateError> {
        let (id, presence) = (run.clone(), presence.name().to_owned());
        let taken = self.write_at("state:reopen", move |db| {
            let taken = db.change(
                "UPDATE run SET fallback = state, state = 'running', stage = iif(state = 'delivered', 'spooled', stage)
                 WHERE id = ?1 AND state IN ('delivered', 'failed', 'waiting')
                   AND EXISTS (SELECT 1 FROM file WHERE run = ?1 AND spool IS NOT NULL)",
                [id.as_str()],
            )?;
            if taken == 0 {
                return Ok(false);
            }
            // All files of a delivered run are sent again, so they count as not sent.
            db.change(
                "UPDATE file SET is_published = 0, temp_name = NULL
                 WHERE run = ?1 AND (SELECT fallback FROM run WHERE id = ?1) = 'delivered'",
                [id.as_str()],
            )?;
            begin_attempt(db, &id, &presence, now)?;
            Ok(true)
        });
        if taken.await? { self.run(run).await } else { Ok(None) }
    }

    /// Ends a command's attempt that did not work: the run is again what it was before, with `error` as its last
    /// unless it had been delivered.
    pub async fn fall_back(
        &self,
        run: &RunId,
        presence: &Presence,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.let_fall(run, Some(presence.name()), error, now).await.map(drop)
    }

    /// Lets runs fall back whose commands died without recording a result, and returns them.
    pub async fn settle_commands(&self, now: Timestamp) -> Result<Vec<RunId>, StateError> {
        let running = self.read(|db| {
            let running =
                format!("SELECT id, presence FROM run WHERE {UNFINISHED} AND state = 'running' AND owner = 'command'");
            db.all(&running, [], |row| Ok((run_id(row, "id")?, row.get::<_, Option<String>>("presence")?)))
        });
        let mut settled = Vec::new();
        for (run, name) in running.await? {
            if name.as_deref().is_some_and(|name| presence::is_present(self.dir(), name)) {
                continue;
            }
            if self.let_fall(&run, name.as_deref(), ENDED, now).await? {
                settled.push(run);
            }
        }
        presence::remove_leftovers(self.dir());
        Ok(settled)
    }

    /// False if that command does not work on the run, or no longer does.
    async fn let_fall(
        &self,
        run: &RunId,
        presence: Option<&str>,
        error: &str,
        now: Timestamp,
    ) -> Result<bool, StateError> {
        let (run, presence, error) = (run.clone(), presence.map(str::to_owned), error.to_owned());
        self.write_at("state:fall-back", move |db| {
            let fallen = db.change(
                "UPDATE run SET state = coalesce(fallback, 'failed'), fallback = NULL, owner = NULL, presence = NULL,
                                error = iif(fallback = 'delivered', error, ?1),
                                stage = iif(fallback = 'delivered', 'published', stage),
                                finished_at = iif(fallback IN ('delivered', 'waiting'), finished_at, ?2)
                 WHERE id = ?3 AND state = 'running' AND owner = 'command' AND presence IS ?4",
                params![error, to_micros(now), run.as_str(), presence],
            )?;
            if fallen == 0 {
                return Ok(false);
            }
            // What was delivered once stays so, however a second delivery went.
            db.change(
                "UPDATE file SET is_published = 1
                 WHERE run = ?1 AND (SELECT state FROM run WHERE id = ?1) = 'delivered'",
                [run.as_str()],
            )?;
            end_attempt(db, &run, Some(&error), now)?;
            Ok(true)
        })
        .await
    }
}
