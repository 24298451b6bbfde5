//! Which rows belong to a period.

use exportd::catalogue::EpochUnit;
use exportd::job::JobExport;
use exportd::period::Period;
use exportd::store::StoreKind;
use jiff::tz::TimeZone;

use super::{KINDS, export, filtered, open, read, table};
use crate::support::databases::Database;

/// 2026-11-21 in Paris: [2026-11-20T23:00Z, 2026-11-21T23:00Z).
pub fn paris_day() -> Period {
    let at = |text: &str| text.parse().unwrap();
    Period { from: at("2026-11-21T00:00+01:00[Europe/Paris]"), to: at("2026-11-22T00:00+01:00[Europe/Paris]") }
}

/// The identifiers of the rows in the period.
pub async fn ids(database: &Database, export: &JobExport) -> String {
    let rows = read(&mut open(database).await, export, Some(&paris_day())).await;
    rows.concat().join(" ")
}

/// A table of `id` and `at`, an index on both, and rows 1, 2, … with these values.
pub async fn with_times(kind: StoreKind, sql_type: &str, values: &[&str]) -> Database {
    let database = Database::new(kind).await;
    let utc = if kind == StoreKind::Mysql { "SET time_zone = '+00:00';" } else { "" };
    let rows: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("({}, {value})", at + 1)).collect();
    let sql = format!(
        "{utc} CREATE TABLE t (id INT, at {sql_type}); CREATE INDEX t_at ON t (at, id); INSERT INTO t VALUES {}",
        rows.join(", ")
    );
    database.run(&sql).await;
    database
}

#[tokio::test]
async fn ends_are_exact_to_the_microsecond() {
    let instants = [
        "'2026-11-20 22:59:59.999999'",
        "'2026-11-20 23:00:00'",
        "'2026-11-21 22:59:59.999999'",
        "'2026-11-21 23:00:00'",
        "NULL",
    ];
    let types = [
        (StoreKind::Sqlite, "DATETIME"),
        (StoreKind::Sqlite, "TEXT"),
        (StoreKind::Postgres, "timestamptz"),
        (StoreKind::Postgres, "timestamp"),
        (StoreKind::Mysql, "datetime(6)"),
        (StoreKind::Mysql, "timestamp(6) null"),
    ];
    for (kind, sql_type) in types {
        let database = with_times(kind, sql_type, &instants).await;
        let export = filtered(export(table("t"), &["id"], &["at", "id"]), "at:datetime");
        assert_eq!(ids(&database, &export).await, "2 3", "{kind:?} {sql_type}");
        let mut snapshot = open(&database).await;
        assert_eq!(read(&mut snapshot, &export, None).await.len(), 5, "{kind:?} {sql_type}");
    }
}

#[tokio::test]
async fn dates_are_compared_as_dates() {
    let dates = ["'2026-11-20'", "'2026-11-21'", "'2026-11-22'", "NULL"];
    for kind in KINDS {
        let database = with_times(kind, "date", &dates).await;
        let dates = filtered(export(table("t"), &["id"], &["at", "id"]), "at:date");
        assert_eq!(ids(&database, &dates).await, "2", "{kind:?}");
        // Read as instants they are midnights UTC: only that of the 21st is in.
        let instants = filtered(export(table("t"), &["id"], &["at", "id"]), "at:datetime");
        assert_eq!(ids(&database, &instants).await, "2", "{kind:?}");
    }
}

#[tokio::test]
async fn local_times_have_the_zone_of_their_column() {
    let times = ["'2026-11-20 17:59:59'", "'2026-11-20 18:00:00'", "'2026-11-21 17:59:59'", "'2026-11-21 18:00:00'"];
    for (kind, sql_type) in
        [(StoreKind::Sqlite, "DATETIME"), (StoreKind::Postgres, "timestamp"), (StoreKind::Mysql, "datetime")]
    {
        let database = with_times(kind, sql_type, &times).await;
        let mut export = filtered(export(table("t"), &["id"], &["at", "id"]), "at:datetime");
        let zone = TimeZone::get("America/New_York").unwrap();
        export.filter.as_mut().unwrap().column.zone = Some(zone);
        assert_eq!(ids(&database, &export).await, "2 3", "{kind:?}");
    }
}

#[tokio::test]
async fn numbers_count_the_units_of_their_column() {
    let numbers = ["1795215599", "1795215600", "1795301999", "1795302000"];
    let columns = [
        (StoreKind::Sqlite, "INTEGER"),
        (StoreKind::Postgres, "int"),
        (StoreKind::Postgres, "numeric"),
        (StoreKind::Postgres, "double precision"),
        (StoreKind::Mysql, "bigint"),
        (StoreKind::Mysql, "double"),
    ];
    for (kind, sql_type) in columns {
        let database = with_times(kind, sql_type, &numbers).await;
        let export = filtered(export(table("t"), &["id"], &["at", "id"]), "at:datetime");
        assert_eq!(ids(&database, &export).await, "2 3", "{kind:?} {sql_type}");
    }
    for kind in KINDS {
        let numbers = numbers.map(|number| format!("{number}000"));
        let database = with_times(kind, "bigint", &numbers.each_ref().map(String::as_str)).await;
        let mut export = filtered(export(table("t"), &["id"], &["at", "id"]), "at:datetime");
        export.filter.as_mut().unwrap().column.epoch = Some(EpochUnit::Milliseconds);
        assert_eq!(ids(&database, &export).await, "2 3", "{kind:?}");
    }
}

#[tokio::test]
async fn sqlite_reads_every_spelling_of_a_datetime() {
    let spellings = [
        "'2026-11-20T23:00:00Z'",
        "'2026-11-21T08:00:00+09:00'",
        "'2026-11-20 14:00:00-0900'",
        "1795215600",
        "1795215600.5",
        "'2026-11-20 23:00'",
        "'2026-11-21'",
        "'2026-11-20T22:59:59.999999Z'",
        "'2026-11-21T23:59:59+00:59'",
        "'2026-11-22T07:59:59.999999+09:00'",
        "1795302000",
        "'2026-11-21T23:00:00.000Z'",
    ];
    for sql_type in ["DATETIME", "TEXT", ""] {
        for index in ["t_at", "none"] {
            let numbers: Vec<&str> =
                spellings.iter().copied().filter(|text| sql_type != "TEXT" || text.starts_with('\'')).collect();
            let database = with_times(StoreKind::Sqlite, sql_type, &numbers).await;
            if index == "none" {
                database.run("DROP INDEX t_at").await;
            }
            let export = filtered(export(table("t"), &["id"], &["at", "id"]), "at:datetime");
            let expected = if sql_type == "TEXT" { "1 2 3 4 5 8" } else { "1 2 3 4 6 5 7 10" };
            assert_eq!(ids(&database, &export).await, expected, "{sql_type} {index}");
        }
    }
}

#[tokio::test]
async fn an_index_on_the_time_is_used() {
    for (kind, sql_type) in
        [(StoreKind::Sqlite, "DATETIME"), (StoreKind::Postgres, "timestamptz"), (StoreKind::Mysql, "datetime(6)")]
    {
        let database = with_times(kind, sql_type, &["'2026-11-20 23:00:00'"]).await;
        let more = "INSERT INTO t SELECT 9, '2020-01-01 00:00:00' FROM t a, t b";
        for _ in 0..4 {
            database.run(more).await;
        }
        database.run(if kind == StoreKind::Mysql { "ANALYZE TABLE t" } else { "ANALYZE t" }).await;
        let export = filtered(export(table("t"), &["id"], &["at", "id"]), "at:datetime");
        let mut snapshot = open(&database).await;
        let prepared = snapshot.prepare(&export).await.unwrap();
        assert!(prepared.hints.is_empty(), "{kind:?} {:?}", prepared.hints);
        let plan = snapshot.explain(&prepared, &paris_day()).await.unwrap();
        assert!(plan.contains("t_at") && !plan.contains("Seq Scan"), "{kind:?} {plan}");
        snapshot.close().await;
        database.run(if kind == StoreKind::Mysql { "DROP INDEX t_at ON t" } else { "DROP INDEX t_at" }).await;
        let prepared = open(&database).await.prepare(&export).await.unwrap();
        assert!(prepared.hints.iter().any(|hint| hint.contains("no index")), "{kind:?} {:?}", prepared.hints);
    }
}
