//! Reads `src` as far as the house rules need it: which files there are, what each of them names, and who declares that.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use super::{root, rust_files};

/// A file of `src`. Modules and paths are written from the crate's root: `store::mysql::row`.
pub struct Source {
    /// The file, from the package's folder.
    pub file: String,
    /// Its text without comments.
    pub text: String,
    /// Its text without comments and without its unit tests.
    pub code: String,
}

/// All files of the library by their modules.
pub struct Library {
    pub files: BTreeMap<String, Source>,
    /// What `pub use` passes on: the path where it is found, and the one where it comes from.
    passed_on: HashMap<String, String>,
}

/// Something that a file names, and the module that declares it.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    pub module: String,
    /// The first name behind the module; empty if the module itself is named.
    pub name: String,
}

impl Library {
    pub fn read() -> Library {
        let files = rust_files("src").into_iter().map(|path| {
            let file = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            (file, fs::read_to_string(path).unwrap())
        });
        Library::of(files)
    }

    /// The library that has these files, given as path and text.
    pub fn of(files: impl IntoIterator<Item = (String, String)>) -> Library {
        let mut library = Library { files: BTreeMap::new(), passed_on: HashMap::new() };
        for (file, text) in files {
            let module = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
            if module == "lib" || module == "main" {
                continue;
            }
            let text: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
            let text = text.join("\n").replace("(in crate::", "(in ");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            library.files.insert(module.replace('/', "::"), Source { file, text, code });
        }
        for (module, source) in &library.files {
            for used in uses(&source.text).0.iter().filter(|used| used.is_public) {
                let Some(from) = library.whole(module, &used.path) else { continue };
                let name = from.rsplit("::").next().unwrap_or_default();
                library.passed_on.insert(format!("{module}::{name}"), from);
            }
        }
        library
    }

    /// All of this library that `text` in `module` names, but for what it only passes on.
    pub fn named(&self, module: &str, text: &str) -> Vec<Named> {
        let (uses, rest) = uses(text);
        let uses = uses.into_iter().filter(|used| !used.is_public).map(|used| used.path);
        let paths = uses.chain(paths(&rest));
        paths.filter_map(|path| self.declared(&self.whole(module, &path)?)).collect()
    }

    /// `path` in `module` from the crate's root; none if it leads out of the library.
    fn whole(&self, module: &str, path: &str) -> Option<String> {
        let (first, rest) = path.split_once("::").unwrap_or((path, ""));
        let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
        match first {
            "crate" => Some(rest.to_owned()),
            "self" => Some(joined(module, rest)),
            "super" if rest.starts_with("super") => self.whole(parent, rest),
            "super" => Some(joined(parent, rest)),
            child if self.files.contains_key(&joined(module, child)) => Some(joined(module, path)),
            _ => None,
        }
    }

    /// What a whole path names, where it is declared.
    fn declared(&self, path: &str) -> Option<Named> {
        let mut module = path;
        while !self.files.contains_key(module) {
            module = module.rsplit_once("::")?.0;
        }
        let name = path[module.len()..].trim_start_matches("::").split("::").next().unwrap_or_default();
        match self.passed_on.get(&joined(module, name)) {
            Some(from) if from != path => self.declared(from),
            _ => Some(Named { module: module.to_owned(), name: name.to_owned() }),
        }
    }
}

fn joined(module: &str, path: &str) -> String {
    [module, path].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("::")
}

/// A path of a `use`.
struct Used {
    path: String,
    is_public: bool,
}

/// The paths of all `use`, each spelt out, and the text without them.
fn uses(text: &str) -> (Vec<Used>, String) {
    let (mut used, mut rest) = (Vec::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        let tree = match trimmed.strip_prefix("pub") {
            Some(public) => public.split_once("use ").filter(|(scope, _)| !scope.trim_end().contains(' ')),
            None => trimmed.strip_prefix("use ").map(|tree| ("", tree)),
        };
        let Some((_, tree)) = tree else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            tree.push_str(lines.next().expect("every `use` ends").trim());
        }
        let is_public = trimmed.starts_with("pub");
        let paths = spelt_out(tree.split(';').next().unwrap_or_default());
        used.extend(paths.into_iter().map(|path| Used { path, is_public }));
    }
    (used, rest)
}

/// The paths of a tree: of `a::{b, c::{d, e}}` the paths `a::b`, `a::c::d` and `a::c::e`.
fn spelt_out(tree: &str) -> Vec<String> {
    let Some((stem, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        return vec![path.trim_end_matches("::self").to_owned()];
    };
    let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(character);
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(|part| spelt_out(&format!("{}{part}", stem.trim()))).collect()
}

/// The paths that are written out in code.
fn paths(code: &str) -> impl Iterator<Item = String> {
    let words = code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    words.map(|word| word.trim_matches(':')).filter(|word| word.contains("::")).map(str::to_owned)
}

#[test]
fn names_are_traced_to_the_file_that_declares_them() {
    let files = [
        (
            "src/a/mod.rs",
            "mod b;\nmod c;\npub use self::b::{One,\n    Two};\nfn f() { c::go(); crate::d::Three::new() }",
        ),
        (
            "src/a/b.rs",
            "use super::{c::{self, X}, help as h};\nuse std::fmt;\n#[cfg(test)]\nmod tests { use crate::d; }",
        ),
        (
            "src/a/c.rs",
            "// use super::b::Never;\nuse crate::a::One;\npub(in crate::a) fn go() { super::super::d::free() }",
        ),
        ("src/d.rs", ""),
    ];
    let library = Library::of(files.map(|(file, text)| (file.to_owned(), text.to_owned())));
    let named = |module: &str| {
        let named = library.named(module, &library.files[module].code);
        named.into_iter().map(|named| format!("{} {}", named.module, named.name)).collect::<Vec<_>>()
    };
    assert_eq!(named("a"), ["a::c go", "d Three"]);
    assert_eq!(named("a::b"), ["a::c ", "a::c X", "a help"]);
    assert_eq!(named("a::c"), ["a::b One", "d free"]);
    let all = library.named("a::b", &library.files["a::b"].text);
    assert!(all.iter().any(|named| named.module == "d"), "tests are part of the whole text: {all:?}");
}
