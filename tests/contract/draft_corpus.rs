//! How often a draft is right: columns as real schemas have them, in eight languages, against what people say of them.
//!
//! Each language becomes a database whose tables have the corpus's columns, so that a draft sees a column among its
//! neighbours. A personal column that is let out does harm, a harmless one that is held back costs a word.

use std::collections::{BTreeMap, BTreeSet};

use exportd::config::Config;
use exportd::draft;
use exportd::store::StoreKind;

use crate::support::databases::Database;

const CORPUS: &str = include_str!("draft/corpus.tsv");
const LEAST_HELD_BACK: f64 = 0.95;
const MOST_WRONGLY_HELD_BACK: f64 = 0.15;

/// A line of the corpus.
#[derive(Debug)]
struct Entry {
    language: &'static str,
    table: &'static str,
    column: &'static str,
    sql_type: &'static str,
    is_personal: bool,
    /// Not looked at while the word lists were written.
    is_held_out: bool,
}

fn corpus() -> Vec<Entry> {
    let lines = CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entry = |line: &'static str| {
        let [language, table, column, sql_type, verdict, part] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not six fields: {line}")
        };
        assert!(["personal", "harmless"].contains(&verdict) && ["tuning", "held-out"].contains(&part), "{line}");
        let (is_personal, is_held_out) = (verdict == "personal", part == "held-out");
        Entry { language, table, column, sql_type, is_personal, is_held_out }
    };
    lines.map(entry).collect()
}

/// The statements that make the tables of one language.
fn schema(entries: &[&Entry]) -> String {
    let mut tables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in entries {
        tables.entry(entry.table).or_default().push(format!("\"{}\" {}", entry.column, entry.sql_type));
    }
    let create =
        |(table, columns): (&&str, &Vec<String>)| format!("CREATE TABLE \"{table}\" ({});", columns.join(", "));
    tables.iter().map(create).collect()
}

/// What a draft holds back of these columns, as (table, column).
async fn held_back(entries: &[&Entry]) -> BTreeSet<(String, String)> {
    let database = Database::new(StoreKind::Sqlite).await;
    database.run(&schema(entries)).await;
    let text = draft::draft(&database.settings()).await.unwrap().text(None);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("draft.toml"), text).unwrap();
    let only_draft = format!("[store]\nurl = {:?}\n[catalogue]\nfiles = [\"draft.toml\"]\n", database.url);
    let loaded = Config::parse(&only_draft, &folder.path().join("jobs.toml"), folder.path());
    let exports = loaded.unwrap_or_else(|faults| panic!("{faults}")).catalogue.exports;
    let mut held = BTreeSet::new();
    for export in &exports {
        let out: BTreeSet<&str> = export.default_columns().map(|column| column.name.as_str()).collect();
        let back = export.columns.iter().filter(|column| !out.contains(column.name.as_str()));
        held.extend(back.map(|column| (export.name.clone(), column.name.clone())));
    }
    held
}

/// The share of `entries` that were held back.
fn rate<'a>(entries: impl Iterator<Item = &'a (&'a Entry, bool)>) -> f64 {
    let (mut all, mut held) = (0.0, 0.0);
    for (_, is_held) in entries {
        all += 1.0;
        held += f64::from(u8::from(*is_held));
    }
    held / all
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_back_what_is_personal_and_little_else() {
    let corpus = corpus();
    let languages: BTreeSet<&str> = corpus.iter().map(|entry| entry.language).collect();
    let mut judged = Vec::new();
    for language in &languages {
        let entries: Vec<&Entry> = corpus.iter().filter(|entry| entry.language == *language).collect();
        assert!(entries.len() >= 60, "{language} has {} columns", entries.len());
        let held = held_back(&entries).await;
        let is_held = |entry: &Entry| held.contains(&(entry.table.to_owned(), entry.column.to_owned()));
        judged.extend(entries.into_iter().map(|entry| (entry, is_held(entry))));
    }
    for (entry, is_held) in judged.iter().filter(|(entry, is_held)| entry.is_personal != *is_held) {
        let part = if entry.is_held_out { "held-out" } else { "tuning" };
        let what = if *is_held { "held back, but harmless" } else { "MISSED" };
        println!("{part} {} {}.{} {}: {what}", entry.language, entry.table, entry.column, entry.sql_type);
    }
    let mut faults = Vec::new();
    let mut report = |part: &str, is_of: &dyn Fn(&Entry) -> bool, is_required: bool| {
        let of = |is_personal| judged.iter().filter(move |(entry, _)| is_of(entry) && entry.is_personal == is_personal);
        let (personal, harmless) = (rate(of(true)), rate(of(false)));
        let line = format!(
            "{part}: {:.1} % of the personal held back, {:.1} % of the harmless",
            personal * 100.0,
            harmless * 100.0
        );
        println!("{line}");
        if is_required && (personal < LEAST_HELD_BACK || harmless > MOST_WRONGLY_HELD_BACK) {
            faults.push(line);
        }
    };
    for language in &languages {
        report(language, &|entry| entry.language == *language, false);
    }
    report("tuning", &|entry| !entry.is_held_out, false);
    report("held out", &|entry| entry.is_held_out, true);
    report("all", &|_| true, true);
    assert!(corpus.len() >= 600 && faults.is_empty(), "{} columns: {faults:?}", corpus.len());
}
