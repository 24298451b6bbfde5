//! Reading datetimes: what a cell of any database means as a point in time.
//!
//! It runs for every cell of a datetime column, so it neither allocates nor asks a zone when there is none to ask.
//! Calendar dates are proleptic Gregorian, of the years 1 to 9999; a leap second (`:60`) is no time of day here, for
//! no database keeps one. Writing datetimes is the business of `encode`.

mod epoch;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

pub use self::epoch::{DAY_MILLIS, JULIAN_1970, JULIAN_LOOKS, fitting_unit, readable_numbers};
use crate::catalogue::Column;
use crate::value::{CellFault, Instant, Value};

/// 0001-01-01 in days since 1970-01-01.
pub const FIRST_DAY: i32 = -719_162;
/// 9999-12-31 in days since 1970-01-01.
pub const LAST_DAY: i32 = 2_932_896;
/// The seconds of a day.
pub const DAY_SECONDS: i64 = 86_400;

const INFINITY: &str = "infinity";
const ZERO_DATE: &str = "a zero date (0000-00-00)";
const OUT_OF_REACH: &str = "a point in time outside the years 1 to 9999";

/// What the start of a text was read as, and the bytes after it.
type Read<'a, T> = Option<(T, &'a [u8])>;

/// What `value` means as a point in time; `None` for NULL.
///
/// - A datetime without a zone, a date (its midnight) and text without an offset are local times of `column.zone`,
///   or of UTC if the column names none.
/// - A number counts `column.epoch`, which is seconds since 1970 unless declared; the fraction of a float is kept to the
///   microsecond, of a Julian day to the millisecond. Without a declared epoch a number that looks like a Julian day is
///   refused.
/// - Text is read by [`parse_datetime`].
///
/// The result lies in the years 1 to 9999 of its own clock, so up to a day beyond them in UTC.
pub fn read(value: Value<'_>, column: &Column) -> Result<Option<Instant>, CellFault> {
    let zone = column.zone.as_ref();
    let instant = match value {
        Value::Null => return Ok(None),
        Value::Instant(instant) => within(instant),
        Value::Civil(civil) => from_civil(civil, zone),
        Value::Date(days) => from_civil(midnight(days), zone),
        Value::Int(number) => return whole(number, column).map(Some),
        Value::Uint(number) => return whole(i64::try_from(number).unwrap_or(i64::MAX), column).map(Some),
        Value::Float(number) => return fractional(number, column).map(Some),
        Value::Float32(number) => return fractional(f64::from(number), column).map(Some),
        Value::Text(text) => match parse(text, zone) {
            Some(instant) => Some(instant),
            None => {
                let text = std::str::from_utf8(text).unwrap_or_default();
                return Err(fault(column, unreadable(text, "text that is no datetime of the years 1 to 9999")));
            }
        },
        Value::Bool(_) => return Err(fault(column, "a boolean")),
        Value::Bytes(_) | Value::Elements(..) | Value::TooLarge { .. } => return Err(fault(column, value.kind())),
    };
    instant.map(Some).ok_or_else(|| fault(column, OUT_OF_REACH))
}

/// What a text is that can't be read as a date or a datetime: one of the marks that databases put where there is none,
/// or else `usual`. No part of the text is told. [`remedy`] knows what helps.
pub fn unreadable(text: &str, usual: &'static str) -> &'static str {
    let text = text.trim();
    if text.trim_start_matches('-').eq_ignore_ascii_case("infinity") {
        INFINITY
    } else if text.starts_with("0000-00-00") {
        ZERO_DATE
    } else {
        usual
    }
}

/// What helps where a date or datetime can't be read, by what a [`CellFault`] says was found; `None` where correcting
/// the data or the column's type is all that helps.
pub fn remedy(found: &str) -> Option<&'static str> {
    match found {
        INFINITY | ZERO_DATE => {
            Some("write NULL in the store or a view instead, or give the column unreadable = \"null\" in the catalogue")
        }
        _ => epoch::remedy(found),
    }
}

/// Reads `YYYY-MM-DD`, a date alone meaning its midnight, or `YYYY-MM-DD HH:MM[:SS[.fraction]]` with `T`, `t` or a
/// blank in the middle, and after it `Z`, `z` or an offset (`+HH`, `+HHMM`, `+HH:MM`, `+HH:MM:SS`), with or without a
/// blank before it.
///
/// Without an offset the text is a local time of `zone`, or of UTC: a time that the zone's clocks skip is moved
/// forward by the gap, of a time that they show twice the earlier is meant. A fraction finer than nanoseconds is
/// refused unless the finer digits are zeros.
pub fn parse_datetime(text: &str, zone: Option<&TimeZone>) -> Option<Instant> {
    parse(text.as_bytes(), zone)
}

/// The length of `YYYY-MM-DD`.
pub const DATE_LENGTH: usize = 10;

/// Whether a text begins with `YYYY-MM-DD`, and no further digit follows.
pub fn begins_with_date(text: &[u8]) -> bool {
    date(text).is_some_and(|(_, rest)| !rest.first().is_some_and(u8::is_ascii_digit))
}

/// Reads `YYYY-MM-DD` and nothing else, as days since 1970-01-01.
pub fn parse_date(text: &str) -> Option<i32> {
    match date(text.as_bytes())? {
        (days, []) => Some(days),
        _ => None,
    }
}

/// The days from 1970-01-01 to a date; `None` for a date that does not exist or lies outside the years 1 to 9999.
pub fn days_from_civil(year: u32, month: u32, day: u32) -> Option<i32> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    // A year that begins in March ends with the leap day, and its months follow a straight line of 153 days in five.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some(days as i32 - 719_468)
}

/// Year, month and day of a day of the years 1 to 9999, given in days since 1970-01-01.
pub fn civil_from_days(days: i32) -> (u32, u32, u32) {
    debug_assert!((FIRST_DAY..=LAST_DAY).contains(&days));
    let days = (days + 719_468) as u32;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

/// The point in time at which clocks in `zone` (UTC if there is none) show `civil`; `None` when that is outside the
/// years 1 to 9999. Gaps and repeated times are settled as in [`parse_datetime`].
pub fn from_civil(civil: Instant, zone: Option<&TimeZone>) -> Option<Instant> {
    let days = i32::try_from(civil.seconds.div_euclid(DAY_SECONDS)).ok()?;
    if !(FIRST_DAY..=LAST_DAY).contains(&days) {
        return None;
    }
    let Some(zone) = zone else { return Some(civil) };
    let (year, month, day) = civil_from_days(days);
    let second = civil.seconds.rem_euclid(DAY_SECONDS) as i32;
    let (hour, minute, second) = ((second / 3600) as i8, (second / 60 % 60) as i8, (second % 60) as i8);
    let local = DateTime::new(year as i16, month as i8, day as i8, hour, minute, second, 0).ok()?;
    let offset = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        // The offset before the change puts a skipped time behind the gap and picks the earlier of a repeated one.
        AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
    };
    Some(Instant { seconds: civil.seconds - i64::from(offset.seconds()), nanos: civil.nanos })
}

fn midnight(days: i32) -> Instant {
    Instant { seconds: i64::from(days) * DAY_SECONDS, nanos: 0 }
}

fn within(instant: Instant) -> Option<Instant> {
    let day = instant.seconds.div_euclid(DAY_SECONDS);
    (i64::from(FIRST_DAY) - 1..=i64::from(LAST_DAY) + 1).contains(&day).then_some(instant)
}

fn whole(number: i64, column: &Column) -> Result<Instant, CellFault> {
    in_reach(epoch::micros_of_whole(number, column.epoch), number as f64, column)
}

fn fractional(number: f64, column: &Column) -> Result<Instant, CellFault> {
    in_reach(epoch::micros_of_fraction(number, column.epoch), number, column)
}

fn in_reach(micros: Option<i64>, number: f64, column: &Column) -> Result<Instant, CellFault> {
    let instant = micros.and_then(|micros| within(Instant::from_micros(micros)));
    instant.ok_or_else(|| fault(column, epoch::looks(number).unwrap_or(OUT_OF_REACH)))
}

fn parse(text: &[u8], zone: Option<&TimeZone>) -> Option<Instant> {
    let (days, rest) = date(text)?;
    let [separator, rest @ ..] = rest else { return from_civil(midnight(days), zone) };
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let (second, rest) = time(rest)?;
    let (nanos, rest) = fraction(rest)?;
    let civil = Instant { seconds: i64::from(days) * DAY_SECONDS + i64::from(second), nanos };
    if rest.is_empty() {
        return from_civil(civil, zone);
    }
    let offset = offset(rest.strip_prefix(b" ").unwrap_or(rest))?;
    Some(Instant { seconds: civil.seconds - i64::from(offset), nanos })
}

fn date(text: &[u8]) -> Read<'_, i32> {
    let (century, rest) = two_digits(text)?;
    let (year, rest) = two_digits(rest)?;
    let (month, rest) = two_digits(rest.strip_prefix(b"-")?)?;
    let (day, rest) = two_digits(rest.strip_prefix(b"-")?)?;
    Some((days_from_civil(century * 100 + year, month, day)?, rest))
}

/// `HH:MM` or `HH:MM:SS`, as the second of the day.
fn time(text: &[u8]) -> Read<'_, u32> {
    let (hour, rest) = two_digits(text)?;
    let (minute, rest) = two_digits(rest.strip_prefix(b":")?)?;
    let (second, rest) = match rest {
        [b':', rest @ ..] => two_digits(rest)?,
        // A fraction belongs to seconds.
        [b'.', ..] => return None,
        rest => (0, rest),
    };
    (hour < 24 && minute < 60 && second < 60).then_some((hour * 3600 + minute * 60 + second, rest))
}

/// `.` and digits, or nothing, as nanoseconds.
fn fraction(text: &[u8]) -> Read<'_, u32> {
    let [b'.', digits @ ..] = text else { return Some((0, text)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(count);
    let (kept, finer) = digits.split_at(count.min(9));
    if kept.is_empty() || finer.iter().any(|&digit| digit != b'0') {
        return None;
    }
    let value = kept.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    Some((value * 10_u32.pow(9 - kept.len() as u32), rest))
}

/// The whole of `text` as an offset in seconds.
fn offset(text: &[u8]) -> Option<i32> {
    let (sign, rest) = match text {
        [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hour, rest) = two_digits(rest)?;
    let (minute, second) = match rest {
        [] => (0, 0),
        [b':', rest @ ..] => match two_digits(rest)? {
            (minute, []) => (minute, 0),
            (minute, rest) => (minute, last_two_digits(rest.strip_prefix(b":")?)?),
        },
        rest => (last_two_digits(rest)?, 0),
    };
    (hour < 24 && minute < 60 && second < 60).then_some(sign * (hour * 3600 + minute * 60 + second) as i32)
}

fn two_digits(text: &[u8]) -> Read<'_, u32> {
    let [tens, ones, rest @ ..] = text else { return None };
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then_some((u32::from(tens) * 10 + u32::from(ones), rest))
}

fn last_two_digits(text: &[u8]) -> Option<u32> {
    match two_digits(text)? {
        (value, []) => Some(value),
        _ => None,
    }
}

fn days_of_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

fn fault(column: &Column, found: &str) -> CellFault {
    CellFault { declared: column.kind, found: found.to_owned() }
}

#[cfg(test)]
mod tests;
