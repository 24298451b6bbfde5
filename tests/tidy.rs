//! The house rules that a machine can check: layers, sizes, headers, circles, names, the map in ARCHITECTURE.md.

use std::fs;
use std::path::PathBuf;

use self::source::Library;

mod circles;
mod map;
mod names;
mod source;

/// The modules from the bottom up. A module may import itself and those of lower layers, none of its own layer.
const LAYERS: &[&[&str]] = &[
    &["wording", "words"],
    &["value", "secret", "growth", "failpoint", "tuning", "access", "tls", "digest"],
    &["catalogue"],
    &["instant", "name"],
    &["job"],
    &["schedule"],
    &["period", "run"],
    &["plan", "progress", "definition", "clearance"],
    &["store", "encode", "spool", "deliver", "state", "notify"],
    &["pipeline", "config", "draft", "sample"],
    &["export"],
    &["daemon"],
    &["demo"],
    &["cli"],
];

/// The lines above which a file must be cut, by folder.
const SIZES: &[(&str, usize)] = &[("src", 400), ("tests", 300)];

#[test]
fn modules_import_only_from_lower_layers() {
    let rank = |module: &str| {
        let rank = LAYERS.iter().position(|layer| layer.contains(&module));
        rank.unwrap_or_else(|| panic!("{module} has no layer: name it in tests/tidy.rs"))
    };
    let library = Library::read();
    let mut faults = Vec::new();
    for (module, source) in &library.files {
        let own = top(module);
        for named in library.named(module, &source.text) {
            let other = top(&named.module);
            if other != own && rank(other) >= rank(own) {
                faults.push(format!("{} imports {other}", source.file));
            }
        }
    }
    assert!(faults.is_empty(), "imports against the layers:\n{}", faults.join("\n"));
}

#[test]
fn files_are_short_enough_to_read() {
    let mut faults = Vec::new();
    for (folder, limit) in SIZES {
        for file in rust_files(folder) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            if lines > *limit {
                faults.push(format!("{}: {lines} lines, at most {limit}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "too long:\n{}", faults.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<_> = ["src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .filter(|file| !fs::read_to_string(file).unwrap().starts_with("//! "))
        .collect();
    assert!(silent.is_empty(), "files without a first line of documentation: {silent:?}");
}

/// The top-level module that a module belongs to.
fn top(module: &str) -> &str {
    module.split("::").next().unwrap_or_default()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files
}
