//! SQLite read on its own: opening, odd names, odd times.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::{Sqlite, connect, immutable_uri, sqlite_path};
use crate::catalogue::{Column, Source, TimeColumn};
use crate::job::{JobExport, PeriodRule};
use crate::period::Period;
use crate::secret::Secret;
use crate::store::{MAX_CELL, StoreKind, StoreSettings};
use crate::value::{ColumnType, RowSink, Stop, Value};

/// Keeps the integers of the first column.
#[derive(Default)]
struct Ids(Vec<i64>);

impl RowSink for Ids {
    fn cell(&mut self, value: Value<'_>) -> Result<(), Stop> {
        if let Value::Int(id) = value {
            self.0.push(id);
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Stop> {
        Ok(())
    }
}

fn store(path: &Path, sql: &str) -> Sqlite {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
    open(path)
}

fn open(path: &Path) -> Sqlite {
    Sqlite::open(&StoreSettings {
        kind: StoreKind::Sqlite,
        url: Secret::new(format!("sqlite:{}", path.display())),
        statement_timeout: Duration::from_secs(60),
        ca: None,
        row_security: None,
        max_cell: MAX_CELL,
    })
    .unwrap()
}

fn export() -> JobExport {
    JobExport {
        name: "t".to_owned(),
        source: Source::Table("t".to_owned()),
        columns: vec![Column::new("id", ColumnType::Integer)].into(),
        order: vec!["at".to_owned(), "id".to_owned()],
        period: PeriodRule::Day,
        filter: Some(TimeColumn { name: "created".to_owned(), column: Column::new("at", ColumnType::Datetime) }),
    }
}

fn day() -> Period {
    let at = |text: &str| text.parse().unwrap();
    Period { from: at("2026-11-21T00:00:00+00:00[UTC]"), to: at("2026-11-22T00:00:00+00:00[UTC]") }
}

fn ids(sqlite: &mut Sqlite, period: Option<&Period>) -> Vec<i64> {
    let plan = sqlite.prepare(&export(), &mut Vec::new()).unwrap();
    let mut sink = Ids::default();
    sqlite.read(&plan, period, &mut sink).unwrap();
    sink.0
}

#[test]
fn an_index_serves_the_period_and_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE t (id INTEGER, at DATETIME); CREATE INDEX t_at ON t (at, id); \
               INSERT INTO t VALUES (2, '2026-11-21 04:00:00'), (1, '2026-11-21 03:00:00'), (3, '2026-11-22 00:00:00')";
    let mut sqlite = store(&folder.path().join("a.db"), sql);
    let mut hints = Vec::new();
    let plan = sqlite.prepare(&export(), &mut hints).unwrap();
    let steps = sqlite.explain(&plan.indexed.as_ref().unwrap().select.text(true)).unwrap();
    assert_eq!(steps, ["SEARCH main.t USING COVERING INDEX t_at (at>? AND at<?)"]);
    assert!(!hints.iter().any(|hint| hint.contains("index")), "{hints:?}");
    assert_eq!(ids(&mut sqlite, Some(&day())), [1, 2]);
    assert_eq!(ids(&mut sqlite, None), [1, 2, 3]);
}

#[test]
fn different_spellings_are_sorted_by_what_they_mean() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE t (id INTEGER, at DATETIME); CREATE INDEX t_at ON t (at, id); \
               INSERT INTO t VALUES (1, '2026-11-21T04:00:00+09:00'), (2, '2026-11-21 00:00:00'), (3, 1795219200), \
               (4, '2026-11-21 23:59:59.999999'), (5, '2026-11-21T23:59:59Z'), (6, '2026-11-22T00:30:00+01:00')";
    let mut sqlite = store(&folder.path().join("a.db"), sql);
    assert_eq!(ids(&mut sqlite, Some(&day())), [2, 3, 6, 5, 4]);
    assert_eq!(ids(&mut sqlite, None), [1, 2, 3, 6, 5, 4]);
}

#[test]
fn a_time_in_the_period_that_can_not_be_read_fails_the_read() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE t (id INTEGER, at DATETIME); \
               INSERT INTO t VALUES (1, '2026-11-21 25:00:00'), (2, '2026-11-22 00:00:00 '), (3, '2026-11-28 25:00')";
    let mut sqlite = store(&folder.path().join("a.db"), sql);
    let plan = sqlite.prepare(&export(), &mut Vec::new()).unwrap();
    let error = sqlite.read(&plan, Some(&day()), &mut Ids::default()).unwrap_err().to_string();
    assert!(error.contains("\"at\"") && error.contains("2 texts (write") && !error.contains("25:00"), "{error}");
}

#[test]
fn a_file_that_nobody_may_write_is_read_without_its_wal_and_watched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd ?#%.db");
    let sql = "PRAGMA journal_mode = wal; CREATE TABLE t (id INTEGER, at DATETIME); \
               INSERT INTO t VALUES (1, '2026-11-21 04:00:00')";
    let mut sqlite = store(&path, sql);
    sqlite.frozen = Some(super::FileState::of(&path));
    sqlite.db = connect(&path, true).unwrap();
    assert_eq!(ids(&mut sqlite, None), [1]);
    Connection::open(&path).unwrap().execute_batch("INSERT INTO t VALUES (2, NULL)").unwrap();
    let plan = sqlite.prepare(&export(), &mut Vec::new()).unwrap();
    let error = sqlite.read(&plan, None, &mut Ids::default()).unwrap_err().to_string();
    assert!(error.contains("written to"), "{error}");
}

#[test]
fn no_character_of_a_path_is_read_as_part_of_a_uri() {
    assert_eq!(immutable_uri(Path::new("/a b/c?mode=rwc#%.db")), "file:/a%20b/c%3Fmode%3Drwc%23%25.db?immutable=1");
}

#[test]
fn the_path_of_a_url_is_taken_as_it_is() {
    for (url, path) in [
        ("sqlite:store.db", "store.db"),
        ("sqlite:///var/lib/store.db", "/var/lib/store.db"),
        ("SQLite:/a b%20?c", "/a b%20?c"),
    ] {
        assert_eq!(sqlite_path(url).unwrap(), PathBuf::from(path));
    }
    for url in ["sqlite:", "sqlite://", "store.db", "postgres://a/b"] {
        assert!(sqlite_path(url).unwrap_err().is_permanent(), "{url}");
    }
}
