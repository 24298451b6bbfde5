//! Times that only a server's own types can hold, and numbers of exact types as times.

use exportd::catalogue::{Column, EpochUnit, Unreadable};
use exportd::encode::Encoder;
use exportd::job::{Format, JobExport};
use exportd::store::{StoreError, StoreKind};
use jiff::tz::TimeZone;

use super::period::{ids, with_times};
use super::{export, filtered, open, query, table};
use crate::support::databases::Database;
use crate::support::encoded::Encoded;

const FINE: &str = "'2026-11-21 04:00:00'";

/// An export of `t` by the period of `at`, of this type.
fn by_period(kind: &str) -> JobExport {
    filtered(export(table("t"), &["id"], &["at", "id"]), &format!("at:{kind}"))
}

/// What a check of the times that a period filters on comes to: the error or the warning.
async fn checked(database: &Database, export: &JobExport) -> Result<Option<String>, String> {
    let mut snapshot = open(database).await;
    let prepared = snapshot.prepare(export).await.unwrap();
    snapshot.check_times(&prepared).await.map_err(|error| {
        assert!(matches!(error, StoreError::UnreadableTimes { .. }), "{error}");
        error.to_string()
    })
}

#[tokio::test]
async fn no_row_is_lost_with_a_time_that_no_file_could_hold() {
    let postgres = ["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'12000-01-01'", "NULL", FINE];
    let columns = [
        (StoreKind::Postgres, "timestamptz", "datetime", &postgres[..]),
        (StoreKind::Postgres, "timestamp", "datetime", &postgres),
        (StoreKind::Postgres, "date", "date", &postgres),
        (StoreKind::Mysql, "datetime", "datetime", &["'0000-00-00'", "NULL", FINE]),
        (StoreKind::Mysql, "timestamp null", "datetime", &["'0000-00-00'", "NULL", FINE]),
        (StoreKind::Mysql, "date", "date", &["'0000-00-00'", "NULL", "'2026-11-21'"]),
    ];
    for (kind, sql_type, declared, values) in columns {
        let expected = match kind {
            StoreKind::Postgres => "2 infinite times and 2 times outside the years 1 to 9999 (write NULL",
            _ => "1 zero date (write NULL",
        };
        let database = with_times(kind, sql_type, values).await;
        let (mut by_period, of_query) = (by_period(declared), query("select id, at from t"));
        let in_query = JobExport { source: of_query, ..by_period.clone() };
        for is_indexed in [true, false] {
            for export in [&by_period, &in_query] {
                let told = checked(&database, export).await.unwrap_err();
                assert!(told.contains(expected), "{kind:?} {sql_type} {is_indexed}: {told}");
            }
            let drop = if kind == StoreKind::Mysql { "DROP INDEX t_at ON t" } else { "DROP INDEX IF EXISTS t_at" };
            if is_indexed {
                database.run(drop).await;
            }
        }
        by_period.filter.as_mut().unwrap().column.unreadable = Unreadable::Null;
        let told = checked(&database, &by_period).await.unwrap().unwrap();
        assert!(told.contains("so their rows are in no file") && told.contains(expected), "{told}");
        assert_eq!(ids(&database, &by_period).await, values.len().to_string(), "{kind:?} {sql_type}");

        let ends: &[&str] = match sql_type {
            "timestamp null" => &["'1970-01-02'", "NULL"],
            _ => &["'0001-01-01'", "'9999-12-31'", "NULL"],
        };
        let fine = with_times(kind, sql_type, ends).await;
        assert_eq!(checked(&fine, &self::by_period(declared)).await, Ok(None), "{kind:?} {sql_type}");
    }
}

#[tokio::test]
async fn exact_numbers_count_their_epoch() {
    let at = "2026-11-27T05:20:00.5+00:00";
    let cases = [
        (StoreKind::Postgres, "numeric(20,3)", "1795756800.5", None),
        (StoreKind::Postgres, "numeric", "1795756800500", Some(EpochUnit::Milliseconds)),
        (StoreKind::Postgres, "numeric", "2461371.722228009259", Some(EpochUnit::Julian)),
        (StoreKind::Mysql, "decimal(16,3)", "1795756800.5", None),
        (StoreKind::Mysql, "decimal(16,0)", "1795756800500000", Some(EpochUnit::Microseconds)),
        (StoreKind::Mysql, "decimal(20,8)", "2461371.72222801", Some(EpochUnit::Julian)),
    ];
    for (kind, sql_type, value, epoch) in cases {
        let database = with_times(kind, sql_type, &[value]).await;
        let mut export = export(table("t"), &["at:datetime"], &["id"]);
        export.columns = vec![Column { epoch, ..export.columns[0].clone() }].into();
        let encoder = Encoder::new(&Format::Bi, &export.columns, &TimeZone::UTC);
        let mut file = Encoded { encoder, bytes: Vec::new() };
        let mut snapshot = open(&database).await;
        let prepared = snapshot.prepare(&export).await.unwrap();
        snapshot.read(&prepared, None, &mut file, None).await.unwrap();
        assert_eq!(String::from_utf8(file.bytes).unwrap(), format!("{at}\n"), "{kind:?} {sql_type} {epoch:?}");
    }
}

#[tokio::test]
async fn a_query_is_made_once_to_check_its_times() {
    let database = with_times(StoreKind::Postgres, "bigint", &["1764000000000"]).await;
    database
        .run(
            "CREATE FUNCTION once() RETURNS int LANGUAGE plpgsql AS $$ BEGIN \
             IF current_setting('test.made', true) = 'yes' THEN RAISE EXCEPTION 'made twice'; END IF; \
             PERFORM set_config('test.made', 'yes', true); RETURN 1; END $$",
        )
        .await;
    let source = query("with made as materialized (select once()) select id, at from t, made");
    let export = JobExport { source, ..by_period("datetime") };
    assert!(checked(&database, &export).await.unwrap_err().contains("1 number (`epoch = \"ms\"`"));
}

#[tokio::test]
async fn what_a_full_listing_could_not_read_is_found_before() {
    let columns = [
        (StoreKind::Sqlite, "DATETIME", "2461011.5", "1 real number (`epoch = \"julian\"`"),
        (StoreKind::Sqlite, "TEXT", "'2026-11-21 25:00'", "1 text (write times as"),
        (StoreKind::Postgres, "numeric", "2461011.5", "1 number (`epoch = \"julian\"`"),
        (StoreKind::Postgres, "date", "'infinity'", "1 infinite time (write NULL"),
        (StoreKind::Mysql, "double", "2461011.5", "1 number (`epoch = \"julian\"`"),
        (StoreKind::Mysql, "datetime", "'0000-00-00'", "1 zero date (write NULL"),
    ];
    for (kind, sql_type, value, expected) in columns {
        let database = with_times(kind, sql_type, &[value]).await;
        let mut snapshot = open(&database).await;
        let mut listing = export(table("t"), &["id", "at:datetime"], &["id"]);
        let prepared = snapshot.prepare(&listing).await.unwrap();
        let told = snapshot.check_listed(&prepared).await.unwrap_err();
        assert!(matches!(told, StoreError::UnreadableCells { .. }) && told.is_permanent(), "{told}");
        assert!(told.to_string().contains(expected), "{kind:?} {sql_type}: {told}");

        listing.columns =
            listing.columns.iter().cloned().map(|column| Column { unreadable: Unreadable::Null, ..column }).collect();
        let prepared = snapshot.prepare(&listing).await.unwrap();
        assert_eq!(snapshot.check_listed(&prepared).await.unwrap(), Vec::<String>::new(), "{kind:?} {sql_type}");
        // Where a period filters, it reads other rows than these.
        let prepared = snapshot.prepare(&filtered(listing, "at:datetime")).await.unwrap();
        assert_eq!(snapshot.check_listed(&prepared).await.unwrap(), Vec::<String>::new(), "{kind:?} {sql_type}");
    }
}
