//! Cells that do not hold what their column promises.

use super::*;
use crate::fuzz::attack;
use crate::job::CsvOptions;
use crate::value::Instant;

/// The input is a kind of column, a kind of value, and the value's bytes.
#[test]
fn cells() {
    let words = [
        "[",
        "]",
        "\"",
        "\\u",
        "\\ud800",
        ",",
        "-",
        ".",
        "e",
        "T",
        "Z",
        "+14:00",
        "2026-02-30",
        "24:00:00",
        "é",
        "\0",
        "1e400",
    ];
    attack("cells", &words, |input| {
        let [kind, of, bytes @ ..] = input else { return Vec::new() };
        let kind = ColumnType::ALL[usize::from(*kind) % ColumnType::ALL.len()];
        let value = value(*of, bytes);
        let formats = [Format::Bi, Format::Csv(CsvOptions::default()), Format::Ndjson];
        formats.iter().map(|format| outcome(format, kind, value)).collect()
    });
}

fn value(of: u8, bytes: &[u8]) -> Value<'_> {
    let number = bytes.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes));
    match of % 10 {
        0 => Value::Bool(number != 0),
        1 => Value::Int(number),
        2 => Value::Uint(number as u64),
        3 => Value::Float32(f32::from_bits(number as u32)),
        4 => Value::Float(f64::from_bits(number as u64)),
        5 => Value::Bytes(bytes),
        6 => Value::Date(number as i32),
        7 => Value::Instant(Instant::from_micros(number)),
        8 => Value::Elements(bytes, ColumnType::Decimal),
        _ => Value::Text(bytes),
    }
}

/// What is written is text, and JSON where the format is.
fn outcome(format: &Format, kind: ColumnType, value: Value<'_>) -> Result<usize, usize> {
    let column = Column::new("x", kind);
    let mut encoder = Encoder::new(format, std::slice::from_ref(&column), &TimeZone::UTC);
    let mut out = Vec::new();
    encoder.cell(value, &mut out).map_err(|fault| fault.found.len())?;
    encoder.end_row(&mut out);
    let text = std::str::from_utf8(&out).expect("a file is text");
    if *format == Format::Ndjson {
        // Numbers of an array are written as the database sent them, and this reader knows only those of a double.
        let read = serde_json::from_str::<serde_json::Value>(text).map_err(|error| error.to_string());
        assert!(read.is_ok() || read.is_err_and(|error| error.starts_with("number out of range")), "{text:?}");
    }
    Ok(out.len())
}
