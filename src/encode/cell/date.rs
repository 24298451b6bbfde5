//! Reading dates, and the datetimes of arrays.

use super::Fault;
use crate::instant::{DAY_SECONDS, FIRST_DAY, LAST_DAY, parse_date, parse_datetime, unreadable};
use crate::value::{Instant, Value};

const NO_DATE: &str = "text that is no date of the years 1 to 9999";
const NO_DATETIME: &str = "text that is no datetime of the years 1 to 9999";
const OUT_OF_RANGE: &str = "a date outside the years 1 to 9999";

/// Reads a `date`, as days since 1970-01-01. A datetime is one when it is exactly midnight, on its own clock or else in
/// UTC.
pub(in crate::encode) fn date(value: Value<'_>) -> Result<i32, Fault> {
    let days = match value {
        Value::Date(days) => days,
        Value::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| NO_DATE)?;
            match parse_date(text) {
                Some(days) => days,
                None => midnight(parse_datetime(text, None).ok_or_else(|| unreadable(text, NO_DATE))?)?,
            }
        }
        Value::Instant(instant) | Value::Civil(instant) => midnight(instant)?,
        other => return Err(other.kind()),
    };
    if (FIRST_DAY..=LAST_DAY).contains(&days) { Ok(days) } else { Err(OUT_OF_RANGE) }
}

/// Reads a text as a datetime, in UTC if it names no offset. Those of columns are read by [`instant::read`].
///
/// [`instant::read`]: crate::instant::read
pub(super) fn datetime(text: &str) -> Result<Instant, Fault> {
    parse_datetime(text, None).ok_or_else(|| unreadable(text, NO_DATETIME))
}

fn midnight(instant: Instant) -> Result<i32, Fault> {
    if instant.seconds.rem_euclid(DAY_SECONDS) != 0 || instant.nanos != 0 {
        return Err("a datetime that is not midnight");
    }
    i32::try_from(instant.seconds / DAY_SECONDS).map_err(|_| OUT_OF_RANGE)
}
