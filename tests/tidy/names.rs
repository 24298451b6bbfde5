//! One name, one type: a type that other modules can see is the only one of its name, and none hides one of Rust's own.

use std::collections::BTreeMap;

use super::source::Library;

/// Names that two public types share, and why.
const SHARED: &[(&str, &str)] = &[];

/// Types and traits that are there without an import.
const PRELUDE: &[&str] = &[
    "AsMut",
    "AsRef",
    "Box",
    "Clone",
    "Copy",
    "Default",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Err",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Future",
    "Into",
    "IntoFuture",
    "IntoIterator",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Send",
    "Sized",
    "Some",
    "String",
    "Sync",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Unpin",
    "Vec",
];

#[test]
fn public_types_have_names_of_their_own() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in Library::read().files.into_values() {
        for name in source.code.lines().filter_map(|line| declared(line.strip_prefix("pub ")?)) {
            places.entry(name.to_owned()).or_default().push(source.file.clone());
        }
    }
    assert!(places.len() > 200, "only {} public types are seen", places.len());
    places.retain(|_, files| files.len() > 1);
    let new: Vec<_> = places.iter().filter(|(name, _)| SHARED.iter().all(|(shared, _)| shared != name)).collect();
    assert!(new.is_empty(), "the same name in several files: {new:#?}");
    let old: Vec<_> = SHARED.iter().filter(|(name, _)| !places.contains_key(*name)).collect();
    assert!(old.is_empty(), "no longer shared: {old:?}");
}

#[test]
fn no_type_hides_one_that_is_there_without_an_import() {
    let mut hiding = Vec::new();
    for source in Library::read().files.into_values() {
        let names = source.text.lines().filter_map(|line| declared(without_visibility(line)));
        hiding.extend(names.filter(|name| PRELUDE.contains(name)).map(|name| format!("{}: {name}", source.file)));
    }
    assert!(hiding.is_empty(), "{hiding:#?}");
}

fn without_visibility(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("pub") else { return line };
    let scoped = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    scoped.map_or(rest, |(_, rest)| rest).trim_start()
}

/// The type or trait that a line declares.
fn declared(line: &str) -> Option<&str> {
    let (keyword, rest) = line.split_once(' ')?;
    let is_declaration = ["struct", "enum", "trait", "type", "union"].contains(&keyword);
    let name = rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    is_declaration.then_some(name)
}

#[test]
fn declarations_are_seen() {
    assert_eq!(declared("struct Job {"), Some("Job"));
    assert_eq!(declared("type Rows<T> = Vec<T>;"), Some("Rows"));
    assert_eq!(declared("fn type_of(x: u8) {}"), None);
    for line in ["struct Job(u8);", "pub struct Job(u8);", "pub(super) struct Job(u8);", "pub(in a::b) struct Job(u8);"]
    {
        assert_eq!(declared(without_visibility(line)), Some("Job"), "{line}");
    }
}
