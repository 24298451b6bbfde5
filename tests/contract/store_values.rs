//! Names, values and order: what is in a table arrives, the same from every store.

use exportd::store::StoreKind;

use super::{KINDS, export, open, query, read, table};
use crate::support::databases::Database;

const ODD: [&str; 7] = ["order\"; --", "größe in €", "a`b", "select", "MiXed", "x'y\\z", "a.b"];

fn quoted(kind: StoreKind, name: &str) -> String {
    match kind {
        StoreKind::Mysql => format!("`{}`", name.replace('`', "``")),
        _ => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

#[tokio::test]
async fn names_may_hold_any_character() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let columns: Vec<String> = ODD.iter().map(|name| format!("{} VARCHAR(20)", quoted(kind, name))).collect();
        for name in ODD {
            let table = quoted(kind, name);
            let values: Vec<String> = (0..ODD.len()).map(|at| format!("'{at}'")).collect();
            let sql = format!(
                "CREATE TABLE {table} ({}); INSERT INTO {table} VALUES ({})",
                columns.join(", "),
                values.join(", ")
            );
            database.run(&sql).await;
        }
        let mut snapshot = open(&database).await;
        for name in ODD {
            let rows = read(&mut snapshot, &export(table(name), &ODD, &ODD), None).await;
            assert_eq!(rows, [["`0`", "`1`", "`2`", "`3`", "`4`", "`5`", "`6`"]], "{kind:?} {name}");
        }
        let from = format!("select * from {}", quoted(kind, ODD[0]));
        let rows = read(&mut snapshot, &export(query(&from), &ODD, &ODD), None).await;
        assert_eq!(rows.len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn a_schema_can_be_named() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let schema = match kind {
            StoreKind::Sqlite => "main",
            StoreKind::Postgres => "public",
            StoreKind::Mysql => database.url.rsplit('/').next().unwrap(),
        };
        database.run("CREATE TABLE t (id INT); INSERT INTO t VALUES (7)").await;
        let export = export(table(&format!("{schema}.t")), &["id"], &["id"]);
        assert_eq!(read(&mut open(&database).await, &export, None).await, [["7"]], "{kind:?}");
    }
}

const TEXTS: [&str; 14] =
    ["", " ", "\t", "a", "a\t", "A", "\"", "'", "line\r\nbreak\n", "😀 zoë", "\u{ffff}", "\\N", "\\.", "NULL"];

#[tokio::test]
async fn texts_arrive_as_they_are_and_sort_by_their_bytes() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let (kind_of_text, escape) = match kind {
            StoreKind::Sqlite => ("TEXT COLLATE NOCASE", false),
            StoreKind::Postgres => ("TEXT COLLATE \"en-x-icu\"", false),
            StoreKind::Mysql => ("VARCHAR(40) COLLATE utf8mb4_bin", true),
        };
        let literal = |text: &str| {
            let text = text.replace('\'', "''");
            format!("('{}')", if escape { text.replace('\\', "\\\\") } else { text })
        };
        let rows: Vec<String> = TEXTS.iter().map(|text| literal(text)).collect();
        let sql = format!("CREATE TABLE t (v {kind_of_text}); INSERT INTO t VALUES (NULL), {}", rows.join(", "));
        database.run(&sql).await;
        let mut sorted = TEXTS.to_vec();
        sorted.sort_unstable();
        let mut expected = vec!["NULL".to_owned()];
        expected.extend(sorted.iter().map(|text| format!("`{text}`")));
        let mut snapshot = open(&database).await;
        for source in [table("t"), query("select v from t -- all of them")] {
            let rows = read(&mut snapshot, &export(source, &["v"], &["v"]), None).await;
            assert_eq!(rows.concat(), expected, "{kind:?}");
        }
    }
}

/// Each column with its type and value in PostgreSQL and MariaDB, and what arrives from each.
#[rustfmt::skip]
const VALUES: &[(StoreKind, &str, &str, &str)] = &[
    (StoreKind::Postgres, "boolean", "true", "1"),
    (StoreKind::Postgres, "smallint", "-32768", "-32768"),
    (StoreKind::Postgres, "integer", "2147483647", "2147483647"),
    (StoreKind::Postgres, "bigint", "-9223372036854775808", "-9223372036854775808"),
    (StoreKind::Postgres, "oid", "4294967295", "4294967295"),
    (StoreKind::Postgres, "real", "0.1", "0.1"),
    (StoreKind::Postgres, "double precision", "1e21", "1000000000000000000000"),
    (StoreKind::Postgres, "numeric", "1e21", "`1000000000000000000000`"),
    (StoreKind::Postgres, "numeric(12,4)", "-1234.5", "`-1234.5000`"),
    (StoreKind::Postgres, "numeric", "0.000000000000000000001", "`0.000000000000000000001`"),
    (StoreKind::Postgres, "numeric", "'NaN'", "`NaN`"),
    (StoreKind::Postgres, "money", "'12.50'", "`12.50`"),
    (StoreKind::Postgres, "char(5)", "'ab'", "`ab`"),
    (StoreKind::Postgres, "varchar(5)", "'ab '", "`ab `"),
    (StoreKind::Postgres, "name", "'ab'", "`ab`"),
    (StoreKind::Postgres, "\"char\"", "'x'", "`x`"),
    (StoreKind::Postgres, "mood", "'sad'", "`sad`"),
    (StoreKind::Postgres, "rank", "7", "7"),
    (StoreKind::Postgres, "date", "'0001-01-01'", "`0001-01-01`"),
    (StoreKind::Postgres, "date", "'9999-12-31'", "`9999-12-31`"),
    (StoreKind::Postgres, "date", "'infinity'", "`infinity`"),
    (StoreKind::Postgres, "timestamp", "'1969-12-31 23:59:59.999999'", "`1969-12-31 23:59:59.999999`"),
    (StoreKind::Postgres, "timestamptz", "'2026-11-21 04:00:00+01'", "`2026-11-21 03:00:00.000000Z`"),
    (StoreKind::Postgres, "timestamptz", "'-infinity'", "`-infinity`"),
    (StoreKind::Postgres, "time", "'12:30:00.5'", "`12:30:00.5`"),
    (StoreKind::Postgres, "interval", "'1 day 2 hours'", "`1 day 02:00:00`"),
    (StoreKind::Postgres, "uuid", "'123E4567-e89b-12d3-a456-426614174000'", "`123e4567-e89b-12d3-a456-426614174000`"),
    (StoreKind::Postgres, "bytea", "'\\x00ff'", "[0, 255]"),
    (StoreKind::Postgres, "json", "'{\"a\": [1]}'", "`{\"a\": [1]}`"),
    (StoreKind::Postgres, "jsonb", "'{\"a\":[1]}'", "`{\"a\": [1]}`"),
    (StoreKind::Postgres, "text[]", "array['a', 'b,\"c', NULL]", "`[\"a\",\"b,\\\"c\",null]`"),
    (StoreKind::Postgres, "int[]", "'{1,2}'", "`[1,2]`"),
    (StoreKind::Postgres, "numeric[]", "'{1.50,NULL}'", "[\"1.50\",null] as decimal"),
    (StoreKind::Postgres, "money[]", "'{1.50}'", "[\"1.50\"] as decimal"),
    (StoreKind::Postgres, "inet", "'10.0.0.1'", "`10.0.0.1`"),
    (StoreKind::Postgres, "inet", "'10.0.0.1/8'", "`10.0.0.1/8`"),
    (StoreKind::Postgres, "inet", "'2001:db8::1'", "`2001:db8::1`"),
    (StoreKind::Postgres, "cidr", "'10.0.0.0/8'", "`10.0.0.0/8`"),
    (StoreKind::Postgres, "cidr", "'10.0.0.1'", "`10.0.0.1/32`"),
    (StoreKind::Postgres, "xml", "'<a/>'", "`<a/>`"),
    (StoreKind::Postgres, "point", "'(1,2)'", "`(1,2)`"),
    (StoreKind::Mysql, "boolean", "true", "1"),
    (StoreKind::Mysql, "tinyint(1) unsigned", "200", "200"),
    (StoreKind::Mysql, "tinyint", "-128", "-128"),
    (StoreKind::Mysql, "tinyint(3) unsigned", "255", "255"),
    (StoreKind::Mysql, "smallint unsigned", "65535", "65535"),
    (StoreKind::Mysql, "mediumint", "-8388608", "-8388608"),
    (StoreKind::Mysql, "int unsigned", "4294967295", "4294967295"),
    (StoreKind::Mysql, "bigint unsigned", "18446744073709551615", "18446744073709551615"),
    (StoreKind::Mysql, "float", "0.1", "0.1"),
    (StoreKind::Mysql, "double", "1e21", "1000000000000000000000"),
    (StoreKind::Mysql, "decimal(30,0)", "1e21", "`1000000000000000000000`"),
    (StoreKind::Mysql, "decimal(12,4)", "-1234.5", "`-1234.5000`"),
    (StoreKind::Mysql, "char(5)", "'ab'", "`ab`"),
    (StoreKind::Mysql, "varchar(5) collate utf8mb4_bin", "'ab '", "`ab `"),
    (StoreKind::Mysql, "varchar(5) character set latin1", "'zoë'", "`zoë`"),
    (StoreKind::Mysql, "longtext", "'long'", "`long`"),
    (StoreKind::Mysql, "enum('sad','glad')", "'sad'", "`sad`"),
    (StoreKind::Mysql, "set('a','b')", "'a,b'", "`a,b`"),
    (StoreKind::Mysql, "date", "'9999-12-31'", "`9999-12-31`"),
    (StoreKind::Mysql, "date", "'0000-00-00'", "`0000-00-00`"),
    (StoreKind::Mysql, "date", "'2026-00-10'", "`2026-00-10`"),
    (StoreKind::Mysql, "datetime(6)", "'1969-12-31 23:59:59.999999'", "`1969-12-31 23:59:59.999999`"),
    (StoreKind::Mysql, "datetime", "'0000-00-00 00:00:00'", "`0000-00-00`"),
    (StoreKind::Mysql, "datetime", "'2026-11-21'", "`2026-11-21 00:00:00.000000`"),
    (StoreKind::Mysql, "timestamp(6) null", "'2026-11-21 03:00:00.5'", "`2026-11-21 03:00:00.500000Z`"),
    (StoreKind::Mysql, "time(3)", "'-100:30:00.5'", "`-100:30:00.5`"),
    (StoreKind::Mysql, "year", "'2026'", "2026"),
    (StoreKind::Mysql, "bit(9)", "b'100000001'", "257"),
    (StoreKind::Mysql, "varbinary(5)", "x'00ff'", "[0, 255]"),
    (StoreKind::Mysql, "blob", "x'00ff'", "[0, 255]"),
    (StoreKind::Mysql, "json", "'{\"a\": [1]}'", "`{\"a\": [1]}`"),
    (StoreKind::Mysql, "uuid", "'123e4567-e89b-12d3-a456-426614174000'", "`123e4567-e89b-12d3-a456-426614174000`"),
    (StoreKind::Mysql, "inet6", "'::1'", "`::1`"),
    (StoreKind::Sqlite, "", "1e21", "1000000000000000000000"),
    (StoreKind::Sqlite, "INTEGER", "-9223372036854775808", "-9223372036854775808"),
    (StoreKind::Sqlite, "TEXT", "'2026-11-21'", "`2026-11-21`"),
    (StoreKind::Sqlite, "DATETIME", "1795219200", "1795219200"),
    (StoreKind::Sqlite, "", "x'00ff'", "[0, 255]"),
    (StoreKind::Sqlite, "INTEGER GENERATED ALWAYS AS (1 + 1)", "", "2"),
];

#[tokio::test]
async fn every_type_arrives_and_so_does_its_null() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        if kind == StoreKind::Postgres {
            let types = "CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE DOMAIN age AS int; CREATE DOMAIN rank AS age";
            database.run(types).await;
        }
        let values: Vec<_> = VALUES.iter().filter(|(of, ..)| *of == kind).collect();
        let names: Vec<String> = (0..values.len()).map(|at| format!("c{at}")).collect();
        let columns: Vec<String> =
            names.iter().zip(&values).map(|(name, value)| format!("{name} {}", value.1)).collect();
        let given: Vec<_> = names.iter().zip(&values).filter(|(_, value)| !value.2.is_empty()).collect();
        let into: Vec<&str> = given.iter().map(|(name, _)| name.as_str()).collect();
        let literals: Vec<&str> = given.iter().map(|(_, value)| value.2).collect();
        let mode = if kind == StoreKind::Mysql { "SET sql_mode = '', time_zone = '+00:00';" } else { "" };
        let sql = format!(
            "{mode} CREATE TABLE t (id int, {}); INSERT INTO t (id, {}) VALUES (1, {}); INSERT INTO t (id) VALUES (2)",
            columns.join(", "),
            into.join(", "),
            literals.join(", ")
        );
        database.run(&sql).await;
        let mut expected: Vec<Vec<String>> = vec![values.iter().map(|value| value.3.to_owned()).collect()];
        let null = |value: &&&(_, _, &str, &str)| if value.2.is_empty() { value.3 } else { "NULL" }.to_owned();
        expected.push(values.iter().map(|value| null(&value)).collect());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut snapshot = open(&database).await;
        for source in [table("t"), query("select * from t")] {
            let rows = read(&mut snapshot, &export(source, &names, &["id"]), None).await;
            assert_eq!(rows, expected, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn numbers_and_times_sort_as_such_with_null_first() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let time = if kind == StoreKind::Postgres { "timestamp" } else { "datetime" };
        let sql = format!(
            "CREATE TABLE t (a decimal(9,1), b {time}, c int); INSERT INTO t VALUES (10, NULL, 1), (9.5, NULL, 2), \
             (NULL, NULL, 3), (10, '2026-01-02 00:00:00', 4), (10, '2026-01-01 00:00:00', 5)"
        );
        database.run(&sql).await;
        let export = export(table("t"), &["c", "b:datetime"], &["a", "b", "c"]);
        let rows = read(&mut open(&database).await, &export, None).await;
        let order: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(order, ["3", "2", "1", "5", "4"], "{kind:?}");
    }
}
