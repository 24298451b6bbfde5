//! Events: what the daemon did beside runs, and the definitions of the jobs that it accepted last.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::QueryBuilder;

use super::row::to_micros;
use super::{State, StateError, job_key};
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
    /// As in [`Event`].
    pub detail: Value,
}

impl State {
    /// Records an event, and with it the definitions that it puts in the place of those before; none leaves them.
    pub async fn record_event(
        &self,
        event: &NewEvent,
        definitions: Option<&[Definition]>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let before = match definitions {
            Some(_) => self.definition_texts().await?,
            None => HashMap::new(),
        };
        let mut tx = self.write().await?;
        let mut insert = QueryBuilder::new("INSERT INTO event (at, kind, config, text, detail) VALUES (");
        let mut values = insert.separated(", ");
        values.push_bind(to_micros(now)).push_bind(event.kind.name()).push_bind(&event.config);
        values.push_bind(&event.text).push_bind(event.detail.to_string());
        values.push_unseparated(")");
        insert.build().execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        let mut gone = before.clone();
        for definition in definitions.unwrap_or_default() {
            let (key, text) = (job_key(definition.label()), definition.text());
            gone.remove(&key);
            if before.get(&key) == Some(&text) {
                continue;
            }
            sqlx::query("INSERT OR REPLACE INTO definition (job_key, definition) VALUES (?, ?)")
                .bind(key)
                .bind(text)
                .execute(&mut *tx)
                .await
                .map_err(|error| self.failed(error))?;
        }
        for key in gone.into_keys() {
            let delete = sqlx::query("DELETE FROM definition WHERE job_key = ?").bind(key);
            delete.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        }
        tx.commit().await.map_err(|error| self.failed(error))
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

    /// The jobs of the configuration that was accepted last, by [`job_key`]. Empty before the first.
    pub async fn definitions(&self) -> Result<HashMap<String, Definition>, StateError> {
        let texts = self.definition_texts().await?;
        Ok(texts.into_iter().filter_map(|(key, text)| Some((key, Definition::parse(&text)?))).collect())
    }

    async fn definition_texts(&self) -> Result<HashMap<String, String>, StateError> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT job_key, definition FROM definition")
            .fetch_all(self.reader())
            .await
            .map_err(|error| self.failed(error))?;
        Ok(rows.into_iter().collect())
    }
}
