//! Between rows and the vocabulary: times, zones and records as the database keeps them.

use std::str::FromStr;

use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{State, StateError};
use crate::run::{RunId, RunRecord, RunState};

/// The columns that [`State::record`] reads.
pub(super) const RECORD: &str = "id, job, due_at, zone, trigger, state, attempts, started_at, finished_at, first_failed_at, retry_at, period_from, \
     period_to, error, warnings";

pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("names and numbers always have a JSON form")
}

/// None if there is nothing, or nothing that this version can read.
pub(super) fn from_json<T: DeserializeOwned>(json: Option<String>) -> Option<T> {
    json.and_then(|json| serde_json::from_str(&json).ok())
}

pub(super) fn to_micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// The text that [`State::zone`] reads back to the same zone: its IANA name, or its offset where it has no name.
pub(super) fn zone_text(time: &ZonedDateTime) -> String {
    let printed = DateTimePrinter::new().time_zone_to_string(time.time_zone());
    printed.unwrap_or_else(|_| "UTC".to_owned())
}

impl State {
    /// The run in `row`, without its files.
    pub(super) fn record(&self, row: &SqliteRow) -> Result<RunRecord, StateError> {
        let zone = self.zone(&self.get::<String>(row, "zone")?)?;
        let zoned = |column| Ok(self.time(row, column)?.to_zoned_datetime(zone.clone()));
        let state: RunState = self.word(row, "state")?;
        // A row keeps the values of the run's earlier states, because it may fall back to them.
        let only_if = |wanted: bool, column| if wanted { self.maybe_time(row, column) } else { Ok(None) };
        let is_waiting = state == RunState::Waiting;
        let has_ended = matches!(state, RunState::Delivered | RunState::Failed | RunState::Skipped);
        Ok(RunRecord {
            id: RunId::from_stored(&self.get::<String>(row, "id")?),
            job: self.get(row, "job")?,
            due: zoned("due_at")?,
            trigger: self.word(row, "trigger")?,
            state,
            attempts: self.get(row, "attempts")?,
            started: self.maybe_time(row, "started_at")?,
            finished: only_if(has_ended, "finished_at")?,
            waiting_since: only_if(is_waiting, "first_failed_at")?,
            retry_at: only_if(is_waiting, "retry_at")?,
            period: (zoned("period_from")?, zoned("period_to")?),
            files: Vec::new(),
            error: self.get(row, "error")?,
            warnings: from_json(self.get(row, "warnings")?).unwrap_or_default(),
        })
    }

    pub(super) fn get<'r, T>(&self, row: &'r SqliteRow, column: &str) -> Result<T, StateError>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        row.try_get(column).map_err(|error| self.failed(error))
    }

    pub(super) fn word<T: FromStr>(&self, row: &SqliteRow, column: &str) -> Result<T, StateError> {
        let word: String = self.get(row, column)?;
        word.parse().map_err(|_| self.corrupt(format!("column {column} holds the unknown word {word}")))
    }

    pub(super) fn time(&self, row: &SqliteRow, column: &str) -> Result<Timestamp, StateError> {
        self.time_of(self.get(row, column)?)
    }

    pub(super) fn maybe_time(&self, row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, StateError> {
        self.get::<Option<i64>>(row, column)?.map(|micros| self.time_of(micros)).transpose()
    }

    pub(super) fn time_of(&self, micros: i64) -> Result<Timestamp, StateError> {
        Timestamp::from_microsecond(micros).map_err(|_| self.corrupt("a time lies outside the calendar"))
    }

    fn zone(&self, text: &str) -> Result<TimeZone, StateError> {
        let parsed = DateTimeParser::new().parse_time_zone(text);
        parsed.map_err(|_| self.corrupt(format!("{text} is no time zone")))
    }
}
