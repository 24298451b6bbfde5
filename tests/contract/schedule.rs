//! Due times: exactly one for each calendar day, week and month, in every zone there is.

use exportd::job::{Cadence, Job, Schedule};
use exportd::period::Period;
use exportd::plan::Plan;
use jiff::civil::{Date, Time, Weekday, date, time};
use jiff::tz::{TimeZone, db};
use jiff::{Timestamp, ToSpan, ZonedDateTime};

use crate::support::jobs::daily as daily_job;

fn schedule(cadence: Cadence, at: Time, zone: &TimeZone) -> Schedule {
    Schedule { cadence, at, week_starts: Weekday::Monday, zone: zone.clone() }
}

/// Checks every zone of the database, on as many threads as there are cores.
fn in_every_zone(check: impl Fn(&str, &TimeZone) + Sync) {
    let zones: Vec<String> = db().available().map(|name| name.to_string()).collect();
    assert!(zones.len() > 400, "the bundled time zone database is missing: only {} zones", zones.len());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for share in zones.chunks(zones.len().div_ceil(threads)) {
            scope.spawn(|| share.iter().for_each(|name| check(name, &db().get(name).unwrap())));
        }
    });
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Due times of a daily schedule in `zone` at `hour:minute` from the start of `first` on, as text.
fn daily(zone: &str, hour: i8, minute: i8, first: Date, days: usize) -> Vec<String> {
    let zone = TimeZone::get(zone).unwrap();
    let start = first.to_zoned_datetime(zone.clone()).unwrap().timestamp() - 1.second();
    let schedule = schedule(Cadence::Daily, time(hour, minute, 0, 0), &zone);
    schedule.occurrences(start, Timestamp::MAX).take(days).map(|due| rfc3339(&due)).collect()
}

fn rfc3339(due: &ZonedDateTime) -> String {
    due.timestamp().display_with_offset(due.offset()).to_string()
}

/// That `dues` are the occurrences of `dates`: as many, strictly increasing, each belonging to its own date.
fn assert_one_each(name: &str, schedule: &Schedule, dues: &[ZonedDateTime], dates: &[Date]) {
    let found: Vec<Date> = dues.iter().map(|due| schedule.date(due)).collect();
    assert_eq!(found, dates, "{name} at {}", schedule.at);
    for pair in dues.windows(2) {
        assert!(pair[0].timestamp() < pair[1].timestamp(), "{name}: {} then {}", pair[0], pair[1]);
    }
    for due in dues {
        let shown = due.datetime();
        let wanted = schedule.date(due).to_datetime(schedule.at);
        assert!(shown >= wanted, "{name}: {due} is before {wanted}");
        let is_first = || schedule.zone.to_datetime(due.timestamp() - 1.nanosecond()) < wanted;
        assert!(shown == wanted || is_first(), "{name}: {due} is not the first instant after the gap at {wanted}");
    }
}

#[test]
fn every_zone_has_one_occurrence_a_day_for_ten_years() {
    let times = [time(0, 0, 0, 0), time(2, 30, 0, 0), time(23, 30, 0, 0)];
    let dates: Vec<Date> = date(2020, 1, 1).series(1.day()).take_while(|day| day.year() < 2030).collect();
    in_every_zone(|name, zone| {
        for at in times {
            let schedule = schedule(Cadence::Daily, at, zone);
            let start = date(2020, 1, 1).to_zoned_datetime(zone.clone()).unwrap().timestamp() - 1.second();
            let dues: Vec<ZonedDateTime> = schedule.occurrences(start, Timestamp::MAX).take(dates.len()).collect();
            assert_one_each(name, &schedule, &dues, &dates);
        }
    });
}

#[test]
fn every_zone_has_one_occurrence_a_week_and_a_month() {
    let mondays: Vec<Date> = date(2020, 1, 6).series(7.days()).take_while(|day| day.year() < 2030).collect();
    let firsts: Vec<Date> = date(2020, 1, 1).series(1.month()).take_while(|day| day.year() < 2030).collect();
    in_every_zone(|name, zone| {
        for (cadence, dates) in [(Cadence::Weekly, &mondays), (Cadence::Monthly, &firsts)] {
            let schedule = schedule(cadence, time(0, 30, 0, 0), zone);
            let start = date(2020, 1, 1).to_zoned_datetime(zone.clone()).unwrap().timestamp() - 1.second();
            let dues: Vec<ZonedDateTime> = schedule.occurrences(start, Timestamp::MAX).take(dates.len()).collect();
            assert_one_each(name, &schedule, &dues, dates);
        }
    });
}

#[test]
fn due_times_do_not_depend_on_where_one_starts_to_look() {
    let (from, until) = (at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
    in_every_zone(|name, zone| {
        for cadence in [Cadence::Daily, Cadence::Weekly, Cadence::Monthly] {
            let schedule = schedule(cadence, time(23, 45, 0, 0), zone);
            let all: Vec<ZonedDateTime> = schedule.occurrences(from, until).collect();
            let mut restarted = Vec::new();
            let mut seen = from;
            // Steps of 36 h 7 min end at every time of the day, on and beside due times.
            while seen < until {
                let now = (seen + 2167.minutes()).min(until);
                restarted.extend(schedule.occurrences(seen, now));
                seen = now;
            }
            assert_eq!(restarted, all, "{name}");
            for pair in all.windows(2).step_by(5) {
                assert_eq!(schedule.next_due(pair[0].timestamp()), pair[1], "{name}");
                assert_eq!(schedule.latest_due(pair[1].timestamp() - 1.nanosecond()), pair[0], "{name}");
                assert_eq!(schedule.latest_due(pair[0].timestamp()), pair[0], "{name}");
            }
        }
    });
}

#[test]
fn a_time_in_a_gap_is_due_right_after_it() {
    let days = daily("Europe/Paris", 2, 30, date(2026, 3, 28), 3);
    assert_eq!(days, ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]);
    let edge = daily("Europe/Paris", 2, 0, date(2026, 3, 29), 1);
    assert_eq!(edge, ["2026-03-29T03:00:00+02:00"]);
    // Half an hour on Lord Howe Island.
    assert_eq!(daily("Australia/Lord_Howe", 2, 15, date(2026, 10, 4), 1), ["2026-10-04T02:30:00+11:00"]);
}

#[test]
fn a_time_that_comes_twice_is_due_the_first_time() {
    let days = daily("Europe/Paris", 2, 30, date(2026, 10, 25), 2);
    assert_eq!(days, ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]);
}

#[test]
fn a_gap_over_midnight_keeps_both_days() {
    let days = daily("America/Nuuk", 23, 30, date(2025, 3, 28), 3);
    assert_eq!(days, ["2025-03-28T23:30:00-02:00", "2025-03-30T00:00:00-01:00", "2025-03-30T23:30:00-01:00"]);
    let schedule = schedule(Cadence::Daily, time(23, 30, 0, 0), &TimeZone::get("America/Nuuk").unwrap());
    let named = |due: &str| rfc3339(&schedule.name_time(&at(due).to_zoned_datetime(schedule.zone.clone())));
    assert_eq!([named(&days[0]), named(&days[1]), named(&days[2])], [&days[0], "2025-03-29T22:59:59-02:00", &days[2]]);
}

#[test]
fn two_occurrences_on_one_date_have_names_of_their_own() {
    let mut job = Job { manifest: true, ..daily_job("nightly", 23, 30) };
    job.schedule.zone = TimeZone::get("America/Nuuk").unwrap();
    let dues = job.schedule.occurrences(at("2025-03-29T12:00:00Z"), at("2025-03-31T12:00:00Z"));
    let names: Vec<_> = dues.map(|due| Plan::new(&job, &due, "run").manifest.unwrap()).collect();
    assert_eq!(names, ["nightly_2025-03-29.manifest.json", "nightly_2025-03-30.manifest.json"]);
}

#[test]
fn a_day_that_a_zone_leaves_out_has_no_occurrence() {
    for (hour, minute) in [(0, 0), (4, 0), (23, 30)] {
        let days = daily("Pacific/Apia", hour, minute, date(2011, 12, 29), 2);
        let clock = format!("{hour:02}:{minute:02}:00");
        assert_eq!(days, [format!("2011-12-29T{clock}-10:00"), format!("2011-12-31T{clock}+14:00")]);
    }
}

#[test]
fn a_week_that_would_begin_on_a_day_left_out_begins_right_after_it() {
    let zone = TimeZone::get("Pacific/Apia").unwrap();
    let mut weekly = schedule(Cadence::Weekly, time(4, 0, 0, 0), &zone);
    weekly.week_starts = Weekday::Friday;
    let dues: Vec<ZonedDateTime> = weekly.occurrences(at("2011-12-24T00:00:00Z"), at("2012-01-10T00:00:00Z")).collect();
    let text: Vec<String> = dues.iter().map(rfc3339).collect();
    assert_eq!(text, ["2011-12-31T00:00:00+14:00", "2012-01-06T04:00:00+14:00"]);
    assert_eq!(weekly.date(&dues[0]), date(2011, 12, 30));
}

/// Around every change of the clocks, where alone days differ in length or are left out.
#[test]
fn periods_of_consecutive_occurrences_join_in_every_zone_from_1900_to_2100() {
    let (from, until) = (at("1900-01-01T00:00:00Z"), at("2100-01-01T00:00:00Z"));
    in_every_zone(|name, zone| {
        let changes = zone.following(from).map(|change| change.timestamp()).take_while(|moment| *moment < until);
        for change in changes.chain([from, until]) {
            for (cadence, around) in
                [(Cadence::Daily, 3.days()), (Cadence::Weekly, 15.days()), (Cadence::Monthly, 63.days())]
            {
                for at in [time(0, 0, 0, 0), time(23, 30, 0, 0)] {
                    let mut schedule = schedule(cadence, at, zone);
                    // A week that begins on the very day.
                    schedule.week_starts = zone.to_datetime(change).date().yesterday().unwrap().weekday();
                    let first = change.to_zoned_datetime(zone.clone()).saturating_sub(around).timestamp();
                    let last = change.to_zoned_datetime(zone.clone()).saturating_add(around).timestamp();
                    let dues = schedule.occurrences(first, last);
                    let periods: Vec<Period> = dues.map(|due| Period::of_cadence(&due, &schedule)).collect();
                    assert!(periods.len() >= 4, "{name} around {change}: only {} periods", periods.len());
                    for pair in periods.windows(2) {
                        assert!(pair[0].from < pair[0].to, "{name}: empty: {:?}", pair[0]);
                        assert_eq!(pair[0].to, pair[1].from, "{name}, {cadence:?} at {at}");
                    }
                }
            }
        }
    });
}

#[test]
fn the_bounds_are_open_below_and_closed_above() {
    let schedule = schedule(Cadence::Daily, time(4, 0, 0, 0), &TimeZone::UTC);
    let count = |after: &str, until: &str| schedule.occurrences(at(after), at(until)).count();
    assert_eq!(count("2026-11-20T04:00:00Z", "2026-11-21T04:00:00Z"), 1);
    assert_eq!(count("2026-11-20T03:59:59Z", "2026-11-21T03:59:59Z"), 1);
    assert_eq!(count("2026-11-21T04:00:00Z", "2026-11-21T04:00:00Z"), 0);
    assert_eq!(count("2026-11-21T05:00:00Z", "2026-11-20T05:00:00Z"), 0);
}
