//! Catalogue files: what they can say, and how their faults are told together with those of the jobs.

use std::path::Path;

use exportd::catalogue::{EpochUnit, Export, Mode, Source};
use exportd::config::{Config, Faults};
use exportd::value::{ColumnType, Scale};

const STORE: &str = "[store]\nurl = \"sqlite:store.db\"\n";

/// Loads `catalogue` from a file, beside `jobs`.
fn load(catalogue: &str, jobs: &str) -> Result<Config, Faults> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("catalogue")).unwrap();
    std::fs::write(folder.path().join("catalogue/shop.toml"), catalogue).unwrap();
    std::fs::write(folder.path().join("catalogue/notes.txt"), "no TOML").unwrap();
    let path = folder.path().join("jobs.toml");
    std::fs::write(&path, format!("{STORE}[catalogue]\nfiles = [\"catalogue/*.toml\"]\n{jobs}")).unwrap();
    Config::load(&path)
}

fn only(catalogue: &str) -> Export {
    let config = load(catalogue, "").unwrap_or_else(|faults| panic!("{faults}"));
    let [export] = &config.catalogue.exports[..] else { panic!("one export") };
    export.clone()
}

#[test]
fn an_export_says_everything_about_its_columns() {
    let export = only(
        r#"[[export]]
        name = "orders"
        query = "select * from orders where deleted = 0;"
        created = "placed"
        updated = "changed_at"
        times = { shipped = "shipped_on" }
        order = ["id"]
        [export.columns]
        zz = "id"
        placed = { type = "datetime", column = "placed_at", epoch = "ms", zone = "Europe/Paris" }
        shipped_on = "date"
        price = { type = "decimal", scale = 2 }
        email = { type = "string", sensitive = true }
        note_1 = { type = "text", additional = true, group = "note_{n}" }"#,
    );
    assert_eq!(export.source, Source::Query("select * from orders where deleted = 0".to_owned()));
    assert_eq!((export.title.as_str(), export.mode), ("orders", Mode::Period));
    let names: Vec<&str> = export.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["zz", "placed", "shipped_on", "price", "email", "note_1"], "the order of the file");
    let placed = export.column("placed").unwrap();
    assert_eq!((placed.sql_name.as_str(), placed.epoch), ("placed_at", Some(EpochUnit::Milliseconds)));
    assert_eq!(placed.zone.as_ref().unwrap().iana_name(), Some("Europe/Paris"));
    assert_eq!(export.column("price").unwrap().scale, Scale::Exactly(2));
    let time = |word: &str| export.time(word).map(|time| (time.column.sql_name.clone(), time.column.kind));
    assert_eq!(time("created"), Some(("placed_at".to_owned(), ColumnType::Datetime)), "by its name in the file");
    assert_eq!(time("updated"), Some(("changed_at".to_owned(), ColumnType::Datetime)), "a column not exported");
    assert_eq!(time("shipped"), Some(("shipped_on".to_owned(), ColumnType::Date)));
    let default: Vec<&str> = export.default_columns().map(|column| column.name.as_str()).collect();
    assert_eq!(default, ["zz", "placed", "shipped_on", "price"]);
}

#[test]
fn an_export_without_times_is_a_full_listing() {
    let export = only("[[export]]\nname = \"a\"\nfrom = \"s.a\"\ncolumns = { id = \"id\" }");
    assert_eq!((export.mode, export.source), (Mode::Full, Source::Table("s.a".to_owned())));
}

#[test]
fn a_pattern_names_all_members_of_its_group() {
    let text = format!(
        "{STORE}[[job]]\nlabel = \"x\"\nrun = \"daily\"\nhost = \"h\"\nuser = \"u\"\nkey = \"k\"\nknown_hosts = \"f\"\n\
         reason = \"why\"\nexports = [{{ name = \"responses\", fields = [\"id\", \"answer_{{n}}\"] }}]\n"
    );
    let config = Config::parse(&text, Path::new("jobs.toml"), Path::new("/srv")).unwrap_or_else(|f| panic!("{f}"));
    let names: Vec<&str> = config.jobs[0].exports[0].columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names.len(), names[0], names[1], names[10]), (11, "id", "answer_1", "answer_10"));
}

#[test]
fn a_query_may_begin_with_comments_and_parentheses() {
    let begins = [
        "-- monthly\nselect 1",
        "/* a */ (select 1)",
        "# MySQL's\nwith x as (select 1) select 1",
        "((select 1))",
        "values (1)",
        "TABLE t",
        "/*! select */ 1",
    ];
    for text in begins {
        let export =
            only(&format!("[[export]]\nname = \"a\"\nquery = \"\"\"{text}\"\"\"\ncolumns = {{ id = \"id\" }}\n"));
        assert_eq!(export.source, Source::Query(text.to_owned()));
    }
}

/// What stands in an export beside its name, and words of the one fault that follows.
const BROKEN: [(&str, &str); 18] = [
    ("columns = { id = 'id' }", "[[export]] has no `from`"),
    ("from = 't'\nquery = 'select 1'\ncolumns = { id = 'id' }", "`from` or `query`, not both"),
    ("query = 'delete from t'\ncolumns = { id = 'id' }", "`query` is not a SELECT statement"),
    ("query = '/* select */ delete from t'\ncolumns = { id = 'id' }", "`query` is not a SELECT statement"),
    ("query = '-- select'\ncolumns = { id = 'id' }", "`query` is not a SELECT statement"),
    ("from = 't'", "[[export]] has no `columns`"),
    ("from = 't'\ncolumns = {}", "the export has no columns"),
    ("from = 't'\ncolumns = { id = 'strng' }", "did you mean `string`?"),
    ("from = 't'\ncolumns = { id = 5 }", "`id` takes a type"),
    ("from = 't'\ncolumns = { id = { sensitive = true } }", "`id` has no `type`"),
    ("from = 't'\ncolumns = { id = { type = 'id', scale = 2 } }", "of the type decimal only"),
    ("from = 't'\ncolumns = { id = { type = 'id', senstive = true } }", "did you mean `sensitive`?"),
    ("from = 't'\ncolumns = { at = { type = 'datetime', zone = 'GMT+1' } }", "write `Etc/GMT-1`: the sign in IANA's"),
    ("table = 't'\nfrom = 't'\ncolumns = { id = 'id' }", "write `from = \"SCHEMA.TABLE\"`"),
    ("from = 't'\ncolumns = { id = { type = 'id', pii = true } }", "write `sensitive = true`"),
    ("from = 't'\nscale = 2\ncolumns = { id = 'id' }", "a key of `[export.columns]`"),
    ("from = 't'\nmode = 'period'\ncolumns = { id = 'id' }", "needs a time column"),
    ("from = 't'\ncreated = 'id'\ncolumns = { id = 'id' }", "`id` is a column of the type id"),
];

#[test]
fn faults_of_catalogues_name_their_own_file() {
    let check = |text: &str, words: &str| {
        let faults = load(text, "").expect_err(words);
        assert_eq!(faults.len(), 1, "{faults}");
        let shown = faults.to_string();
        assert!(shown.contains(words) && shown.contains("catalogue/shop.toml:"), "{shown}");
    };
    for (lines, words) in BROKEN {
        check(&format!("[[export]]\nname = 'a'\n{lines}\n"), words);
    }
    let export = |name: &str| format!("[[export]]\nname = '{name}'\nfrom = 't'\ncolumns = {{ id = 'id' }}\n");
    check("models:\n  - name: orders\n", "this looks like YAML");
    check(&export("a b"), "`a b` can't be the name of an export");
    check(&format!("{}{}", export("a"), export("A")), "the export `A` is already in the catalogue");
}

#[test]
fn faults_of_jobs_and_catalogues_are_told_together() {
    let faults =
        load("[[export]]\nname = \"a\"\nfrom = 5\n", "[[job]]\nlabel = \"x\"\nexports = [\"a\"]\n").unwrap_err();
    let shown = faults.to_string();
    assert!(shown.contains("jobs.toml:5:1") && shown.contains("shop.toml:3:8"), "{shown}");
    assert!(!shown.contains("has no export"), "what a broken catalogue lacks may well exist: {shown}");
}

#[test]
fn an_export_of_a_file_does_not_replace_a_built_in_one() {
    let text = "[[export]]\nname = \"agents\"\nfrom = \"t\"\ncolumns = { id = \"id\" }\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.toml"), text).unwrap();
    let jobs = format!("{STORE}[catalogue]\nbuiltin = \"contact-centre\"\nfiles = [\"own.toml\"]\n");
    let faults = Config::parse(&jobs, Path::new("jobs.toml"), folder.path()).unwrap_err();
    assert!(faults.to_string().contains("own.toml:2:8"), "{faults}");
}
