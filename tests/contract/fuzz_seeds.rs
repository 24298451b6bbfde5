//! The seeds of the fuzz targets `postgres_copy` and `mysql_cells` are what servers send.
//!
//! `EXPORTD_WRITE_SEEDS=1` records them anew.

use std::fs;
use std::path::Path;

use exportd::store::StoreKind;
use futures_util::TryStreamExt;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};

use crate::support::databases::Database;

/// One value of each kind that the decoder knows, in its order.
const POSTGRES: &str = "SELECT true, -2::int2, -4::int4, -8::int8, 26::oid, 0.5::float4, -1e300::float8, \
    -12345.6700::numeric, 'é,\"'::text, '\\x00ff'::bytea, '2026-11-28'::date, '2026-11-28 19:40:00.5'::timestamp, \
    '2026-11-28 19:40:00+00'::timestamptz, '123e4567-e89b-12d3-a456-426614174000'::uuid, \
    array_to_json('{1.50,NaN,NULL}'::numeric[]::text[])::text \
    UNION ALL SELECT false, NULL, NULL, NULL, NULL, 'NaN', 'Infinity', 'NaN', '', '', 'infinity', '-infinity', 'infinity', NULL, '[]'";

const MYSQL: &[&str] = &[
    "tinyint",
    "tinyint unsigned",
    "smallint",
    "smallint unsigned",
    "int",
    "int unsigned",
    "bigint",
    "bigint unsigned",
    "float",
    "double",
    "date",
    "datetime(6)",
    "timestamp(6)",
    "time(6)",
    "varchar(9)",
    "varbinary(9)",
    "bit(9)",
];

const MYSQL_VALUES: &str = "-1, 255, -2, 65535, -4, 4294967295, -8, 18446744073709551615, 0.5, -1e300, '2026-11-28', \
    '2026-11-28 19:40:00.5', '2026-11-28 19:40:00', '-25:02:03.5', 'é,', x'00ff', b'100000001'";

#[tokio::test]
async fn the_seed_of_postgres_is_what_a_server_sends() {
    let database = Database::new(StoreKind::Postgres).await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let copy = format!("COPY ({POSTGRES}) TO STDOUT (FORMAT binary)");
    let rows: Vec<_> = connection.copy_out_raw(&copy).await.unwrap().try_collect().await.unwrap();
    compare("postgres_copy", &rows.concat());
}

#[tokio::test]
async fn the_seed_of_mysql_is_what_a_server_sends() {
    let database = Database::new(StoreKind::Mysql).await;
    let columns: Vec<String> =
        MYSQL.iter().enumerate().map(|(number, kind)| format!("c{number} {kind} NULL")).collect();
    database.run(&format!("CREATE TABLE t ({}); INSERT INTO t VALUES ({MYSQL_VALUES})", columns.join(", "))).await;
    let mut connection = MySqlConnection::connect(&database.url).await.unwrap();
    sqlx::raw_sql("SET time_zone = '+00:00'").execute(&mut connection).await.unwrap();
    let row = sqlx::query("SELECT * FROM t").fetch_one(&mut connection).await.unwrap();
    let mut seed = Vec::new();
    for kind in 0..MYSQL.len() {
        let cell: &[u8] = row.try_get_unchecked(kind).unwrap();
        seed.extend([kind as u8, cell.len() as u8]);
        seed.extend(cell);
    }
    compare("mysql_cells", &seed);
}

fn compare(target: &str, sent: &[u8]) {
    let file = Path::new("tests/fuzz/corpus").join(target).join("server");
    if std::env::var_os("EXPORTD_WRITE_SEEDS").is_some() {
        fs::write(&file, sent).unwrap();
    }
    assert_eq!(fs::read(&file).unwrap(), sent, "EXPORTD_WRITE_SEEDS=1 records {} anew", file.display());
}
