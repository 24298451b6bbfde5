//! The house rules that a machine can check: layers, sizes, headers, the map in ARCHITECTURE.md.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the bottom up. A module may import itself and those of lower layers, none of its own layer.
const LAYERS: &[&[&str]] = &[
    &["words", "value", "secret", "growth", "failpoint", "fastpath", "access", "tls"],
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
    let rank = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut faults = Vec::new();
    for file in rust_files("src") {
        let module = module_of(&file);
        if module == "lib" || module == "main" {
            continue;
        }
        let own = rank(&module).unwrap_or_else(|| panic!("{module} has no layer: name it in tests/tidy.rs"));
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            if import == module {
                continue;
            }
            let other = rank(&import).unwrap_or_else(|| panic!("{}: {import} has no layer", file.display()));
            if other >= own {
                faults.push(format!("{} imports {import}", file.display()));
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

#[test]
fn the_map_names_every_module() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let missing: Vec<_> =
        LAYERS.iter().flat_map(|layer| layer.iter()).filter(|m| !map.contains(&format!("`{m}`"))).collect();
    assert!(missing.is_empty(), "not in ARCHITECTURE.md: {missing:?}");
}

#[test]
fn the_readers_of_imports_see_what_they_should() {
    assert_eq!(
        imports("use crate::job::Job;\n    crate::run::RunId::new()\nuse crate::{value, name::X};"),
        ["job", "run", "value", "name"]
    );
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

/// The top-level module that a file of `src` belongs to.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The top-level modules that a text names after `crate::`, tests included.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let names = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        for name in names {
            let word: String = name.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if word.starts_with(|c: char| c.is_ascii_lowercase()) {
                found.push(word);
            }
        }
    }
    found
}
