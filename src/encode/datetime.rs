//! How dates and datetimes are spelled, whatever surrounds them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cell::Fault;
use crate::instant::{DAY_SECONDS, FIRST_DAY, LAST_DAY, civil_from_days};
use crate::job::DatetimeStyle;
use crate::value::Instant;

/// Spans remembered at most; a century of daylight saving has 200, a file seldom more than a few.
const MAX_SPANS: usize = 64;

/// Writes datetimes in a zone. It remembers the zone's offsets, so that it is seldom asked, and the last day.
#[derive(Debug)]
pub(super) struct Clock {
    style: DatetimeStyle,
    zone: TimeZone,
    day: Day,
    /// The span that the last datetime fell into.
    current: Span,
    spans: Vec<Span>,
}

/// A day of the years 1 to 9999.
#[derive(Clone, Copy, Debug)]
struct Day {
    /// Its midnight on its own clock, in seconds since 1970.
    start: i64,
    /// As it is written.
    text: [u8; 10],
}

/// Seconds since 1970, `from` to `to` without it, in which the zone has one offset.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: i64,
    to: i64,
    /// Seconds to add to UTC.
    offset: i64,
    /// The offset as RFC 3339 writes it.
    text: [u8; 6],
}

impl Span {
    fn new(from: i64, to: i64, offset: i64) -> Span {
        let minutes = offset.unsigned_abs() as u32 / 60;
        let mut text = *b"+00:00";
        if offset < 0 {
            text[0] = b'-';
        }
        put_pair(&mut text, 1, minutes / 60);
        put_pair(&mut text, 4, minutes % 60);
        Span { from, to, offset, text }
    }
}

impl Day {
    fn new(days: i32) -> Day {
        Day { start: i64::from(days) * DAY_SECONDS, text: date_text(days) }
    }

    fn holds(&self, second: i64) -> bool {
        (0..DAY_SECONDS).contains(&(second - self.start))
    }
}

impl Clock {
    pub(super) fn new(style: DatetimeStyle, zone: TimeZone) -> Clock {
        let zone = if style == DatetimeStyle::Utc { TimeZone::UTC } else { zone };
        Clock { style, zone, day: Day::new(0), current: Span::new(0, 0, 0), spans: Vec::new() }
    }

    /// Appends a datetime in the clock's style.
    ///
    /// RFC 3339 knows no seconds in offsets, so local mean times are written with the nearest whole minute, and the
    /// time beside it is shifted alike: the instant stays what it is. Where the zone's calendar leaves the years 1 to
    /// 9999, UTC is written.
    pub(super) fn write(&mut self, instant: Instant, out: &mut Vec<u8>) -> Result<(), Fault> {
        let Span { mut offset, mut text, .. } = self.span_at(instant.seconds);
        if !self.day.holds(instant.seconds + offset) {
            if civil_day(instant.seconds + offset).is_none() && self.style == DatetimeStyle::Rfc3339 {
                Span { offset, text, .. } = Span::new(0, 0, 0);
            }
            self.day = Day::new(civil_day(instant.seconds + offset).ok_or("a date outside the years 1 to 9999")?);
        }
        let mut cell = *b"0000-00-00T00:00:00.000000000+00:00";
        cell[..10].copy_from_slice(&self.day.text);
        if self.style == DatetimeStyle::Local {
            cell[10] = b' ';
        }
        let second = (instant.seconds + offset - self.day.start) as u32;
        put_pair(&mut cell, 11, second / 3600);
        put_pair(&mut cell, 14, second / 60 % 60);
        put_pair(&mut cell, 17, second % 60);
        let mut length = put_fraction(&mut cell, instant.nanos);
        match self.style {
            DatetimeStyle::Rfc3339 => {
                cell[length..length + 6].copy_from_slice(&text);
                length += 6;
            }
            DatetimeStyle::Utc => {
                cell[length] = b'Z';
                length += 1;
            }
            DatetimeStyle::Local => {}
        }
        let start = out.len();
        // A copy of known length is one or two instructions, and cutting costs nothing.
        out.extend_from_slice(&cell);
        out.truncate(start + length);
        Ok(())
    }

    fn span_at(&mut self, second: i64) -> Span {
        let holds = |span: &Span| span.from <= second && second < span.to;
        if !holds(&self.current) {
            self.current = match self.spans.iter().find(|span| holds(span)) {
                Some(span) => *span,
                None => self.look_up(second),
            };
        }
        self.current
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
        let from = self.zone.preceding(next).next().map_or(i64::MIN, |change| change.timestamp().as_second());
        let to = self.zone.following(at).next().map_or(i64::MAX, |change| change.timestamp().as_second());
        let span = Span::new(from, to, offset);
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

/// A day of the years 1 to 9999, given in days since 1970-01-01, as `YYYY-MM-DD`.
pub(super) fn date_text(days: i32) -> [u8; 10] {
    let (year, month, day) = civil_from_days(days);
    let mut text = *b"0000-00-00";
    put_pair(&mut text, 0, year / 100);
    put_pair(&mut text, 2, year % 100);
    put_pair(&mut text, 5, month);
    put_pair(&mut text, 8, day);
    text
}

fn put_pair(text: &mut [u8], at: usize, value: u32) {
    text[at] = b'0' + (value / 10) as u8;
    text[at + 1] = b'0' + (value % 10) as u8;
}

/// Puts the digits of the fraction, as many as are needed, behind the seconds. Says where they end.
fn put_fraction(cell: &mut [u8; 35], nanos: u32) -> usize {
    if nanos == 0 {
        return 19;
    }
    let mut put_triple = |at, value| {
        cell[at] = b'0' + (value / 100) as u8;
        put_pair(cell, at + 1, value % 100);
    };
    put_triple(20, nanos / 1_000_000);
    let mut end = 23;
    if !nanos.is_multiple_of(1_000_000) {
        put_triple(23, nanos / 1000 % 1000);
        put_triple(26, nanos % 1000);
        end = 29;
    }
    while cell[end - 1] == b'0' {
        end -= 1;
    }
    end
}
