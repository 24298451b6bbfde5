//! Numbers and texts as times: what each store makes of them, and that none is lost between two periods unsaid.

use exportd::catalogue::{EpochUnit, Unreadable};
use exportd::encode::Encoder;
use exportd::job::{Format, JobExport};
use exportd::store::{StoreError, StoreKind};
use jiff::tz::TimeZone;

use super::period::{ids, with_times};
use super::{export, filtered, open, query, table};
use crate::support::databases::Database;
use crate::support::encoded::Encoded;

/// An export of `t` by the period of `at`, whose numbers count `epoch`.
fn by_period(epoch: Option<EpochUnit>) -> JobExport {
    let mut export = filtered(export(table("t"), &["id"], &["at", "id"]), "at:datetime");
    export.filter.as_mut().unwrap().column.epoch = epoch;
    export
}

#[tokio::test]
async fn julian_days_belong_to_the_period_of_their_millisecond() {
    // 2026-11-20T23:00Z and 24 hours later, each with a millisecond before; a whole day, which is a noon; NULL.
    let days =
        ["2461365.4583333218", "2461365.4583333335", "2461366", "2461366.4583333218", "2461366.4583333335", "NULL"];
    let columns = [
        (StoreKind::Sqlite, "DATETIME"),
        (StoreKind::Sqlite, "REAL"),
        (StoreKind::Sqlite, ""),
        (StoreKind::Postgres, "double precision"),
        (StoreKind::Postgres, "numeric"),
        (StoreKind::Mysql, "double"),
        (StoreKind::Mysql, "decimal(20, 10)"),
    ];
    let export = by_period(Some(EpochUnit::Julian));
    for (kind, sql_type) in columns {
        let database = with_times(kind, sql_type, &days).await;
        assert_eq!(ids(&database, &export).await, "2 3 4", "{kind:?} {sql_type}");
    }
    for (kind, sql_type) in [(StoreKind::Sqlite, "INTEGER"), (StoreKind::Postgres, "int"), (StoreKind::Mysql, "int")] {
        let database = with_times(kind, sql_type, &["2461365", "2461366", "2461367"]).await;
        assert_eq!(ids(&database, &export).await, "2", "{kind:?} {sql_type}");
    }
}

#[tokio::test]
async fn sqlite_s_own_functions_are_the_oracle_of_julian_days() {
    let texts = ["2026-11-21 04:00:00.25", "1969-12-31 23:59:59.999", "0001-01-01 00:00:00", "9999-12-31 12:00:00.001"];
    let days = texts.map(|text| format!("julianday('{text}')"));
    let database = with_times(StoreKind::Sqlite, "REAL", &days.each_ref().map(String::as_str)).await;
    let mut export = export(table("t"), &["at:datetime"], &["id"]);
    let column = exportd::catalogue::Column { epoch: Some(EpochUnit::Julian), ..export.columns[0].clone() };
    export.columns = vec![column].into();
    let mut file = Encoded { encoder: Encoder::new(&Format::Bi, &export.columns, &TimeZone::UTC), bytes: Vec::new() };
    let mut snapshot = open(&database).await;
    let prepared = snapshot.prepare(&export).await.unwrap();
    snapshot.read(&prepared, None, &mut file, None).await.unwrap();
    let written = String::from_utf8(file.bytes).unwrap();
    let expected = texts.map(|text| format!("{}+00:00\n", text.replace(' ', "T")));
    assert_eq!(written, expected.concat());
}

/// What a check of the times of `at` comes to: the error or the warning.
async fn checked(database: &Database, export: &JobExport) -> Result<Option<String>, String> {
    let mut snapshot = open(database).await;
    let prepared = snapshot.prepare(export).await.unwrap();
    let checked = snapshot.check_times(&prepared).await;
    checked.map_err(|error| {
        assert!(matches!(error, StoreError::UnreadableTimes { .. }) && error.is_permanent(), "{error}");
        error.to_string()
    })
}

/// The same for a table in SQLite, with an index on the column and without one.
async fn checked_in_sqlite(sql_type: &str, values: &[&str], export: &JobExport) -> Result<Option<String>, String> {
    let database = with_times(StoreKind::Sqlite, sql_type, values).await;
    let with_index = checked(&database, export).await;
    database.run("DROP INDEX t_at").await;
    assert_eq!(checked(&database, export).await, with_index, "{sql_type} {values:?}");
    with_index
}

#[tokio::test]
async fn sqlite_loses_no_row_whose_time_can_t_be_read() {
    let day = "'2026-11-21 04:00:00'";
    let cases: [(&str, &[&str], &str); 16] = [
        ("DATETIME", &["2461011.5", "2461012", "'01/11/2026 06:00'"], "), 1 text (write times as"),
        ("DATETIME", &["2461011.5", "2461012.25", day], "2 real numbers (`epoch = \"julian\"`"),
        ("DATETIME", &[day, "'01/11/2026 06:00'"], "1 text (write times as"),
        ("DATETIME", &[day, "'yesterday'", "'now'"], "2 texts (write times as"),
        // Between two that can be read.
        ("DATETIME", &["'2026-01-01'", "'2026-1-2'", "'2026-12-31'"], "1 text"),
        ("DATETIME", &["0", "2461011.5", "1764000000"], "1 real number"),
        ("DATETIME", &["1764000000000", "1764000000001"], "2 whole numbers (`epoch = \"ms\"`"),
        ("REAL", &["1764000000000000"], "1 real number (`epoch = \"us\"`"),
        ("DATETIME", &["1764000000000", "1764000000000000"], "2 whole numbers (no `epoch`"),
        ("TEXT", &["'1764000000'", "'1764000001'"], "2 texts (they hold numbers as text; cast them"),
        ("TEXT", &[day, "'0000-00-00 00:00:00'"], "1 text"),
        // An index has them among the texts of a day.
        ("TEXT", &["'2026-11-27'", "'2026-11-27 04:00:00'", "'2026-11-271'", "'2026-11-27T04:00:00'"], "1 text (write"),
        ("TEXT", &["'27.11.2026'", "'2026-02-30'", "'20261127'"], "3 texts (write times as"),
        ("DATETIME", &["2461011.5", "2461012"], "1 whole number and 1 real number (`epoch = \"julian\"`"),
        ("", &[day, "x'323032362d31312d3231'"], "1 binary value"),
        ("", &["''", "NULL"], "1 text"),
    ];
    for (sql_type, values, expected) in cases {
        let told = checked_in_sqlite(sql_type, values, &by_period(None)).await.unwrap_err();
        assert!(told.starts_with("the time column \"at\"") && told.contains(expected), "{expected}\nis not in\n{told}");
        assert!(!told.contains("yesterday") && !told.contains("01/11"), "{told}");
    }
    let dates = filtered(export(table("t"), &["id"], &["at", "id"]), "at:date");
    let told = checked_in_sqlite("", &["'2026-11-21'", "1764000000", "20261121"], &dates).await.unwrap_err();
    assert!(told.contains("can't be read as date,") && told.contains("2 whole numbers (declare"), "{told}");
}

#[tokio::test]
async fn sqlite_reads_on_where_the_day_of_every_row_is_known() {
    let fine: [(&str, &[&str]); 4] = [
        ("DATETIME", &["NULL"]),
        ("DATETIME", &["'2026-11-21'", "'2026-11-21T08:00:00+09:00'", "1795215600.5", "-1", "NULL"]),
        ("TEXT", &["datetime('now')", "'2025-01-01 25:00:00'", "'2025-01-01 04:00:00  '", "'2026-11-21'"]),
        ("", &["0", "1764000000", "'9999-12-31'"]),
    ];
    for (sql_type, values) in fine {
        assert_eq!(checked_in_sqlite(sql_type, values, &by_period(None)).await, Ok(None), "{values:?}");
    }
    let julian = by_period(Some(EpochUnit::Julian));
    assert_eq!(checked_in_sqlite("", &["2461011.5", "2461012"], &julian).await, Ok(None));
    let told = checked_in_sqlite("", &["2461011.5", "1764000000"], &julian).await.unwrap_err();
    assert!(told.contains("1 whole number (`epoch = \"s\"`"), "{told}");
    // Nothing is filtered on, so nothing is left out.
    let all = export(table("t"), &["id"], &["id"]);
    assert_eq!(checked_in_sqlite("", &["'yesterday'"], &all).await, Ok(None));
}

#[tokio::test]
async fn views_and_queries_are_checked_by_their_rows() {
    let database = with_times(StoreKind::Sqlite, "DATETIME", &["'2026-11-20'", "'2026-11-21'"]).await;
    database
        .run("CREATE VIEW v AS SELECT max(id) AS id, at FROM t GROUP BY at; INSERT INTO t VALUES (9, 'never')")
        .await;
    for source in [table("v"), query("select id, upper(at) as at from t")] {
        let by_period = filtered(export(source, &["id"], &["id"]), "at:datetime");
        assert!(checked(&database, &by_period).await.unwrap_err().contains("1 text"));
    }
}

#[tokio::test]
async fn servers_lose_no_number_that_can_t_be_read() {
    let columns = [
        (StoreKind::Postgres, "bigint"),
        (StoreKind::Postgres, "numeric"),
        (StoreKind::Postgres, "double precision"),
        (StoreKind::Mysql, "bigint"),
        (StoreKind::Mysql, "decimal(20, 2)"),
        (StoreKind::Mysql, "double"),
    ];
    for (kind, sql_type) in columns {
        let told = async |values: &[&str], epoch| {
            let database = with_times(kind, sql_type, values).await;
            checked(&database, &by_period(epoch)).await
        };
        let millis = ["1764000000000", "1764000000001", "NULL"];
        let error = told(&millis, None).await.unwrap_err();
        assert!(error.contains("2 numbers (`epoch = \"ms\"` for the column"), "{kind:?} {sql_type}: {error}");
        let error = told(&["0", "2461011", "2461012", "1764000000"], None).await.unwrap_err();
        assert!(error.contains("2 numbers (`epoch = \"julian\"`"), "{kind:?} {sql_type}: {error}");
        assert_eq!(told(&millis, Some(EpochUnit::Milliseconds)).await, Ok(None));
        assert_eq!(told(&["0", "1764000000"], None).await, Ok(None));
        assert_eq!(told(&["NULL"], None).await, Ok(None));
        let warning = told(&["5", "1764000000"], Some(EpochUnit::Milliseconds)).await.unwrap().unwrap();
        assert!(warning.contains("is a time of 1970; `epoch = \"s\"`"), "{kind:?} {sql_type}: {warning}");
    }
    for odd in ["'NaN'", "1e400"] {
        let database = with_times(StoreKind::Postgres, "numeric", &["1764000000", odd]).await;
        let error = checked(&database, &by_period(None)).await.unwrap_err();
        assert!(error.contains("1 number (no `epoch` fits"), "{odd}: {error}");
    }
}

#[tokio::test]
async fn times_that_may_be_null_are_left_out_aloud() {
    let mut export = by_period(None);
    export.filter.as_mut().unwrap().column.unreadable = Unreadable::Null;
    let texts = ["'2026-11-21 04:00:00'", "'yesterday'", "'2026-11-21 25:00:00'"];
    for (kind, sql_type, values, expected) in [
        (StoreKind::Sqlite, "DATETIME", &texts[..], "2 texts"),
        (StoreKind::Postgres, "bigint", &["1795215600", "1764000000000"], "1 number"),
        (StoreKind::Mysql, "bigint", &["1795215600", "1764000000000"], "1 number"),
    ] {
        let database = with_times(kind, sql_type, values).await;
        let warning = checked(&database, &export).await.unwrap().unwrap();
        let told =
            format!("values of the time column \"at\" can't be read, so their rows are in no file: {expected} (");
        assert!(warning.starts_with(&told), "{kind:?}: {warning}");
        assert_eq!(ids(&database, &export).await, "1", "{kind:?}");
    }
}
