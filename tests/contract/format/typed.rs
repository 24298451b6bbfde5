//! Numbers, booleans, dates and datetimes come back as the values they were, to the last bit.

use std::collections::HashMap;

use exportd::catalogue::Column;
use exportd::job::Format;
use exportd::value::{ColumnType, Instant, Value};
use serde_json::json;

use super::readers::ask_python;
use super::{run_folder, write};

/// Rows of cells in the notation of `typed.py`.
type Rows = Vec<Vec<Option<String>>>;

/// C's notation of a float, as Python has it (`0x1.8000000000000p+1`).
fn hexadecimal(number: f64) -> String {
    let bits = number.to_bits();
    let (exponent, mantissa) = ((bits >> 52 & 0x7ff) as i32, bits & 0xf_ffff_ffff_ffff);
    let sign = if number.is_sign_negative() { "-" } else { "" };
    match exponent {
        0 if mantissa == 0 => format!("{sign}0x0.0p+0"),
        0 => format!("{sign}0x0.{mantissa:013x}p-1022"),
        exponent => format!("{sign}0x1.{mantissa:013x}p{:+}", exponent - 1023),
    }
}

fn micros(text: &str) -> (Value<'_>, String) {
    let timestamp: jiff::Timestamp = text.parse().unwrap();
    (Value::Text(text.as_bytes()), timestamp.as_microsecond().to_string())
}

fn integers() -> Vec<(Value<'static>, String)> {
    let huge = "-170141183460469231731687303715884105727";
    let mut cells =
        vec![(Value::Text(huge.as_bytes()), huge.to_owned()), (Value::Uint(u64::MAX), u64::MAX.to_string())];
    cells.extend([i64::MIN, -1, 0, 1, i64::MAX].map(|number| (Value::Int(number), number.to_string())));
    cells
}

fn floats() -> Vec<(Value<'static>, String)> {
    let mut numbers = vec![0.0, 0.1, -1.5, 1.0 / 3.0, 1e15, 1e16, 1e21, 1e-5, 1e-6, 123_456_789.125, 2_f64.powi(53)];
    numbers.extend([f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, f64::MIN_POSITIVE / 3.0, f64::EPSILON]);
    let mut cells: Vec<_> = numbers.into_iter().map(|number| (Value::Float(number), hexadecimal(number))).collect();
    cells.push((Value::Float(-0.0), hexadecimal(0.0)));
    cells.push((Value::Float32(0.1), hexadecimal(0.1)));
    cells.push((Value::Float32(1e14), hexadecimal(1e14)));
    cells
}

fn decimals() -> Vec<(Value<'static>, String)> {
    [
        ("1.50", "1.5"),
        ("-0.0000000001", "-1E-10"),
        ("9999999999999999999999999999", "9999999999999999999999999999"),
        ("1e2", "1E+2"),
    ]
    .map(|(text, expected)| (Value::Text(text.as_bytes()), expected.to_owned()))
    .to_vec()
}

fn datetimes() -> Vec<(Value<'static>, String)> {
    let mut cells: Vec<_> = [
        "2026-11-21T03:00:00Z",
        "2026-10-25T00:30:00Z",
        "2026-10-25T01:30:00Z",
        "1969-12-31T23:59:59.999999Z",
        "1911-03-10T23:50:38Z",
        "1800-06-01T12:00:00.25Z",
        "0001-01-01T00:00:00Z",
        "9999-12-30T22:00:00Z",
    ]
    .map(micros)
    .to_vec();
    // Beyond the oracle's last instant.
    let last = Instant { seconds: 253_402_300_799, nanos: 999_999_000 };
    cells.push((Value::Instant(last), "253402300799999999".to_owned()));
    cells
}

#[test]
fn typed_cells_are_read_back_to_the_last_bit() {
    let columns = [
        ("i", ColumnType::Integer, "HUGEINT", integers()),
        ("f", ColumnType::Float, "DOUBLE", floats()),
        ("x", ColumnType::Decimal, "DECIMAL(38, 10)", decimals()),
        (
            "b",
            ColumnType::Boolean,
            "BOOLEAN",
            [true, false].map(|truth| (Value::Bool(truth), truth.to_string())).to_vec(),
        ),
        (
            "d",
            ColumnType::Date,
            "DATE",
            [-719_162, 0, 20_778, 2_932_896].map(|day| (Value::Date(day), day.to_string())).to_vec(),
        ),
        ("t", ColumnType::Datetime, "TIMESTAMPTZ", datetimes()),
    ];
    // Columns of different lengths, filled up with NULL.
    let length = columns.iter().map(|(.., cells)| cells.len()).max().unwrap();
    let cell = |row: usize, cells: &[(Value<'static>, String)]| cells.get(row).map_or(Value::Null, |(value, _)| *value);
    let rows: Vec<Vec<_>> =
        (0..length).map(|row| columns.iter().map(|(.., cells)| cell(row, cells)).collect()).collect();
    let expected: Rows = (0..length)
        .map(|row| columns.iter().map(|(.., cells)| cells.get(row).map(|(_, text)| text.clone())).collect())
        .collect();
    let (_state, folder) = run_folder();
    let catalogued: Vec<_> = columns.iter().map(|(name, kind, ..)| Column::new(name, *kind)).collect();
    let types: serde_json::Map<_, _> =
        columns.iter().map(|(name, _, sql, _)| ((*name).to_owned(), json!(sql))).collect();
    for format in [Format::Bi, Format::Ndjson] {
        let artifact = write(&folder, &format!("typed.{}", format.extension()), &format, &catalogued, &rows);
        let read: HashMap<String, Rows> =
            ask_python("format/typed.py", &[], &json!({ "path": artifact.path, "types": types }));
        assert_eq!(read["python"], expected, "{format:?}");
        assert_eq!(read["duckdb"], expected, "{format:?}");
        if let Some(read) = read.get("pandas") {
            let floats: Rows = expected.iter().map(|row| vec![row[1].clone()]).collect();
            assert_eq!(*read, floats);
        }
    }
}
