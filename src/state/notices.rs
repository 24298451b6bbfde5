//! Notices to send to people. A notice is written in the same transaction as what it is about, so that none is lost however
//! the process ends.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::row::{time, to_micros, word};
use super::sql::Sql;
use super::{State, StateError};
use crate::run::{NoticeKind, RunId};

/// A notice that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Later notices have greater numbers.
    pub id: i64,
    /// What happened.
    pub kind: NoticeKind,
    /// What it is about.
    pub subject: Subject,
    /// When it was made.
    pub made: Timestamp,
    /// How often it was tried before.
    pub tries: u32,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A run.
    Run(RunId),
    /// What is said in one sentence.
    Text(String),
}

impl State {
    /// Makes a notice that is about no run, to be sent from `now` on.
    pub async fn notice(&self, kind: NoticeKind, text: &str, now: Timestamp) -> Result<(), StateError> {
        let text = text.to_owned();
        let insert = "INSERT INTO notice (kind, text, made_at, try_at) VALUES (?1, ?2, ?3, ?3)";
        self.write(move |db| db.change(insert, params![kind.name(), text, to_micros(now)]).map(drop)).await
    }

    /// Makes notices of the occurrences that fell due more than `late` ago and are still not done, one for each.
    /// Returns how many are new.
    pub async fn note_late(&self, late: SignedDuration, now: Timestamp) -> Result<usize, StateError> {
        let before = to_micros(now.checked_sub(late).unwrap_or(Timestamp::MIN));
        let found = self.read(move |db| db.first(&format!("SELECT 1 FROM run WHERE {OVERDUE}"), [before], |_| Ok(())));
        if found.await?.is_none() {
            return Ok(0);
        }
        self.write(move |db| {
            db.change(
                &format!("UPDATE job SET is_troubled = 1 WHERE job_key IN (SELECT job_key FROM run WHERE {OVERDUE})"),
                [before],
            )?;
            db.change(
                &format!(
                    "INSERT INTO notice (kind, run, made_at, try_at) SELECT 'late', id, ?2, ?2 FROM run
                     WHERE {OVERDUE}"
                ),
                [before, to_micros(now)],
            )
        })
        .await
    }

    /// The notices whose time to be sent has come, the oldest first, at most `limit`.
    pub async fn pending_notices(&self, now: Timestamp, limit: u32) -> Result<Vec<Notice>, StateError> {
        // The plus sign keeps SQLite from looking at all notices in their order, rather than at the few by their index.
        let pending = "SELECT id, kind, run, text, made_at, tries FROM notice WHERE try_at <= ? ORDER BY +id LIMIT ?";
        self.read(move |db| {
            db.all(pending, params![to_micros(now), limit], |row| {
                Ok(Notice {
                    id: row.get("id")?,
                    kind: word(row, "kind")?,
                    subject: match row.get::<_, Option<String>>("run")? {
                        Some(run) => Subject::Run(RunId::from_stored(&run)),
                        None => Subject::Text(row.get("text")?),
                    },
                    made: time(row, "made_at")?,
                    tries: row.get("tries")?,
                })
            })
        })
        .await
    }

    /// Records that a notice is about to be tried. A recovery counts as sent from here on: should the process end now,
    /// nobody is told twice that all is well again.
    pub async fn trying_notice(&self, notice: &Notice) -> Result<(), StateError> {
        let trying = match notice.kind {
            NoticeKind::Recovery => "UPDATE notice SET tries = tries + 1, try_at = NULL WHERE id = ?",
            NoticeKind::Failure | NoticeKind::Late | NoticeKind::Clock => {
                "UPDATE notice SET tries = tries + 1 WHERE id = ?"
            }
        };
        let id = notice.id;
        self.write(move |db| db.change(trying, [id]).map(drop)).await
    }

    /// Records what came of it: sent at `now`, or to be tried again at `again`, or neither: given up.
    pub async fn tried_notice(
        &self,
        notice: &Notice,
        sent: bool,
        again: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let id = notice.id;
        self.write(move |db| {
            db.change(
                "UPDATE notice SET try_at = ?, sent_at = ? WHERE id = ?",
                params![again.map(to_micros), sent.then(|| to_micros(now)), id],
            )?;
            Ok(())
        })
        .await
    }

    /// Drops the pending notices, because no receiver is configured.
    pub async fn drop_notices(&self) -> Result<(), StateError> {
        let pending = "SELECT 1 FROM notice WHERE try_at IS NOT NULL";
        if self.read(move |db| db.first(pending, [], |_| Ok(()))).await?.is_none() {
            return Ok(());
        }
        let forget = "UPDATE notice SET try_at = NULL WHERE try_at IS NOT NULL";
        self.write(move |db| db.change(forget, []).map(drop)).await
    }
}

/// Runs that fell due before a time and are not done, and of which nobody has been told.
const OVERDUE: &str = "occurrence IS NOT NULL AND state IN ('queued', 'running', 'waiting') AND due_at < ?1
                       AND NOT EXISTS (SELECT 1 FROM notice WHERE notice.run = run.id AND kind = 'late')";

/// Makes the notice that the end of a run calls for: of a failure, or of the first delivery after one.
pub(super) fn note_end(db: &Connection, run: &RunId, has_failed: bool, now: Timestamp) -> rusqlite::Result<()> {
    let insert = match has_failed {
        true => "INSERT INTO notice (kind, run, made_at, try_at) SELECT 'failure', id, ?2, ?2 FROM run WHERE id = ?1",
        false => {
            "INSERT INTO notice (kind, run, made_at, try_at) SELECT 'recovery', run.id, ?2, ?2
             FROM run JOIN job USING (job_key) WHERE run.id = ?1 AND job.is_troubled"
        }
    };
    db.change(insert, params![run.as_str(), to_micros(now)])?;
    db.change(
        "UPDATE job SET is_troubled = ? WHERE job_key = (SELECT job_key FROM run WHERE id = ?)",
        params![has_failed, run.as_str()],
    )?;
    Ok(())
}
