//! Tests of cells: what each type accepts, what it writes, what it refuses.

mod datetime;
mod ndjson;
mod number;
mod slowly;

use proptest::prelude::*;

use super::*;
use crate::job::{CsvOptions, LineEnding, Quote};
use crate::value::Instant;

/// One cell in a format, without what surrounds it.
fn cell_in(format: &Format, column: &Column, zone: &TimeZone, value: Value<'_>) -> Result<String, String> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(format, std::slice::from_ref(column), zone);
    encoder.cell(value, &mut out).map_err(|fault| fault.found)?;
    Ok(String::from_utf8(out).unwrap())
}

fn bi(kind: ColumnType, value: Value<'_>) -> Result<String, String> {
    cell_in(&Format::Bi, &Column::new("x", kind), &TimeZone::UTC, value)
}

fn csv(options: &CsvOptions, kind: ColumnType, value: Value<'_>) -> String {
    cell_in(&Format::Csv(options.clone()), &Column::new("x", kind), &TimeZone::UTC, value).unwrap()
}

fn accept(kind: ColumnType, cells: &[(Value<'_>, &str)]) {
    for (value, expected) in cells {
        assert_eq!(bi(kind, *value).as_deref(), Ok(*expected), "{kind} {value:?}");
    }
}

fn refuse(kind: ColumnType, values: &[Value<'_>]) {
    for value in values {
        assert!(bi(kind, *value).is_err(), "{kind} {value:?}");
    }
}

fn at(seconds: i64, nanos: u32) -> Value<'static> {
    Value::Instant(Instant { seconds, nanos })
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.as_bytes())
}

#[test]
fn texts() {
    for kind in [ColumnType::Id, ColumnType::String, ColumnType::Text] {
        accept(
            kind,
            &[
                (Value::Null, ""),
                (text(""), "\"\""),
                (text("é\u{7f}"), "é\u{7f}"),
                (text("a\tb"), "\"a\tb\""),
                (text("a,b"), "\"a,b\""),
                (text("say \"hi\""), "\"say \"\"hi\"\"\""),
                (text("\""), "\"\"\"\""),
                (text("a\rb"), "\"a\rb\""),
                (text("a\nb"), "\"a\nb\""),
                (text("\\."), "\"\\.\""),
                (text("\\N"), "\"\\N\""),
                (text("C:\\dir\\"), "\"C:\\dir\\\""),
                (text("NULL"), "\"NULL\""),
                (text("null"), "\"null\""),
                (text("NULLS"), "NULLS"),
                (text(" "), "\" \""),
                (text(" a"), "\" a\""),
                (text("a "), "\"a \""),
                (text("a b"), "a b"),
                (text("\u{a0}a"), "\u{a0}a"),
                (text("=1+1"), "=1+1"),
                (Value::Bytes(b"0f3a"), "0f3a"),
                (Value::Int(i64::MIN), "-9223372036854775808"),
                (Value::Uint(u64::MAX), "18446744073709551615"),
                (Value::Float(0.1), "0.1"),
                (Value::Float(f64::NAN), "NaN"),
                (Value::Float(-f64::NAN), "NaN"),
                (Value::Float(f64::INFINITY), "Infinity"),
                (Value::Float32(f32::NEG_INFINITY), "-Infinity"),
            ],
        );
        refuse(
            kind,
            &[
                Value::Bool(true),
                Value::Text(b"\xff"),
                Value::Bytes(b"\x80"),
                Value::Date(0),
                at(0, 0),
                Value::Civil(Instant { seconds: 0, nanos: 0 }),
            ],
        );
    }
    let long = "x".repeat(32_768);
    accept(ColumnType::Text, &[(text(&long), &long)]);
}

#[test]
fn an_unreadable_cell_is_null_and_counted_if_its_column_allows_it() {
    let allowing = |name, kind| Column { unreadable: Unreadable::Null, ..Column::new(name, kind) };
    let columns =
        [allowing("list", ColumnType::Array), allowing("day", ColumnType::Date), Column::new("x", ColumnType::Text)];
    let options = CsvOptions { null: "nil".to_owned(), ..CsvOptions::default() };
    for (format, null) in [(Format::Bi, ""), (Format::Csv(options), "nil"), (Format::Ndjson, "null")] {
        let mut encoder = Encoder::new(&format, &columns, &TimeZone::UTC);
        let mut out = Vec::new();
        // The fault is found when a part of the cell is written already.
        encoder.cell(text("[\"a\", \"b\", "), &mut out).unwrap();
        encoder.cell(text("0000-00-00"), &mut out).unwrap();
        let written = String::from_utf8(out.clone()).unwrap();
        match format {
            Format::Ndjson => assert_eq!(written, "{\"list\":null,\"day\":null"),
            _ => assert_eq!(written, format!("{null},{null}")),
        }
        assert_eq!(encoder.nulled().collect::<Vec<_>>(), [("list", 1), ("day", 1)]);
        encoder.cell(Value::Text(b"\xff"), &mut out).unwrap_err();
        assert_eq!(encoder.column_name(), "x");
        // The next row can be looked at.
        encoder.end_row(&mut out);
        encoder.cell(Value::Null, &mut out).unwrap();
        encoder.cell(Value::Bool(true), &mut out).unwrap();
        assert_eq!(encoder.nulled().collect::<Vec<_>>(), [("list", 1), ("day", 2)]);
    }
}

#[test]
fn a_nul_is_refused_wherever_it_stands() {
    for length in [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 600] {
        for at in 0..length {
            let mut bytes = vec![b'x'; length];
            bytes[at] = 0;
            for value in [Value::Text(&bytes), Value::Bytes(&bytes)] {
                let fault = bi(ColumnType::Text, value).unwrap_err();
                assert_eq!(fault, "text with a NUL character", "at {at} of {length}");
            }
        }
    }
    refuse(ColumnType::Array, &[text(r#"["a\u0000b"]"#), text("[\"a\0b\"]")]);
}

#[test]
fn booleans() {
    let (yes, no) = ((text("TRUE"), "1"), (Value::Bytes(b"\0"), "0"));
    accept(ColumnType::Boolean, &[(Value::Null, ""), yes, no]);
    accept(ColumnType::Boolean, &[(Value::Bool(true), "1"), (Value::Int(0), "0"), (Value::Uint(1), "1")]);
    accept(ColumnType::Boolean, &[(text("t"), "1"), (text("f"), "0"), (text("0"), "0"), (Value::Bytes(&[1]), "1")]);
    refuse(ColumnType::Boolean, &[Value::Int(2), text("yes"), text(""), Value::Bytes(b"\x02"), Value::Float(1.0)]);
    assert_eq!(csv(&CsvOptions::default(), ColumnType::Boolean, Value::Bool(true)), "true");
}

#[test]
fn arrays() {
    accept(
        ColumnType::Array,
        &[
            (Value::Null, ""),
            (text("[]"), "\"\""),
            (text("[null]"), "\"\""),
            (text(r#"["a"]"#), "a"),
            (text(r#" [ "a" , "b\nc" ] "#), "\"a, b\nc\""),
            (text(r#"[1.50, -2e5, true, false, null, "x"]"#), "\"1.50, -2e5, 1, 0, , x\""),
            (text(r#"["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"]"#), "\"\"\"\\/\u{8}\u{c}\n\r\té😀\""),
        ],
    );
    refuse(
        ColumnType::Array,
        &[
            text(""),
            text("null"),
            text("{}"),
            text("{a,b}"),
            text("[[1]]"),
            text("[{}]"),
            text("[1,]"),
            text("[1] x"),
            text("[01]"),
            text("[1.]"),
            text("[tru]"),
            text("[\"a]"),
            text(r#"["\ud83d"]"#),
            text(r#"["\ude00"]"#),
            text("[\"\n\"]"),
            Value::Text(b"[\"\xff\"]"),
            Value::Int(1),
        ],
    );
}

#[test]
fn elements_with_a_type_are_written_as_its_cells() {
    let of = |kind, json: &'static str| Value::Elements(json.as_bytes(), kind);
    accept(
        ColumnType::Array,
        &[
            (of(ColumnType::Decimal, r#"["1.50", null, "-0.00"]"#), "\"1.5, , 0\""),
            (of(ColumnType::Float, r#"["1", "1e+21"]"#), "\"1.0, 1e21\""),
            (of(ColumnType::Date, r#"["2026-11-21"]"#), "2026-11-21"),
            (of(ColumnType::Datetime, r#"["2026-11-21 04:00:00.50+01"]"#), "2026-11-21T03:00:00.5+00:00"),
            (of(ColumnType::Text, r#"["1.50", "NaN"]"#), "\"1.50, NaN\""),
        ],
    );
    let nested = of(ColumnType::Decimal, r#"[["1.50"], ["NaN"]]"#);
    accept(ColumnType::Text, &[(nested, r#""[[""1.50""], [""NaN""]]""#)]);
    for (kind, json) in [
        (ColumnType::Decimal, r#"["NaN"]"#),
        (ColumnType::Float, r#"["Infinity"]"#),
        (ColumnType::Date, r#"["infinity"]"#),
        (ColumnType::Datetime, r#"["2026-11-21 04:00:00 BC"]"#),
        (ColumnType::Decimal, r#"[["1"]]"#),
    ] {
        refuse(ColumnType::Array, &[of(kind, json)]);
    }
    let (texts, others): (Vec<ColumnType>, Vec<ColumnType>) = ColumnType::ALL
        .into_iter()
        .filter(|kind| *kind != ColumnType::Array)
        .partition(|kind| matches!(kind, ColumnType::Id | ColumnType::String | ColumnType::Text));
    for kind in texts {
        assert_eq!(bi(kind, of(ColumnType::Decimal, "[]")).as_deref(), Ok("[]"), "{kind}");
    }
    for kind in others {
        assert_eq!(bi(kind, of(ColumnType::Decimal, "[]")), Err("an array".to_owned()), "{kind}");
    }
    let german = CsvOptions { delimiter: b';', decimal_separator: b',', ..CsvOptions::default() };
    assert_eq!(csv(&german, ColumnType::Array, of(ColumnType::Decimal, r#"["1.50"]"#)), "1,5");
}

#[test]
fn null_and_quotes_of_csv() {
    let options = CsvOptions { null: "-".to_owned(), quote: Quote::All, ..CsvOptions::default() };
    assert_eq!(csv(&options, ColumnType::Integer, Value::Null), "-");
    assert_eq!(csv(&options, ColumnType::Integer, Value::Int(1)), "\"1\"");
    let options = CsvOptions { null: "0".to_owned(), ..CsvOptions::default() };
    assert_eq!(csv(&options, ColumnType::Integer, Value::Int(0)), "\"0\"");
    assert_eq!(csv(&options, ColumnType::Text, text("0")), "\"0\"");
    assert_eq!(csv(&options, ColumnType::Text, text("00")), "00");
    let options = CsvOptions { decimal_separator: b',', ..CsvOptions::default() };
    assert_eq!(csv(&options, ColumnType::Decimal, text("1.5")), "\"1,5\"");
    assert_eq!(csv(&options, ColumnType::Float, Value::Float(-1.5e-9)), "\"-1,5e-9\"");
    let options = CsvOptions { delimiter: b';', decimal_separator: b',', ..CsvOptions::default() };
    assert_eq!(csv(&options, ColumnType::Decimal, text("1.5")), "1,5");
    assert_eq!(csv(&options, ColumnType::Text, text("a,b")), "a,b");
    let options = CsvOptions { delimiter: b':', boolean: ("a:b".to_owned(), String::new()), ..CsvOptions::default() };
    assert_eq!(csv(&options, ColumnType::Boolean, Value::Bool(true)), "\"a:b\"");
    assert_eq!(csv(&options, ColumnType::Boolean, Value::Bool(false)), "\"\"");
    assert_eq!(csv(&options, ColumnType::Datetime, Value::Int(0)), "\"1970-01-01T00:00:00+00:00\"");
}

#[test]
fn formulas_are_disarmed_and_can_be_armed_again() {
    let options = CsvOptions { formula_guard: true, ..CsvOptions::default() };
    for (cell, expected) in [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("'=1", "''=1"),
        ("''=1", "'''=1"),
        ("'tis", "'tis"),
        ("\tx", "\"'\tx\""),
        ("\nx", "\"'\nx\""),
        ("a=1", "a=1"),
        ("'", "'"),
    ] {
        assert_eq!(csv(&options, ColumnType::Text, text(cell)), expected);
    }
    assert_eq!(csv(&options, ColumnType::Id, Value::Int(-5)), "'-5");
    assert_eq!(csv(&options, ColumnType::Integer, Value::Int(-5)), "-5");
    assert_eq!(csv(&options, ColumnType::Array, text(r#"["=1"]"#)), "'=1");
}

#[test]
fn headers_and_rows() {
    let columns = [Column::new("id", ColumnType::Id), Column::new("a,b", ColumnType::Text)];
    let options = CsvOptions { bom: true, line_ending: LineEnding::CrLf, quote: Quote::All, ..CsvOptions::default() };
    let mut encoder = Encoder::new(&Format::Csv(options), &columns, &TimeZone::UTC);
    let mut out = Vec::new();
    encoder.start(&mut out);
    encoder.cell(Value::Int(1), &mut out).unwrap();
    encoder.cell(Value::Null, &mut out).unwrap();
    encoder.end_row(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "\u{feff}\"id\",\"a,b\"\r\n\"1\",\r\n");
    assert_eq!(encoder.column_names(), ["id", "a,b"]);
}

#[test]
#[should_panic(expected = "before its last column")]
fn a_short_row_is_a_defect() {
    let columns = [Column::new("a", ColumnType::Id), Column::new("b", ColumnType::Id)];
    let mut encoder = Encoder::new(&Format::Bi, &columns, &TimeZone::UTC);
    let mut out = Vec::new();
    encoder.cell(Value::Int(1), &mut out).unwrap();
    encoder.end_row(&mut out);
}

proptest! {
    #[test]
    fn guarded_text_comes_back(original in "'{0,3}[=+@a'-]?[a=']{0,3}") {
        let options = CsvOptions { formula_guard: true, ..CsvOptions::default() };
        let guarded = csv(&options, ColumnType::Text, text(&original));
        let guarded = guarded.strip_prefix('"').and_then(|cell| cell.strip_suffix('"')).unwrap_or(&guarded);
        let starts_like_a_formula = guarded.trim_start_matches('\'').starts_with(['=', '+', '-', '@']);
        prop_assert!(!guarded.starts_with(['=', '+', '-', '@']));
        prop_assert_eq!(if starts_like_a_formula { &guarded[1..] } else { guarded }, original);
    }

    #[test]
    fn arrays_are_read_as_serde_json_reads_them(elements in prop::collection::vec("[^\0\n]{0,8}", 0..4)) {
        let json = serde_json::to_string(&elements).unwrap();
        let options = CsvOptions { delimiter: 1, ..CsvOptions::default() };
        let format = Format::Csv(options);
        let expected = cell_in(&format, &Column::new("x", ColumnType::Text), &TimeZone::UTC, text(&elements.join(", ")));
        let written = cell_in(&format, &Column::new("x", ColumnType::Array), &TimeZone::UTC, text(&json));
        prop_assert_eq!(written, expected);
    }

    #[test]
    fn only_json_arrays_are_arrays(input in r#"[\[\],"\\ue1-9.0tfn ]{0,12}"#) {
        let is_flat = |json: &serde_json::Value| {
            json.as_array().is_some_and(|all| !all.iter().any(|element| element.is_array() || element.is_object()))
        };
        let expected = serde_json::from_str::<serde_json::Value>(&input).is_ok_and(|json| is_flat(&json));
        // serde_json refuses numbers that no float holds, such as 1e999.
        prop_assume!(expected || !input.contains('e'));
        prop_assert_eq!(bi(ColumnType::Array, text(&input)).is_ok(), expected, "{}", input);
    }
}
