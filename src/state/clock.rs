//! What state knows of the wall clock, and what it makes of one that was wrong.
//!
//! While a clock is ahead, occurrences are decided whose due times have not come. As soon as it is set back their runs
//! are marked: what has not begun waits for its due time and reads the store then, and what has ended is decided again
//! when its time comes. The marks are taken back if the clock turns out to have been right before.

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;

use super::row::to_micros;
use super::{State, StateError};

/// A wait for the next try of a notice that is longer than this was decided by a clock that was ahead.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// Due times that are decided and lie in the future: the clock was ahead when that was done, or is behind now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecidedAhead {
    /// How many occurrences.
    pub occurrences: u64,
    /// The due time of the last of them.
    pub until: Timestamp,
}

impl State {
    /// The latest time that a daemon went by; none before the first one.
    pub async fn highest_clock(&self) -> Result<Option<Timestamp>, StateError> {
        let highest: Option<i64> = sqlx::query_scalar("SELECT highest FROM clock")
            .fetch_optional(self.reader())
            .await
            .map_err(|error| self.failed(error))?;
        highest.map(|micros| self.time_of(micros)).transpose()
    }

    /// Records that a daemon goes by `now`. An earlier time than the latest changes nothing.
    pub async fn note_clock(&self, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO clock (one, highest) VALUES (1, ?1)
             ON CONFLICT (one) DO UPDATE SET highest = max(highest, excluded.highest)",
        )
        .bind(to_micros(now))
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// Records what happened to a clock that has jumped ahead, for as long as that is in doubt.
    pub async fn hold_clock(&self, held: &str) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        let update = sqlx::query("UPDATE clock SET held = ?").bind(held);
        update.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// What was recorded by [`State::hold_clock`].
    pub async fn held_clock(&self) -> Result<Option<String>, StateError> {
        let held: Option<Option<String>> = sqlx::query_scalar("SELECT held FROM clock")
            .fetch_optional(self.reader())
            .await
            .map_err(|error| self.failed(error))?;
        Ok(held.flatten())
    }

    /// Records that a clock shows what it should after all: a jump is held no more, and no run is early because of it.
    pub async fn clock_returned(&self, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        for update in ["UPDATE run SET early = NULL WHERE early = 'perhaps'", "UPDATE clock SET held = NULL"] {
            sqlx::query(update).execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        }
        self.bring_forward_notices(&mut tx, now).await?;
        tx.commit().await
    }

    /// Records that a clock that has jumped ahead to `now` is right. What was read by then was not read too early. Jobs
    /// that were first seen since the jump was noticed, at `noticed` by the clock before, begin at `now`: what fell due
    /// before is not their own.
    pub async fn clock_jumped(&self, noticed: Timestamp, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE run SET early = NULL WHERE early IS NOT NULL AND coalesce(read_at, started_at, created_at) <= ?",
        )
        .bind(to_micros(now))
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        sqlx::query(
            "UPDATE job SET first_seen = ?1, decided_until = max(decided_until, ?1)
             WHERE first_seen > ?2 AND first_seen < ?1",
        )
        .bind(to_micros(now))
        .bind(to_micros(noticed))
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        let update = sqlx::query("UPDATE clock SET highest = ?, held = NULL").bind(to_micros(now));
        update.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// Records that a clock was set back to `to`, which is in doubt: every run that is decided for a later due time may
    /// be early.
    pub async fn mark_early(&self, to: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        let mark = sqlx::query("UPDATE run SET early = 'perhaps' WHERE occurrence > ? AND early IS NULL");
        mark.bind(to_micros(to)).execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// Records that a clock that was set back to `to`, and shows `now`, is right: the marked runs are early, and jobs are
    /// decided up to `to` again.
    pub async fn clock_set_back(&self, to: Timestamp, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        let mark = sqlx::query("UPDATE run SET early = 'yes' WHERE early = 'perhaps'");
        mark.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        sqlx::query("UPDATE job SET decided_until = ?1 WHERE decided_until > ?1")
            .bind(to_micros(to))
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        self.bring_forward_notices(&mut tx, now).await?;
        let update = sqlx::query("UPDATE clock SET highest = ?, held = NULL").bind(to_micros(now));
        update.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// Has notices tried at `now` that a clock that was ahead has put off for too long.
    async fn bring_forward_notices(&self, tx: &mut SqliteConnection, now: Timestamp) -> Result<(), StateError> {
        let latest = now.checked_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX);
        sqlx::query("UPDATE notice SET try_at = ?1 WHERE try_at > ?2")
            .bind(to_micros(now))
            .bind(to_micros(latest))
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// The due times of jobs in force that are decided and lie in the future; none if the clock is as it should be.
    pub async fn decided_ahead(&self, now: Timestamp) -> Result<Option<DecidedAhead>, StateError> {
        let found: (i64, Option<i64>) = sqlx::query_as(
            "SELECT count(*), max(occurrence) FROM run JOIN job USING (job_key) WHERE occurrence > ? AND in_force",
        )
        .bind(to_micros(now))
        .fetch_one(self.reader())
        .await
        .map_err(|error| self.failed(error))?;
        let (occurrences, until) = (found.0 as u64, found.1.map(|until| self.time_of(until)).transpose()?);
        Ok(until.map(|until| DecidedAhead { occurrences, until }))
    }

    /// By job key: up to when a job's occurrences are decided, and the earliest of those that lies in the future.
    pub async fn decided_by_job(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(String, Timestamp, Option<Timestamp>)>, StateError> {
        let rows: Vec<(String, i64, Option<i64>)> = sqlx::query_as(
            "SELECT job_key, decided_until,
                    (SELECT min(occurrence) FROM run WHERE run.job_key = job.job_key AND occurrence > ?)
             FROM job WHERE in_force",
        )
        .bind(to_micros(now))
        .fetch_all(self.reader())
        .await
        .map_err(|error| self.failed(error))?;
        let decided = rows.into_iter().map(|(key, until, ahead)| {
            Ok((key, self.time_of(until)?, ahead.map(|ahead| self.time_of(ahead)).transpose()?))
        });
        decided.collect()
    }
}
