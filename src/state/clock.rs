//! What state knows of the wall clock, and what it makes of one that was wrong.
//!
//! While a clock is ahead, occurrences are decided whose due times have not come. When it is right again their runs
//! wait for these times; what has run already is marked as early, and is decided again when its time comes.

use jiff::{SignedDuration, Timestamp};

use super::row::to_micros;
use super::{State, StateError};

/// A job that was seen for the first time less than this before a clock was set back was seen by that clock alone.
const YOUNG: SignedDuration = SignedDuration::from_hours(36);

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

    /// Records what happened to a clock that has jumped ahead, for as long as that is in doubt; none: it is no more.
    pub async fn hold_clock(&self, held: Option<&str>) -> Result<(), StateError> {
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

    /// Records that a clock that has jumped ahead to `now` is right. What was read by then was not read too early.
    pub async fn clock_jumped(&self, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        for update in [
            "UPDATE run SET is_early = 0 WHERE is_early AND coalesce(read_at, started_at, created_at) <= ?",
            "UPDATE clock SET highest = ?, held = NULL",
        ] {
            let update = sqlx::query(update).bind(to_micros(now));
            update.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        }
        tx.commit().await
    }

    /// Records that a clock that was set back to `to`, and shows `now`, is right: what was decided beyond lies in the
    /// future.
    ///
    /// Jobs are decided up to `to` again, unless that is before they were first seen: then the clock is behind, and
    /// what was decided stays. Runs that have been worked on are early. Files that were read early and not delivered
    /// are read again.
    pub async fn clock_set_back(&self, to: Timestamp, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE job SET decided_until = ?1, first_seen = min(first_seen, ?1)
             WHERE decided_until > ?1 AND (first_seen <= ?1 OR decided_until - first_seen < ?2)",
        )
        .bind(to_micros(to))
        .bind(YOUNG.as_micros() as i64)
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        for update in [
            "UPDATE run SET is_early = 1
             WHERE occurrence > ?1 AND coalesce(read_at, started_at, created_at) > ?1
               AND state IN ('running', 'delivered', 'failed', 'skipped')",
            "UPDATE run SET stage = 'claimed', read_at = NULL
             WHERE occurrence > ?1 AND read_at > ?1 AND state IN ('queued', 'waiting')",
        ] {
            let update = sqlx::query(update).bind(to_micros(to));
            update.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        }
        let latest = now.checked_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX);
        sqlx::query("UPDATE notice SET try_at = ?1 WHERE try_at > ?2")
            .bind(to_micros(now))
            .bind(to_micros(latest))
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        sqlx::query("UPDATE clock SET highest = ?, held = NULL")
            .bind(to_micros(now))
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// The due times that are decided and lie in the future; none if the clock is as it should be.
    pub async fn decided_ahead(&self, now: Timestamp) -> Result<Option<DecidedAhead>, StateError> {
        let found: (i64, Option<i64>) =
            sqlx::query_as("SELECT count(*), max(occurrence) FROM run WHERE occurrence > ?")
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
