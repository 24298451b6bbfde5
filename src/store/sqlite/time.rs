//! Datetimes in SQLite, which has no type for them: a column may hold texts with and without a fraction, with `T` or
//! a blank, with an offset or none, and numbers, all at once.
//!
//! Rows are filtered in two steps: a range on the raw column, wide enough for every spelling, that an index can
//! answer; then the exact instant, by a function of ours. Rows are sorted by that function too, unless all datetimes
//! of the range are spelt alike, for then their raw order is the same and may come from an index.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value as Bound, ValueRef};
use rusqlite::{Connection, Error, ffi};

use super::value::value;
use crate::catalogue::{Column, EpochUnit, Unreadable};
use crate::instant;
use crate::period::Period;
use crate::store::bounds;
use crate::value::CellFault;

/// The spellings that a datetime column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    Texts,
    Numbers,
    Both,
}

/// The names of the functions that read one datetime column.
#[derive(Clone, Debug)]
pub(super) struct Functions {
    /// Microseconds since 1970; an error if the value can't be read, unless it may be NULL.
    pub(super) exact: String,
    /// Microseconds since 1970; NULL if the value can't be read, for then the cell itself will be reported.
    pub(super) sorted: String,
    /// How the value is spelt: values of one spelling sort as their instants do. -1 if that can't be said.
    pub(super) shape: String,
}

/// Registers the functions for `column` under names that end in `number`.
pub(super) fn register(db: &Connection, column: &Column, number: usize) -> rusqlite::Result<Functions> {
    let names = Functions {
        exact: format!("exportd_exact_{number}"),
        sorted: format!("exportd_sorted_{number}"),
        shape: format!("exportd_shape_{number}"),
    };
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    let (exact, sorted, shaped) = (column.clone(), column.clone(), column.clone());
    db.create_scalar_function(names.exact.as_str(), 1, flags, move |call: &Context<'_>| {
        // A message would replace the code by a general one.
        let fault = |_| Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CONSTRAINT_FUNCTION), None);
        match (micros(call.get_raw(0), &exact), exact.unreadable) {
            (Err(_), Unreadable::Null) => Ok(None),
            (micros, _) => micros.map_err(fault),
        }
    })?;
    db.create_scalar_function(names.sorted.as_str(), 1, flags, move |call: &Context<'_>| {
        Ok(micros(call.get_raw(0), &sorted).unwrap_or(None))
    })?;
    db.create_scalar_function(names.shape.as_str(), 1, flags, move |call: &Context<'_>| {
        Ok(shape(call.get_raw(0), shaped.zone.is_some()))
    })?;
    Ok(names)
}

/// The condition that `column` (quoted) lies in the period; its parameters are [`bindings`]'s.
pub(super) fn condition(column: &str, functions: &Functions, spelling: Spelling) -> String {
    let exact = &functions.exact;
    format!("{} AND {exact}({column}) BETWEEN ?1 AND ?2", range(column, spelling))
}

/// The part of [`condition`] that an index can answer.
pub(super) fn range(column: &str, spelling: Spelling) -> String {
    let texts = format!("({column} >= ?3 AND {column} < ?4)");
    let numbers = format!("({column} >= ?5 AND {column} < ?6)");
    match spelling {
        Spelling::Texts => texts,
        Spelling::Numbers => numbers,
        Spelling::Both => format!("({texts} OR {numbers})"),
    }
}

/// The values of `?1` to `?6`: instants in microseconds, dates of texts two days wider than the period (for zones
/// and offsets), and numbers.
pub(super) fn bindings(period: &Period, unit: EpochUnit) -> [Bound; 6] {
    let two_days = jiff::Span::new().days(2);
    let wide = |at: &jiff::ZonedDateTime, result: Result<jiff::ZonedDateTime, jiff::Error>| {
        Bound::Text(bounds::date_text(&result.unwrap_or_else(|_| at.clone())))
    };
    [
        Bound::Integer(bounds::units(&period.from, EpochUnit::Microseconds)),
        Bound::Integer(bounds::units(&period.to, EpochUnit::Microseconds) - 1),
        wide(&period.from, period.from.checked_sub(two_days)),
        wide(&period.to, period.to.checked_add(two_days)),
        Bound::Integer(bounds::units(&period.from, unit) - 1),
        Bound::Integer(bounds::units(&period.to, unit)),
    ]
}

fn micros(raw: ValueRef<'_>, column: &Column) -> Result<Option<i64>, CellFault> {
    let instant = instant::read(value(raw), column)?;
    Ok(instant.map(|instant| instant.seconds * 1_000_000 + i64::from(instant.nanos / 1000)))
}

/// A number that two datetimes share only if comparing them raw is comparing their instants.
///
/// For texts it stands for the text with every digit before the offset replaced by `9`. Local times of a zone have
/// no shape: when clocks go back, later ones sort first.
fn shape(raw: ValueRef<'_>, is_local: bool) -> i64 {
    const NONE: i64 = -1;
    const INTEGER: i64 = 0;
    let text = match raw {
        ValueRef::Integer(_) => return INTEGER,
        ValueRef::Text(text) => text,
        _ => return NONE,
    };
    if text.len() < 10 || text[4] != b'-' || text[7] != b'-' {
        return NONE;
    }
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let (mut in_offset, mut has_offset) = (false, false);
    for (at, &byte) in text.iter().enumerate() {
        in_offset |= at > 10 && matches!(byte, b'+' | b'-');
        has_offset |= in_offset || matches!(byte, b'Z' | b'z');
        let class = if byte.is_ascii_digit() && !in_offset { b'9' } else { byte };
        hash = (hash ^ u64::from(class)).wrapping_mul(0x0100_0000_01b3);
    }
    if is_local && !has_offset {
        return NONE;
    }
    (hash >> 1) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> i64 {
        shape(ValueRef::Text(text.as_bytes()), false)
    }

    #[test]
    fn datetimes_of_one_shape_sort_alike() {
        assert_eq!(of("2026-11-21T04:00:00Z"), of("2025-01-02T23:59:59Z"));
        assert_eq!(of("2026-11-21 04:00:00.120+01:00"), of("2026-11-20 04:00:00.000+01:00"));
        assert_eq!(shape(ValueRef::Integer(1), true), shape(ValueRef::Integer(2), true));
    }

    #[test]
    fn different_spellings_have_different_shapes() {
        let spellings = [
            "2026-11-21T04:00:00Z",
            "2026-11-21 04:00:00Z",
            "2026-11-21 04:00:00",
            "2026-11-21T04:00:00.5Z",
            "2026-11-21T04:00:00.50Z",
            "2026-11-21T04:00:00+01:00",
            "2026-11-21T04:00:00+02:00",
            "2026-11-21T04:00:00-02:00",
            "2026-11-21",
        ];
        for (at, one) in spellings.iter().enumerate() {
            for other in &spellings[at + 1..] {
                assert_ne!(of(one), of(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn what_can_not_be_compared_has_no_shape() {
        assert_eq!(of("yesterday"), -1);
        assert_eq!(shape(ValueRef::Real(1.5), false), -1);
        assert_eq!(shape(ValueRef::Null, false), -1);
        assert_eq!(shape(ValueRef::Text(b"2026-11-21 04:00:00"), true), -1);
        assert_ne!(shape(ValueRef::Text(b"2026-11-21 04:00:00Z"), true), -1);
    }
}
