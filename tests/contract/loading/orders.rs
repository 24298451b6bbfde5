//! The table `orders` of docs/loading.md: a column of each type, filled with what loaders are known to misread.

use exportd::store::StoreKind;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Rows of cells as texts, in the order of [`COLUMNS`]; none is NULL.
pub type Rows = Vec<Vec<Option<String>>>;

/// What decides whether two texts show the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Float,
    Boolean,
    Date,
    Instant,
    Array,
}

/// Each column with its types in SQLite, PostgreSQL and MariaDB.
pub const COLUMNS: [(&str, Kind, [&str; 3]); 12] = [
    ("id", Kind::Number, ["integer primary key", "bigint primary key", "bigint primary key"]),
    ("reference", Kind::Text, ["text", "varchar(100)", "varchar(100)"]),
    ("customer", Kind::Text, ["text", "text", "longtext"]),
    ("note", Kind::Text, ["text", "text", "longtext"]),
    ("units", Kind::Number, ["integer", "bigint", "bigint"]),
    ("serial", Kind::Number, ["text", "numeric(38)", "decimal(38)"]),
    ("amount", Kind::Number, ["text", "numeric", "decimal(38, 10)"]),
    ("weight", Kind::Float, ["real", "double precision", "double"]),
    ("paid", Kind::Boolean, ["boolean", "boolean", "boolean"]),
    ("ordered_on", Kind::Date, ["text", "date", "date"]),
    ("updated_at", Kind::Instant, ["text", "timestamptz", "datetime(6)"]),
    ("tags", Kind::Array, ["text", "text[]", "json"]),
];

/// Values by column, repeated down the rows; an empty one is NULL. Texts have a list of their own.
#[rustfmt::skip]
const VALUES: [(&str, &[&str]); 9] = [
    ("reference", &["00042", "1e5", "007", "0", "12345678901234567890", "1.50"]),
    ("units", &["9223372036854775807", "", "-9223372036854775808", "0", "9007199254740993"]),
    ("serial", &["99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", "",
        "18446744073709551615", "0", "7", "10000000000000000000000000"]),
    ("amount", &["0", "12.50", "-0.10", "1234567890123456789012345678.0123456789", "", "0.0000000001", "1000000"]),
    ("weight", &["0.1", "1e21", "", "-2.2250738585072014e-308", "9007199254740993", "0", "100", "0.30000000000000004",
        "-1e-7"]),
    ("paid", &["1", "", "0"]),
    ("ordered_on", &["0001-01-01", "9999-12-31", "", "2024-02-29", "1969-12-31"]),
    ("updated_at", &["2026-11-21 03:00:00", "1969-12-31 23:59:59.999999", "2026-10-25 00:30:00.25", "2026-10-25 01:30:00",
        "0001-01-01 00:00:00", "9999-12-30 20:59:59.999999", "", "1890-01-01 00:00:00.000001"]),
    ("tags", &[r#"["a","b, c",""]"#, "[]", "", r#"["line\nfeed","\"quoted\"","C:\\dir\\","😀"]"#, r#"["NULL"]"#]),
];

/// Texts that some loader has taken for something else.
#[rustfmt::skip]
const TEXTS: [&str; 74] = [
    "", " ", "  ", " lead", "trail ", "\u{a0}x\u{a0}", "\t", "\tx\t", "C:\\dir\\", "\\", "\\\\", "\\N", "\\n", "\\.",
    "a\\", "\\,", "\\\"", "\"\\", "a\\\nb", "NULL", "null", "Null", "NA", "N/A", "#N/A", "nan", "NaN", "None", "nil", "-",
    "true", "False", "0", "1", "00042", "+7", "1e5", "0x1F", "1_000", "9223372036854775808", "12.50", "inf", "2026-11-21",
    "\"", "\"\"", "say \"hi\"", "it's", ",", ",,", "a,b;c|d", "\n", "\r\n", "\r", "a\nb", "a\r\nb", "a\rb", "last\n",
    "last\r", "a\n\nb", "\",\n\"", "\u{1}", "\u{2}", "\u{1f}", "=1+1", "@x", "# x", "// x", "[1]", "{\"a\": null}",
    "😀👩‍👩‍👧", "e\u{301} é", "שלום 日本", "\u{2028}\u{85}", "\u{feff}x",
];

/// The names of the columns.
pub fn names() -> Vec<&'static str> {
    COLUMNS.iter().map(|(name, ..)| *name).collect()
}

/// All rows: each text twice, some of them of 100 KB. In total they are more than what readers take at once.
pub fn rows() -> Rows {
    let long = (0..5).map(|more| "\"\r\n, \\".repeat(16_000 + more));
    let long = long.chain(["x".repeat(100_000), "é😀".repeat(17_000)]);
    let texts: Vec<Option<String>> =
        TEXTS.iter().map(|text| (*text).to_owned()).chain(long).map(Some).chain([None]).collect();
    (0..texts.len()).map(|row| cells(row, &texts[texts.len() - 1 - row], &texts[row])).collect()
}

/// The row of that number, with these texts for `customer` and `note`.
pub fn cells(row: usize, customer: &Option<String>, note: &Option<String>) -> Vec<Option<String>> {
    let cell = |name: &str| match name {
        "id" => Some([i64::MIN, i64::MAX].get(row).map_or(row.to_string(), i64::to_string)),
        "customer" => customer.clone(),
        "note" => note.clone(),
        name => {
            let (_, values) = VALUES.iter().find(|(column, _)| *column == name).unwrap();
            Some(values[row % values.len()].to_owned()).filter(|value| !value.is_empty())
        }
    };
    names().into_iter().map(cell).collect()
}

/// The statements that make the table with these rows.
pub fn table(store: StoreKind, rows: &Rows) -> String {
    let (at, zone) = match store {
        StoreKind::Sqlite => (0, ""),
        StoreKind::Postgres => (1, "set timezone = 'UTC';"),
        StoreKind::Mysql => (2, "set sql_mode = concat(@@sql_mode, ',NO_BACKSLASH_ESCAPES');"),
    };
    let columns = COLUMNS.map(|(name, _, types)| format!("{name} {}", types[at])).join(", ");
    let row = |row: &Vec<Option<String>>| {
        let cells = COLUMNS.iter().zip(row).map(|((_, kind, _), cell)| literal(store, *kind, cell.as_deref()));
        format!("({})", cells.collect::<Vec<_>>().join(", "))
    };
    let rows = rows.iter().map(row).collect::<Vec<_>>().join(",\n");
    let insert = if rows.is_empty() { String::new() } else { format!("insert into orders values {rows}") };
    format!("{zone} create table orders ({columns}); {insert}")
}

fn literal(store: StoreKind, kind: Kind, cell: Option<&str>) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match cell {
        None => "null".to_owned(),
        Some(json) if kind == Kind::Array && store == StoreKind::Postgres => {
            let elements: Vec<String> = serde_json::from_str(json).unwrap();
            let elements: Vec<_> = elements.iter().map(|element| quoted(element)).collect();
            format!("array[{}]::text[]", elements.join(", "))
        }
        Some(text) => quoted(text),
    }
}

/// What decides how the columns are compared in files of `format`: an array is one text in CSV.
pub fn kinds(format: &str) -> [Kind; 12] {
    COLUMNS.map(|(_, kind, _)| if kind == Kind::Array && format != "ndjson" { Kind::Text } else { kind })
}

/// The array of [`COLUMNS`] as the text that it becomes in CSV.
pub fn joined(json: &str) -> String {
    serde_json::from_str::<Vec<String>>(json).unwrap().join(", ")
}

/// One spelling for each value, whatever program wrote it.
pub fn canonical(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Text => text.to_owned(),
        Kind::Number if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        Kind::Number => text.to_owned(),
        Kind::Float => format!("{:e}", text.parse::<f64>().unwrap()),
        Kind::Boolean => match text {
            "1" | "true" => "true".to_owned(),
            "0" | "false" => "false".to_owned(),
            other => panic!("{other} as a boolean"),
        },
        // pandas has no days, only midnights.
        Kind::Date => text.trim_end_matches("T00:00:00").to_owned(),
        Kind::Instant => instant(text).to_string(),
        Kind::Array => serde_json::from_str::<serde_json::Value>(text).unwrap().to_string(),
    }
}

/// A moment with an offset, or in UTC.
fn instant(text: &str) -> Timestamp {
    let in_utc = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().unwrap()).unwrap();
    text.parse().unwrap_or_else(|_| in_utc())
}
