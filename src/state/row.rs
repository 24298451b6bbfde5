//! Between rows and the vocabulary: times, zones and records as the database keeps them.
//!
//! A value that can't be read is an error of conversion, which counts as damage.

use std::fmt;
use std::str::FromStr;

use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, Params, Result, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::sql::Sql;
use crate::run::{RunId, RunRecord, RunState};

/// The columns that [`record`] reads.
pub(super) const RECORD: &str = "id, job, due_at, zone, trigger, state, attempts, started_at, finished_at, first_failed_at, retry_at, period_from, \
     period_to, error, warnings";

/// Runs that have not ended: the condition of the index that finds them. Where only some of them are meant, it stands
/// beside what else is asked for, because SQLite does not see that one implies the other.
pub(super) const UNFINISHED: &str = "state IN ('queued', 'running', 'waiting')";

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

/// The text that [`record`] reads back to the same zone: its IANA name, or its offset where it has no name.
pub(super) fn zone_text(time: &ZonedDateTime) -> String {
    let printed = DateTimePrinter::new().time_zone_to_string(time.time_zone());
    printed.unwrap_or_else(|_| "UTC".to_owned())
}

/// The run in `row`, without its files.
pub(super) fn record(row: &Row<'_>) -> Result<RunRecord> {
    let Zone(zone) = row.get("zone")?;
    let zoned = |column| time(row, column).map(|time| time.to_zoned_datetime(zone.clone()));
    let state: RunState = word(row, "state")?;
    // A row keeps the values of the run's earlier states, because it may fall back to them.
    let only_if = |wanted: bool, column| if wanted { maybe_time(row, column) } else { Ok(None) };
    let is_waiting = state == RunState::Waiting;
    let has_ended = matches!(state, RunState::Delivered | RunState::Failed | RunState::Skipped);
    Ok(RunRecord {
        id: run_id(row, "id")?,
        job: row.get("job")?,
        due: zoned("due_at")?,
        trigger: word(row, "trigger")?,
        state,
        attempts: row.get("attempts")?,
        started: maybe_time(row, "started_at")?,
        finished: only_if(has_ended, "finished_at")?,
        waiting_since: only_if(is_waiting, "first_failed_at")?,
        retry_at: only_if(is_waiting, "retry_at")?,
        period: (zoned("period_from")?, zoned("period_to")?),
        files: Vec::new(),
        error: row.get("error")?,
        warnings: from_json(row.get("warnings")?).unwrap_or_default(),
    })
}

/// The runs that `SELECT {RECORD} FROM run` finds with `rest` behind it, without their files.
pub(super) fn records(db: &Connection, rest: &str, params: impl Params) -> Result<Vec<RunRecord>> {
    db.all(&format!("SELECT {RECORD} FROM run {rest}"), params, record)
}

pub(super) fn run_id(row: &Row<'_>, column: &str) -> Result<RunId> {
    Ok(RunId::from_stored(&row.get::<_, String>(column)?))
}

/// A word of a closed list.
pub(super) fn word<T: FromStr>(row: &Row<'_>, column: &str) -> Result<T> {
    Ok(row.get::<_, Word<T>>(column)?.0)
}

pub(super) fn maybe_word<T: FromStr>(row: &Row<'_>, column: &str) -> Result<Option<T>> {
    Ok(row.get::<_, Option<Word<T>>>(column)?.map(|Word(word)| word))
}

pub(super) fn time(row: &Row<'_>, column: &str) -> Result<Timestamp> {
    Ok(row.get::<_, Time>(column)?.0)
}

pub(super) fn maybe_time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<Time>>(column)?.map(|Time(time)| time))
}

struct Time(Timestamp);

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Time> {
        let time = Timestamp::from_microsecond(value.as_i64()?);
        time.map(Time).map_err(|_| damage("a time lies outside the calendar"))
    }
}

struct Word<T>(T);

impl<T: FromStr> FromSql for Word<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Word<T>> {
        let word = value.as_str()?;
        word.parse().map(Word).map_err(|_| damage(format!("the word {word:?} is unknown here")))
    }
}

struct Zone(TimeZone);

impl FromSql for Zone {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Zone> {
        let text = value.as_str()?;
        let zone = DateTimeParser::new().parse_time_zone(text);
        zone.map(Zone).map_err(|_| damage(format!("{text} is no time zone")))
    }
}

fn damage(cause: impl fmt::Display) -> FromSqlError {
    FromSqlError::Other(cause.to_string().into())
}
