//! The two ends of a period in the forms in which time columns can be compared with them.
//!
//! All forms keep the promise that the period is `[from, to)` of instants, or of calendar dates for a column that is
//! declared a date; and that the end of one period is the beginning of the next, so no row is lost between two.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ZonedDateTime};

use crate::catalogue::EpochUnit;
use crate::instant::{DAY_MILLIS, JULIAN_1970};

/// What a time column of the store holds, as far as comparing it goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// Calendar dates.
    Date,
    /// Instants.
    Instant,
    /// Local times of a zone, UTC if there is none.
    Civil(Option<TimeZone>),
    /// Whole units of an epoch.
    Epoch(EpochUnit),
    /// Julian days with a fraction.
    JulianDays,
}

impl Form {
    /// `at` as SQL text in this form: `2026-11-21`, `2026-11-21 04:00:00.000000` with `+00` for instants, or a number.
    pub(super) fn text(&self, at: &ZonedDateTime) -> String {
        match self {
            Form::Date => date_text(at),
            Form::Instant => format!("{}+00", civil_text(at.timestamp().to_zoned_datetime(TimeZone::UTC).datetime())),
            Form::Civil(None) => civil_text(at.timestamp().to_zoned_datetime(TimeZone::UTC).datetime()),
            Form::Civil(Some(zone)) => civil_text(first_local(at, zone)),
            Form::Epoch(unit) => units(at, *unit).to_string(),
            Form::JulianDays => julian_days(at),
        }
    }

    /// Whether it is a number.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Form::Epoch(_) | Form::JulianDays)
    }

    /// What numbers with a fraction are compared in.
    pub(super) fn of_fractions(unit: EpochUnit) -> Form {
        if unit == EpochUnit::Julian { Form::JulianDays } else { Form::Epoch(unit) }
    }
}

/// The hint that no index serves a filter on the column that is quoted as `column`.
pub(super) fn no_index(column: &str) -> String {
    format!("no index starts with {column}, so every run reads all rows to find those of its period")
}

/// The calendar date of `at` in its own zone.
pub(super) fn date_text(at: &ZonedDateTime) -> String {
    let date = at.date();
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

fn civil_text(time: DateTime) -> String {
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.subsec_nanosecond() / 1000
    )
}

/// The first local time of `zone` that is read as `at` or later.
///
/// Where clocks show an hour twice, its local times are read as the earlier one; an `at` in the second pass so lies
/// behind all of them.
fn first_local(at: &ZonedDateTime, zone: &TimeZone) -> DateTime {
    const MOMENT: SignedDuration = SignedDuration::from_nanos(1);
    let local = at.timestamp().to_zoned_datetime(zone.clone());
    let read = zone.to_ambiguous_timestamp(local.datetime()).compatible();
    if read.is_ok_and(|read| read < at.timestamp())
        && let Some(change) = zone.preceding(at.timestamp() + MOMENT).next()
    {
        let before = zone.to_offset(change.timestamp() - MOMENT);
        return before.to_datetime(change.timestamp());
    }
    local.datetime()
}

/// `at` in units of an epoch, rounded up: the first whole number that belongs to a period which starts then.
pub(super) fn units(at: &ZonedDateTime, unit: EpochUnit) -> i64 {
    let nanos = at.timestamp().as_nanosecond();
    let (nanos, per_unit) = match unit {
        EpochUnit::Seconds => (nanos, 1_000_000_000),
        EpochUnit::Milliseconds => (nanos, 1_000_000),
        EpochUnit::Microseconds => (nanos, 1000),
        EpochUnit::Julian => ((i128::from(JULIAN_1970) * 1_000_000) + nanos, i128::from(DAY_MILLIS) * 1_000_000),
    };
    -((-nanos).div_euclid(per_unit)) as i64
}

/// The first Julian day that is read as `at` or later. Reading rounds to milliseconds, so it lies half of one before.
fn julian_days(at: &ZonedDateTime) -> String {
    const DIGITS: i128 = 1_000_000_000_000;
    let half_millis = i128::from(2 * (units(at, EpochUnit::Milliseconds) + JULIAN_1970) - 1);
    let day = i128::from(2 * DAY_MILLIS);
    // Rounded up, for a number of that many digits that is smaller is not read as `at`.
    let fraction = -(-half_millis.rem_euclid(day) * DIGITS).div_euclid(day);
    format!("{}.{fraction:012}", half_millis.div_euclid(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> ZonedDateTime {
        text.parse().unwrap()
    }

    fn paris() -> Option<TimeZone> {
        Some(TimeZone::get("Europe/Paris").unwrap())
    }

    #[test]
    fn one_instant_in_every_form() {
        let at = at("2026-11-21T00:00:00+01:00[Europe/Paris]");
        assert_eq!(Form::Date.text(&at), "2026-11-21");
        assert_eq!(Form::Instant.text(&at), "2026-11-20 23:00:00.000000+00");
        assert_eq!(Form::Civil(None).text(&at), "2026-11-20 23:00:00.000000");
        assert_eq!(Form::Civil(paris()).text(&at), "2026-11-21 00:00:00.000000");
        assert_eq!(Form::Epoch(EpochUnit::Seconds).text(&at), "1795215600");
        assert_eq!(Form::Epoch(EpochUnit::Microseconds).text(&at), "1795215600000000");
    }

    #[test]
    fn julian_days_begin_half_a_millisecond_early() {
        let at = at("2026-11-21T00:00:00+00:00[UTC]");
        assert_eq!(Form::of_fractions(EpochUnit::Julian).text(&at), "2461365.499999994213");
        assert_eq!(Form::Epoch(EpochUnit::Julian).text(&at), "2461366");
        assert_eq!(units(&"2026-11-21T12:00:00+00:00[UTC]".parse().unwrap(), EpochUnit::Julian), 2_461_366);
    }

    #[test]
    fn a_fraction_belongs_to_the_next_whole_unit() {
        let at = at("1970-01-01T00:00:00.0005+00:00[UTC]");
        assert_eq!(units(&at, EpochUnit::Seconds), 1);
        assert_eq!(units(&at, EpochUnit::Milliseconds), 1);
        assert_eq!(units(&at, EpochUnit::Microseconds), 500);
        let before = "1969-12-31T23:59:59.5+00:00[UTC]".parse().unwrap();
        assert_eq!(units(&before, EpochUnit::Seconds), 0);
    }

    #[test]
    fn an_hour_shown_twice_is_the_earlier_one() {
        // Paris set its clocks from 03:00 back to 02:00 at 01:00 UTC.
        let form = Form::Civil(paris());
        assert_eq!(form.text(&at("2026-10-25T00:30:00+00:00[UTC]")), "2026-10-25 02:30:00.000000");
        assert_eq!(form.text(&at("2026-10-25T01:00:00+00:00[UTC]")), "2026-10-25 03:00:00.000000");
        assert_eq!(form.text(&at("2026-10-25T01:30:00+00:00[UTC]")), "2026-10-25 03:00:00.000000");
        assert_eq!(form.text(&at("2026-10-25T02:00:00+00:00[UTC]")), "2026-10-25 03:00:00.000000");
    }
}
