//! `docs/reference.md`: every table and every key, generated from the table of keys.

use super::keys::{
    Absent, CATALOGUE, CATALOGUE_FILE, COLUMN, CSV, Choice, EXPORT, JOB, JOB_EXPORT, Key, NOTIFY, REFERENCE, RETRY,
    ROOT, STATE, STORE, Section,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");

const INTRODUCTION: &str = "\
# Reference: every key of every file

[Configuration](configuration.md) explains how to use them, [`jobs.example.toml`](../jobs.example.toml) shows them in a
file. This page is generated from the table by which the program reads its files; so is what `exportd schema` prints.

Relative paths start at the folder of the file. A duration is numbers with units: `30s`, `5m`, `1h 30m`, `2d`.
";

/// The whole page.
fn page() -> String {
    let jobs = [&ROOT, &STORE, &STATE, &CATALOGUE, &NOTIFY, &JOB, &JOB_EXPORT, &CSV, &RETRY, &REFERENCE];
    let catalogue = [&CATALOGUE_FILE, &EXPORT, &COLUMN];
    let sections = jobs.into_iter().chain(catalogue).map(section);
    INTRODUCTION.to_owned() + &sections.collect::<String>()
}

fn section(section: &Section) -> String {
    let mut text = format!("\n## {}\n\n{}\n", section.header, section.says);
    if let Some(rule) = rule(section) {
        text.push_str(&format!("\n{rule}\n"));
    }
    text.push_str("\n| key | takes | default | meaning |\n| --- | --- | --- | --- |\n");
    section.keys.iter().for_each(|key| text.push_str(&row(key)));
    text
}

fn rule(section: &Section) -> Option<String> {
    let named = |keys: &[&str], word: &str| {
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        let (last, others) = keys.split_last().expect("a choice is between keys");
        format!("{} {word} {last}", others.join(", "))
    };
    let own: Vec<&str> = section.keys.iter().filter(|key| !key.is_shared).map(|key| key.name).collect();
    let choice = match section.choice {
        Choice::Free => None,
        Choice::AtLeastOne(keys) => Some(format!("At least one of {} is required.", named(keys, "and"))),
        Choice::ExactlyOne(keys) => Some(format!("Exactly one of {} is required.", named(keys, "and"))),
        Choice::AtMostOne(keys) => Some(format!("At most one of {} can be given.", named(keys, "and"))),
    };
    let shared =
        (!own.is_empty()).then(|| format!("All keys but {} can also stand in `[defaults]`.", named(&own, "and")));
    let rules: Vec<String> = choice.into_iter().chain(shared).collect();
    (!rules.is_empty()).then(|| rules.join(" "))
}

fn row(key: &Key) -> String {
    let absent = match key.absent {
        Absent::Required => "required".to_owned(),
        Absent::Default(value) => format!("`{value}`"),
        Absent::Otherwise(words) => words.to_owned(),
    };
    let example = key.example.map(|value| format!(" Example: `{} = {value}`", key.name)).unwrap_or_default();
    format!("| `{}` | {} | {absent} | {}{example} |\n", key.name, key.takes.in_words(), key.says)
}

/// Set `EXPORTD_WRITE_DOCS` to write the page instead of comparing it.
#[test]
fn the_page_is_what_the_table_says() {
    if std::env::var_os("EXPORTD_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, page()).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page(),
        "docs/reference.md is not what the table of keys says: EXPORTD_WRITE_DOCS=1 cargo test --lib \
         config::reference writes it"
    );
}
