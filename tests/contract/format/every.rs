//! What every format promises, whatever its files look like. That all stores give the same bytes is in
//! `store_bytes`, that the program delivers them in `three_stores`.

use std::fs::{self, File};
use std::io::Read;

use exportd::catalogue::Column;
use exportd::encode::Encoder;
use exportd::pipeline::{Watch, Zip, plain};
use exportd::value::{ColumnType, RowSink, Value};
use jiff::tz::TimeZone;
use zip::ZipArchive;

use super::readers::{FileToRead, READERS, read_all};
use super::{formats, push, run_folder, write};

/// Names of columns that a format may have to escape. The first column numbers the rows.
const NAMES: [&str; 8] = ["n", "a,b", "say \"hi\"", "it's; \\ here", "größe €", "select", " blank ", "tab\there"];

/// A value of each type that does not fit it.
const UNFIT: [(ColumnType, Value<'static>); 7] = [
    (ColumnType::Text, Value::Text(b"not \xff UTF-8")),
    (ColumnType::Text, Value::Text(b"a\0b")),
    (ColumnType::Integer, Value::Text(b"1.5")),
    (ColumnType::Float, Value::Float(f64::NAN)),
    (ColumnType::Boolean, Value::Text(b"maybe")),
    (ColumnType::Datetime, Value::Text(b"tomorrow")),
    (ColumnType::Array, Value::Text(b"{}")),
];

#[test]
fn null_and_the_empty_string_stay_apart_under_any_name() {
    let (_state, folder) = run_folder();
    let mut columns = NAMES.map(|name| Column::new(name, ColumnType::String));
    columns[0].kind = ColumnType::Integer;
    let row = |n: i64, cell| std::iter::once(Value::Int(n)).chain([cell; NAMES.len() - 1]).collect::<Vec<_>>();
    let rows = [row(0, Value::Null), row(1, Value::Text(b"")), row(2, Value::Text(b"x"))];
    for (word, format) in formats() {
        let artifact = write(&folder, &format!("{word}.{}", format.extension()), &format, &columns, &rows);
        let file = FileToRead::usual(artifact.path);
        for reader in READERS {
            let read = read_all(reader, std::slice::from_ref(&file)).remove(0);
            assert_eq!(read[0], NAMES.map(|name| Some(name.to_owned())), "{reader}, {word}");
            for (n, cell) in [file.null_for(reader), Some(String::new()), Some("x".to_owned())].iter().enumerate() {
                assert_eq!(read[n + 1][0], Some(n.to_string()), "{reader}, {word}");
                assert!(read[n + 1][1..].iter().all(|read| read == cell), "{reader}, {word}: {:?}", read[n + 1]);
            }
        }
    }
}

#[test]
fn an_export_without_rows_has_none_also_in_a_zip() {
    let (_state, folder) = run_folder();
    for (word, format) in formats() {
        let columns = [Column::new("n", ColumnType::Integer)];
        let artifact = write(&folder, &format!("{word}.{}", format.extension()), &format, &columns, &[]);
        assert_eq!(artifact.rows, 0);
        for reader in ["crates", "python"] {
            let read = read_all(reader, &[FileToRead::usual(artifact.path.clone())]).remove(0);
            assert_eq!(read.len(), 1, "{reader}, {word}: {read:?}");
        }
        let mut zip =
            Zip::new(folder.writer(&format!("{word}.zip")).unwrap(), &"2026-11-21T04:00[UTC]".parse().unwrap());
        let member = zip.member("none", Encoder::new(&format, &columns, &TimeZone::UTC), Watch::default());
        assert_eq!(member.finish(), Ok(0));
        let mut zip = ZipArchive::new(File::open(zip.finish().unwrap().path).unwrap()).unwrap();
        let mut text = Vec::new();
        zip.by_name(&format!("none.{}", format.extension())).unwrap().read_to_end(&mut text).unwrap();
        assert_eq!(text, fs::read(&artifact.path).unwrap(), "{word}");
    }
}

#[test]
fn a_fault_names_row_and_column_and_leaves_no_file() {
    let (_state, folder) = run_folder();
    for (kind, unfit) in UNFIT {
        let columns = [Column::new("n", ColumnType::Integer), Column::new("a,b", kind)];
        let mut told = Vec::new();
        for (word, format) in formats() {
            let encoder = Encoder::new(&format, &columns, &TimeZone::UTC);
            let mut sink = plain("export", encoder, folder.writer(word).unwrap(), Watch::default());
            push(&mut sink, &[vec![Value::Int(1), Value::Null]]);
            sink.cell(Value::Int(2)).unwrap();
            sink.cell(unfit).unwrap();
            sink.end_row().unwrap();
            told.push(sink.end_rows().unwrap_err().to_string());
            sink.finish().unwrap_err();
        }
        assert!(told[0].starts_with("row 2, column a,b: ") && told[0].ends_with(&format!(" as {kind}")), "{told:?}");
        assert!(told.iter().all(|fault| *fault == told[0]), "{told:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{kind}");
    }
}
