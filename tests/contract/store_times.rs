//! Numbers and texts as times: what each store makes of them, and that none is lost between two periods unsaid.

use exportd::catalogue::EpochUnit;
use exportd::encode::Encoder;
use exportd::job::{Format, JobExport};
use exportd::store::StoreKind;
use jiff::tz::TimeZone;

use super::period::{ids, with_times};
use super::{export, filtered, open, table};
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
