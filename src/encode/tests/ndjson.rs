//! Tests of `ndjson`: lines that another JSON reader reads back.

use serde_json::{Value as Json, json};

use super::*;

/// One row of one column, as it is in the file.
fn line(column: &Column, value: Value<'_>) -> String {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&Format::Ndjson, std::slice::from_ref(column), &TimeZone::UTC);
    encoder.cell(value, &mut out).unwrap();
    encoder.end_row(&mut out);
    String::from_utf8(out).unwrap()
}

/// The JSON of one cell.
fn json_of(kind: ColumnType, value: Value<'_>) -> String {
    let line = line(&Column::new("x", kind), value);
    line.strip_prefix("{\"x\":").and_then(|rest| rest.strip_suffix("}\n")).unwrap().to_owned()
}

#[test]
fn rows_are_objects_with_every_column_in_order() {
    let columns = [
        Column::new("id", ColumnType::Id),
        Column::new("say \"hi\"\\", ColumnType::Integer),
        Column::new("", ColumnType::Boolean),
    ];
    let mut encoder = Encoder::new(&Format::Ndjson, &columns, &TimeZone::UTC);
    let mut out = Vec::new();
    encoder.start(&mut out);
    assert!(out.is_empty(), "an export without rows is an empty file");
    for cells in [[Value::Int(1), Value::Int(2), Value::Bool(true)], [Value::Null; 3]] {
        for cell in cells {
            encoder.cell(cell, &mut out).unwrap();
        }
        encoder.end_row(&mut out);
    }
    encoder.end(&mut out);
    let expected =
        "{\"id\":\"1\",\"say \\\"hi\\\"\\\\\":2,\"\":true}\n{\"id\":null,\"say \\\"hi\\\"\\\\\":null,\"\":null}\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn each_type_has_its_notation() {
    for (kind, value, expected) in [
        (ColumnType::Id, Value::Int(-5), "\"-5\""),
        (ColumnType::String, text(""), "\"\""),
        (ColumnType::String, Value::Float(0.1), "\"0.1\""),
        (ColumnType::Text, text("é\u{2028}/\u{7f}"), "\"é\u{2028}/\u{7f}\""),
        (ColumnType::Text, text("\"\\\n\r\t\u{1}\u{1f}"), r#""\"\\\n\r\t\u0001\u001f""#),
        (ColumnType::Integer, Value::Uint(u64::MAX), "18446744073709551615"),
        (ColumnType::Integer, text("-123456789012345678901234567890"), "-123456789012345678901234567890"),
        (ColumnType::Float, Value::Int(3), "3.0"),
        (ColumnType::Float, Value::Float(-1.5e-9), "-1.5e-9"),
        (ColumnType::Float, Value::Float(1e21), "1e21"),
        (ColumnType::Decimal, text("1.50"), "\"1.5\""),
        (ColumnType::Boolean, Value::Int(1), "true"),
        (ColumnType::Boolean, Value::Int(0), "false"),
        (ColumnType::Date, Value::Date(0), "\"1970-01-01\""),
        (ColumnType::Datetime, Value::Int(0), "\"1970-01-01T00:00:00+00:00\""),
        (ColumnType::Array, text(r#" [ 1.50 , "a\u00e9\n", true, false, null ] "#), r#"[1.50,"aé\n",true,false,null]"#),
        (ColumnType::Array, text("[]"), "[]"),
        (ColumnType::Array, text("[null]"), "[null]"),
    ] {
        assert_eq!(json_of(kind, value), expected, "{kind} {value:?}");
    }
    for kind in ColumnType::ALL {
        assert_eq!(json_of(kind, Value::Null), "null", "{kind}");
    }
    let price = Column { scale: Scale::Exactly(2), ..Column::new("price", ColumnType::Decimal) };
    assert_eq!(line(&price, Value::Int(-3)), "{\"price\":\"-3.00\"}\n");
}

/// A value of each type that does not fit it.
const UNFIT: [(ColumnType, Value<'static>); 11] = [
    (ColumnType::Id, Value::Bool(true)),
    (ColumnType::String, Value::Text(b"\xff")),
    (ColumnType::Text, Value::Bytes(b"\xff")),
    (ColumnType::Text, Value::Text(b"a\0b")),
    (ColumnType::Integer, Value::Float(0.5)),
    (ColumnType::Float, Value::Float(f64::INFINITY)),
    (ColumnType::Decimal, Value::Text(b"1,5")),
    (ColumnType::Boolean, Value::Int(2)),
    (ColumnType::Date, Value::Text(b"0000-00-00")),
    (ColumnType::Datetime, Value::Text(b"infinity")),
    (ColumnType::Array, Value::Text(b"[1,]")),
];

#[test]
fn faults_are_those_of_every_format() {
    for (kind, value) in UNFIT {
        let column = Column::new("x", kind);
        let fault = cell_in(&Format::Ndjson, &column, &TimeZone::UTC, value).unwrap_err();
        assert_eq!(Err(fault), bi(kind, value), "{kind}");
    }
}

fn any_text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| text.replace('\0', ""))
}

fn element() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any_text().prop_map(Json::from),
    ]
}

proptest! {
    #[test]
    fn any_text_under_any_name_comes_back(name in any::<String>(), value in any_text()) {
        let line = line(&Column::new(&name, ColumnType::Text), text(&value));
        prop_assert_eq!(line.matches('\n').count(), 1);
        let read: Json = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(read, json!({ name: value }));
    }

    #[test]
    fn any_number_is_a_json_number_of_all_its_digits(whole in any::<i128>(), float in any::<f64>()) {
        let digits = whole.to_string();
        prop_assert_eq!(json_of(ColumnType::Integer, text(&digits)), digits.as_str());
        let decimal = json_of(ColumnType::Decimal, text(&digits));
        prop_assert_eq!(serde_json::from_str::<Json>(&decimal).unwrap(), Json::from(digits));
        if float.is_finite() {
            let json = json_of(ColumnType::Float, Value::Float(float));
            prop_assert!(serde_json::from_str::<Json>(&json).unwrap().is_f64());
            prop_assert_eq!(json.parse::<f64>().unwrap().to_bits(), (float + 0.0).to_bits());
        }
    }

    #[test]
    fn any_array_comes_back(elements in prop::collection::vec(element(), 0..6)) {
        let array = Json::from(elements);
        let written = json_of(ColumnType::Array, text(&serde_json::to_string_pretty(&array).unwrap()));
        prop_assert_eq!(serde_json::from_str::<Json>(&written).unwrap(), array);
    }
}
