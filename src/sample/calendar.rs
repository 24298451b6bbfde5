//! When things happen in the sample: fourteen months that end on 1 November 2026, and the instants that break exports.
//!
//! Nothing here looks at the clock, so the data of a seed is the same on every day it is made.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::random::Random;

/// A point in time: microseconds since 1970-01-01T00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub(super) i64);

/// A second, in the unit of [`Moment`].
pub(super) const SECOND: i64 = 1_000_000;
/// An hour, in the unit of [`Moment`].
pub(super) const HOUR: i64 = 3600 * SECOND;
/// A day, in the unit of [`Moment`].
pub(super) const DAY: i64 = 24 * HOUR;

/// The first day of the data.
pub(super) const FIRST_DAY: Date = date(2025, 9, 1);
/// The first day after the data.
pub(super) const END_DAY: Date = date(2026, 11, 1);

/// Bounds of days, weeks, months and years in UTC, Paris, New York and Kolkata, all changes to and from summer time
/// in Paris and New York, a leap day, a date before 1970.
const BOUNDS: [&str; 24] = [
    "2026-10-30T23:00:00Z",
    "2026-10-31T00:00:00Z",
    "2026-10-31T23:00:00Z",
    "2026-11-01T00:00:00Z",
    "2026-09-30T22:00:00Z",
    "2026-10-01T00:00:00Z",
    "2026-10-25T23:00:00Z",
    "2026-10-26T00:00:00Z",
    "2026-10-24T22:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-10-31T04:00:00Z",
    "2026-10-30T18:30:00Z",
    "2026-03-28T23:00:00Z",
    "2026-03-29T01:00:00Z",
    "2026-03-29T22:00:00Z",
    "2026-03-08T07:00:00Z",
    "2025-11-02T06:00:00Z",
    "2025-10-26T01:00:00Z",
    "2025-12-31T23:00:00Z",
    "2026-01-01T00:00:00Z",
    "2024-02-29T12:30:00Z",
    "2024-03-01T00:00:00Z",
    "1969-07-20T20:17:40Z",
    "1970-01-01T00:00:00Z",
];

/// How many moments [`bound`] knows.
pub(super) const BOUND_COUNT: u64 = 3 * BOUNDS.len() as u64;

/// The `index`th of the moments around the bounds: just before, exactly on and just after each of them.
pub(super) fn bound(index: u64) -> Option<Moment> {
    let text = BOUNDS.get(index as usize / 3)?;
    let at: Timestamp = text.parse().expect("the bounds are written as RFC 3339");
    Some(Moment(at.as_microsecond() + index as i64 % 3 - 1))
}

impl Moment {
    /// Midnight UTC of `day`.
    pub(super) fn midnight(day: Date) -> Moment {
        let days = (day - date(1970, 1, 1)).get_days();
        Moment(i64::from(days) * DAY)
    }

    /// The first instant of the data.
    pub(super) fn first() -> Moment {
        Moment::midnight(FIRST_DAY)
    }

    /// The last instant of the data.
    pub(super) fn last() -> Moment {
        Moment(Moment::midnight(END_DAY).0 - 1)
    }

    /// The moment for the `index`th of `count` things that come one after the other: spread evenly over the days, and
    /// over a day as work is, most around noon. Mostly whole seconds, as most systems keep them.
    pub(super) fn spread(index: u64, count: u64, random: &mut Random) -> Moment {
        let days = (Moment::last().0 - Moment::first().0) / DAY + 1;
        let day = (u128::from(index) * days as u128 / u128::from(count.max(1))) as i64;
        let second = (random.below(43_000) + random.below(43_000)) as i64;
        let millis = if random.chance(25) { random.below(1000) as i64 } else { 0 };
        Moment(Moment::first().0 + day * DAY + second * SECOND + millis * 1000)
    }

    /// The moment `micros` later.
    pub(super) fn plus(self, micros: i64) -> Moment {
        Moment(self.0 + micros)
    }

    /// The moment `micros` later, but not after the end of the data unless this one already is.
    pub(super) fn plus_within(self, micros: i64) -> Moment {
        Moment((self.0 + micros).min(Moment::last().0.max(self.0)))
    }

    /// Whole seconds from `earlier` to this moment.
    pub(super) fn seconds_since(self, earlier: Moment) -> i64 {
        (self.0 - earlier.0) / SECOND
    }

    /// Writes the moment as ISO 8601 in UTC, always with six digits after the second: of texts of one length, the
    /// order of the bytes is the order of time. `between` stands between date and time.
    pub(super) fn write(self, between: char, out: &mut String) {
        let at = Timestamp::from_microsecond(self.0).expect("moments stay within the years 1 to 9999");
        let civil = jiff::tz::Offset::UTC.to_datetime(at);
        write_date(civil.date(), out);
        out.push(between);
        for (number, after) in [(civil.hour(), ':'), (civil.minute(), ':'), (civil.second(), '.')] {
            write_digits(number as u32, 2, out);
            out.push(after);
        }
        write_digits(civil.subsec_nanosecond() as u32 / 1000, 6, out);
    }
}

/// Writes `date` as `2026-11-01`.
pub(super) fn write_date(date: Date, out: &mut String) {
    write_digits(date.year() as u32, 4, out);
    out.push('-');
    write_digits(date.month() as u32, 2, out);
    out.push('-');
    write_digits(date.day() as u32, 2, out);
}

fn write_digits(number: u32, digits: u32, out: &mut String) {
    for place in (0..digits).rev() {
        out.push(char::from(b'0' + (number / 10_u32.pow(place) % 10) as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(moment: Moment) -> String {
        let mut out = String::new();
        moment.write('T', &mut out);
        out
    }

    #[test]
    fn moments_are_written_with_six_digits_before_and_after_1970() {
        assert_eq!(text(Moment(0)), "1970-01-01T00:00:00.000000");
        assert_eq!(text(Moment(-1)), "1969-12-31T23:59:59.999999");
        assert_eq!(text(Moment::last()), "2026-10-31T23:59:59.999999");
        assert_eq!(text(Moment::first()), "2025-09-01T00:00:00.000000");
    }

    #[test]
    fn each_bound_has_an_instant_on_either_side() {
        assert_eq!(text(bound(3).unwrap()), "2026-10-30T23:59:59.999999");
        assert_eq!(text(bound(4).unwrap()), "2026-10-31T00:00:00.000000");
        assert_eq!(text(bound(5).unwrap()), "2026-10-31T00:00:00.000001");
        assert!(bound(BOUND_COUNT - 1).is_some());
        assert!(bound(BOUND_COUNT).is_none());
    }

    #[test]
    fn spreading_covers_the_whole_time_and_leaves_it_nowhere() {
        let moments: Vec<Moment> = (0..1000).map(|i| Moment::spread(i, 1000, &mut Random::new(1, 1, i))).collect();
        assert!(moments.iter().all(|at| *at >= Moment::first() && *at <= Moment::last()));
        assert!(moments[0] < Moment::first().plus(DAY));
        assert!(moments[999] > Moment::last().plus(-DAY));
    }
}
