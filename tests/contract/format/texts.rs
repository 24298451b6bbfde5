//! Text of every kind comes back as it was, whatever the choices of the format.

use exportd::catalogue::Column;
use exportd::encode::Encoder;
use exportd::job::{CsvOptions, Format, LineEnding, Quote};
use exportd::value::{ColumnType, Value};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::readers::{FileToRead, READERS, read_all};
use super::{run_folder, write};

/// Text that has broken a CSV writer or reader somewhere.
const HOSTILE: [&str; 43] = [
    "",
    " ",
    "  lead",
    "trail  ",
    "\t",
    "a\tb",
    ",",
    "a,b",
    ",,",
    ";",
    "a;b",
    "\"",
    "\"\"",
    "\"quoted\"",
    "say \"hi\", please",
    "'",
    "\r\n",
    "\n",
    "\r",
    "a\r\nb",
    "a\nb",
    "a\rb",
    "\n\n",
    "last\n",
    "\\",
    "\\N",
    "\\.",
    "\\\"",
    "a\\",
    "a\u{1}b",
    "=1+1",
    "-2",
    "@SUM(A1)",
    "#x",
    "//x",
    "NULL",
    "null",
    "nan",
    "\u{feff}x",
    "e\u{301}",
    "\u{202e}cba",
    "😀👩‍👩‍👧",
    "\u{2028}",
];

fn columns() -> [Column; 2] {
    [Column::new("n", ColumnType::Integer), Column::new("value", ColumnType::Text)]
}

fn cell(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, |text| Value::Text(text.as_bytes()))
}

fn random_text() -> impl Strategy<Value = String> {
    let any = any::<String>().prop_map(|text| text.replace('\0', ""));
    prop_oneof!["[\"',;\r\n\\\\.=a -]{0,6}", "\\PC{0,10}", any]
}

/// Hostile and random text, text as long as a spreadsheet's cell and longer, and NULL.
fn all_texts() -> Vec<Option<String>> {
    let mut runner = TestRunner::deterministic();
    let random = prop::collection::vec(random_text(), 400).new_tree(&mut runner).unwrap().current();
    let long = ["x".repeat(32_768), "\"\r\n".repeat(12_000)];
    let hostile = HOSTILE.iter().map(|text| (*text).to_owned());
    hostile.chain(long).chain(random).map(Some).chain([None]).collect()
}

/// The formats to be read back, with their choices, where they have any.
fn formats() -> Vec<(Format, CsvOptions)> {
    let bi = CsvOptions { line_ending: LineEnding::Lf, ..CsvOptions::default() };
    let choices = [
        CsvOptions::default(),
        CsvOptions { delimiter: b';', quote: Quote::All, bom: true, ..CsvOptions::default() },
        CsvOptions { delimiter: b'\t', line_ending: LineEnding::Lf, null: "\\N".to_owned(), ..CsvOptions::default() },
    ];
    let csv = choices.into_iter().map(|options| (Format::Csv(options.clone()), options));
    [(Format::Bi, bi), (Format::Ndjson, CsvOptions::default())].into_iter().chain(csv).collect()
}

#[test]
fn four_readers_read_every_text_back() {
    let (_state, folder) = run_folder();
    let texts = all_texts();
    let rows: Vec<_> =
        texts.iter().enumerate().map(|(n, text)| vec![Value::Int(n as i64), cell(text.as_deref())]).collect();
    let mut files = Vec::new();
    for (index, (format, options)) in formats().into_iter().enumerate() {
        let name = format!("{index}.{}", format.extension());
        let artifact = write(&folder, &name, &format, &columns(), &rows);
        assert_eq!(artifact.rows, texts.len() as u64);
        let (path, delimiter, null) = (artifact.path, char::from(options.delimiter), options.null);
        files.push(FileToRead { path, delimiter, null });
    }
    for reader in READERS {
        for (file, rows) in files.iter().zip(read_all(reader, &files)) {
            let place = format!("{reader}, {}", file.path.display());
            assert_eq!(rows[0], [Some("n".to_owned()), Some("value".to_owned())], "{place}");
            assert_eq!(rows.len(), texts.len() + 1, "{place}");
            for (n, (row, text)) in rows[1..].iter().zip(&texts).enumerate() {
                let expected = text.clone().or_else(|| file.null_for(reader));
                assert_eq!(row, &[Some(n.to_string()), expected], "{place}, row {n}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_row_comes_back_with_any_choices(
        rows in prop::collection::vec(prop::collection::vec(prop::option::weighted(0.9, random_text()), 3), 1..6),
        delimiter in prop::sample::select(b",;\t|: a1".to_vec()),
        lf in any::<bool>(),
        quote_all in any::<bool>(),
        null in prop::sample::select(vec!["", "\\N", "NULL", "-"]),
    ) {
        prop_assume!(!null.contains(char::from(delimiter)));
        let options = CsvOptions {
            delimiter,
            line_ending: if lf { LineEnding::Lf } else { LineEnding::CrLf },
            quote: if quote_all { Quote::All } else { Quote::Minimal },
            null: null.to_owned(),
            ..CsvOptions::default()
        };
        let columns = ["first", "a,b", "c\"d"].map(|name| Column::new(name, ColumnType::String));
        let mut encoder = Encoder::new(&Format::Csv(options), &columns, &TimeZone::UTC);
        let mut file = Vec::new();
        encoder.start(&mut file);
        for row in &rows {
            for text in row {
                encoder.cell(cell(text.as_deref()), &mut file).unwrap();
            }
            encoder.end_row(&mut file);
        }
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(&file[..]);
        let read: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
        prop_assert_eq!(&read[0], &csv::StringRecord::from(vec!["first", "a,b", "c\"d"]));
        let expected = |row: &Vec<Option<String>>| row.iter().map(|cell| cell.as_deref().unwrap_or(null).to_owned()).collect();
        let expected: Vec<csv::StringRecord> = rows.iter().map(expected).collect();
        prop_assert_eq!(&read[1..], &expected[..]);
    }
}
