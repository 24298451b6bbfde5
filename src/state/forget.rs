//! Forgetting: runs, events and notices that are older than history is kept.
//!
//! What still has a purpose stays however old it is: a run that has not ended, that has files in the spool or hidden
//! files at its destination, or that is a job's last one or its last delivery. An occurrence whose run is forgotten
//! stays decided: the job keeps the due time of the last one.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::row::to_micros;
use super::sql::Sql;
use super::{State, StateError};

/// How many runs, or events, one write looks at. Others who write wait for no more than this.
const BATCH: u32 = 100;

/// This many of the latest events stay.
const EVENTS: u32 = 100;

/// Where a run stands in the order of history.
type Place = (i64, i64, String);

impl State {
    /// Removes what ended before `before`, in many small writes, and returns how many runs that were.
    pub async fn forget_before(&self, before: Timestamp) -> Result<usize, StateError> {
        let before = to_micros(before);
        let mut forgotten = 0;
        let mut last: Place = (i64::MIN, 0, String::new());
        loop {
            let (next, removed) = self.write(move |db| forget_runs(db, before, &last)).await?;
            forgotten += removed;
            let Some(place) = next else { break };
            last = place;
        }
        while self.write(move |db| forget_events(db, before)).await? > 0 {}
        while self.write(move |db| forget_notices(db, before)).await? > 0 {}
        Ok(forgotten)
    }
}

/// Looks at the runs that follow `last` in the order of history, and removes those that nobody needs. Returns where the
/// next ones begin, and how many went.
fn forget_runs(db: &Connection, before: i64, last: &Place) -> rusqlite::Result<(Option<Place>, usize)> {
    let (created, due, id) = last;
    let places: Vec<Place> = db.all(
        "SELECT created_at, due_at, id FROM run
         WHERE (created_at, due_at, id) > (?, ?, ?) AND created_at < ?
         ORDER BY created_at, due_at, id LIMIT ?",
        params![created, due, id, before, BATCH],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let ids = serde_json::Value::from_iter(places.iter().map(|(_, _, id)| id.as_str())).to_string();
    let old: Vec<(String, String, Option<i64>)> = db.all(
        "SELECT id, job_key, occurrence FROM run
         WHERE id IN (SELECT value FROM json_each(?1))
           AND state IN ('delivered', 'failed', 'skipped') AND coalesce(finished_at, created_at) < ?2
           AND early IS NULL
           AND NOT EXISTS (SELECT 1 FROM file WHERE file.run = run.id AND spool IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM temporary WHERE temporary.run = run.id)
           AND NOT EXISTS (SELECT 1 FROM notice WHERE notice.run = run.id AND try_at IS NOT NULL)
           AND id <> (SELECT id FROM run AS ended
                      WHERE ended.job_key = run.job_key AND ended.state IN ('delivered', 'failed', 'skipped')
                      ORDER BY created_at DESC, due_at DESC, id DESC LIMIT 1)
           AND id IS NOT (SELECT id FROM run AS delivered
                          WHERE delivered.job_key = run.job_key AND delivered.state = 'delivered'
                          ORDER BY created_at DESC, due_at DESC, id DESC LIMIT 1)",
        params![ids, before],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    for (id, key, occurrence) in &old {
        if let Some(occurrence) = occurrence {
            db.change(
                "UPDATE job SET forgotten_until = max(coalesce(forgotten_until, ?1), ?1) WHERE job_key = ?2",
                params![occurrence, key],
            )?;
        }
        // Attempts, stages, files and notices go with it.
        db.change("DELETE FROM run WHERE id = ?", [id])?;
    }
    Ok((places.into_iter().last(), old.len()))
}

fn forget_events(db: &Connection, before: i64) -> rusqlite::Result<usize> {
    db.change(
        "DELETE FROM event WHERE id IN
             (SELECT id FROM event WHERE id <= (SELECT max(id) FROM event) - ? ORDER BY id LIMIT ?) AND at < ?",
        params![EVENTS, BATCH, before],
    )
}

/// Those that are about no run.
fn forget_notices(db: &Connection, before: i64) -> rusqlite::Result<usize> {
    db.change(
        "DELETE FROM notice WHERE id IN
             (SELECT id FROM notice WHERE run IS NULL AND try_at IS NULL AND made_at < ? LIMIT ?)",
        params![before, BATCH],
    )
}
