//! What may be linked into the program, as far as cargo's own metadata tells: licences, one TLS stack, sources, and no
//! dependency that no file uses. `deny.toml` holds the lists, for cargo-deny too.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// All packages of a build for this platform, by id, and the id of ours.
fn packages() -> (HashMap<String, Value>, String) {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
    let root = text(&metadata["packages"][0]["id"]).to_owned();
    // Metadata names optional dependencies of dependencies that are in no build; the tree does not.
    let tree = cargo(&["tree", "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}"]);
    let built: HashSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, rest)| (name, rest.split(' ').next().unwrap_or_default().trim_start_matches('v')))
        .collect();
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--format-version", "1"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let packages = packages.filter(|package| built.contains(&(text(&package["name"]), text(&package["version"]))));
    (packages.map(|package| (text(&package["id"]).to_owned(), package.clone())).collect(), root)
}

/// What cargo prints. It fetches what a build does not need and metadata does.
fn cargo(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).arg("--locked").current_dir(env!("CARGO_MANIFEST_DIR"));
    if arguments[0] == "metadata" {
        command.args(["--filter-platform", "x86_64-unknown-linux-gnu"]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn deny() -> toml::Table {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml")).unwrap().parse().unwrap()
}

/// Whether a licence expression can be met with `allowed` ones.
fn is_met(expression: &str, allowed: &HashSet<&str>) -> bool {
    let expression = expression.trim();
    split(expression, " OR ").iter().any(|choice| {
        split(choice, " AND ").iter().all(|part| {
            let inner = part.trim().strip_prefix('(').and_then(|part| part.strip_suffix(')'));
            inner.map_or_else(|| allowed.contains(part.trim()), |inner| is_met(inner, allowed))
        })
    })
}

/// Splits at an operator outside parentheses.
fn split<'a>(expression: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (place, character) in expression.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 && expression[place..].starts_with(operator) => {
                parts.push(&expression[start..place]);
                start = place + operator.len();
            }
            _ => {}
        }
    }
    parts.push(&expression[start..]);
    parts
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = HashSet::from(["MIT", "Unicode-3.0"]);
    for met in ["MIT", "GPL-2.0 OR MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for unmet in ["Apache-2.0", "MIT AND GPL-2.0", "(MIT OR Apache-2.0) AND GPL-2.0", ""] {
        assert!(!is_met(unmet, &allowed), "{unmet}");
    }
}

#[test]
fn every_package_has_a_licence_that_is_allowed_and_comes_from_the_registry() {
    let (packages, root) = packages();
    let deny = deny();
    let allowed: HashSet<&str> =
        deny["licenses"]["allow"].as_array().unwrap().iter().map(|licence| licence.as_str().unwrap()).collect();
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    let mut faults = BTreeSet::new();
    for (_, package) in packages.iter().filter(|(id, _)| **id != root) {
        let (name, licence) = (text(&package["name"]), text(&package["license"]).replace('/', " OR "));
        if !is_met(&licence, &allowed) {
            faults.insert(format!("{name}: {licence}"));
        }
        if text(&package["source"]) != registry {
            faults.insert(format!("{name} comes from {}", package["source"]));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(packages.len() > 100, "only {} packages are seen", packages.len());
}

#[test]
fn there_is_one_tls_stack() {
    let (packages, _) = packages();
    let deny = deny();
    let banned: Vec<&str> =
        deny["bans"]["deny"].as_array().unwrap().iter().map(|ban| ban["crate"].as_str().unwrap()).collect();
    assert!(banned.contains(&"ring") && banned.contains(&"openssl-sys"));
    let found: Vec<&str> =
        packages.values().map(|package| text(&package["name"])).filter(|name| banned.contains(name)).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn every_direct_dependency_is_used() {
    let (packages, root) = packages();
    let by_name: HashMap<&str, &Value> = packages.values().map(|package| (text(&package["name"]), package)).collect();
    let mut unused = Vec::new();
    for dependency in packages[&root]["dependencies"].as_array().unwrap() {
        let name = text(&dependency["name"]);
        let folders: &[&str] = if dependency["kind"] == "dev" { &["tests", "benches", "src"] } else { &["src"] };
        let targets = by_name[name]["targets"].as_array().unwrap().iter();
        let library = targets.map(|target| text(&target["name"]).replace('-', "_")).next().unwrap();
        if !folders
            .iter()
            .any(|folder| mentions(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).as_path(), &library))
        {
            unused.push(name.to_owned());
        }
    }
    assert!(unused.is_empty(), "no file uses {unused:?}");
}

fn mentions(folder: &Path, library: &str) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
        true => mentions(&path, library),
        false if path.extension().is_some_and(|ending| ending == "rs") => {
            let source = fs::read_to_string(&path).unwrap();
            source.contains(&format!("{library}::")) || source.contains(&format!("use {library}"))
        }
        false => false,
    })
}
