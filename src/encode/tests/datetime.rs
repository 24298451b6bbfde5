//! Tests of dates and datetimes.

use super::*;
use crate::job::DatetimeStyle;

#[test]
fn dates() {
    let civil = |seconds| Value::Civil(Instant { seconds, nanos: 0 });
    accept(
        ColumnType::Date,
        &[
            (Value::Null, ""),
            (Value::Date(0), "1970-01-01"),
            (Value::Date(instant::FIRST_DAY), "0001-01-01"),
            (Value::Date(instant::LAST_DAY), "9999-12-31"),
            (text("2026-11-21"), "2026-11-21"),
            (text("2026-11-21 00:00:00"), "2026-11-21"),
            (text("2026-11-21T00:00:00.000Z"), "2026-11-21"),
            (civil(-86_400), "1969-12-31"),
            (at(86_400, 0), "1970-01-02"),
        ],
    );
    refuse(
        ColumnType::Date,
        &[
            Value::Date(instant::FIRST_DAY - 1),
            Value::Date(i32::MAX),
            text("2026-02-29"),
            text("2026-11-21 00:00:01"),
            text("2026-11-21T00:00:00+01:00"),
            civil(1),
            civil(i64::MAX / 86_400 * 86_400),
            at(0, 1),
            Value::Int(0),
        ],
    );
}

#[test]
fn marks_for_no_date_are_told_from_other_text() {
    for (mark, words) in
        [("infinity", "infinity"), ("-Infinity", "infinity"), ("0000-00-00 00:00:00", "zero date"), ("x", "no date")]
    {
        for kind in [ColumnType::Date, ColumnType::Datetime] {
            let fault = cell_in(&Format::Bi, &Column::new("x", kind), &TimeZone::UTC, text(mark)).unwrap_err();
            assert!(fault.to_string().contains(words), "{mark} as {kind}: {fault}");
        }
    }
}

#[test]
fn datetimes_in_a_zone() {
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let column = Column::new("created_at", ColumnType::Datetime);
    let mut encoder = Encoder::new(&Format::Bi, &[column], &paris);
    let mut written = |value| {
        let mut out = Vec::new();
        encoder.cell(value, &mut out).unwrap();
        encoder.end_row(&mut out);
        String::from_utf8(out).unwrap().trim_end().to_owned()
    };
    for (value, expected) in [
        (text("2026-11-21T03:00:00Z"), "2026-11-21T04:00:00+01:00"),
        (text("2026-07-21T03:00:00Z"), "2026-07-21T05:00:00+02:00"),
        (text("2026-03-29T00:59:59Z"), "2026-03-29T01:59:59+01:00"),
        (text("2026-03-29T01:00:00Z"), "2026-03-29T03:00:00+02:00"),
        (text("2026-10-25T00:59:59.5Z"), "2026-10-25T02:59:59.5+02:00"),
        (text("2026-10-25T01:00:00.000001Z"), "2026-10-25T02:00:00.000001+01:00"),
        // Paris kept its local mean time, 9 minutes and 21 seconds ahead, until 1911.
        (text("1800-01-01T00:00:00Z"), "1800-01-01T00:09:00+00:09"),
        (text("0001-01-01T00:00:00Z"), "0001-01-01T00:09:00+00:09"),
        (text("9999-12-31T22:59:59Z"), "9999-12-31T23:59:59+01:00"),
        (text("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59+00:00"),
        (Value::Null, ""),
    ] {
        assert_eq!(written(value), expected);
    }
}

#[test]
fn datetimes_in_other_styles() {
    let zone = TimeZone::get("America/St_Johns").unwrap();
    let column = Column::new("x", ColumnType::Datetime);
    let written = |datetime, value| {
        let format = Format::Csv(CsvOptions { datetime, ..CsvOptions::default() });
        cell_in(&format, &column, &zone, value)
    };
    let value = text("2026-11-21T03:00:00.250Z");
    assert_eq!(written(DatetimeStyle::Rfc3339, value).unwrap(), "2026-11-20T23:30:00.25-03:30");
    assert_eq!(written(DatetimeStyle::Local, value).unwrap(), "2026-11-20 23:30:00.25");
    assert_eq!(written(DatetimeStyle::Utc, value).unwrap(), "2026-11-21T03:00:00.25Z");
    assert!(written(DatetimeStyle::Local, text("0001-01-01T00:00:00Z")).is_err());
    assert!(written(DatetimeStyle::Utc, text("0001-01-01T00:00:00+01:00")).is_err());
}

proptest! {
    #[test]
    fn datetimes_are_written_as_the_oracle_writes_them(
        seconds in prop::collection::vec(-2_000_000_000_i64..253_402_100_000, 1..20),
        nanos in prop::sample::select(vec![0, 1, 1000, 250_000_000, 999_999_999]),
        name in prop::sample::select(vec!["Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
    ) {
        let zone = TimeZone::get(name).unwrap();
        let mut encoder = Encoder::new(&Format::Bi, &[Column::new("x", ColumnType::Datetime)], &zone);
        // One encoder for all: a remembered offset must not outlive its span.
        for seconds in seconds {
            let mut out = Vec::new();
            encoder.cell(at(seconds, nanos), &mut out).unwrap();
            encoder.end_row(&mut out);
            let timestamp = jiff::Timestamp::new(seconds, nanos as i32).unwrap();
            let offset = zone.to_offset(timestamp).round(jiff::Unit::Minute).unwrap();
            let expected = timestamp.display_with_offset(offset).to_string();
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\n"));
        }
    }
}
