//! Periods around daylight saving, month ends, leap years and odd weeks.

use jiff::civil::{Weekday, date, time};
use jiff::tz::TimeZone;

use super::*;

fn schedule(cadence: Cadence, at: (i8, i8), zone: &str) -> Schedule {
    let zone = TimeZone::get(zone).unwrap();
    Schedule { cadence, at: time(at.0, at.1, 0, 0), week_starts: Weekday::Monday, zone }
}

/// The period as text, `from .. to`, for the occurrence of `schedule` that is due last on `day`.
fn period(rule: PeriodRule, schedule: &Schedule, day: &str) -> String {
    let end: ZonedDateTime =
        day.parse::<Date>().unwrap().at(23, 59, 59, 0).to_zoned_datetime(schedule.zone.clone()).unwrap();
    let due = schedule.latest_due(end.timestamp());
    let Period { from, to } = Period::before(rule, &due, schedule).unwrap();
    let text = |end: ZonedDateTime| end.timestamp().display_with_offset(end.offset()).to_string();
    format!("{} .. {}", text(from), text(to))
}

#[test]
fn a_day_is_the_day_before() {
    let daily = schedule(Cadence::Daily, (4, 0), "Europe/Paris");
    assert_eq!(period(PeriodRule::Day, &daily, "2026-03-01"), "2026-02-28T00:00:00+01:00 .. 2026-03-01T00:00:00+01:00");
    assert_eq!(period(PeriodRule::Day, &daily, "2028-03-01"), "2028-02-29T00:00:00+01:00 .. 2028-03-01T00:00:00+01:00");
}

#[test]
fn days_of_a_change_last_23_and_25_hours() {
    let daily = schedule(Cadence::Daily, (4, 0), "Europe/Paris");
    let spring = period(PeriodRule::Day, &daily, "2026-03-30");
    assert_eq!(spring, "2026-03-29T00:00:00+01:00 .. 2026-03-30T00:00:00+02:00");
    let autumn = period(PeriodRule::Day, &daily, "2026-10-26");
    assert_eq!(autumn, "2026-10-25T00:00:00+02:00 .. 2026-10-26T00:00:00+01:00");
}

#[test]
fn a_midnight_that_does_not_exist_gives_the_first_instant_of_the_day() {
    // Beirut leaps from midnight to one o'clock.
    let daily = schedule(Cadence::Daily, (4, 0), "Asia/Beirut");
    assert_eq!(period(PeriodRule::Day, &daily, "2026-03-29"), "2026-03-28T00:00:00+02:00 .. 2026-03-29T01:00:00+03:00");
    // Toronto leapt from 23:30 to 00:30 in 1919: half of the gap lies before midnight.
    let daily = schedule(Cadence::Daily, (4, 0), "America/Toronto");
    assert_eq!(period(PeriodRule::Day, &daily, "1919-03-31"), "1919-03-30T00:00:00-05:00 .. 1919-03-31T00:30:00-04:00");
}

#[test]
fn weeks_begin_where_the_job_says() {
    let mut weekly = schedule(Cadence::Weekly, (4, 0), "Europe/Paris");
    let text = period(PeriodRule::Week, &weekly, "2026-11-26");
    assert_eq!(text, "2026-11-16T00:00:00+01:00 .. 2026-11-23T00:00:00+01:00");
    weekly.week_starts = Weekday::Sunday;
    let text = period(PeriodRule::Week, &weekly, "2026-11-26");
    assert_eq!(text, "2026-11-15T00:00:00+01:00 .. 2026-11-22T00:00:00+01:00");
}

#[test]
fn a_week_in_the_middle_of_another_is_the_whole_one_before() {
    // A daily job on a Thursday with `period = "week"`.
    let daily = schedule(Cadence::Daily, (4, 0), "UTC");
    let text = period(PeriodRule::Week, &daily, "2026-11-26");
    assert_eq!(text, "2026-11-16T00:00:00+00:00 .. 2026-11-23T00:00:00+00:00");
}

#[test]
fn months_and_years_are_whole() {
    let monthly = schedule(Cadence::Monthly, (4, 0), "UTC");
    let text = |rule, day| period(rule, &monthly, day);
    assert_eq!(text(PeriodRule::Month, "2026-03-31"), "2026-02-01T00:00:00+00:00 .. 2026-03-01T00:00:00+00:00");
    assert_eq!(text(PeriodRule::Month, "2027-01-01"), "2026-12-01T00:00:00+00:00 .. 2027-01-01T00:00:00+00:00");
    assert_eq!(text(PeriodRule::Year, "2026-03-31"), "2025-01-01T00:00:00+00:00 .. 2026-01-01T00:00:00+00:00");
    assert_eq!(text(PeriodRule::TwoYears, "2026-03-31"), "2024-01-01T00:00:00+00:00 .. 2026-01-01T00:00:00+00:00");
}

#[test]
fn all_has_no_bounds() {
    let daily = schedule(Cadence::Daily, (4, 0), "UTC");
    let due = daily.latest_due("2026-11-21T12:00:00Z".parse().unwrap());
    assert_eq!(Period::before(PeriodRule::All, &due, &daily), None);
}

#[test]
fn a_day_that_a_zone_leaves_out_is_in_no_period_and_the_day_before_it_is_in_one() {
    // Apia went from Thursday 29 to Saturday 31 December 2011.
    for cadence in [Cadence::Daily, Cadence::Weekly] {
        let mut schedule = schedule(cadence, (4, 0), "Pacific/Apia");
        schedule.week_starts = Weekday::Saturday;
        let text = period(PeriodRule::Day, &schedule, "2011-12-31");
        assert_eq!(text, "2011-12-29T00:00:00-10:00 .. 2011-12-31T00:00:00+14:00", "{cadence:?}");
    }
    let daily = schedule(Cadence::Daily, (4, 0), "Pacific/Apia");
    let text = period(PeriodRule::Day, &daily, "2012-01-01");
    assert_eq!(text, "2011-12-31T00:00:00+14:00 .. 2012-01-01T00:00:00+14:00");
}

#[test]
fn a_run_pushed_over_midnight_covers_the_day_before_its_own_date() {
    // Nuuk leaps from 23:00 on Saturday to 00:00 on Sunday: Saturday's 23:30 is due as Sunday begins.
    let daily = schedule(Cadence::Daily, (23, 30), "America/Nuuk");
    let due = daily.latest_due("2025-03-30T02:00:00Z".parse().unwrap());
    assert_eq!(due.date(), date(2025, 3, 30));
    assert_eq!(daily.date(&due), date(2025, 3, 29));
    let saturday = Period::before(PeriodRule::Day, &due, &daily).unwrap();
    assert_eq!(saturday.from.date(), date(2025, 3, 28));
    let sunday = Period::before(PeriodRule::Day, &daily.next_due(due.timestamp()), &daily).unwrap();
    assert_eq!(saturday.to, sunday.from, "no day is covered twice or left out");
}
