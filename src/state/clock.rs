//! What state knows of the wall clock, and what it makes of one that was wrong.
//!
//! While a clock is ahead, occurrences are decided whose due times have not come. As soon as it is set back their runs
//! are marked: what has not begun waits for its due time and reads the store then, and what has ended is decided again
//! when its time comes. The marks are taken back if the clock turns out to have been right before.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::row::{maybe_time, time, to_micros};
use super::sql::Sql;
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
        self.read(|db| db.first("SELECT highest FROM clock", [], |row| time(row, "highest"))).await
    }

    /// Records that a daemon goes by `now`. An earlier time than the latest changes nothing.
    pub async fn note_clock(&self, now: Timestamp) -> Result<(), StateError> {
        self.write(move |db| {
            db.change(
                "INSERT INTO clock (one, highest) VALUES (1, ?)
                 ON CONFLICT (one) DO UPDATE SET highest = max(highest, excluded.highest)",
                [to_micros(now)],
            )?;
            Ok(())
        })
        .await
    }

    /// Records what happened to a clock that has jumped ahead, for as long as that is in doubt.
    pub async fn hold_clock(&self, held: &str) -> Result<(), StateError> {
        let held = held.to_owned();
        self.write(move |db| db.change("UPDATE clock SET held = ?", [held]).map(drop)).await
    }

    /// What was recorded by [`State::hold_clock`].
    pub async fn held_clock(&self) -> Result<Option<String>, StateError> {
        let held = self.read(|db| db.first("SELECT held FROM clock", [], |row| row.get("held"))).await?;
        Ok(held.flatten())
    }

    /// Records that a clock shows what it should after all: a jump is held no more, and no run is early because of it.
    pub async fn clock_returned(&self, now: Timestamp) -> Result<(), StateError> {
        self.write(move |db| {
            db.change("UPDATE run SET early = NULL WHERE early = 'perhaps'", [])?;
            db.change("UPDATE clock SET held = NULL", [])?;
            bring_forward_notices(db, now)
        })
        .await
    }

    /// Records that a clock that has jumped ahead to `now` is right. What was read by then was not read too early. Jobs
    /// that were first seen since the jump was noticed, at `noticed` by the clock before, begin at `now`: what fell due
    /// before is not their own.
    pub async fn clock_jumped(&self, noticed: Timestamp, now: Timestamp) -> Result<(), StateError> {
        let (noticed, now) = (to_micros(noticed), to_micros(now));
        self.write(move |db| {
            db.change(
                "UPDATE run SET early = NULL
                 WHERE early IS NOT NULL AND coalesce(read_at, started_at, created_at) <= ?",
                [now],
            )?;
            db.change(
                "UPDATE job SET first_seen = ?1, decided_until = max(decided_until, ?1)
                 WHERE first_seen > ?2 AND first_seen < ?1",
                [now, noticed],
            )?;
            accept(db, now)
        })
        .await
    }

    /// Records that a clock was set back to `to`, which is in doubt: every run that is decided for a later due time may
    /// be early.
    pub async fn mark_early(&self, to: Timestamp) -> Result<(), StateError> {
        let mark = "UPDATE run SET early = 'perhaps' WHERE occurrence > ? AND early IS NULL";
        self.write(move |db| db.change(mark, [to_micros(to)]).map(drop)).await
    }

    /// Records that a clock that was set back to `to`, and shows `now`, is right: the marked runs are early, and jobs are
    /// decided up to `to` again.
    pub async fn clock_set_back(&self, to: Timestamp, now: Timestamp) -> Result<(), StateError> {
        self.write(move |db| {
            db.change("UPDATE run SET early = 'yes' WHERE early = 'perhaps'", [])?;
            db.change("UPDATE job SET decided_until = ?1 WHERE decided_until > ?1", [to_micros(to)])?;
            bring_forward_notices(db, now)?;
            accept(db, to_micros(now))
        })
        .await
    }

    /// The due times of jobs in force that are decided and lie in the future; none if the clock is as it should be.
    pub async fn decided_ahead(&self, now: Timestamp) -> Result<Option<DecidedAhead>, StateError> {
        let ahead = "SELECT count(*) AS occurrences, max(occurrence) AS until
                     FROM run JOIN job USING (job_key) WHERE occurrence > ? AND in_force";
        let found = self.read(move |db| {
            db.first(ahead, [to_micros(now)], |row| {
                let occurrences = row.get::<_, i64>("occurrences")? as u64;
                Ok(maybe_time(row, "until")?.map(|until| DecidedAhead { occurrences, until }))
            })
        });
        Ok(found.await?.flatten())
    }

    /// By job key: up to when a job's occurrences are decided, and the earliest of those that lies in the future.
    pub async fn decided_by_job(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(String, Timestamp, Option<Timestamp>)>, StateError> {
        let decided = "SELECT job_key, decided_until,
                              (SELECT min(occurrence) FROM run WHERE run.job_key = job.job_key AND occurrence > ?)
                                  AS ahead
                       FROM job WHERE in_force";
        self.read(move |db| {
            db.all(decided, [to_micros(now)], |row| {
                Ok((row.get("job_key")?, time(row, "decided_until")?, maybe_time(row, "ahead")?))
            })
        })
        .await
    }
}

fn accept(db: &Connection, now: i64) -> rusqlite::Result<()> {
    db.change("UPDATE clock SET highest = ?, held = NULL", [now]).map(drop)
}

/// Has notices tried at `now` that a clock that was ahead has put off for too long.
fn bring_forward_notices(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let latest = now.checked_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX);
    db.change("UPDATE notice SET try_at = ? WHERE try_at > ?", [to_micros(now), to_micros(latest)]).map(drop)
}
