//! ARCHITECTURE.md draws what is: the layers, and the modules in which adapters meet.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::source::Library;
use super::{LAYERS, root, top};

/// The modules that talk to the world outside, each knowing only the vocabulary.
const ADAPTERS: [&str; 6] = ["store", "encode", "spool", "deliver", "state", "notify"];

fn architecture() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap()
}

#[test]
fn the_map_draws_the_layers() {
    let text = architecture();
    let drawing = text.split("```").nth(1).unwrap();
    let layers =
        drawing.lines().map(|line| line.split('·').next().unwrap().split_whitespace().collect::<BTreeSet<_>>());
    let drawn: Vec<_> = layers.filter(|layer| !layer.is_empty()).collect();
    let real: Vec<BTreeSet<&str>> = LAYERS.iter().rev().map(|layer| layer.iter().copied().collect()).collect();
    assert_eq!(drawn, real);
}

#[test]
fn the_map_explains_every_module() {
    let text = architecture();
    let table = text.split("| module | what it is |").nth(1).unwrap();
    let explained: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next()).collect();
    let missing: Vec<_> = LAYERS
        .iter()
        .flat_map(|layer| layer.iter())
        .filter(|module| !explained.iter().any(|names| format!("`{names}").contains(&format!("`{module}`"))))
        .collect();
    assert!(missing.is_empty(), "not explained in ARCHITECTURE.md: {missing:?}");
}

#[test]
fn adapters_meet_where_the_map_says() {
    let library = Library::read();
    let mut joined: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (module, source) in &library.files {
        let named = library.named(module, &source.code);
        let adapters = named.iter().map(|named| top(&named.module)).filter(|other| ADAPTERS.contains(other));
        joined
            .entry(top(module))
            .or_default()
            .extend(adapters.filter(|other| *other != top(module)).map(str::to_owned));
    }
    for adapter in ADAPTERS {
        assert!(joined[adapter].is_empty(), "{adapter} imports {:?}", joined[adapter]);
    }
    joined.retain(|_, adapters| adapters.len() > 1);
    let text = architecture();
    let table = text.split("| adapters meet in |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let told: BTreeMap<&str, BTreeSet<String>> = rows
        .map(|(module, rest)| {
            let adapters = rest.split(" |").next().unwrap_or_default().split(", ");
            (module, adapters.map(|adapter| adapter.trim_matches('`').to_owned()).collect())
        })
        .collect();
    assert_eq!(told, joined);
}
