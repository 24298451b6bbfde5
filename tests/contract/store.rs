//! What every store promises, on a real one of each kind.

use exportd::catalogue::{Column, Source, TimeColumn};
use exportd::instant;
use exportd::job::{JobExport, PeriodRule};
use exportd::period::Period;
use exportd::store::{Prepared, ReadError, Snapshot, StoreError, StoreKind};
use exportd::value::{ColumnType, RowSink, Stop, Value};

use crate::support::databases::Database;

#[path = "store_bytes.rs"]
mod bytes;
#[path = "store_engines.rs"]
mod engines;
#[path = "store_faults.rs"]
mod faults;
#[path = "store_hidden_rows.rs"]
mod hidden_rows;
#[path = "store_locks.rs"]
mod locks;
#[path = "store_mysql_session.rs"]
mod mysql_session;
#[path = "store_own_certificate.rs"]
mod own_certificate;
#[path = "store_period.rs"]
mod period;
#[path = "store_postgres_session.rs"]
mod postgres_session;
#[path = "store_queries.rs"]
mod queries;
#[path = "store_server_times.rs"]
mod server_times;
#[path = "store_standby.rs"]
mod standby;
#[path = "store_times.rs"]
mod times;
#[path = "store_tls.rs"]
mod tls;
#[path = "store_values.rs"]
mod values;

pub const KINDS: [StoreKind; 3] = [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql];

/// Rows as text, in one spelling for all stores: NULL, numbers, `text`, [bytes], dates and times.
#[derive(Default)]
pub struct Rows {
    pub rows: Vec<Vec<String>>,
    row: Vec<String>,
    /// Stops after so many rows.
    pub limit: Option<usize>,
}

impl RowSink for Rows {
    fn cell(&mut self, value: Value<'_>) -> Result<(), Stop> {
        self.row.push(match value {
            Value::Null => "NULL".to_owned(),
            Value::Bool(truth) => u8::from(truth).to_string(),
            Value::Int(number) => number.to_string(),
            Value::Uint(number) => number.to_string(),
            Value::Float32(number) => format!("{number}"),
            Value::Float(number) => format!("{number}"),
            Value::Text(text) => format!("`{}`", String::from_utf8(text.to_vec()).expect("UTF-8")),
            Value::Bytes(bytes) => format!("{bytes:?}"),
            Value::Date(days) => format!("`{}`", date(days)),
            Value::Instant(at) => format!("`{}Z`", time(at)),
            Value::Civil(at) => format!("`{}`", time(at)),
            Value::Elements(json, kind) => format!("{} as {kind}", String::from_utf8_lossy(json)),
            Value::TooLarge { bytes, .. } => format!("{bytes} bytes"),
        });
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Stop> {
        self.rows.push(std::mem::take(&mut self.row));
        if self.limit.is_some_and(|limit| self.rows.len() >= limit) { Err(Stop::Closed) } else { Ok(()) }
    }
}

fn date(days: i32) -> String {
    let (year, month, day) = instant::civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02}")
}

fn time(at: exportd::value::Instant) -> String {
    let second = at.seconds.rem_euclid(86_400);
    let day = date(at.seconds.div_euclid(86_400) as i32);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{day} {hour:02}:{minute:02}:{second:02}.{:06}", at.nanos / 1000)
}

/// An export of `columns` (`name:type`) from `source`, sorted by `order`.
pub fn export(source: Source, columns: &[&str], order: &[&str]) -> JobExport {
    JobExport {
        name: "test".to_owned(),
        source,
        columns: columns.iter().map(|column| self::column(column)).collect(),
        order: order.iter().map(|name| (*name).to_owned()).collect(),
        period: PeriodRule::Day,
        filter: None,
    }
}

pub fn table(name: &str) -> Source {
    Source::Table(name.to_owned())
}

pub fn query(text: &str) -> Source {
    Source::Query(text.to_owned())
}

fn column(text: &str) -> Column {
    let (name, kind) = text.rsplit_once(':').unwrap_or((text, "string"));
    Column::new(name, kind.parse::<ColumnType>().expect(text))
}

/// `export` with a period on `column` (`name:type`).
pub fn filtered(mut export: JobExport, column: &str) -> JobExport {
    export.filter = Some(TimeColumn { name: "created".to_owned(), column: self::column(column) });
    export
}

pub async fn open(database: &Database) -> Snapshot {
    Snapshot::open(&database.settings()).await.unwrap()
}

pub async fn read(snapshot: &mut Snapshot, export: &JobExport, period: Option<&Period>) -> Vec<Vec<String>> {
    let prepared = snapshot.prepare(export).await.unwrap();
    let mut rows = Rows::default();
    snapshot.read(&prepared, period, &mut rows, None).await.unwrap();
    rows.rows
}

/// What reading everything fails with.
pub async fn failure(snapshot: &mut Snapshot, prepared: &Prepared) -> StoreError {
    match snapshot.read(prepared, None, &mut Rows::default(), None).await.unwrap_err() {
        ReadError::Store(error) => error,
        ReadError::Stop(stop) => panic!("{stop}"),
    }
}

#[tokio::test]
async fn a_snapshot_does_not_see_what_is_written_later() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE t (id INT); INSERT INTO t VALUES (1); CREATE TABLE u (id INT)").await;
        let mut snapshot = open(&database).await;
        database.run("INSERT INTO t VALUES (2); INSERT INTO u VALUES (3)").await;
        let (t, u) = (export(table("t"), &["id"], &["id"]), export(table("u"), &["id"], &["id"]));
        assert_eq!(read(&mut snapshot, &t, None).await, [["1"]], "{kind:?}");
        database.run("INSERT INTO t VALUES (4)").await;
        assert_eq!(read(&mut snapshot, &t, None).await, [["1"]], "{kind:?}");
        assert!(read(&mut snapshot, &u, None).await.is_empty(), "{kind:?}");
        snapshot.close().await;
        assert_eq!(read(&mut open(&database).await, &t, None).await, [["1"], ["2"], ["4"]], "{kind:?}");
    }
}

#[tokio::test]
async fn lists_tables_and_columns() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let sql = "CREATE TABLE b (id INT NOT NULL, note VARCHAR(20)); CREATE VIEW a AS SELECT note FROM b";
        database.run(sql).await;
        let mut snapshot = open(&database).await;
        let ours =
            |schema: &Option<String>| schema.as_deref().is_none_or(|s| s == "public" || database.url.ends_with(s));
        let tables = snapshot.tables().await.unwrap();
        let tables: Vec<_> =
            tables.iter().filter(|table| ours(&table.schema)).map(|t| (t.name.as_str(), t.is_view)).collect();
        assert_eq!(tables, [("a", true), ("b", false)], "{kind:?}");
        let columns = snapshot.inspect(&table("b")).await.unwrap();
        let columns: Vec<_> = columns.iter().map(|c| (c.name.as_str(), c.nullable)).collect();
        assert_eq!(columns, [("id", false), ("note", true)], "{kind:?}");
        let columns = snapshot.inspect(&query("select note as memo, 1 as one from b;")).await.unwrap();
        assert_eq!(columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["memo", "one"], "{kind:?}");
    }
}

#[tokio::test]
async fn stops_when_the_sink_does_and_then_is_closed() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let many = "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 900) SELECT id FROM n";
        database.run("CREATE TABLE t (id INT)").await;
        database.run(&format!("INSERT INTO t {many}")).await;
        let mut snapshot = open(&database).await;
        let export = export(query("select a.id from t a, t b"), &["id"], &[]);
        let prepared = snapshot.prepare(&export).await.unwrap();
        assert!(prepared.hints.iter().any(|hint| hint.contains("order")), "{kind:?}");
        let mut rows = Rows { limit: Some(3), ..Rows::default() };
        let stop = snapshot.read(&prepared, None, &mut rows, None).await.unwrap_err();
        assert!(matches!(stop, ReadError::Stop(Stop::Closed)), "{kind:?}: {stop}");
        assert_eq!(rows.rows.len(), 3);
        if kind != StoreKind::Sqlite {
            let error = failure(&mut snapshot, &prepared).await;
            assert!(error.to_string().contains("closed") && !error.is_permanent(), "{kind:?}: {error}");
        }
    }
}

/// The server counts what a connection does. Each statement closed would make what is sent behind it wait for 40 ms.
#[tokio::test]
async fn mariadb_prepares_each_statement_once_and_closes_none() {
    let database = Database::new(StoreKind::Mysql).await;
    let count = "select variable_value as n from information_schema.session_status where variable_name = 'COM_STMT_";
    let counting = |what: &str| export(query(&format!("{count}{what}'")), &["n"], &["n"]);
    let mut snapshot = open(&database).await;
    assert_eq!(read(&mut snapshot, &counting("CLOSE"), None).await, [["`0`"]]);
    let before = read(&mut snapshot, &counting("PREPARE"), None).await;
    read(&mut snapshot, &counting("CLOSE"), None).await;
    assert_eq!(read(&mut snapshot, &counting("PREPARE"), None).await, before);
}
