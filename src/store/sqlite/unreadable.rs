//! Whether every value of a time column can be read, whatever SQLite lets it hold.
//!
//! SQLite sorts all numbers before all texts, and these before all binary data. So a period, which is a range of one of
//! them, passes over the others without a word, and over texts that are no datetimes.

use rusqlite::types::{Value as Bound, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::deadline::Deadline;
use super::value::value;
use super::{Sqlite, error};
use crate::catalogue::{Column, Unreadable};
use crate::instant::{self, JULIAN_LOOKS};
use crate::store::error::StoreError;
use crate::store::unreadable::{self, Tally, is_placed};
use crate::value::{ColumnType, Value};

/// The time column that a period filters on, and where it is.
#[derive(Debug)]
pub(super) struct TimeCheck {
    /// As an item of a FROM clause.
    pub(super) from: String,
    /// Quoted.
    pub(super) name: String,
    pub(super) column: Column,
}

/// The classes of values that are there, all of them readable.
#[derive(Default)]
struct Found {
    has_texts: bool,
    /// The greatest number.
    greatest: Option<f64>,
}

impl Found {
    fn warning(&self, column: &Column) -> Option<String> {
        self.greatest.filter(|_| !self.has_texts).and_then(|latest| unreadable::of_1970(latest, column))
    }
}

impl Sqlite {
    /// Fails if a value of the column can't be placed in time. Says what there is to warn of.
    pub(super) fn check_column(&self, check: &TimeCheck) -> Result<Option<String>, StoreError> {
        let _deadline = Deadline::start(&self.db, self.timeout).map_err(error::asking)?;
        match self.sought(check)? {
            Some(found) => Ok(found.warning(&check.column)),
            None => self.scanned(check, |value| check.is_fine(value)),
        }
    }

    /// Fails if a value of the column can't be read. Says what there is to warn of.
    pub(super) fn check_cells(&self, check: &TimeCheck) -> Result<Option<String>, StoreError> {
        let _deadline = Deadline::start(&self.db, self.timeout).map_err(error::asking)?;
        self.scanned(check, |value| check.is_readable(value))
    }

    /// The same by a look at every row.
    fn scanned(&self, check: &TimeCheck, is_fine: impl Fn(Value<'_>) -> bool) -> Result<Option<String>, StoreError> {
        let mut tally = Tally::default();
        let found = check.scan(&self.db, ("1", &[]), is_fine, &mut tally);
        let found = found.map_err(|error| error::running(error, self.timeout))?;
        Ok(tally.verdict(&check.column)?.or_else(|| found.warning(&check.column)))
    }

    /// What an index tells of the column, if there is one and nothing has to be counted.
    fn sought(&self, check: &TimeCheck) -> Result<Option<Found>, StoreError> {
        let seek = check.first_text_from("?1");
        // A view that has to be made first would be made again for every seek.
        let is_indexed = self.explain(&seek)?.iter().all(|step| step.starts_with("SEARCH"));
        if !is_indexed || check.column.unreadable == Unreadable::Null {
            return Ok(None);
        }
        check.seek(&self.db, &seek).map_err(|error| error::running(error, self.timeout))
    }
}

impl TimeCheck {
    /// Whether a row need not be told. Where values that can't be read count as NULL, no run fails for one of its period.
    fn is_fine(&self, value: Value<'_>) -> bool {
        match self.column.unreadable {
            Unreadable::Fail => is_placed(value, &self.column),
            Unreadable::Null => self.is_readable(value),
        }
    }

    fn is_readable(&self, value: Value<'_>) -> bool {
        is_placed(value, &self.column) && instant::read(value, &self.column).is_ok()
    }

    /// The error that says what can't be read among the rows of `range`, a condition that `bound` is bound to.
    pub(super) fn unreadable_among(
        &self,
        db: &Connection,
        range: &str,
        bound: &[Bound],
    ) -> rusqlite::Result<StoreError> {
        let mut tally = Tally::default();
        self.scan(db, (range, bound), |value| instant::read(value, &self.column).is_ok(), &mut tally)?;
        let defect = || StoreError::Protocol("a time could not be read, and then it could".to_owned());
        Ok(tally.verdict(&self.column).err().unwrap_or_else(defect))
    }

    /// Looks at every row of a condition with what is bound to it. Those that are not fine are counted in `tally`.
    fn scan(
        &self,
        db: &Connection,
        (condition, bound): (&str, &[Bound]),
        is_fine: impl Fn(Value<'_>) -> bool,
        tally: &mut Tally,
    ) -> rusqlite::Result<Found> {
        let mut found = Found::default();
        let mut statement = db.prepare(&format!("SELECT {} FROM {} WHERE {condition}", self.name, self.from))?;
        let used = statement.parameter_count();
        let mut rows = statement.query(params_from_iter(bound.iter().take(used)))?;
        while let Some(row) = rows.next()? {
            let value = value(row.get_ref(0)?);
            match value {
                Value::Text(_) => found.has_texts = true,
                _ => found.greatest = number(value).into_iter().chain(found.greatest).reduce(f64::max),
            }
            if !is_fine(value) {
                tally.add(value);
            }
        }
        Ok(found)
    }

    /// Looks at the rows that an index leads to: the ends of all numbers, and two texts of each day at most. `None` if one of them
    /// can't be placed.
    fn seek(&self, db: &Connection, first_text: &str) -> rusqlite::Result<Option<Found>> {
        let mut found = Found::default();
        let is_placed = |row: &Row<'_>| row.get_ref(0).map(|raw| is_placed(value(raw), &self.column));
        let (name, from) = (&self.name, &self.from);
        if db.prepare(&format!("SELECT 1 FROM {from} WHERE {name} >= x'' LIMIT 1"))?.exists([])? {
            return Ok(None);
        }
        for order in ["ASC", "DESC"] {
            let sql = format!("SELECT {name} FROM {from} WHERE {name} < '' ORDER BY {name} {order} LIMIT 1");
            let end = |row: &Row<'_>| Ok((is_placed(row)?, number(value(row.get_ref(0)?))));
            match db.query_row(&sql, [], end).optional()? {
                Some((false, _)) => return Ok(None),
                Some((true, end)) => found.greatest = end,
                None => {}
            }
        }
        if found.greatest.is_some() && self.column.kind == ColumnType::Datetime && self.column.epoch.is_none() {
            let sql = format!("SELECT 1 FROM {from} WHERE {name} >= ?1 AND {name} < ?2 LIMIT 1");
            if db.prepare(&sql)?.exists(JULIAN_LOOKS)? {
                return Ok(None);
            }
        }
        let mut statement = db.prepare(first_text)?;
        let mut next = Some(Bound::Text(String::new()));
        while let Some(from) = next {
            let day = |row: &Row<'_>| Ok(if is_placed(row)? { after_day(row.get_ref(0)?) } else { None });
            next = match statement.query_row([from], day).optional()? {
                // Not placed.
                Some(None) => return Ok(None),
                Some(after) => after,
                None => None,
            };
            found.has_texts |= next.is_some();
        }
        Ok(Some(found))
    }

    /// The statement for the first text that does not sort before `bound`.
    fn first_text_from(&self, bound: &str) -> String {
        let (name, from) = (&self.name, &self.from);
        format!("SELECT {name} FROM {from} WHERE {name} >= {bound} AND {name} < x'' ORDER BY {name} LIMIT 1")
    }
}

fn number(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Int(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        _ => None,
    }
}

/// Where to look after a text that begins with a date: at texts of the same date with a further digit, which are no
/// dates, and then at those of the next day.
fn after_day(text: ValueRef<'_>) -> Option<Bound> {
    let ValueRef::Text(text) = text else { return None };
    let (day, rest) = text.split_at_checked(instant::DATE_LENGTH)?;
    let mut next = day.to_vec();
    match rest.first() {
        Some(b'0'..) => *next.last_mut()? += 1,
        _ => next.push(b'0'),
    }
    String::from_utf8(next).ok().map(Bound::Text)
}
