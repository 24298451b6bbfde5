//! Whole files against an encoder that is slow and obvious: cells made by `format!` and jiff, quoted by rule.
//!
//! The real one has ways for the usual cells that are shorter than those for all of them, and remembers the day and the
//! offset of the cell before. No way may show in the bytes.

use jiff::Timestamp;
use jiff::tz::Offset;

use super::*;
use crate::job::DatetimeStyle;

/// A cell before quoting; `None` for what can't be written.
fn plain(options: &CsvOptions, column: &Column, zone: &TimeZone, value: Value<'_>) -> Option<String> {
    let point = char::from(options.decimal_separator).to_string();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    Some(match (column.kind, value) {
        (ColumnType::Text, Value::Text(bytes)) => {
            let text = text(bytes).filter(|text| !text.contains('\0'))?;
            let is_formula = text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            if options.formula_guard && is_formula { format!("'{text}") } else { text }
        }
        (ColumnType::Integer, Value::Int(number)) => number.to_string(),
        (ColumnType::Float, Value::Float(number)) => float(number)?.replace('.', &point),
        (ColumnType::Decimal, Value::Text(digits)) => {
            let scale = if let Scale::Exactly(digits) = column.scale { Some(digits) } else { None };
            decimal(std::str::from_utf8(digits).unwrap(), scale)?.replace('.', &point)
        }
        (ColumnType::Date, Value::Date(days)) => {
            let day = Timestamp::from_second(i64::from(days) * 86_400).ok()?;
            Offset::UTC.to_datetime(day).strftime("%Y-%m-%d").to_string()
        }
        (ColumnType::Datetime, Value::Instant(instant)) => datetime(options.datetime, zone, instant),
        other => panic!("no cell of these tests: {other:?}"),
    })
}

fn float(number: f64) -> Option<String> {
    let mut buffer = zmij::Buffer::new();
    let digits = buffer.format(number + 0.0).replace('+', "");
    number.is_finite().then_some(digits)
}

/// `[-]digits[.digits]`, digit by digit.
fn decimal(text: &str, scale: Option<u8>) -> Option<String> {
    let digits = text.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = if whole.trim_start_matches('0').is_empty() { "0" } else { whole.trim_start_matches('0') };
    let mut fraction = fraction.trim_end_matches('0').to_owned();
    let sign = if text.starts_with('-') && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
    if let Some(scale) = scale.map(usize::from) {
        if fraction.len() > scale {
            return None;
        }
        fraction.push_str(&"0".repeat(scale - fraction.len()));
    }
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

fn datetime(style: DatetimeStyle, zone: &TimeZone, instant: Instant) -> String {
    let at = Timestamp::new(instant.seconds, instant.nanos as i32).unwrap();
    let (zone, layout) = match style {
        DatetimeStyle::Rfc3339 => (zone, "%Y-%m-%dT%H:%M:%S%.f%:z"),
        DatetimeStyle::Utc => (&TimeZone::UTC, "%Y-%m-%dT%H:%M:%S%.fZ"),
        DatetimeStyle::Local => (zone, "%Y-%m-%d %H:%M:%S%.f"),
    };
    at.to_zoned_datetime(zone.clone()).strftime(layout).to_string()
}

fn quoted(options: &CsvOptions, cell: &str) -> String {
    let must = cell.contains([char::from(options.delimiter), '"', '\\'])
        || cell.contains(|character: char| character < ' ')
        || cell.is_empty()
        || cell.starts_with(' ')
        || cell.ends_with(' ')
        || cell.to_uppercase() == "NULL"
        || cell == options.null;
    if must || options.quote == Quote::All { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

fn options() -> impl Strategy<Value = CsvOptions> {
    let style = prop_oneof![Just(DatetimeStyle::Rfc3339), Just(DatetimeStyle::Utc), Just(DatetimeStyle::Local)];
    let bytes = (prop_oneof![Just(b','), Just(b';'), Just(b'-')], prop_oneof![Just(b'.'), Just(b',')]);
    let choices = (prop_oneof![Just(""), Just("0"), Just("NULL")], any::<bool>(), any::<bool>());
    (style, bytes, choices).prop_map(|(datetime, (delimiter, decimal_separator), (null, all, formula_guard))| {
        let quote = if all { Quote::All } else { Quote::Minimal };
        let null = null.to_owned();
        CsvOptions { delimiter, decimal_separator, datetime, null, quote, formula_guard, ..CsvOptions::default() }
    })
}

/// One row: text, whole number, float, decimal, day, and an instant's second and nanosecond.
type Row = (Vec<u8>, i64, f64, String, i32, (i64, u32));

fn row() -> impl Strategy<Value = Row> {
    let text = prop_oneof![
        "[ -~]{0,40}".prop_map(String::into_bytes),
        "(a|é|\"|,|;|\n|\r|\t|-|=|'|\\\\|NULL|null| |0){0,40}".prop_map(String::into_bytes),
        "( |\\\\|a|NULL|Null|N){0,2}".prop_map(String::into_bytes),
        ".{30,80}".prop_map(String::into_bytes),
        ("x{490,540}", "[,\"\n]?", "y{0,40}").prop_map(|(a, b, c)| (a + &b + &c).into_bytes()),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    let float = prop_oneof![
        any::<f64>(),
        (any::<i32>(), 0..7).prop_map(|(digits, places)| f64::from(digits) / 10_f64.powi(places)),
        (-1_000_000_000_000_001_i64..1_000_000_000_000_001).prop_map(|digits| digits as f64 / 1000.0),
        // A neighbour of a number with three digits is no such number, however little it differs.
        (1_u32..100_000_000, 0_u64..3)
            .prop_map(|(digits, up)| f64::from_bits((f64::from(digits) / 1000.0).to_bits() - 1 + up)),
        -1e16..1e16,
    ];
    let decimal = prop_oneof!["-?[0-9]{1,20}", "-?0{0,2}[0-9]{1,4}\\.[0-9]{0,5}0{0,2}"];
    // Three years with their changes of the clock, the seconds around one, and those around midnight in Paris.
    let midnight = (20_000_i64..20_003, -3601_i64..-3598).prop_map(|(day, second)| day * 86_400 + second);
    let second = prop_oneof![1_700_000_000_i64..1_800_000_000, 1_774_745_990_i64..1_774_746_010, midnight];
    let nanos = prop_oneof![Just(0), (0_u32..1000).prop_map(|millis| millis * 1_000_000), 0_u32..1_000_000_000];
    (text, any::<i64>(), float, decimal, -700_000..2_900_000, (second, nanos))
}

/// The types of a row's cells.
const KINDS: [ColumnType; 6] = [
    ColumnType::Text,
    ColumnType::Integer,
    ColumnType::Float,
    ColumnType::Decimal,
    ColumnType::Date,
    ColumnType::Datetime,
];

fn cells((text, whole, float, digits, day, (seconds, nanos)): &Row) -> [Value<'_>; 6] {
    [
        Value::Text(text),
        Value::Int(*whole),
        Value::Float(*float),
        Value::Text(digits.as_bytes()),
        Value::Date(*day),
        Value::Instant(Instant { seconds: *seconds, nanos: *nanos }),
    ]
}

proptest! {
    #[test]
    fn cells_are_as_if_written_slowly(
        options in options(),
        scale in prop::option::of(0_u8..4),
        rows in prop::collection::vec(row(), 1..12),
    ) {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        for (index, kind) in KINDS.into_iter().enumerate() {
            let column = Column { scale: scale.map_or(Scale::AsNeeded, Scale::Exactly), ..Column::new("x", kind) };
            let mut encoder = Encoder::new(&Format::Csv(options.clone()), std::slice::from_ref(&column), &zone);
            for value in rows.iter().map(|row| cells(row)[index]) {
                let expected = plain(&options, &column, &zone, value).map(|cell| quoted(&options, &cell) + "\r\n");
                let mut out = Vec::new();
                let written = encoder.cell(value, &mut out);
                encoder.end_row(&mut out);
                match written {
                    Ok(()) => prop_assert_eq!(Some(String::from_utf8(out).unwrap()), expected, "{} {:?}", kind, value),
                    Err(fault) => prop_assert_eq!(None, expected, "{} {:?}: {}", kind, value, fault),
                }
            }
        }
    }
}
