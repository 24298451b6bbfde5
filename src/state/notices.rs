//! Notices to send to people. A notice is written in the same transaction as what it is about, so that none is lost however
//! the process ends.

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;

use super::row::to_micros;
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
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO notice (kind, text, made_at, try_at) VALUES (?1, ?2, ?3, ?3)")
            .bind(kind.name())
            .bind(text)
            .bind(to_micros(now))
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// Makes notices of the occurrences that fell due more than `late` ago and are still not done, one for each.
    /// Returns how many are new.
    pub async fn note_late(&self, late: SignedDuration, now: Timestamp) -> Result<u64, StateError> {
        let before = to_micros(now.checked_sub(late).unwrap_or(Timestamp::MIN));
        let overdue = "occurrence IS NOT NULL AND state IN ('queued', 'running', 'waiting') AND due_at < ?1
                       AND NOT EXISTS (SELECT 1 FROM notice WHERE notice.run = run.id AND kind = 'late')";
        let count = format!("SELECT count(*) FROM run WHERE {overdue}");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .bind(before)
            .fetch_one(self.reader())
            .await
            .map_err(|error| self.failed(error))?;
        if found == 0 {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        let trouble =
            format!("UPDATE job SET is_troubled = 1 WHERE job_key IN (SELECT job_key FROM run WHERE {overdue})");
        let update = sqlx::query(sqlx::AssertSqlSafe(trouble)).bind(before).execute(&mut *tx).await;
        update.map_err(|error| self.failed(error))?;
        let insert = format!(
            "INSERT INTO notice (kind, run, made_at, try_at) SELECT 'late', id, ?2, ?2 FROM run WHERE {overdue}"
        );
        let insert = sqlx::query(sqlx::AssertSqlSafe(insert)).bind(before).bind(to_micros(now)).execute(&mut *tx).await;
        let made = insert.map_err(|error| self.failed(error))?.rows_affected();
        tx.commit().await?;
        Ok(made)
    }

    /// The notices whose time to be sent has come, the oldest first, at most `limit`.
    pub async fn pending_notices(&self, now: Timestamp, limit: u32) -> Result<Vec<Notice>, StateError> {
        let rows =
            sqlx::query("SELECT id, kind, run, text, made_at, tries FROM notice WHERE try_at <= ? ORDER BY id LIMIT ?")
                .bind(to_micros(now))
                .bind(limit)
                .fetch_all(self.reader())
                .await
                .map_err(|error| self.failed(error))?;
        let notices = rows.iter().map(|row| {
            Ok(Notice {
                id: self.get(row, "id")?,
                kind: self.word(row, "kind")?,
                subject: match self.get::<Option<String>>(row, "run")? {
                    Some(run) => Subject::Run(RunId::from_stored(&run)),
                    None => Subject::Text(self.get(row, "text")?),
                },
                made: self.time(row, "made_at")?,
                tries: self.get(row, "tries")?,
            })
        });
        notices.collect()
    }

    /// Records that a notice is about to be tried. A recovery counts as sent from here on: should the process end now,
    /// nobody is told twice that all is well again.
    pub async fn trying_notice(&self, notice: &Notice) -> Result<(), StateError> {
        let sql = match notice.kind {
            NoticeKind::Recovery => "UPDATE notice SET tries = tries + 1, try_at = NULL WHERE id = ?",
            NoticeKind::Failure | NoticeKind::Late | NoticeKind::Clock => {
                "UPDATE notice SET tries = tries + 1 WHERE id = ?"
            }
        };
        let mut tx = self.write().await?;
        sqlx::query(sql).bind(notice.id).execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// Records what came of it: sent at `now`, or to be tried again at `again`, or neither: given up.
    pub async fn tried_notice(
        &self,
        notice: &Notice,
        sent: bool,
        again: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE notice SET try_at = ?, sent_at = ? WHERE id = ?")
            .bind(again.map(to_micros))
            .bind(sent.then(|| to_micros(now)))
            .bind(notice.id)
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// Drops the pending notices, because no receiver is configured.
    pub async fn drop_notices(&self) -> Result<(), StateError> {
        let pending: i64 = sqlx::query_scalar("SELECT count(*) FROM notice WHERE try_at IS NOT NULL")
            .fetch_one(self.reader())
            .await
            .map_err(|error| self.failed(error))?;
        if pending == 0 {
            return Ok(());
        }
        let mut tx = self.write().await?;
        let update = sqlx::query("UPDATE notice SET try_at = NULL WHERE try_at IS NOT NULL").execute(&mut *tx).await;
        update.map_err(|error| self.failed(error))?;
        tx.commit().await
    }

    /// Makes the notice that the end of a run calls for: of a failure, or of the first delivery after one.
    pub(super) async fn note_end(
        &self,
        tx: &mut SqliteConnection,
        run: &RunId,
        has_failed: bool,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let mut insert = "INSERT INTO notice (kind, run, made_at, try_at) SELECT 'failure', id, ?2, ?2 FROM run
                          WHERE id = ?1";
        if !has_failed {
            insert = "INSERT INTO notice (kind, run, made_at, try_at) SELECT 'recovery', run.id, ?2, ?2
                      FROM run JOIN job USING (job_key) WHERE run.id = ?1 AND job.is_troubled";
        }
        let inserted = sqlx::query(insert).bind(run.as_str()).bind(to_micros(now)).execute(&mut *tx).await;
        inserted.map_err(|error| self.failed(error))?;
        sqlx::query("UPDATE job SET is_troubled = ?1 WHERE job_key = (SELECT job_key FROM run WHERE id = ?2)")
            .bind(has_failed)
            .bind(run.as_str())
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }
}
