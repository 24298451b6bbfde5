//! No circles between the files of a module, so that a file can be understood from those that it needs.
//!
//! A file needs another if it names something that the other declares. What a `mod.rs` only passes on (`pub use`) counts
//! for the file that declares it. One thing is free: the types and constants that a `mod.rs` declares are the vocabulary
//! of the files below it, though it calls them. Its functions are not.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Library;
use super::top;

/// Modules that still have circles, and why.
const ACCEPTED: &[(&str, &str)] = &[];

/// For each file those that it needs, each with a name that it needs of it.
type Needs = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn files_do_not_need_each_other_in_a_circle() {
    let needs = needs(&Library::read());
    let (old, new): (Vec<Vec<&str>>, Vec<_>) =
        circles(&needs).into_iter().partition(|circle| ACCEPTED.iter().any(|(module, _)| *module == top(circle[0])));
    let new: Vec<String> = new.iter().map(|circle| told(&needs, circle)).collect();
    assert!(new.is_empty(), "a small file with what both sides need cures a circle:\n{}", new.join("\n"));
    let cured: Vec<_> =
        ACCEPTED.iter().filter(|(module, _)| old.iter().all(|circle| top(circle[0]) != *module)).collect();
    assert!(cured.is_empty(), "without a circle, and still accepted: {cured:?}");
}

#[test]
fn circles_are_seen_and_vocabulary_is_free() {
    let circles_of = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(file, text)| (format!("src/m/{file}.rs"), (*text).to_owned()));
        let needs = needs(&Library::of(files));
        circles(&needs).iter().map(|circle| circle.join(" ")).collect::<Vec<_>>()
    };
    let mut none = vec![[("mod", "fn f() { a::f() }"), ("a", "use super::{Type, LIMIT};")]];
    none.push([("mod", "pub use a::A;"), ("a", "fn f() { super::help() }")]);
    none.push([("a", "use super::b::B;"), ("b", "")]);
    for files in none {
        assert!(circles_of(&files).is_empty(), "{files:?}");
    }
    assert_eq!(circles_of(&[("mod", "fn f() { a::f() }"), ("a", "fn f() { super::help() }")]), ["m m::a"]);
    let three = [("a", "use super::b::B;"), ("b", "use super::c::C;"), ("c", "use super::a::LIMIT;")];
    assert_eq!(circles_of(&three), ["m::a m::b m::c"]);
}

fn needs(library: &Library) -> Needs {
    let mut needs = Needs::new();
    for (module, source) in &library.files {
        let own = needs.entry(module.clone()).or_default();
        for named in library.named(module, &source.code) {
            let is_above = module.starts_with(&format!("{}::", named.module));
            let is_free = is_above && !named.name.starts_with(|c: char| c.is_ascii_lowercase());
            if named.module != *module && top(&named.module) == top(module) && !is_free {
                own.insert(named.module, named.name);
            }
        }
    }
    needs
}

/// The groups of files that all need each other.
fn circles(needs: &Needs) -> BTreeSet<Vec<&str>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        needs.keys().map(|file| (file.as_str(), reached(needs, file))).collect();
    let circles = reach
        .iter()
        .map(|(file, others)| others.iter().copied().filter(|other| reach[other].contains(file)).collect::<Vec<_>>());
    circles.filter(|circle| circle.len() > 1).collect()
}

/// What the files of a circle need of each other.
fn told(needs: &Needs, circle: &[&str]) -> String {
    let line = |file: &&str| {
        let needed = needs[*file].iter().filter(|(other, _)| circle.contains(&other.as_str()));
        let needed: Vec<String> = needed.map(|(other, name)| format!("{other}::{name}")).collect();
        format!("{file} needs {}", needed.join(", "))
    };
    circle.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// All files that `file` needs, directly or through others.
fn reached<'a>(needs: &'a Needs, file: &'a str) -> BTreeSet<&'a str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![file]);
    while let Some(file) = next.pop() {
        for other in needs[file].keys() {
            if reached.insert(other.as_str()) {
                next.push(other);
            }
        }
    }
    reached
}
