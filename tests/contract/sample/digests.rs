//! The bytes of every export, as digests: what a change of the encoder must not change by accident.

use std::fmt::Write as _;

use exportd::job::{CsvOptions, DatetimeStyle, Format, Quote};

use super::SMALL;
use super::catalogue::contact_centre;
use super::servers::{KINDS, file, filled, open, whole};
use crate::support::oracle::digest;

/// The formats, each with the name that stands in the list. The last turns as many choices as possible.
fn formats() -> [(&'static str, Format); 3] {
    let unusual = CsvOptions {
        delimiter: b';',
        bom: true,
        null: "NULL".to_owned(),
        quote: Quote::All,
        boolean: ("yes".to_owned(), "no".to_owned()),
        datetime: DatetimeStyle::Local,
        decimal_separator: b',',
        formula_guard: true,
        ..CsvOptions::default()
    };
    [("bi", Format::Bi), ("csv", Format::Csv(CsvOptions::default())), ("csv-unusual", Format::Csv(unusual))]
}

/// A line for each export and format: the digest of the file, and which one it is.
#[tokio::test(flavor = "multi_thread")]
async fn every_export_has_the_bytes_that_it_always_had() {
    let mut lists = Vec::new();
    for kind in KINDS {
        let database = filled(kind, SMALL).await;
        let mut snapshot = open(&database).await;
        let mut list = String::new();
        for export in contact_centre().exports.iter().map(whole) {
            for (name, format) in formats() {
                let file = file(&mut snapshot, &export, None, &format).await;
                writeln!(list, "{} {}.{name}", digest(file.as_bytes()), export.name).unwrap();
            }
        }
        lists.push((kind, list));
    }
    let (_, sqlite) = &lists[0];
    for (kind, list) in &lists[1..] {
        let differing: Vec<_> = list.lines().zip(sqlite.lines()).filter(|(line, expected)| line != expected).collect();
        assert_eq!(differing, [], "{kind:?} gives other files than SQLite");
    }
    insta::assert_snapshot!("digests", sqlite);
}
