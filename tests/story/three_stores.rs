//! One table with everything that trips a careless writer, in three databases: one file, byte for byte, and readers
//! that are not ours see in it what the database holds.

use std::fs;

use exportd::store::StoreKind;

use crate::contract::format::formats;
use crate::contract::format::readers::{self, FileToRead};
use crate::support::databases::Database;
use crate::support::program::Program;
use crate::support::shop;
use crate::support::sshd::Sshd;

const KINDS: [StoreKind; 3] = [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql];

/// Texts as the databases hold them; the reader must see them again. None is NULL.
const TEXTS: [Option<&str>; 17] = [
    None,
    Some(""),
    Some(" blanks "),
    Some("a,b;c"),
    Some("\"quoted\""),
    Some("line\nfeed"),
    Some("carriage\r\nreturn"),
    Some("lone\rreturn"),
    Some("tab\tand |"),
    Some("😀 e\u{301} שלום 日本"),
    Some("=1+1"),
    Some("-2"),
    Some("@sum"),
    Some("\\N"),
    Some("\\."),
    Some("NULL"),
    Some("it's \\ here"),
];

/// The other columns, by row: a number, a moment and a day, as SQL text that all three databases take.
const NUMBERS: [&str; 4] = ["NULL", "0", "-9223372036854775808", "9223372036854775807"];
const DECIMALS: [&str; 4] = ["NULL", "0.10", "-12345678901234567890.123456", "1000000000000000000000"];
const FLOATS: [&str; 4] = ["NULL", "1e21", "-2.5", "0.1"];
const DAYS: [&str; 4] = ["NULL", "'0001-01-01'", "'9999-12-31'", "'2024-02-29'"];
const MOMENTS: [&str; 4] =
    ["NULL", "'2026-03-29 00:59:59.999999'", "'1969-12-31 23:59:59'", "'2026-10-25 01:30:00.500000'"];

const CATALOGUE: &str = r#"
[[export]]
name = "oddities"
title = "Oddities"
from = 'select"; --'
order = ["Nr."]
[export.columns]
nr = { type = "integer", column = "Nr." }
"text, with \"comma\"" = { type = "text", column = "te`xt" }
number = { type = "integer", column = "größe, €" }
exact = { type = "decimal", scale = 6 }
float = { type = "float", column = "order" }
day = "date"
moment = "datetime"
flag = "boolean"
"#;

fn quoted(kind: StoreKind, name: &str) -> String {
    match kind {
        StoreKind::Mysql => format!("`{}`", name.replace('`', "``")),
        StoreKind::Sqlite | StoreKind::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

fn literal(kind: StoreKind, text: Option<&str>) -> String {
    let Some(text) = text else { return "NULL".to_owned() };
    let text = if kind == StoreKind::Mysql { text.replace('\\', "\\\\") } else { text.to_owned() };
    format!("'{}'", text.replace('\'', "''"))
}

fn table(kind: StoreKind) -> String {
    let [text, exact, float, day, moment, flag] = match kind {
        StoreKind::Sqlite => ["TEXT", "TEXT", "REAL", "TEXT", "TEXT", "INTEGER"],
        StoreKind::Postgres => ["text", "numeric", "double precision", "date", "timestamp", "boolean"],
        StoreKind::Mysql => ["text", "decimal(30, 6)", "double", "date", "datetime(6)", "tinyint(1)"],
    };
    let name = |name| quoted(kind, name);
    let mut sql = format!(
        "CREATE TABLE {} ({} INTEGER PRIMARY KEY, {} {text}, {} BIGINT, exact {exact}, {} {float}, day {day}, \
         moment {moment}, flag {flag});\n",
        name("select\"; --"),
        name("Nr."),
        name("te`xt"),
        name("größe, €"),
        name("order"),
    );
    for (row, text) in TEXTS.iter().enumerate() {
        let pick = |values: [&str; 4]| values[row % 4].to_owned();
        // SQLite would make a binary fraction of a bare number.
        let decimal =
            if kind == StoreKind::Sqlite && row % 4 > 0 { format!("'{}'", pick(DECIMALS)) } else { pick(DECIMALS) };
        let flag = match (kind, row % 3) {
            (_, 0) => "NULL",
            (StoreKind::Postgres, 1) => "false",
            (StoreKind::Postgres, _) => "true",
            (_, 1) => "0",
            (_, _) => "1",
        };
        sql.push_str(&format!(
            "INSERT INTO {} VALUES ({row}, {}, {}, {decimal}, {}, {}, {}, {flag});\n",
            name("select\"; --"),
            literal(kind, *text),
            pick(NUMBERS),
            pick(FLOATS),
            pick(DAYS),
            pick(MOMENTS),
        ));
    }
    sql
}

/// What the program delivers from a database of `kind`: a file called `name`.
async fn delivered(server: &Sshd, kind: StoreKind, format: &str, name: &str) -> Vec<u8> {
    let database = Database::new(kind).await;
    database.run(&table(kind)).await;
    let config = shop::config(server, &format!("format = \"{format}\"\nfilename = \"{{{{export_name}}}}-{format}\""))
        .replace("sqlite:shop.db", &database.url)
        .replace("\"orders\"", "\"oddities\"");
    let program = Program::new(&config);
    fs::write(program.path("catalogue.toml"), CATALOGUE).unwrap();
    program.run(&["check", "--connect"]).expect(0);
    program.run(&["run", "shop"]).expect(0);
    fs::read(server.directory().join(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_databases_give_one_file_that_strangers_read_back() {
    let server = Sshd::start();
    for (word, format) in formats() {
        let name = format!("oddities-{word}.{}", format.extension());
        let sqlite = delivered(&server, KINDS[0], word, &name).await;
        for kind in &KINDS[1..] {
            let other = delivered(&server, *kind, word, &name).await;
            assert_eq!(String::from_utf8_lossy(&other), String::from_utf8_lossy(&sqlite), "{kind:?}, {word}");
        }
        let file = FileToRead::usual(server.directory().join(name));
        for reader in readers::READERS {
            let rows = readers::read_all(reader, std::slice::from_ref(&file)).remove(0);
            assert_eq!(rows[0][1].as_deref(), Some("text, with \"comma\""), "{reader}");
            for (row, text) in rows[1..].iter().zip(TEXTS) {
                let expected = text.map(str::to_owned).or_else(|| file.null_for(reader));
                assert_eq!(row[1], expected, "{reader}, {word}");
            }
            assert_eq!(rows.len(), TEXTS.len() + 1, "{reader}, {word}");
        }
    }
    let bi = fs::read_to_string(server.directory().join("oddities-bi.csv")).unwrap();
    for part in [
        ",-9223372036854775808,-12345678901234567890.123456,-2.5,9999-12-31,1970-01-01T00:59:59+01:00,",
        ",0,0.100000,1e21,0001-01-01,2026-03-29T01:59:59.999999+01:00,",
        ",9223372036854775807,1000000000000000000000.000000,0.1,2024-02-29,2026-10-25T02:30:00.5+01:00,",
    ] {
        assert!(bi.contains(part), "{part} is not in:\n{bi}");
    }
}
