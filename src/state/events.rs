//! Events: what the daemon did beside runs, and the definitions of the jobs that it accepted last.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::QueryBuilder;

use super::row::to_micros;
use super::{State, StateError};
use crate::definition::Definition;
use crate::run::EventKind;

/// Something that the daemon did beside runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Later events have greater numbers.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What it was.
    pub kind: EventKind,
    /// SHA-256 of the configuration that it is about, as far as that could be read.
    pub config: Option<String>,
    /// What happened, for people.
    pub text: String,
    /// The same for programs: an object.
    pub detail: Value,
}

/// An event to be written.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// As in [`Event`].
    pub kind: EventKind,
    /// As in [`Event`].
    pub config: Option<String>,
    /// As in [`Event`].
    pub text: String,
    /// The text of a JSON object.
    pub detail: String,
}

impl State {
    /// Records an event, and with it what it makes of the jobs of `changed` keys, by [`job_key`](super::job_key): their
    /// definitions now, or that they have none any more.
    pub async fn record_event(
        &self,
        event: &NewEvent,
        changed: &[String],
        definition: &(dyn Fn(&str) -> Option<Definition> + Sync),
        now: Timestamp,
    ) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        let mut insert = QueryBuilder::new("INSERT INTO event (at, kind, config, text, detail) VALUES (");
        let mut values = insert.separated(", ");
        values.push_bind(to_micros(now)).push_bind(event.kind.name()).push_bind(&event.config);
        values.push_bind(&event.text).push_bind(&event.detail);
        values.push_unseparated(")");
        insert.build().execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        // One at a time: all definitions of ten thousand jobs would be the largest thing in memory.
        for key in changed {
            let change = match definition(key) {
                Some(definition) => {
                    let replace = "INSERT OR REPLACE INTO definition (job_key, definition) VALUES (?, ?)";
                    sqlx::query(replace).bind(key).bind(definition.text())
                }
                None => sqlx::query("DELETE FROM definition WHERE job_key = ?").bind(key),
            };
            change.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        }
        tx.commit().await
    }

    /// Events after the one numbered `after`, the newest first, at most `limit`.
    pub async fn events(&self, after: i64, limit: u32) -> Result<Vec<Event>, StateError> {
        let rows =
            sqlx::query("SELECT id, at, kind, config, text, detail FROM event WHERE id > ? ORDER BY id DESC LIMIT ?")
                .bind(after)
                .bind(limit)
                .fetch_all(self.reader())
                .await
                .map_err(|error| self.failed(error))?;
        let events = rows.iter().map(|row| {
            let detail: String = self.get(row, "detail")?;
            Ok(Event {
                id: self.get(row, "id")?,
                at: self.time(row, "at")?,
                kind: self.word(row, "kind")?,
                config: self.get(row, "config")?,
                text: self.get(row, "text")?,
                detail: serde_json::from_str(&detail).unwrap_or_default(),
            })
        });
        events.collect()
    }

    /// The jobs of the configuration that was accepted last: keys, which are by [`job_key`](super::job_key), and texts of
    /// their definitions, in the order of the keys, at most `limit` of those after `after`.
    pub async fn definitions(&self, after: &str, limit: u32) -> Result<Vec<(String, String)>, StateError> {
        sqlx::query_as("SELECT job_key, definition FROM definition WHERE job_key > ? ORDER BY job_key LIMIT ?")
            .bind(after)
            .bind(limit)
            .fetch_all(self.reader())
            .await
            .map_err(|error| self.failed(error))
    }
}
