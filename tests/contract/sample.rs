//! The sample store: the same data from the same seed, into an empty database only, whole or not at all.

mod catalogue;
mod content;
mod digests;
mod servers;

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use exportd::sample::{self, SampleError, SampleOptions, Summary, TableProgress};
use exportd::secret::Secret;
use exportd::store::{MAX_CELL, StoreKind, StoreSettings};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// A sample small enough for a test; all rows that every sample holds are in it.
const SMALL: SampleOptions = SampleOptions { messages: 1000, seed: 7 };

fn settings(kind: StoreKind, url: String) -> StoreSettings {
    StoreSettings {
        kind,
        url: Secret::new(url),
        statement_timeout: Duration::from_secs(60),
        ca: None,
        row_security: None,
        max_cell: MAX_CELL,
    }
}

async fn fill_file(path: &Path, options: SampleOptions) -> Result<Summary, SampleError> {
    sample::fill(&settings(StoreKind::Sqlite, format!("sqlite:{}", path.display())), options, &|_| {}).await
}

/// A SQLite sample, open for reading, and the folder that it is gone with.
async fn small_sample(options: SampleOptions) -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.db");
    fill_file(&path, options).await.unwrap();
    (folder, Connection::open(path).unwrap())
}

fn column(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// All rows of `from`, cell by cell as text, with NULL apart from everything else.
fn rows(db: &Connection, from: &str) -> Vec<Vec<Option<String>>> {
    let mut statement = db.prepare(&format!("select * from {from}")).unwrap();
    let width = statement.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
        ValueRef::Blob(_) => panic!("no column of {from} is binary"),
    };
    let row = |row: &rusqlite::Row<'_>| (0..width).map(|place| row.get_ref(place).map(text)).collect();
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// Every table and every view with all its rows.
fn everything(db: &Connection) -> Vec<(String, Vec<Vec<Option<String>>>)> {
    let names = column(
        db,
        "select name from sqlite_schema where type in ('table', 'view')
        and name not like 'sqlite_%' order by name",
    );
    names.into_iter().map(|name| (name.clone(), rows(db, &name))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_gives_the_same_data_and_another_seed_another() {
    let (_first_folder, first) = small_sample(SMALL).await;
    let (_again_folder, again) = small_sample(SMALL).await;
    let (_other_folder, other) = small_sample(SampleOptions { seed: 8, ..SMALL }).await;
    let first = everything(&first);
    assert!(first == everything(&again), "the same seed gave other data");
    assert!(first != everything(&other), "another seed gave the same data");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_counts_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.db");
    let reports = Mutex::new(Vec::<TableProgress>::new());
    let to = settings(StoreKind::Sqlite, format!("sqlite:{}", path.display()));
    let summary = sample::fill(&to, SMALL, &|progress| reports.lock().unwrap().push(progress)).await.unwrap();
    let db = Connection::open(&path).unwrap();
    for (table, count) in &summary.tables {
        let there: i64 = db.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(there as u64, *count, "{table}");
        let reports = reports.lock().unwrap();
        let last = reports.iter().rfind(|progress| progress.table == *table).unwrap();
        assert_eq!(last.done, last.total, "{table}");
    }
    assert!(summary.tables.contains(&("messages", 1000)));
    assert_eq!(summary.rows(), summary.tables.iter().map(|(_, rows)| rows).sum::<u64>());
}

#[tokio::test(flavor = "multi_thread")]
async fn any_size_gives_exactly_so_many_messages_in_whole_threads() {
    for messages in [800, 801, 813, 831, 1007] {
        let (_folder, db) = small_sample(SampleOptions { messages, seed: 3 }).await;
        let count: i64 = db.query_row("select count(*) from messages", [], |row| row.get(0)).unwrap();
        assert_eq!(count as u64, messages);
        let wrong = "select t.id from threads t where t.message_count <>
            (select count(*) from messages m where m.thread_id = t.id)
            or t.case_count <> (select count(*) from cases c where c.thread_id = t.id)";
        assert_eq!(column(&db, wrong), Vec::<String>::new(), "{messages} messages");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_empty_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.db");
    Connection::open(&path).unwrap().execute_batch("create table mine (a); insert into mine values (1)").unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = fill_file(&path, SMALL).await.unwrap_err();
    assert!(matches!(&error, SampleError::NotEmpty { found } if found == "table mine"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_folder_is_named_and_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such");
    let error = fill_file(&missing.join("sample.db"), SMALL).await.unwrap_err();
    assert!(matches!(&error, SampleError::NoFolder { folder } if *folder == missing), "{error}");
    assert!(!missing.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fill_that_is_given_up_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.db");
    let to = settings(StoreKind::Sqlite, format!("sqlite:{}", path.display()));
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let many = SampleOptions { messages: 1_000_000, seed: 1 };
    let report = move |_| started.send(()).unwrap_or_default();
    tokio::select! {
        made = sample::fill(&to, many, &report) => panic!("a million messages were made at once: {made:?}"),
        _ = starts.recv() => assert!(path.exists()),
    }
    let limit = Instant::now() + Duration::from_secs(30);
    while path.exists() {
        assert!(Instant::now() < limit, "the half-filled file is still there");
        tokio::task::yield_now().await;
    }
}
