//! Columns of every type that the databases have, as a draft declares them: it works as it is, and nothing is left out
//! that could be exported.

use exportd::store::StoreKind;
use serde_json::{Value, json};

use crate::support::databases::Database;
use crate::support::drafted::Drafted;

/// Types of PostgreSQL, each with a value in SQL, the type in the draft, and the value in a file.
fn of_postgres() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    vec![
        ("int4range", "'[1,5)'", "text", json!("[1,5)")),
        ("int4multirange", "'{[1,5),[7,9)}'", "text", json!("{[1,5),[7,9)}")),
        ("tstzrange", "'[2026-01-01 00:00+00,)'", "text", json!("[\"2026-01-01 00:00:00+00\",)")),
        ("printrange", "'[a,b]'", "text", json!("[a,b]")),
        ("int4range[]", "'{\"[1,5)\"}'", "array", json!(["[1,5)"])),
        ("bit varying(8)", "B'101'", "text", json!("101")),
        ("bit(8)", "B'00000101'", "text", json!("00000101")),
        ("bit(1)", "B'1'", "boolean", json!(true)),
        ("tsvector", "'a:1 b:2'", "text", json!("'a':1 'b':2")),
        ("tsquery", "'a & b'", "text", json!("'a' & 'b'")),
        ("ltree", "'a.b'", "text", json!("a.b")),
        ("hstore", "'a=>1'", "text", json!("\"a\"=>\"1\"")),
        ("cube", "'(1,2)'", "text", json!("(1, 2)")),
        ("xml", "'<a/>'", "text", json!("<a/>")),
        ("money", "12.5", "decimal", json!("12.50")),
        ("interval", "'1 day 2 hours'", "string", json!("1 day 02:00:00")),
        ("interval day to second", "'1 day 2 hours'", "string", json!("1 day 02:00:00")),
        ("point", "'(1,2)'", "text", json!("(1,2)")),
        ("polygon", "'((1,2),(3,4))'", "text", json!("((1,2),(3,4))")),
        ("print_address", "ROW('a b', 1)", "text", json!("(\"a b\",1)")),
        ("print_address[]", "ARRAY[ROW('a', 1)::print_address]", "text", json!("[{\"street\":\"a\",\"no\":1}]")),
        ("integer[]", "'{1,2}'", "array", json!([1, 2])),
        ("integer[][]", "'{{1,2},{3,4}}'", "text", json!("[[1,2],[3,4]]")),
        ("integer[]", "'{{1},{2}}'", "text", json!("[[1],[2]]")),
        ("numeric[]", "'{{1.50},{NaN}}'", "text", json!("[[\"1.50\"],[\"NaN\"]]")),
        ("numeric[]", "'{1.5,NaN}'", "text", json!("[\"1.5\",\"NaN\"]")),
        ("double precision[]", "'{1,-Infinity}'", "text", json!("[\"1\",\"-Infinity\"]")),
        ("date[]", "'{2026-11-20,infinity}'", "text", json!("[\"2026-11-20\",\"infinity\"]")),
        ("timestamp[]", "'{0044-03-15 12:00 BC}'", "text", json!("[\"0044-03-15 12:00:00 BC\"]")),
        ("date[]", "'{2026-11-20}'", "array", json!(["2026-11-20"])),
        ("numeric[]", "'{1.5,NULL}'", "array", json!(["1.5", null])),
        ("text[]", "'{NaN,infinity}'", "array", json!(["NaN", "infinity"])),
        ("jsonb[]", "ARRAY['{\"a\": 1}'::jsonb]", "text", json!("[\"{\\\"a\\\": 1}\"]")),
        ("jsonb", "'{\"a\": 1}'", "text", json!("{\"a\": 1}")),
        ("double precision", "'NaN'", "string", json!("NaN")),
        ("numeric(10,2)", "'NaN'", "string", json!("NaN")),
        ("numeric(10,2)", "1.5", "decimal", json!("1.50")),
        ("mood", "'good'", "string", json!("good")),
        ("mood[]", "'{good}'", "array", json!(["good"])),
        ("pg_lsn", "'0/1'", "text", json!("0/1")),
        ("macaddr", "'08:00:2b:01:02:03'", "string", json!("08:00:2b:01:02:03")),
        ("time with time zone", "'12:00+01'", "string", json!("12:00:00+01")),
        ("plain", "'a'", "string", json!("a")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn of_postgres_every_type_is_exported_as_it_is() {
    let database = Database::new(StoreKind::Postgres).await;
    let types = of_postgres();
    let named = |at: usize| format!("c{at}");
    let columns: Vec<String> =
        types.iter().enumerate().map(|(at, (sql_type, ..))| format!("{} {sql_type}", named(at))).collect();
    let values: Vec<&str> = types.iter().map(|(_, value, ..)| *value).collect();
    database
        .run(&format!(
            "CREATE EXTENSION ltree; CREATE EXTENSION hstore; CREATE EXTENSION cube;
             CREATE TYPE print_address AS (street text, no integer); CREATE TYPE printrange AS RANGE (subtype = text);
             CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN plain AS varchar(20);
             CREATE TABLE t (id integer PRIMARY KEY, {}, image bytea);
             INSERT INTO t VALUES (1, {}, '\\xff'), (2, {}NULL);",
            columns.join(", "),
            values.join(", "),
            "NULL, ".repeat(values.len())
        ))
        .await;
    let drafted = Drafted::of(&database);
    for (at, (sql_type, _, expected, _)) in types.iter().enumerate() {
        let line = drafted.column("t", &named(at));
        assert!(line.starts_with(&named(at)), "{sql_type} is left out: {line}");
        assert!(line.contains(&format!("\"{expected}\"")), "{sql_type}: {line}");
    }
    let arrays = types.iter().position(|(sql_type, ..)| *sql_type == "integer[][]").unwrap();
    let mut lines = drafted.export("t").lines();
    let line = lines.find(|line| line.starts_with(&format!("{} = ", named(arrays)))).unwrap();
    assert!(line.ends_with("arrays of arrays, written as JSON"), "{line}");
    assert!(drafted.column("t", "image").starts_with("# image = "), "{}", drafted.text);
    let fields: Vec<String> = (0..types.len()).map(|at| format!("{:?}", named(at))).collect();
    let exports = format!("{{ name = \"t\", fields = [{}] }}", fields.join(", "));
    let files = drafted.deliver_as("ndjson", &database, &exports);
    let row: Value = serde_json::from_str(files["t"].lines().next().unwrap()).unwrap();
    for (at, (sql_type, value, _, expected)) in types.iter().enumerate() {
        assert_eq!(&row[named(at)], expected, "{sql_type} {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_mariadb_flags_and_bits_are_what_they_hold() {
    let database = Database::new(StoreKind::Mysql).await;
    database
        .run(
            "CREATE TABLE t (id integer PRIMARY KEY, open tinyint(1), stage tinyint(1), mask bit(8), on_off bit(1),
                plan enum('a','b'), opened time, year_of year, image blob, area geometry);
             INSERT INTO t VALUES (1, 1, 2, 5, 1, 'a', '01:02:03', 2026, x'ff', point(1, 2)),
                (2, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
             CREATE VIEW v AS SELECT id, stage FROM t;",
        )
        .await;
    let drafted = Drafted::of(&database);
    for (column, line) in [
        ("open", "open = \"boolean\""),
        ("stage", "stage = \"integer\""),
        ("mask", "mask = \"integer\""),
        ("on_off", "on_off = \"boolean\""),
    ] {
        assert_eq!(drafted.column("t", column).replace("{ type = \"text\"", ""), line, "{}", drafted.text);
    }
    for column in ["image", "area"] {
        assert!(drafted.column("t", column).starts_with(&format!("# {column} = ")), "{}", drafted.text);
    }
    assert_eq!(drafted.column("v", "stage"), "stage = \"integer\"", "a view is not asked");
    let fields = "[\"id\", \"open\", \"stage\", \"mask\", \"on_off\", \"plan\", \"opened\", \"year_of\"]";
    let files = drafted.deliver(&database, &format!("{{ name = \"t\", fields = {fields} }}, \"v\""));
    let rows = "id,open,stage,mask,on_off,plan,opened,year_of\n1,1,2,5,1,a,01:02:03,2026\n2,0,,,,,,\n";
    assert_eq!((files["t"].as_str(), files["v"].as_str()), (rows, "id,stage\n1,2\n2,\n"));
}

/// What a database accepts for a date and no calendar has, and bytes that are text by custom only.
#[tokio::test(flavor = "multi_thread")]
async fn cells_that_are_known_to_be_unreadable_are_empty() {
    let (mariadb, postgres) = (Database::new(StoreKind::Mysql).await, Database::new(StoreKind::Postgres).await);
    mariadb
        .run(
            "SET sql_mode = '';
             CREATE TABLE t (id integer PRIMARY KEY, closed datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
                day date NOT NULL, good date NOT NULL, code varbinary(8), mark binary(4), label varchar(10) DEFAULT '0000-00-00');
             INSERT INTO t VALUES (1, '2026-11-20 12:00:00', '2026-11-20', '2026-11-20', 'a', 'abcd', 'x'),
                (2, DEFAULT, '2026-11-00', '2026-11-20', x'ff', x'ff000000', 'y');",
        )
        .await;
    postgres
        .run(
            "CREATE TABLE t (id integer PRIMARY KEY, closed timestamp, day date, good date NOT NULL);
             INSERT INTO t VALUES (1, '2026-11-20 12:00:00', '2026-11-20', '2026-11-20'),
                (2, 'infinity', '0001-01-01 BC', '2026-11-20');",
        )
        .await;
    for (database, more, rows) in [
        (&mariadb, ", code, mark", ["1,2026-11-20T12:00:00+00:00,2026-11-20,2026-11-20,a,abcd", "2,,,2026-11-20,,"]),
        (&postgres, "", ["1,2026-11-20T12:00:00+00:00,2026-11-20,2026-11-20", "2,,,2026-11-20"]),
    ] {
        let drafted = Drafted::of(database);
        let unreadable = "unreadable = \"null\"";
        for column in ["closed", "day"].into_iter().chain(more.split(", ").filter(|column| !column.is_empty())) {
            let line = drafted.column("t", column);
            assert!(line.contains(unreadable) && !line.starts_with('#'), "{line}");
        }
        assert_eq!(drafted.column("t", "good"), "good = \"date\"", "{}", drafted.text);
        let fields = format!("id, closed, day, good{more}").replace(", ", "\", \"");
        let files =
            drafted.deliver(database, &format!("{{ name = \"t\", period = \"all\", fields = [\"{fields}\"] }}"));
        assert_eq!(files["t"].lines().skip(1).collect::<Vec<_>>(), rows, "{:?}", database.kind);
    }
}

/// A type of SQLite forbids nothing, so that the values decide.
#[tokio::test(flavor = "multi_thread")]
async fn of_sqlite_columns_are_what_their_values_are() {
    for (sql_type, value, expected) in [
        ("BOOLEAN", "1", "boolean"),
        ("BOOLEAN", "'f'", "boolean"),
        ("BOOLEAN", "'yes'", "string"),
        ("BOOLEAN", "2", "string"),
        ("TINYINT(1)", "2", "integer"),
        ("INTEGER", "7", "integer"),
        ("INTEGER", "'n/a'", "text"),
        ("DECIMAL(10,2)", "'12.50'", "decimal"),
        ("DECIMAL(10,2)", "'12,50'", "text"),
        ("REAL", "9e999", "text"),
        ("DATE", "'2026-11-20'", "date"),
        ("DATE", "'2026-11-20 00:00:00'", "date"),
        ("DATE", "'2026-11-20 12:00:00'", "text"),
        ("DATE", "'20/11/2026'", "text"),
        ("DATE", "'0000-00-00'", "text"),
        ("DATE", "20261120", "text"),
        ("DATETIME", "'2026-11-20 12:00'", "datetime"),
        ("DATETIME", "'2026-11-20T12:00:00.123456789+01:00'", "datetime"),
        ("DATETIME", "1795780800", "datetime"),
        ("DATETIME", "1795780800000", "text"),
        ("DATETIME", "2461011", "datetime"),
        ("DATETIME", "2461011.5", "datetime"),
        ("REAL", "2461011.5", "datetime"),
        ("REAL", "1795780800.5", "float"),
        ("INTEGER", "2461011", "datetime"),
        ("DATETIME", "'0000-00-00 00:00:00'", "text"),
        ("DATETIME", "'2026-11'", "text"),
        ("DATETIME", "''", "text"),
    ] {
        let database = Database::new(StoreKind::Sqlite).await;
        database
            .run(&format!(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, created_at {sql_type}); INSERT INTO t VALUES (1, {value}), (2, NULL);"
            ))
            .await;
        let drafted = Drafted::of(&database);
        let line = drafted.column("t", "created_at");
        assert!(line.contains(&format!("\"{expected}\"")), "{sql_type} {value}: {line}");
        let files = drafted.deliver(&database, "{ name = \"t\", period = \"all\", fields = [\"id\", \"created_at\"] }");
        assert_eq!(files["t"].lines().count(), 3, "{sql_type} {value}: {}", files["t"]);
        let is_offered = drafted.export("t").contains("# created = \"created_at\"");
        let is_time = ["DATE", "DATETIME"].contains(&sql_type);
        assert!(!is_time || is_offered == (expected == "text"), "{sql_type} {value}: {}", drafted.text);
    }
}

/// A column of SQLite that counts days, among others that only look like it.
#[tokio::test(flavor = "multi_thread")]
async fn of_sqlite_julian_days_are_times() {
    let database = Database::new(StoreKind::Sqlite).await;
    database
        .run(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, placed_at REAL, mixed_at REAL, empty_at REAL, price REAL, d DATE);
             INSERT INTO t VALUES (1, julianday('2026-11-27 06:00'), 2461011.5, NULL, 2461011.5, '20/11/2026'),
                (2, NULL, 1.5, NULL, NULL, NULL);",
        )
        .await;
    let drafted = Drafted::of(&database);
    let line = drafted.column("t", "placed_at");
    assert!(line.contains("type = \"datetime\", epoch = \"julian\""), "{line}");
    for column in ["mixed_at", "empty_at", "price"] {
        assert!(drafted.column("t", column).contains("\"float\""), "{}", drafted.text);
    }
    let export = drafted.export("t");
    assert!(export.contains("# created = \"placed_at\"\n"), "{export}");
    assert!(export.contains("# created = \"d\"  # DATE here: give the column the type \"date\" as well"), "{export}");
    let files = drafted.deliver(&database, "{ name = \"t\", period = \"all\", fields = [\"id\", \"placed_at\"] }");
    assert_eq!(files["t"], "id,placed_at\n1,2026-11-27T06:00:00+00:00\n2,\n");
}
