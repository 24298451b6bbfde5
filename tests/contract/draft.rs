//! Drafts of catalogues: of three databases in their usual spellings, personal columns are held back, and the draft
//! works as it is.
//!
//! The SQL files say behind every column whether it is `personal` or `harmless`. The text of all personal columns is
//! one word, which no file may hold unless a job asks for everything.

use std::fs;

use exportd::catalogue::{Catalogue, Export, Source};
use exportd::config::Config;
use exportd::draft;
use exportd::store::StoreKind;

use crate::support::databases::Database;
use crate::support::program::Program;

const SCHEMAS: [&str; 3] = [
    include_str!("draft/music_shop.sql"),
    include_str!("draft/wholesaler.sql"),
    include_str!("draft/video_rental.sql"),
];
const CANARY: &str = "canary";

/// A column of a schema, and what its author says of it.
struct Expected {
    table: String,
    column: String,
    is_personal: bool,
}

/// The schema in the words of a database.
fn dialect(schema: &str, kind: StoreKind) -> String {
    match kind {
        StoreKind::Sqlite => schema.to_owned(),
        StoreKind::Postgres => schema.replace("DATETIME", "TIMESTAMP").replace(" BLOB", " BYTEA"),
        StoreKind::Mysql => {
            format!(
                "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION';\n{schema}"
            )
        }
    }
}

fn expected(schema: &str) -> Vec<Expected> {
    let mut table = String::new();
    let mut columns = Vec::new();
    for line in schema.lines() {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            table = identifier(rest);
        }
        let is_personal = line.ends_with("-- personal");
        if is_personal || line.ends_with("-- harmless") {
            columns.push(Expected { table: table.clone(), column: identifier(line.trim()), is_personal });
        }
    }
    assert!(columns.len() > 30, "the marks are not read");
    columns
}

/// The identifier that a text starts with, in small letters.
fn identifier(text: &str) -> String {
    let Some(quoted) = text.strip_prefix('"') else {
        return text.split_whitespace().next().unwrap_or_default().to_lowercase();
    };
    let closing = quoted.replace("\"\"", "\0\0").find('"').unwrap();
    quoted[..closing].replace("\"\"", "\"").to_lowercase()
}

fn export_of<'a>(catalogue: &'a Catalogue, table: &str) -> &'a Export {
    let is = |export: &&Export| match &export.source {
        Source::Table(from) => {
            let from = from.to_lowercase();
            from == table || from.split_once('.').is_some_and(|(_, name)| name == table)
        }
        Source::Query(_) => false,
    };
    catalogue.exports.iter().find(is).unwrap_or_else(|| panic!("no export of {table}"))
}

/// A daily job of these exports, each in its own words.
fn job(label: &str, exports: &[String]) -> String {
    format!(
        "[[job]]\nlabel = {label:?}\nreason = \"to see it\"\nrun = \"daily\"\nat = \"04:00\"\nexports = [{}]\nhost = \"sftp.example\"\n\
         user = \"drop\"\nkey = \"key\"\nhost_keys = [\"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"]\n",
        exports.join(", ")
    )
}

/// A configuration with the draft, and two jobs: what goes out by default, and all columns of everything.
fn configuration(database: &Database, catalogue: &Catalogue) -> String {
    let usual = catalogue.exports.iter().filter(|export| export.default_columns().next().is_some());
    let usual: Vec<String> = usual.map(|export| format!("{:?}", export.name)).collect();
    let all = catalogue.exports.iter().map(|export| {
        let fields: Vec<String> = export.columns.iter().map(|column| quoted(&column.name)).collect();
        format!("{{ name = {:?}, period = \"all\", fields = [{}] }}", export.name, fields.join(", "))
    });
    let all: Vec<String> = all.collect();
    format!(
        "[store]\nurl = {:?}\n[state]\ndir = \"state\"\n[catalogue]\nfiles = [\"draft.toml\"]\n{}{}",
        database.url,
        job("usual", &usual),
        job("all", &all)
    )
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The text of all files that a job writes for 20 November 2026.
fn files(program: &Program, label: &str) -> Vec<String> {
    let arguments = ["run", label, "--at", "2026-11-21", "--dry-run", "--output", label];
    program.run(&arguments).expect(0);
    let files = fs::read_dir(program.path(label)).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

async fn check(kind: StoreKind) {
    for schema in SCHEMAS {
        let database = Database::new(kind).await;
        database.run(&dialect(schema, kind)).await;
        let program = Program::new("");
        program.run(&["catalogue", "draft", "--store", &database.url, "--output", "draft.toml"]).expect(0);

        let only_draft = format!("[store]\nurl = {:?}\n[catalogue]\nfiles = [\"draft.toml\"]\n", database.url);
        let path = program.path("jobs.toml");
        let folder = path.parent().unwrap();
        let loaded = Config::parse(&only_draft, &path, folder).unwrap_or_else(|faults| panic!("{faults}"));
        check_columns(&loaded.catalogue, schema);

        program.configure(&configuration(&database, &loaded.catalogue));
        program.run(&["keygen", "key"]).expect(0);
        program.run(&["check"]).expect(0);
        let usual = files(&program, "usual");
        assert!(usual.len() > 5, "{usual:?}");
        assert!(usual.iter().all(|text| !text.contains(CANARY)), "personal data went out: {usual:?}");
        assert!(usual.iter().filter(|text| text.lines().count() > 1).count() > 5, "there are no rows: {usual:?}");
        let all = files(&program, "all");
        assert!(all.iter().filter(|text| text.contains(CANARY)).count() > 4, "{all:?}");
    }
}

fn check_columns(catalogue: &Catalogue, schema: &str) {
    for Expected { table, column, is_personal } in expected(schema) {
        let export = export_of(catalogue, &table);
        let goes_out = export.default_columns().any(|found| found.sql_name.to_lowercase() == column);
        assert_ne!(goes_out, is_personal, "{table}.{column}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sqlite() {
    check(StoreKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_postgres() {
    check(StoreKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_mariadb() {
    check(StoreKind::Mysql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_and_keys_become_created_updated_and_order() {
    let database = Database::new(StoreKind::Postgres).await;
    let sql = "CREATE SCHEMA sales; CREATE DOMAIN plain AS varchar(20); CREATE TYPE mood AS ENUM ('good', 'bad'); \
        CREATE TABLE sales.orders (b INT, a INT, extra plain, mood mood, made timestamptz DEFAULT now(), note plain, \
            changed_at date, area point, PRIMARY KEY (a, b) INCLUDE (extra)); \
        CREATE TABLE roles (id INT PRIMARY KEY, name TEXT, created_at timestamptz); CREATE TABLE orders (x INT);";
    database.run(sql).await;
    let text = draft::draft(&database.settings()).await.unwrap().text(None);
    for part in [
        "name = \"sales_orders\"\ntitle = \"Orders\"\nfrom = \"sales.orders\"\nmode = \"period\"\ncreated = \"made\"  # rows where it is NULL are in no file\n\
         updated = \"changed_at\"\norder = [\"made\", \"a\", \"b\"]\n",
        "name = \"public_roles\"\ntitle = \"Roles\"\nfrom = \"public.roles\"\nmode = \"full\"\n\
         created = \"created_at\"  # rows where it is NULL are in no file\n",
        "\nmood = \"string\"\n",
        "\nnote = { type = \"string\", sensitive = true }",
        "\narea = { type = \"text\", sensitive = true }  # location; point, as the database writes it",
        "# No key and no id",
    ] {
        assert!(text.contains(part), "{part}\nis missing in:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_kept_and_what_is_broken_is_said() {
    let database = Database::new(StoreKind::Sqlite).await;
    let program = Program::new("");
    let draft = |more: &[&str]| {
        let arguments = ["catalogue", "draft", "--store", &database.url];
        program.run(&[&arguments[..], more].concat())
    };
    let empty = draft(&[]).expect(1);
    assert!(empty.err.contains("no table"), "{}", empty.err);
    database.run("CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE VIEW v AS SELECT * FROM gone;").await;
    let shown = draft(&[]).expect(0);
    assert!(shown.out.contains("[[export]]\nname = \"t\""), "{}", shown.out);
    assert!(shown.out.contains("# Left out, the view v: "), "{}", shown.out);
    assert!(shown.out.contains("# It holds 1 export with 1 column; held back: 0.\n"), "{}", shown.out);
    fs::write(program.path("mine.toml"), "mine").unwrap();
    let refused = draft(&["--output", "mine.toml"]).expect(2);
    assert!(refused.err.contains("mine.toml"), "{}", refused.err);
    assert_eq!(fs::read_to_string(program.path("mine.toml")).unwrap(), "mine");
    program.run(&["catalogue", "draft", "--store", "sqlite:missing.db"]).expect(3);
    let wrong = program.run(&["catalogue", "draft", "--store", "oracle://user:geheim@host/db"]).expect(2);
    assert!(!wrong.err.contains("geheim"), "{}", wrong.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_scale_is_written_unless_the_database_does_not_hold_values_to_it() {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql] {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE prices (id INT PRIMARY KEY, price NUMERIC(10,2), weight NUMERIC(9))").await;
        let (price, weight) = match kind {
            StoreKind::Sqlite => ("price = \"decimal\"\n", "weight = \"decimal\"\n"),
            _ => ("price = { type = \"decimal\", scale = 2 }\n", "weight = { type = \"decimal\", scale = 0 }\n"),
        };
        let text = draft::draft(&database.settings()).await.unwrap().text(None);
        assert!(text.contains(price) && text.contains(weight), "{kind:?}: {text}");
    }
    let database = Database::new(StoreKind::Postgres).await;
    let sql = "CREATE DOMAIN cents AS numeric(10,2); CREATE TABLE t (a cents, b numeric, c numeric(10,2)[], d money)";
    database.run(sql).await;
    let text = draft::draft(&database.settings()).await.unwrap().text(None);
    for part in ["a = { type = \"decimal\", scale = 2 }\n", "b = \"decimal\"\n", "c = \"array\"\n", "d = \"decimal\"\n"]
    {
        assert!(text.contains(part), "{part}\nis missing in:\n{text}");
    }
}
