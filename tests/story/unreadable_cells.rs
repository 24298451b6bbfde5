//! Cells that can't be read as their column's type: a run that fails names all of their columns, and a column can let
//! them be NULL, which is counted wherever the file is told of.

use std::fs;
use std::path::Path;

use exportd::store::StoreKind;
use serde_json::{Value, json};

use crate::support::databases::Database;
use crate::support::program::Program;
use crate::support::shop;

/// Every column but the first has two cells that can't be read, in the second and the third row.
const BAD: [&str; 9] = ["day", "moment", "flag", "number", "whole", "exact", "list", "note", "mark"];

fn catalogue(unreadable: &str) -> String {
    let column = |name: &str, more: &str| format!("{name} = {{ {more}, unreadable = \"{unreadable}\" }}\n");
    let columns = [
        column("day", "type = \"date\""),
        column("moment", "type = \"datetime\""),
        column("flag", "type = \"boolean\""),
        column("number", "type = \"float\""),
        column("whole", "type = \"integer\""),
        column("exact", "type = \"decimal\", scale = 2"),
        column("list", "type = \"array\""),
        column("note", "type = \"text\""),
        column("mark", "type = \"string\""),
    ];
    format!(
        "[[export]]\nname = \"orders\"\nfrom = \"orders\"\norder = [\"id\"]\n[export.columns]\nid = \"id\"\n{}",
        columns.concat()
    )
}

/// A table whose bad cells are what this kind of database really holds.
fn table(kind: StoreKind) -> String {
    let good = "'2026-01-02', '2026-01-02 03:04:05', 1, 1.5, 3, 1.25";
    let (types, bad, lists) = match kind {
        StoreKind::Sqlite => (
            ["TEXT", "TEXT", "INT", "", "", "", "TEXT", "TEXT", "TEXT"],
            "'0000-00-00', 'yesterday', 2, 'much', 1.5, 1.234, '[1,', CAST(x'ff' AS TEXT), 'a' || char(0) || 'b'",
            "'[\"a\", \"b\"]', 'fine', 'fine'",
        ),
        StoreKind::Postgres => (
            ["date", "timestamp", "int", "float8", "numeric", "numeric", "text[]", "bytea", "bytea"],
            "'infinity', '0044-03-15 12:00 BC', 2, 'NaN', 1.5, 'NaN', '{{a}}', '\\xff', '\\x610062'",
            "'{a,b}', 'fine', 'fine'",
        ),
        StoreKind::Mysql => (
            ["date", "datetime", "int", "text", "decimal(9, 1)", "text", "text", "varbinary(9)", "varchar(9)"],
            "'0000-00-00', '0000-00-00', 2, 'Infinity', 1.5, 'NaN', '[1,', x'ff', concat('a', char(0), 'b')",
            "'[\"a\", \"b\"]', 'fine', 'fine'",
        ),
    };
    let columns: Vec<String> = BAD.iter().zip(types).map(|(name, sql_type)| format!("{name} {sql_type}")).collect();
    let mode = if kind == StoreKind::Mysql { "SET sql_mode = '';\n" } else { "" };
    format!(
        "{mode}CREATE TABLE orders (id INT PRIMARY KEY, {});\n\
         INSERT INTO orders VALUES (1, {good}, {lists});\nINSERT INTO orders VALUES (2, {bad});\n\
         INSERT INTO orders VALUES (3, {bad});\nINSERT INTO orders VALUES (4, {good}, {lists});",
        columns.join(", ")
    )
}

fn program(database: &Database, folder: &Path, more: &str) -> Program {
    let program = shop::program_into(folder, more);
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("sqlite:shop.db", &database.url));
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_null_in_every_format_and_counted_everywhere() {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql] {
        let database = Database::new(kind).await;
        database.run(&table(kind)).await;
        let folder = tempfile::tempdir().unwrap();
        let more = "filename = \"orders\"\nmanifest = true\nformat = ";
        let program = program(&database, folder.path(), &format!("{more}\"bi\""));
        fs::write(program.path("catalogue.toml"), catalogue("null")).unwrap();
        let mut run = program.command(&["run", "shop"]);
        let run = crate::support::program::outcome(run.env("EXPORTD_LOG", "warn").output().unwrap()).expect(0);
        let words = "cells that could not be read are NULL: day (2), exact (2), flag (2), list (2), mark (2), \
                     moment (2), note (2), number (2), whole (2)";
        assert!(run.err.contains(&format!("warning: job shop, orders.csv: {words}")), "{}", run.err);
        assert_eq!(run.err.matches(words).count(), 2, "once to the user and once to the log: {}", run.err);

        let good = "2026-01-02,2026-01-02T04:04:05+01:00,1,1.5,3,1.25,\"a, b\",fine,fine";
        let nulls = ",".repeat(BAD.len());
        let expected = format!("id,{}\n1,{good}\n2{nulls}\n3{nulls}\n4,{good}\n", BAD.join(","));
        assert_eq!(fs::read_to_string(folder.path().join("orders.csv")).unwrap(), expected, "{kind:?}");

        let counted: Value = BAD.iter().map(|column| ((*column).to_owned(), json!(2))).collect();
        let history = program.run(&["history", "--json"]).expect(0).json();
        assert_eq!(history[0]["files"][0]["unreadable"], counted, "{kind:?}");
        let id = history[0]["run"].as_str().unwrap().to_owned();
        assert_eq!(program.run(&["show", &id, "--json"]).expect(0).json()["files"][0]["unreadable"], counted);
        let show = program.run(&["show", &id]).expect(0).out;
        assert!(show.contains("unreadable") && show.contains("day (2), exact (2)"), "{show}");
        let manifest = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let manifest = manifest.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "json"));
        let manifest: Value = serde_json::from_slice(&fs::read(manifest.unwrap()).unwrap()).unwrap();
        assert_eq!(manifest["files"][0]["unreadable"], counted, "{kind:?}");

        let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
        program.configure(&config.replace("\"bi\"", "\"ndjson\""));
        program.run(&["run", "shop"]).expect(0);
        let rows = fs::read_to_string(folder.path().join("orders.ndjson")).unwrap();
        let nulls: Vec<String> = BAD.iter().map(|column| format!("\"{column}\":null")).collect();
        assert_eq!(rows.lines().nth(1), Some(format!("{{\"id\":\"2\",{}}}", nulls.join(",")).as_str()), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_names_every_column() {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql] {
        let database = Database::new(kind).await;
        database.run(&table(kind)).await;
        let folder = tempfile::tempdir().unwrap();
        let program = program(&database, folder.path(), "");
        fs::write(program.path("catalogue.toml"), catalogue("fail")).unwrap();
        let told = program.run(&["run", "shop"]).expect(1).err;
        for column in &BAD[..4] {
            assert!(told.contains(&format!("row 2, column {column}: ")), "{kind:?}, {column}: {told}");
        }
        assert_eq!(told.matches("(the first of 2)").count(), 4, "{kind:?}: {told}");
        let others = "; also in whole (2), exact (2), list (2), note (2), mark (2); ";
        assert!(told.contains(others), "{kind:?}: {told}");
        assert!(told.contains("unreadable = \"null\""), "{told}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is delivered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_zip_are_counted_apart() {
    let database = Database::new(StoreKind::Sqlite).await;
    database.run(&table(StoreKind::Sqlite)).await;
    let folder = tempfile::tempdir().unwrap();
    let program = program(&database, folder.path(), "zip = true\nfilename = \"all\"\nmanifest = true");
    let orders = catalogue("null");
    let clean = "[[export]]\nname = \"ids\"\nfrom = \"orders\"\norder = [\"id\"]\n[export.columns]\nid = \"id\"\n";
    fs::write(program.path("catalogue.toml"), format!("{orders}{clean}")).unwrap();
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("[\"orders\"]", "[\"orders\", \"ids\"]"));
    program.run(&["run", "shop"]).expect(0);
    let history = program.run(&["history", "--json"]).expect(0).json();
    assert_eq!(history[0]["files"][0]["unreadable"]["orders.day"], json!(2));
    let manifest = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let manifest = manifest.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "json"));
    let manifest: Value = serde_json::from_slice(&fs::read(manifest.unwrap()).unwrap()).unwrap();
    let members = &manifest["files"][0]["members"];
    assert_eq!((&members[0]["unreadable"]["day"], &members[1]["unreadable"]), (&json!(2), &Value::Null));
}

/// Else the run would be tried again for hours, without anybody learning what is wrong with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_cell_is_told_also_if_the_store_fails_behind_it() {
    let database = Database::new(StoreKind::Postgres).await;
    let folder = tempfile::tempdir().unwrap();
    let program = program(&database, folder.path(), "");
    let query = "select id, case id when 2 then 'much' else '1' end as number, 1 / (5 - id) as part \
                 from generate_series(1, 9) as id";
    let columns = "[export.columns]\nid = \"id\"\nnumber = \"integer\"\npart = \"integer\"\n";
    let catalogue = format!("[[export]]\nname = \"orders\"\nquery = \"{query}\"\n{columns}");
    fs::write(program.path("catalogue.toml"), catalogue).unwrap();
    let told = program.run(&["run", "shop"]).expect(1).err;
    assert!(told.contains("row 2, column number: text that is no number"), "{told}");
}
