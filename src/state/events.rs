//! Events: what the daemon did beside runs, and the definitions of the jobs that it accepted last.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::row::{from_json, time, to_micros, word};
use super::sql::Sql;
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
    /// Records an event, and with it what it makes of jobs, by [`job_key`](super::job_key): their definitions now, or
    /// that they have none any more.
    pub async fn record_event(
        &self,
        event: NewEvent,
        definitions: impl Iterator<Item = (String, Option<Definition>)> + Send + 'static,
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.write(move |db| {
            db.change(
                "INSERT INTO event (at, kind, config, text, detail) VALUES (?, ?, ?, ?, ?)",
                params![to_micros(now), event.kind.name(), event.config, event.text, event.detail],
            )?;
            // One at a time: all definitions of ten thousand jobs would be the largest thing in memory.
            for (key, definition) in definitions {
                match definition {
                    Some(definition) => {
                        let (own, common) = definition.parts();
                        let replace =
                            "INSERT OR REPLACE INTO definition (job_key, definition, common) VALUES (?, ?, ?)";
                        db.change(replace, params![key, own, common_id(db, &common)?])?
                    }
                    None => db.change("DELETE FROM definition WHERE job_key = ?", [key])?,
                };
            }
            let unused =
                "DELETE FROM common WHERE NOT EXISTS (SELECT 1 FROM definition WHERE definition.common = common.id)";
            db.change(unused, []).map(drop)
        })
        .await
    }

    /// Events after the one numbered `after`, the newest first, at most `limit`.
    pub async fn events(&self, after: i64, limit: u32) -> Result<Vec<Event>, StateError> {
        let events = "SELECT id, at, kind, config, text, detail FROM event WHERE id > ? ORDER BY id DESC LIMIT ?";
        self.read(move |db| {
            db.all(events, params![after, limit], |row| {
                Ok(Event {
                    id: row.get("id")?,
                    at: time(row, "at")?,
                    kind: word(row, "kind")?,
                    config: row.get("config")?,
                    text: row.get("text")?,
                    detail: from_json(row.get("detail")?).unwrap_or_default(),
                })
            })
        })
        .await
    }

    /// The jobs of the configuration that was accepted last: keys, which are by [`job_key`](super::job_key), and texts of
    /// their definitions, in the order of the keys, at most `limit` of those after `after`.
    pub async fn definitions(&self, after: &str, limit: u32) -> Result<Vec<(String, String)>, StateError> {
        let after = after.to_owned();
        self.read(move |db| {
            db.all(
                "SELECT job_key, definition, coalesce(text, '{}') AS common
                 FROM definition LEFT JOIN common ON common.id = definition.common
                 WHERE job_key > ? ORDER BY job_key LIMIT ?",
                params![after, limit],
                |row| {
                    let (own, common): (String, String) = (row.get("definition")?, row.get("common")?);
                    Ok((row.get("job_key")?, Definition::join(&own, &common)))
                },
            )
        })
        .await
    }
}

/// Where a text that jobs have in common is stored.
fn common_id(db: &Connection, text: &str) -> rusqlite::Result<i64> {
    let digest = Sha256::digest(text).to_vec();
    let known = db.first("SELECT id FROM common WHERE digest = ?", [&digest], |row| row.get("id"))?;
    match known {
        Some(id) => Ok(id),
        None => {
            db.change("INSERT INTO common (digest, text) VALUES (?, ?)", params![digest, text])?;
            Ok(db.last_insert_rowid())
        }
    }
}
