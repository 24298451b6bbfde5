//! Cells of the types `date` and `datetime`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::dialect::Dialect;
use super::{Written, name_of};
use crate::instant::{DAY_SECONDS, FIRST_DAY, LAST_DAY, civil_from_days, parse_date};
use crate::job::DatetimeStyle;
use crate::value::{Instant, Value};

const OUT_OF_RANGE: &str = "a date outside the years 1 to 9999";

/// Spans remembered at most; a century of daylight saving has 200, a file seldom more than a few.
const MAX_SPANS: usize = 64;

/// Appends a date. A datetime is one when it is exactly midnight, on its own clock or else in UTC.
pub(super) fn write_date(value: Value<'_>, dialect: &Dialect, out: &mut Vec<u8>) -> Written {
    let days = match value {
        Value::Date(days) => days,
        Value::Text(text) => {
            let text = std::str::from_utf8(text).ok();
            text.and_then(parse_date).ok_or("text that is no date of the years 1 to 9999")?
        }
        Value::Instant(instant) | Value::Civil(instant) => {
            if instant.seconds.rem_euclid(DAY_SECONDS) != 0 || instant.nanos != 0 {
                return Err("a datetime that is not midnight");
            }
            i32::try_from(instant.seconds / DAY_SECONDS).map_err(|_| OUT_OF_RANGE)?
        }
        other => return Err(name_of(other)),
    };
    if !(FIRST_DAY..=LAST_DAY).contains(&days) {
        return Err(OUT_OF_RANGE);
    }
    let mut text = *b"0000-00-00";
    put_date(&mut text, days);
    let start = out.len();
    out.extend_from_slice(&text);
    dialect.fence(out, start);
    Ok(())
}

/// Writes datetimes in a zone, and remembers the zone's offsets so that it is seldom asked.
#[derive(Debug)]
pub(super) struct Clock {
    style: DatetimeStyle,
    zone: TimeZone,
    /// The span that the last datetime fell into.
    current: Span,
    spans: Vec<Span>,
}

/// Seconds since 1970, `from` to `to` without it, in which the zone has one offset.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: i64,
    to: i64,
    /// Seconds to add to UTC.
    offset: i64,
}

impl Clock {
    pub(super) fn new(style: DatetimeStyle, zone: TimeZone) -> Clock {
        let zone = if style == DatetimeStyle::Utc { TimeZone::UTC } else { zone };
        Clock { style, zone, current: Span { from: 0, to: 0, offset: 0 }, spans: Vec::new() }
    }

    /// Appends a datetime in the clock's style.
    ///
    /// RFC 3339 knows no seconds in offsets, so local mean times are written with the nearest whole minute, and the
    /// time beside it is shifted alike: the instant stays what it is. Where the zone's calendar leaves the years 1 to
    /// 9999, UTC is written.
    pub(super) fn write(&mut self, instant: Instant, dialect: &Dialect, out: &mut Vec<u8>) -> Written {
        let mut offset = self.offset_at(instant.seconds);
        if civil_day(instant.seconds + offset).is_none() && self.style == DatetimeStyle::Rfc3339 {
            offset = 0;
        }
        let local = instant.seconds + offset;
        let days = civil_day(local).ok_or(OUT_OF_RANGE)?;
        let second = local.rem_euclid(DAY_SECONDS) as u32;
        let mut text = *b"0000-00-00T00:00:00";
        put_date(&mut text, days);
        put_pair(&mut text, 11, second / 3600);
        put_pair(&mut text, 14, second / 60 % 60);
        put_pair(&mut text, 17, second % 60);
        if self.style == DatetimeStyle::Local {
            text[10] = b' ';
        }
        let start = out.len();
        out.extend_from_slice(&text);
        push_fraction(instant.nanos, out);
        match self.style {
            DatetimeStyle::Rfc3339 => push_offset(offset, out),
            DatetimeStyle::Utc => out.push(b'Z'),
            DatetimeStyle::Local => {}
        }
        dialect.fence(out, start);
        Ok(())
    }

    fn offset_at(&mut self, second: i64) -> i64 {
        let holds = |span: &Span| span.from <= second && second < span.to;
        if !holds(&self.current) {
            self.current = match self.spans.iter().find(|span| holds(span)) {
                Some(span) => *span,
                None => self.look_up(second),
            };
        }
        self.current.offset
    }

    fn look_up(&mut self, second: i64) -> Span {
        // jiff's last instant lies a few hours before the end of the year 9999; no zone changes there.
        let last = Timestamp::MAX.as_second() - 1;
        let at = Timestamp::from_second(second.clamp(Timestamp::MIN.as_second(), last)).unwrap_or(Timestamp::MAX);
        let next = Timestamp::from_second(at.as_second() + 1).unwrap_or(Timestamp::MAX);
        let mut offset = i64::from(self.zone.to_offset(at).seconds());
        if self.style == DatetimeStyle::Rfc3339 {
            offset = (offset + 30).div_euclid(60) * 60;
        }
        let span = Span {
            from: self.zone.preceding(next).next().map_or(i64::MIN, |change| change.timestamp().as_second()),
            to: self.zone.following(at).next().map_or(i64::MAX, |change| change.timestamp().as_second()),
            offset,
        };
        if self.spans.len() == MAX_SPANS {
            self.spans.clear();
        }
        self.spans.push(span);
        span
    }
}

/// The day of a second, if it lies in the years 1 to 9999.
fn civil_day(second: i64) -> Option<i32> {
    let days = i32::try_from(second.div_euclid(DAY_SECONDS)).ok()?;
    (FIRST_DAY..=LAST_DAY).contains(&days).then_some(days)
}

fn put_date(text: &mut [u8], days: i32) {
    let (year, month, day) = civil_from_days(days);
    put_pair(text, 0, year / 100);
    put_pair(text, 2, year % 100);
    put_pair(text, 5, month);
    put_pair(text, 8, day);
}

fn put_pair(text: &mut [u8], at: usize, value: u32) {
    text[at] = b'0' + (value / 10) as u8;
    text[at + 1] = b'0' + (value % 10) as u8;
}

fn push_fraction(nanos: u32, out: &mut Vec<u8>) {
    if nanos == 0 {
        return;
    }
    let mut text = *b".000000000";
    let mut rest = nanos;
    for digit in text[1..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let length = text.iter().rposition(|&byte| byte != b'0').map_or(0, |last| last + 1);
    out.extend_from_slice(&text[..length]);
}

fn push_offset(offset: i64, out: &mut Vec<u8>) {
    let minutes = offset.unsigned_abs() as u32 / 60;
    let mut text = *b"+00:00";
    if offset < 0 {
        text[0] = b'-';
    }
    put_pair(&mut text, 1, minutes / 60);
    put_pair(&mut text, 4, minutes % 60);
    out.extend_from_slice(&text);
}
