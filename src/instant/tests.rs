//! Tests of reading datetimes; jiff, which shares no code with the reader, is the oracle.

use jiff::civil::{self, Date};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::catalogue::EpochUnit;
use crate::value::ColumnType;

fn utc(text: &str) -> Option<(i64, u32)> {
    parse_datetime(text, None).map(|instant| (instant.seconds, instant.nanos))
}

fn paris() -> TimeZone {
    TimeZone::get("Europe/Paris").unwrap()
}

#[test]
fn every_form_of_a_datetime_is_read() {
    for (text, expected) in [
        ("1970-01-01", (0, 0)),
        ("1970-01-02T00:00", (86_400, 0)),
        ("1970-01-01 00:00:01", (1, 0)),
        ("1970-01-01t00:00:01.5", (1, 500_000_000)),
        ("1970-01-01 00:00:00.123456789000", (0, 123_456_789)),
        ("1970-01-01T00:00:00Z", (0, 0)),
        ("1970-01-01T00:00:00 z", (0, 0)),
        ("1970-01-01T01:00:00+01", (0, 0)),
        ("1970-01-01T01:30:00+0130", (0, 0)),
        ("1970-01-01T00:00:00-01:30", (5400, 0)),
        ("1970-01-01 00:09:21 +00:09:21", (0, 0)),
        ("1969-12-31 23:59:59.25", (-1, 250_000_000)),
        ("0001-01-01", (-62_135_596_800, 0)),
        ("9999-12-31T23:59:59.999999999Z", (253_402_300_799, 999_999_999)),
        ("2000-02-29", (951_782_400, 0)),
    ] {
        assert_eq!(utc(text), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_datetime_is_refused() {
    for text in [
        "",
        "now",
        "2026",
        "2026-1-01",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "1900-02-29",
        "2026-04-31",
        "0000-01-01",
        "10000-01-01",
        "+2026-01-01",
        "2026-01-01T",
        "2026-01-01 ",
        " 2026-01-01",
        "2026-01-01X00:00",
        "2026-01-01T24:00:00",
        "2026-01-01T00:60:00",
        "2026-12-31T23:59:60Z",
        "2026-01-01T00:00:00.",
        "2026-01-01T00:00.5",
        "2026-01-01T00:00:00.1234567891",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+1",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00+01:0",
        "2026-01-01T00:00:00+010",
        "2026-01-01T00:00:00ZZ",
        "2026-01-01T00:00:00 UTC",
        "2026-01-01T00:00:00  Z",
        "２０２６-01-01",
    ] {
        assert_eq!(utc(text), None, "{text}");
    }
}

#[test]
fn a_date_is_a_date_and_nothing_more() {
    assert_eq!(parse_date("1970-01-01"), Some(0));
    assert_eq!(parse_date("0001-01-01"), Some(FIRST_DAY));
    assert_eq!(parse_date("9999-12-31"), Some(LAST_DAY));
    for text in ["1970-01-01T00:00:00", "1970-01-01 ", "70-01-01", "1970-02-30"] {
        assert_eq!(parse_date(text), None, "{text}");
    }
}

#[test]
fn a_local_time_that_is_skipped_or_repeated_is_settled() {
    let zone = paris();
    let at = |text: &str| parse_datetime(text, Some(&zone)).unwrap().seconds;
    // The clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
    assert_eq!(at("2026-03-29 02:30:00"), at("2026-03-29 03:30:00"));
    assert_eq!(at("2026-10-25 02:30:00"), at("2026-10-25 02:30:00+02:00"));
    assert_eq!(at("2026-07-01"), at("2026-06-30T22:00Z"));
    assert_eq!(at("9999-12-31 23:59:59"), at("9999-12-31T22:59:59Z"));
}

#[test]
fn cells_of_every_shape_are_read() {
    let mut column = Column::new("created_at", ColumnType::Datetime);
    let seconds = |value, column: &Column| read(value, column).unwrap().unwrap();
    let at = |seconds, nanos| Instant { seconds, nanos };
    assert_eq!(read(Value::Null, &column), Ok(None));
    assert_eq!(seconds(Value::Int(-1), &column), at(-1, 0));
    assert_eq!(seconds(Value::Uint(5), &column), at(5, 0));
    assert_eq!(seconds(Value::Float(-0.25), &column), at(-1, 750_000_000));
    assert_eq!(seconds(Value::Float(1_700_000_000.123_456_7), &column), at(1_700_000_000, 123_457_000));
    assert_eq!(seconds(Value::Float(0.999_999_9), &column), at(1, 0));
    assert_eq!(seconds(Value::Date(1), &column), at(86_400, 0));
    assert_eq!(seconds(Value::Text(b"1970-01-02"), &column), at(86_400, 0));
    column.epoch = Some(EpochUnit::Milliseconds);
    assert_eq!(seconds(Value::Int(1500), &column), at(1, 500_000_000));
    assert_eq!(seconds(Value::Float(0.5), &column), at(0, 500_000));
    column.epoch = Some(EpochUnit::Microseconds);
    assert_eq!(seconds(Value::Int(-1), &column), at(-1, 999_999_000));
    column.zone = Some(paris());
    assert_eq!(seconds(Value::Civil(at(3600, 7)), &column), at(0, 7));
    assert_eq!(seconds(Value::Date(0), &column), at(-3600, 0));
    assert_eq!(seconds(Value::Instant(at(3600, 7)), &column), at(3600, 7));
}

#[test]
fn cells_out_of_reach_are_faults() {
    let column = Column::new("created_at", ColumnType::Datetime);
    for value in [
        Value::Bool(true),
        Value::Bytes(b"2026-01-01"),
        Value::Text(b"0000-00-00 00:00:00"),
        Value::Text(b"\xff"),
        Value::Int(i64::MAX),
        Value::Int(300_000_000_000),
        Value::Uint(u64::MAX),
        Value::Float(f64::NAN),
        Value::Float(f64::NEG_INFINITY),
        Value::Float(1e17),
        Value::Date(i32::MAX),
        Value::Date(LAST_DAY + 1),
        Value::Civil(Instant { seconds: i64::MIN, nanos: 0 }),
        Value::Instant(Instant::from_micros(i64::MAX)),
    ] {
        let fault = read(value, &column).unwrap_err();
        assert!(fault.to_string().ends_with("can't be read as datetime"), "{fault}");
    }
}

#[test]
fn julian_days_are_rounded_to_milliseconds() {
    let column = Column { epoch: Some(EpochUnit::Julian), ..Column::new("created_at", ColumnType::Datetime) };
    let at = |value| read(value, &column).map(|instant| instant.map(|at| (at.seconds, at.nanos)));
    assert_eq!(at(Value::Float(2_440_587.5)), Ok(Some((0, 0))));
    assert_eq!(at(Value::Int(2_440_588)), Ok(Some((43_200, 0))));
    assert_eq!(at(Value::Float(2_440_587.25)), Ok(Some((-21_600, 0))));
    // A quarter of a second, as `julianday('2026-11-21 04:00:00.250')` writes it.
    assert_eq!(at(Value::Float(2_461_365.666_669_56)), Ok(Some((1_795_233_600, 250_000_000))));
    assert_eq!(at(Value::Float(1_721_425.5)), Ok(Some((-62_135_596_800, 0))));
    for out_of_reach in [Value::Float(0.0), Value::Float(-1.0), Value::Float(5_373_486.0), Value::Float(f64::NAN)] {
        assert!(at(out_of_reach).is_err(), "{out_of_reach:?}");
    }
    assert!(at(Value::Int(i64::MAX)).is_err() && at(Value::Int(1_764_000_000)).is_err());
}

#[test]
fn a_number_of_another_unit_is_told_with_the_key_that_helps() {
    let mut column = Column::new("created_at", ColumnType::Datetime);
    let refused = |value, column: &Column| {
        let fault = read(value, column).unwrap_err();
        (fault.to_string(), remedy(&fault.found).unwrap_or_default())
    };
    for julian in
        [Value::Float(2_461_011.5), Value::Int(2_461_012), Value::Uint(2_461_012), Value::Float32(2_461_011.5)]
    {
        let (fault, remedy) = refused(julian, &column);
        assert_eq!(fault, "a number that looks like a Julian day can't be read as datetime");
        assert!(remedy.contains("`epoch = \"julian\"`") && remedy.contains("\"s\""), "{remedy}");
    }
    assert_eq!(
        refused(Value::Int(1_764_000_000_000), &column).1,
        "write `epoch = \"ms\"` for the column in the catalogue"
    );
    assert_eq!(refused(Value::Float(1.764e15), &column).1, "write `epoch = \"us\"` for the column in the catalogue");
    assert_eq!(refused(Value::Int(i64::MAX), &column).1, "");
    column.epoch = Some(EpochUnit::Julian);
    assert_eq!(refused(Value::Int(1_764_000_000), &column).1, "write `epoch = \"s\"` for the column in the catalogue");
    // Who says that a number counts seconds is believed.
    column.epoch = Some(EpochUnit::Seconds);
    assert_eq!(read(Value::Float(2_461_011.5), &column), Ok(Some(Instant { seconds: 2_461_011, nanos: 500_000_000 })));
}

#[test]
fn what_databases_write_instead_of_a_time_has_a_remedy_apart() {
    let column = Column::new("created_at", ColumnType::Datetime);
    for (text, expected) in [("-infinity", "infinity"), ("0000-00-00 00:00:00", "a zero date (0000-00-00)")] {
        let fault = read(Value::Text(text.as_bytes()), &column).unwrap_err();
        assert_eq!(fault.to_string(), format!("{expected} can't be read as datetime"));
        assert!(remedy(&fault.found).unwrap().starts_with("write NULL"), "{fault}");
    }
}

#[test]
fn all_days_of_ten_thousand_years_are_the_oracle_s() {
    let mut date = civil::date(1, 1, 1);
    for days in FIRST_DAY..=LAST_DAY {
        let (year, month, day) = (date.year() as u32, date.month() as u32, date.day() as u32);
        assert_eq!(civil_from_days(days), (year, month, day));
        assert_eq!(days_from_civil(year, month, day), Some(days));
        date = date.tomorrow().unwrap_or(Date::MAX);
    }
    assert_eq!(days_from_civil(10_000, 1, 1), None);
}

proptest! {
    #[test]
    fn texts_with_an_offset_are_read_as_the_oracle_reads_them(
        seconds in -62_135_510_000_i64..253_402_100_000,
        nanos in 0_i32..1_000_000_000,
        minutes in -900_i32..900,
    ) {
        let timestamp = Timestamp::new(seconds, 0).unwrap() + SignedDuration::from_nanos(i64::from(nanos));
        let text = timestamp.display_with_offset(Offset::from_seconds(minutes * 60).unwrap()).to_string();
        prop_assert_eq!(utc(&text), Some((seconds, nanos as u32)), "{}", text);
    }

    #[test]
    fn local_times_are_read_as_the_oracle_reads_them(
        seconds in -62_135_510_000_i64..253_402_100_000,
        name in prop::sample::select(vec!["Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"]),
    ) {
        let zone = TimeZone::get(name).unwrap();
        let local = Timestamp::new(seconds, 0).unwrap().to_zoned_datetime(TimeZone::UTC).datetime();
        let expected = zone.to_zoned_datetime(local).unwrap().timestamp();
        prop_assert_eq!(
            parse_datetime(&local.to_string(), Some(&zone)),
            Some(Instant { seconds: expected.as_second(), nanos: 0 }),
            "{} in {}", local, name
        );
    }

    #[test]
    fn julian_days_of_every_millisecond_come_back(millis in -62_135_596_800_000_i64..253_402_300_799_999) {
        let column = Column { epoch: Some(EpochUnit::Julian), ..Column::new("created_at", ColumnType::Datetime) };
        let day = (millis + JULIAN_1970) as f64 / DAY_MILLIS as f64;
        prop_assert_eq!(read(Value::Float(day), &column), Ok(Some(Instant::from_micros(millis * 1000))));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[0-9TZz:+. -]{0,40}") {
        let _ = parse_datetime(&text, None);
    }
}
