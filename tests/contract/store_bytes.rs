//! The same data gives the same bytes from every store.

use exportd::catalogue::Column;
use exportd::encode::Encoder;
use exportd::job::{CsvOptions, DatetimeStyle, Format, JobExport};
use exportd::store::{ReadError, StoreKind};
use exportd::value::Scale;
use jiff::tz::TimeZone;

use super::{KINDS, export, open, query, table};
use crate::contract::format::formats;
use crate::support::databases::Database;
use crate::support::encoded::Encoded;

/// Each column: name and type in the file, its type in SQLite, PostgreSQL and MariaDB, and a value for every row.
#[rustfmt::skip]
const COLUMNS: &[(&str, [&str; 3], [&str; 4])] = &[
    ("id:id", ["TEXT", "uuid", "char(36)"], ["'00000000-0000-0000-0000-00000000000a'",
        "'00000000-0000-0000-0000-00000000000b'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "NULL"]),
    ("name:string", ["TEXT", "varchar(40)", "varchar(40)"], ["'Zoë \"Z\" 😀'", "''", "NULL", "'a,b'"]),
    ("note:text", ["TEXT", "text", "longtext"], ["'line\nbreak'", "'\r\n'", "' '", "'=1+1'"]),
    ("big:integer", ["INTEGER", "bigint", "bigint"], ["9223372036854775807", "-9223372036854775808", "0", "NULL"]),
    ("sum:decimal", ["DECIMAL(12,2)", "numeric(12,2)", "decimal(12,2)"], ["1234.50", "-0.10", "100", "0"]),
    ("exact:decimal", ["TEXT", "numeric", "varchar(60)"], ["'1000000000000000000000.5'", "'-0.000000000000000000001'",
        "'0'", "NULL"]),
    ("score:float", ["REAL", "double precision", "double"], ["0.1", "1e21", "-5e-324", "NULL"]),
    ("ratio:float", ["REAL", "real", "float"], ["0.5", "16777216", "-0.25", "NULL"]),
    ("active:boolean", ["BOOLEAN", "boolean", "boolean"], ["true", "false", "NULL", "true"]),
    ("day:date", ["DATE", "date", "date"], ["'0001-01-01'", "'9999-12-31'", "'2024-02-29'", "NULL"]),
    ("at:datetime", ["DATETIME", "timestamptz", "timestamp(6) null"], ["'2026-03-29 00:59:59.999999'",
        "'2026-10-25 01:00:00'", "'1970-01-01 00:00:01.5'", "NULL"]),
    ("civil:datetime", ["DATETIME", "timestamp", "datetime(6)"], ["'0001-01-02 00:00:00'", "'9999-12-30 23:59:59.1'",
        "'2026-11-21 04:00:00'", "NULL"]),
    ("tags:array", ["TEXT", "json", "json"], ["'[\"a\",\"b, c\",\"\"]'", "'[]'", "'[1,2.5,null]'", "NULL"]),
];

async fn filled(kind: StoreKind) -> Database {
    let database = Database::new(kind).await;
    let at = KINDS.iter().position(|of| *of == kind).unwrap();
    let column = |(name, types, _): &(&str, [&str; 3], _)| format!("{} {}", name.split(':').next().unwrap(), types[at]);
    let columns: Vec<String> = COLUMNS.iter().map(column).collect();
    let row = |row: usize| COLUMNS.iter().map(|(.., values)| values[row]).collect::<Vec<_>>().join(", ");
    let rows: Vec<String> = (0..4).map(|number| format!("({})", row(number))).collect();
    let zone = match kind {
        StoreKind::Sqlite => "",
        StoreKind::Postgres => "SET timezone = 'UTC';",
        StoreKind::Mysql => "SET time_zone = '+00:00', sql_mode = 'NO_BACKSLASH_ESCAPES';",
    };
    let sql = format!("{zone} CREATE TABLE t ({}); INSERT INTO t VALUES {}", columns.join(", "), rows.join(", "));
    database.run(&sql).await;
    database
}

async fn file(database: &Database, export: &JobExport, format: &Format) -> String {
    try_file(database, export, format).await.unwrap_or_else(|error| panic!("{:?}: {error}", database.kind))
}

async fn try_file(database: &Database, export: &JobExport, format: &Format) -> Result<String, ReadError> {
    let mut snapshot = open(database).await;
    let prepared = snapshot.prepare(export).await.unwrap();
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let mut file = Encoded {
        encoder: Encoder::new(format, &export.columns, &zone).with_scales(prepared.scales()),
        bytes: Vec::new(),
    };
    file.encoder.start(&mut file.bytes);
    snapshot.read(&prepared, None, &mut file, None).await?;
    Ok(String::from_utf8(file.bytes).unwrap())
}

#[tokio::test]
async fn equal_data_gives_equal_bytes() {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    let exports: Vec<JobExport> = names
        .iter()
        .map(|name| export(table("t"), &names, &[name.split(':').next().unwrap(), "id"]))
        // The order of JSON is no order that all stores have.
        .filter(|export| export.order[0] != "tags")
        .collect();
    let (sqlite, postgres, mysql) =
        (filled(StoreKind::Sqlite).await, filled(StoreKind::Postgres).await, filled(StoreKind::Mysql).await);
    for (_, format) in formats() {
        for export in &exports {
            let expected = file(&sqlite, export, &format).await;
            assert_eq!(expected.matches("Zoë").count(), 1);
            assert_eq!(file(&postgres, export, &format).await, expected, "{:?} by {:?}", postgres.kind, export.order);
            assert_eq!(file(&mysql, export, &format).await, expected, "{:?} by {:?}", mysql.kind, export.order);
        }
    }
}

/// Read from the table, from a view of it, and by a query.
#[tokio::test]
async fn the_scale_that_a_database_declares_is_kept() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let undeclared = if kind == StoreKind::Mysql { "varchar(9)" } else { "numeric" };
        database
            .run(&format!(
                "CREATE TABLE t (id int, price decimal(10,2), whole numeric(9), fine numeric(12,4), free {undeclared});
                 INSERT INTO t VALUES (1, 12.50, 5, 0.1250, '1.50'), (2, 3, 10, -0.0000, '7'), (3, NULL, 0, 9, '0.10');
                 CREATE VIEW v AS SELECT * FROM t"
            ))
            .await;
        let columns = ["id:id", "price:decimal", "whole:decimal", "fine:decimal", "free:decimal"];
        for source in [table("t"), table("v"), query("select id, price, whole, fine, free from t")] {
            let file = file(&database, &export(source.clone(), &columns, &["id"]), &Format::Bi).await;
            let rows = "1,12.50,5,0.1250,1.5\n2,3.00,10,0.0000,7\n3,,0,9.0000,0.1\n";
            assert_eq!(file, format!("id,price,whole,fine,free\n{rows}"), "{kind:?}, {source:?}");
        }
        // What the catalogue says goes before it.
        let mut other = export(table("t"), &["id:id", "price:decimal"], &["id"]);
        let scaled = other.columns.iter().map(|column| Column { scale: Scale::Exactly(3), ..column.clone() });
        other.columns = scaled.collect();
        let file = file(&database, &other, &Format::Bi).await;
        assert_eq!(file, "id,price\n1,12.500\n2,3.000\n3,\n", "{kind:?}");
    }
}

#[tokio::test]
async fn domains_arrays_and_casts_of_postgres_keep_their_scale() {
    let database = Database::new(StoreKind::Postgres).await;
    database
        .run(
            "CREATE DOMAIN cents AS numeric(10,2); CREATE DOMAIN price AS cents CHECK (value > 0);
             CREATE TABLE t (a price, b numeric(10,2)[], c numeric[], d money, e money[], f varchar(9));
             INSERT INTO t VALUES (12.50, '{1.50,2}', '{1.50,2}', 12.50, '{1.5}', '1.50');
             CREATE VIEW v AS SELECT t.*, f::numeric(9,3) AS g, avg(a) OVER () AS h FROM t",
        )
        .await;
    let columns = ["a:decimal", "b:array", "c:array", "d:decimal", "e:array", "f:decimal"];
    let row = "12.50,\"1.50, 2.00\",\"1.5, 2\",12.50,1.50,1.5";
    for source in [table("t"), query("select * from t")] {
        let file = file(&database, &export(source, &columns, &[]), &Format::Bi).await;
        assert_eq!(file, format!("a,b,c,d,e,f\n{row}\n"));
    }
    let columns = [&columns[..], &["g:decimal", "h:decimal"]].concat();
    let file = file(&database, &export(table("v"), &columns, &[]), &Format::Bi).await;
    assert_eq!(file, format!("a,b,c,d,e,f,g,h\n{row},1.500,12.5\n"));
}

#[tokio::test]
async fn mariadb_declares_a_scale_for_expressions_too() {
    let database = Database::new(StoreKind::Mysql).await;
    let text = "select cast('1.5' as decimal(9,3)) as a, cast(2 as decimal(9,2)) + 0.5 as b, -0.00 as c";
    database.run(&format!("CREATE VIEW v AS {text}")).await;
    for source in [table("v"), query(text)] {
        let columns = ["a:decimal", "b:decimal", "c:decimal"];
        let file = file(&database, &export(source, &columns, &[]), &Format::Bi).await;
        assert_eq!(file, "a,b,c\n1.500,2.50,0.00\n");
    }
}

#[tokio::test]
async fn sqlite_holds_more_digits_than_a_column_declares() {
    let database = Database::new(StoreKind::Sqlite).await;
    database.run("CREATE TABLE t (a DECIMAL(10,2)); INSERT INTO t VALUES (12.5), (12.125), (7), ('12.1')").await;
    let file = file(&database, &export(table("t"), &["a:decimal"], &[]), &Format::Bi).await;
    assert_eq!(file, "a\n12.50\n12.125\n7.00\n12.10\n");
}

#[tokio::test]
async fn a_nul_within_a_text_is_a_fault_of_its_cell() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let text = match kind {
            StoreKind::Sqlite => "'a' || char(0) || 'b'",
            // Its texts can't hold a NUL, its binary data can.
            StoreKind::Postgres => "'\\x610062'::bytea",
            StoreKind::Mysql => "concat('a', char(0), 'b')",
        };
        let export = export(query(&format!("select 1 as id, {text} as note")), &["id:integer", "note:text"], &["id"]);
        for (word, format) in formats() {
            let error = try_file(&database, &export, &format).await.unwrap_err().to_string();
            assert!(error.contains("column note: text with a NUL character"), "{kind:?}, {word}: {error}");
        }
    }
}

#[tokio::test]
async fn a_float_that_is_no_number_can_be_text_but_no_float() {
    for (kind, sql_type, literals, expected) in [
        (StoreKind::Sqlite, "REAL", "(9e999), (-9e999)", "Infinity\n-Infinity\n"),
        (StoreKind::Postgres, "float8", "('NaN'), ('Infinity'), ('-Infinity')", "NaN\nInfinity\n-Infinity\n"),
        (StoreKind::Postgres, "float4", "('NaN'), ('Infinity'), ('-Infinity')", "NaN\nInfinity\n-Infinity\n"),
        (StoreKind::Postgres, "numeric", "('NaN')", "NaN\n"),
    ] {
        let database = Database::new(kind).await;
        database.run(&format!("CREATE TABLE t (x {sql_type}); INSERT INTO t VALUES {literals}")).await;
        let of = |kind: &str| export(table("t"), &[&format!("x:{kind}")], &[]);
        for kind in ["string", "text"] {
            assert_eq!(file(&database, &of(kind), &Format::Bi).await, format!("x\n{expected}"), "{sql_type}");
        }
        try_file(&database, &of("float"), &Format::Bi).await.unwrap_err();
    }
}

#[tokio::test]
async fn bits_of_mariadb_are_a_number() {
    let database = Database::new(StoreKind::Mysql).await;
    let values = "(b'1', b'10000000', 0xfffffffffffffffe), (b'0', b'0', NULL)";
    database
        .run(&format!("CREATE TABLE t (flag bit(1), mask bit(8), wide bit(64)); INSERT INTO t VALUES {values}"))
        .await;
    for (columns, expected) in [
        (["flag:boolean", "mask:integer", "wide:integer"], "1,128,18446744073709551614\n0,0,\n"),
        (["flag:integer", "mask:string", "wide:text"], "1,128,18446744073709551614\n0,0,\n"),
    ] {
        let file = file(&database, &export(table("t"), &columns, &[]), &Format::Bi).await;
        assert_eq!(file, format!("flag,mask,wide\n{expected}"));
    }
}

/// Types of PostgreSQL with the type in the file, and values that have several spellings.
#[rustfmt::skip]
const ELEMENTS: &[(&str, &str, &[&str])] = &[
    ("boolean", "boolean", &["true", "false"]),
    ("integer", "integer", &["-7"]),
    ("bigint", "integer", &["9223372036854775807"]),
    ("numeric", "decimal", &["1.50", "-0.0", "1e21"]),
    ("money", "decimal", &["12.50"]),
    ("real", "float", &["0.1", "1e21"]),
    ("double precision", "float", &["1", "1e21", "-0.0", "5e-324"]),
    ("date", "date", &["2026-11-21", "0001-01-01"]),
    ("timestamp", "datetime", &["2026-11-21 04:00:00", "1969-12-31 23:59:59.5"]),
    ("timestamptz", "datetime", &["2026-07-21 04:00:00+00", "2026-11-21 04:00:00.25+01"]),
    ("time", "string", &["12:30:00"]),
    ("interval", "string", &["1 day 02:00:00"]),
    ("uuid", "id", &["123E4567-e89b-12d3-a456-426614174000"]),
    ("inet", "string", &["10.0.0.1", "10.0.0.1/8"]),
    ("cidr", "string", &["10.0.0.1"]),
    ("char(5)", "string", &["ab"]),
    ("jsonb", "text", &["{\"a\": [1]}"]),
    ("text", "text", &["C:\\dir", "say \"hi\"", ""]),
];

#[tokio::test]
async fn an_element_of_an_array_is_written_as_it_is_alone() {
    let database = Database::new(StoreKind::Postgres).await;
    let formats: Vec<_> = formats().into_iter().chain([("local", Format::Csv(local()))]).collect();
    for (sql_type, kind, values) in ELEMENTS {
        for value in *values {
            let text = format!("select '{value}'::{sql_type} as alone, array['{value}'::{sql_type}] as listed");
            let read = async |column: &str, format| {
                let file = file(&database, &export(query(&text), &[column], &[]), format).await;
                file.lines().last().unwrap().to_owned()
            };
            for (word, format) in &formats {
                let alone = read(&format!("alone:{kind}"), format).await;
                let listed = read("listed:array", format).await;
                let expected = match alone.strip_prefix("{\"alone\":").and_then(|json| json.strip_suffix('}')) {
                    Some(json) => format!("{{\"listed\":[{json}]}}"),
                    None => alone,
                };
                assert_eq!(listed, expected, "{sql_type} {value}, {word}");
            }
        }
    }
}

/// Choices that change how numbers and times look.
fn local() -> CsvOptions {
    CsvOptions { delimiter: b';', decimal_separator: b',', datetime: DatetimeStyle::Local, ..CsvOptions::default() }
}

#[tokio::test]
async fn what_a_type_refuses_alone_it_refuses_in_an_array() {
    let database = Database::new(StoreKind::Postgres).await;
    for (sql_type, value) in [
        ("float8", "NaN"),
        ("numeric", "NaN"),
        ("date", "infinity"),
        ("timestamptz", "infinity"),
        ("timestamp", "0044-03-15 00:00:00 BC"),
    ] {
        let text = format!("select array[null, '{value}'::{sql_type}] as listed");
        let error = try_file(&database, &export(query(&text), &["listed:array"], &[]), &Format::Bi).await.unwrap_err();
        assert!(error.to_string().contains("column listed: "), "{sql_type}: {error}");
    }
}
