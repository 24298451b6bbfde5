//! The table of keys held against the loader, the example and what is stored of a job.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::{Config, Surroundings};
use super::*;
use crate::definition::Definition;

pub(super) const SECTIONS: [&Section; 13] = [
    &ROOT,
    &STORE,
    &STATE,
    &CATALOGUE,
    &NOTIFY,
    &REFERENCE,
    &JOB,
    &JOB_EXPORT,
    &RETRY,
    &CSV,
    &CATALOGUE_FILE,
    &EXPORT,
    &COLUMN,
];
const STORE_URL: &str = "[store]\nurl = \"sqlite:/x\"\n";
const JOB_HEAD: &str = "[[job]]\n";

/// Lines that make a job, by their keys.
const SOUND: [(&str, &str); 7] = [
    ("label", "\"a\""),
    ("exports", "[\"agents\"]"),
    ("run", "\"daily\""),
    ("host", "\"h\""),
    ("user", "\"u\""),
    ("key", "\"/k\""),
    ("known_hosts", "\"/n\""),
];

/// A configuration of one sound job, with `key = value` in the table of `section`.
fn with(section: &Section, key: &str, value: &str) -> String {
    let line = format!("{key} = {value}\n");
    let job = |instead: &[&str], more: &str| {
        let lines = SOUND.into_iter().filter(|(key, _)| !instead.contains(key));
        let lines: String = lines.map(|(key, value)| format!("{key} = {value}\n")).collect();
        format!("{STORE_URL}{JOB_HEAD}{lines}{more}")
    };
    let pair = || format!("{{ {key} = {value}{} }}", if key == "name" { "" } else { ", name = \"identities\"" });
    match section.name {
        "store" if key == "row_security" => format!("[store]\nurl = \"postgres://u@h/d\"\n{line}"),
        "store" if key == "url" => format!("[store]\n{line}"),
        "store" => format!("{STORE_URL}{line}"),
        "notify" if ["command", "url"].contains(&key) => format!("{STORE_URL}[notify]\n{line}"),
        "notify" => format!("{STORE_URL}[notify]\ncommand = [\"x\"]\n{line}"),
        "reference" => format!("[store]\nurl = {{ {key} = {value} }}\n"),
        "job" if key == "host_keys" => job(&["known_hosts"], &line),
        "job" if key == "folder" => job(&["host", "user", "key", "known_hosts"], &line),
        "job" if key == "reason" => job(&[], &line),
        "job" => job(&[key], &line),
        "export" => job(&["exports"], &format!("exports = [{}]\nreason = \"x\"\n", pair())),
        "retry" => job(&[], &format!("retry = {{ {key} = {value} }}\n")),
        "csv" => job(&[], &format!("format = \"csv\"\n[job.csv]\n{line}")),
        _ => format!("{STORE_URL}{}\n{line}", section.header.trim_matches('`')),
    }
}

fn load(text: &str) -> Result<Config, super::super::Faults> {
    let variable = |_: &str| Some("sqlite:/y".to_owned());
    Config::parse_with(text, Path::new("jobs.toml"), &Surroundings { variable, ..Surroundings::new(Path::new("/srv")) })
}

/// Everything that a configuration says.
fn meaning(text: &str) -> String {
    let config = load(text).unwrap_or_else(|faults| panic!("{text}\n{faults}"));
    let jobs: Vec<String> = config.jobs.iter().map(|job| Definition::of(job).text()).collect();
    let store = (config.store.statement_timeout, config.store.row_security, config.store.max_cell);
    format!("{store:?} {:?} {:?} {jobs:?}", config.state_dir, config.keep)
}

/// What lies in other files is not there.
fn is_elsewhere(message: &str) -> bool {
    message.contains("can't be read") || message.contains("no catalogue is there")
}

fn configuration_keys() -> impl Iterator<Item = (&'static Section, &'static Key)> {
    let sections = [&STORE, &STATE, &CATALOGUE, &NOTIFY, &REFERENCE, &JOB, &JOB_EXPORT, &RETRY, &CSV];
    sections.into_iter().flat_map(|section| section.keys.iter().map(move |key| (section, key)))
}

#[test]
fn a_default_that_is_written_out_changes_nothing() {
    let mut seen = 0;
    for (section, key) in configuration_keys() {
        let Absent::Default(value) = key.absent else { continue };
        let without = match section.name {
            "csv" => with(&JOB, "format", "\"csv\""),
            _ => with(&JOB, "enabled", "true"),
        };
        let written = match section.name {
            "store" | "state" => without.replace(STORE_URL, &with(section, key.name, value)),
            _ => with(section, key.name, value),
        };
        assert_eq!(meaning(&written), meaning(&without), "{} {}", section.header, key.name);
        seen += 1;
    }
    assert!(seen > 25, "only {seen} defaults were tried");
}

#[test]
fn every_example_is_accepted() {
    for (section, key) in configuration_keys() {
        let Some(example) = key.example else { continue };
        let text = with(section, key.name, example);
        if let Err(faults) = load(&text) {
            assert!(faults.iter().all(|fault| is_elsewhere(&fault.message)), "{text}\n{faults}");
        }
    }
    let column = |lines: &str| format!("[[export]]\nname = \"a\"\nfrom = \"a\"\n[export.columns]\n{lines}\n");
    let export = |key: &Key, example: &str| {
        let sound = [("name", "\"a\""), ("from", "\"a\""), ("columns", "{ id = \"id\" }")];
        let lines = sound.into_iter().filter(|(name, _)| *name != key.name && (key.name, *name) != ("query", "from"));
        let lines: String = lines.map(|(key, value)| format!("{key} = {value}\n")).collect();
        format!("[[export]]\n{lines}{} = {example}\n", key.name)
    };
    let catalogues = EXPORT.keys.iter().filter_map(|key| Some(export(key, key.example?)));
    let columns = COLUMN.keys.iter().filter_map(|key| {
        let kind = match key.name {
            "type" => String::new(),
            "zone" | "epoch" => "type = \"datetime\", ".to_owned(),
            _ => "type = \"decimal\", ".to_owned(),
        };
        Some(column(&format!("x = {{ {kind}{} = {} }}", key.name, key.example?)))
    });
    let folder = tempfile::tempdir().unwrap();
    for text in catalogues.chain(columns) {
        std::fs::write(folder.path().join("own.toml"), &text).unwrap();
        let jobs = format!("{STORE_URL}[catalogue]\nfiles = [\"own.toml\"]\n");
        Config::parse(&jobs, Path::new("jobs.toml"), folder.path()).unwrap_or_else(|faults| panic!("{text}\n{faults}"));
    }
}

#[test]
fn only_tables_come_without_an_example() {
    for section in SECTIONS {
        for key in section.keys.iter().filter(|key| key.example.is_none()) {
            assert!(matches!(key.takes, Takes::Table(_) | Takes::Tables(_)), "{} {}", section.header, key.name);
        }
    }
}

#[test]
fn a_definition_holds_every_key_of_a_job() {
    let config = load(&with(&JOB, "enabled", "true")).unwrap();
    let definition: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&Definition::of(&config.jobs[0]).text()).unwrap();
    let stored: BTreeSet<&str> = definition.keys().map(String::as_str).collect();
    // Every export of a definition says its own.
    let of_exports = ["period", "filter_by"];
    assert_eq!(stored, JOB.names().filter(|key| !of_exports.contains(key)).collect());
    let config = load(&with(&CSV, "bom", "true")).unwrap();
    let definition: serde_json::Value = serde_json::from_str(&Definition::of(&config.jobs[0]).text()).unwrap();
    let stored: Vec<&str> = definition["csv"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(stored, CSV.names().collect::<Vec<_>>());
}

#[test]
fn the_example_file_shows_every_key() {
    let example = include_str!("../../../jobs.example.toml");
    let shows = |key: &str| {
        example.lines().any(|line| {
            let line = line.trim_start_matches(['#', ' ']);
            line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
                || line.contains(&format!("{{ {key} = "))
                || line.contains(&format!(", {key} = "))
                || [format!("[{key}]"), format!("[[{key}]]"), format!("[job.{key}]")]
                    .iter()
                    .any(|header| line.contains(header))
        })
    };
    let jobs = [&ROOT, &STORE, &STATE, &CATALOGUE, &NOTIFY, &REFERENCE, &JOB, &JOB_EXPORT, &RETRY, &CSV];
    for section in jobs {
        for key in section.names() {
            assert!(shows(key), "jobs.example.toml does not show `{key}` of {}", section.header);
        }
    }
}
