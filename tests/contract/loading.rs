//! The commands of docs/loading.md, as they stand there, on files from each store: every loaded cell is the one that the
//! store holds.

mod commands;
mod orders;
mod page;

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use exportd::store::StoreKind;

use self::commands::{Load, rows_after};
use self::orders::{Kind, Rows};
use self::page::Page;
use crate::support::databases::Database;
use crate::support::program::Program;

/// What a loader makes of NULL and of the empty string in a column of texts.
#[derive(Clone, Copy, Debug)]
enum Empty {
    Differ,
    BothNull,
    BothText,
}

/// The loaders of the page, the formats that they have a command for, and what the page says about NULL.
#[rustfmt::skip]
const LOADERS: [(&str, &[&str], Empty); 11] = [
    ("postgresql", &["bi", "csv", "ndjson"], Empty::Differ),
    ("mariadb", &["bi", "csv"], Empty::BothNull),
    ("mariadb", &["ndjson", "csv-mariadb"], Empty::Differ),
    ("sqlite", &["bi", "csv"], Empty::BothText),
    ("sqlite", &["ndjson"], Empty::Differ),
    ("duckdb", &["bi", "csv", "ndjson"], Empty::Differ),
    ("pandas", &["bi", "csv"], Empty::BothText),
    ("pandas", &["ndjson"], Empty::Differ),
    ("pandas-after-pyarrow", &["bi", "csv", "ndjson"], Empty::Differ),
    ("polars", &["bi", "csv", "ndjson"], Empty::Differ),
    ("pyarrow", &["bi", "csv", "ndjson"], Empty::Differ),
];

/// The formats, each in a job of its own. Their zones have offsets to the east, to the west, and of half an hour.
const ZONES: [(&str, &str); 4] =
    [("bi", "Europe/Paris"), ("csv", "America/St_Johns"), ("ndjson", "Asia/Kolkata"), ("csv-mariadb", "Europe/Paris")];

/// A store with the table, and the files that the program makes of it.
struct Delivered {
    database: Database,
    program: Program,
}

impl Delivered {
    async fn new(kind: StoreKind, page: &Page, rows: &Rows) -> Delivered {
        let database = Database::new(kind).await;
        database.run(&orders::table(kind, rows)).await;
        let mut config = format!("[store]\nurl = {:?}\n[state]\ndir = \"state\"\n", database.url);
        config.push_str("[catalogue]\nfiles = [\"catalogue.toml\"]\n");
        for (format, zone) in ZONES {
            config.push_str(&format!(
                "[[job]]\nlabel = {format:?}\nrun = \"daily\"\ntimezone = {zone:?}\nexports = [\"orders\"]\n\
                 filename = \"{{{{export_name}}}}\"\nfolder = {format:?}\n"
            ));
            match format {
                "csv-mariadb" => config.push_str(page.named(format)),
                usual => config.push_str(&format!("format = {usual:?}\n")),
            }
        }
        let program = Program::new(&config);
        fs::write(program.path("catalogue.toml"), page.named("catalogue")).unwrap();
        for (format, _) in ZONES {
            fs::create_dir(program.path(format)).unwrap();
            program.run(&["run", format]).expect(0);
        }
        Delivered { database, program }
    }

    /// The folder with the file of a format.
    fn folder(&self, format: &str) -> PathBuf {
        self.program.path(format)
    }
}

/// The rows in one spelling, sorted by their ids.
fn canonical(rows: &Rows, kinds: &[Kind]) -> Rows {
    let cell = |(cell, kind): (&Option<String>, &Kind)| cell.as_deref().map(|text| orders::canonical(*kind, text));
    let mut rows: Rows = rows.iter().map(|row| row.iter().zip(kinds).map(cell).collect()).collect();
    rows.sort_by_key(|row| row[0].as_ref().map(|id| id.parse::<i64>().unwrap()));
    rows
}

/// What a loader holds after it has loaded a file in `format`, from a store that holds `source`.
fn expected(source: &Rows, format: &str, empty: Empty) -> Rows {
    let kinds = orders::kinds(format);
    let cell = |(cell, (kind, (_, declared, _))): (&Option<String>, (&Kind, &(&str, Kind, _)))| {
        let is_joined = kind != declared;
        let text = cell.as_deref().map(|cell| if is_joined { orders::joined(cell) } else { cell.to_owned() });
        match empty {
            Empty::BothNull if *kind == Kind::Text => text.filter(|text| !text.is_empty()),
            Empty::BothText if *kind == Kind::Text => text.or(Some(String::new())),
            _ => text,
        }
    };
    let row = |row: &Vec<_>| row.iter().zip(kinds.iter().zip(&orders::COLUMNS)).map(cell).collect();
    canonical(&source.iter().map(row).collect(), &kinds)
}

/// The cells in which two tables differ, in words; long texts are cut.
fn differences(loaded: &Rows, expected: &Rows) -> Vec<String> {
    if loaded.len() != expected.len() {
        return vec![format!("{} rows instead of {}", loaded.len(), expected.len())];
    }
    let cut = |cell: &Option<String>| cell.as_ref().map(|text| text.chars().take(50).collect::<String>());
    let mut told = Vec::new();
    for (loaded, expected) in loaded.iter().zip(expected) {
        let id = expected[0].as_deref().unwrap_or_default();
        for ((is, ought), name) in loaded.iter().zip(expected).zip(orders::names()) {
            if is != ought {
                told.push(format!("{name} of {id} is {:?} instead of {:?}", cut(is), cut(ought)));
            }
        }
    }
    told
}

/// Runs the command of each loader for each format on files from this kind of store, and compares all cells.
async fn every_loader_holds_what_the_store_holds(kind: StoreKind, rows: &Rows) {
    let page = Page::read();
    let delivered = Delivered::new(kind, &page, rows).await;
    let home = tempfile::tempdir().unwrap();
    let (mut places, mut loads) = (Vec::new(), vec![Load::none(&delivered.database, home.path())]);
    for (loader, formats, empty) in LOADERS {
        for format in formats {
            let before = if loader == "pandas-after-pyarrow" { page.command("pyarrow", format) } else { "" };
            let script = format!("{before}{}", page.command(loader, format));
            loads.push(Load::command(loader, &delivered.folder(format), script).await);
            places.push((loader, *format, empty));
        }
    }
    let mut results = rows_after(&loads).into_iter();
    let source = results.next().unwrap().unwrap();
    let [held, intended] = [&source, rows].map(|rows| expected(rows, "ndjson", Empty::Differ));
    assert_eq!(differences(&held, &intended), [""; 0], "what the store holds");
    let mut faults = Vec::new();
    for ((loader, format, empty), loaded) in places.into_iter().zip(results) {
        let found = match loaded {
            Ok(rows) => differences(&canonical(&rows, &orders::kinds(format)), &expected(&source, format, empty)),
            Err(error) => vec![error],
        };
        if let [first, ..] = &found[..] {
            faults.push(format!("{loader}, {format}: {} differences, the first: {first}", found.len()));
        }
    }
    assert!(faults.is_empty(), "{kind:?}:\n{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_loader_holds_every_cell_of_sqlite() {
    every_loader_holds_what_the_store_holds(StoreKind::Sqlite, &orders::rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_loader_holds_every_cell_of_postgresql() {
    every_loader_holds_what_the_store_holds(StoreKind::Postgres, &orders::rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_loader_holds_every_cell_of_mariadb() {
    every_loader_holds_what_the_store_holds(StoreKind::Mysql, &orders::rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_without_rows_loads_as_a_table_without_rows() {
    every_loader_holds_what_the_store_holds(StoreKind::Sqlite, &Vec::new()).await;
}

/// A line `\.` within a text is the end of the file to psql before version 18, but not to the server.
#[tokio::test(flavor = "multi_thread")]
async fn psql_never_loads_a_part_of_a_file() {
    let (page, rows) = (Page::read(), vec![orders::cells(2, &None, &Some("a\n\\.\nb".to_owned()))]);
    let delivered = Delivered::new(StoreKind::Sqlite, &page, &rows).await;
    let by_client = page.command("postgresql", "bi").to_owned();
    // The server runs as another user.
    let readable = tempfile::tempdir().unwrap();
    let file = readable.path().join("orders.csv");
    fs::copy(delivered.folder("bi").join("orders.csv"), &file).unwrap();
    fs::set_permissions(readable.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let by_server =
        by_client.replace("\\copy orders from 'orders.csv'", &format!("copy orders from '{}'", file.display()));
    let by_server = by_server.replace(")\nSQL", ");\nSQL");
    let by_json = page.command("postgresql", "ndjson").to_owned();

    let mut loads = Vec::new();
    for (format, script) in [("bi", by_client), ("bi", by_server), ("ndjson", by_json)] {
        loads.push(Load::command("postgresql", &delivered.folder(format), script).await);
    }
    let [by_client, by_server, by_json] = rows_after(&loads).try_into().unwrap();
    let assert_whole = |loaded: &Rows, format| {
        let expected = expected(&rows, format, Empty::Differ);
        assert_eq!(differences(&canonical(loaded, &orders::kinds(format)), &expected), [""; 0], "{format}");
    };
    assert_whole(&by_server.unwrap(), "bi");
    assert_whole(&by_json.unwrap(), "ndjson");
    match by_client {
        Ok(loaded) => assert_whole(&loaded, "bi"),
        Err(error) => assert!(error.contains("unterminated CSV quoted field"), "{error}"),
    }
}

#[test]
fn every_command_of_the_page_is_run() {
    let page = Page::read();
    let run = LOADERS.iter().flat_map(|(loader, formats, _)| formats.iter().map(move |format| (*loader, *format)));
    assert_eq!(page.commands().into_iter().collect::<BTreeSet<_>>(), run.collect());
}
