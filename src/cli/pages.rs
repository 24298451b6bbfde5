//! The documentation held against the program: examples load, commands parse, quoted errors exist.

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;

use super::args;
use crate::config::{Config, Surroundings};

/// A configuration in which the keys of one job can be tried.
const STORE: &str = "[store]\nurl = \"sqlite:store.db\"\n";
const JOB: [(&str, &str); 7] = [
    ("label", "label = \"nightly\""),
    ("run", "run = \"daily\""),
    ("exports", "exports = [\"agents\"]"),
    ("host", "host = \"sftp.partner.example\""),
    ("user", "user = \"drop\""),
    ("key", "key = \"id_ed25519\""),
    ("known_hosts", "known_hosts = \"known_hosts\""),
];
/// The exports that the pages use besides those of the built-in catalogue.
const SHOP: &str = "[[export]]\nname = \"orders\"\nfrom = \"orders\"\ncolumns = { id = \"id\" }\n\
    [[export]]\nname = \"customers\"\nfrom = \"customers\"\ncolumns = { id = \"id\", city = { type = \"string\", sensitive = true } }\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let paths = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    paths.chain([root().join("README.md")]).map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The blocks of a page that are fenced as `language`, without the indent of a list.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        if line.trim() == format!("```{language}") {
            let block = lines.by_ref().take_while(|line| line.trim() != "```");
            found.push(block.map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n").collect());
        }
    }
    found
}

/// What is wrong with an example, apart from secrets and keys that are elsewhere.
fn faults(text: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("catalogue.toml"), SHOP).unwrap();
    let variable = |_: &str| Some("postgres://reporting@db.internal/shop".to_owned());
    let surroundings = Surroundings { variable, ..Surroundings::new(folder.path()) };
    let faults = Config::parse_with(text, Path::new("jobs.toml"), &surroundings).err()?;
    let is_elsewhere = |message: &str| message.contains("secret's file") || message.contains("credential");
    faults.iter().any(|fault| !is_elsewhere(&fault.message)).then(|| faults.to_string())
}

/// A configuration of an example: whole as it is, or with what it leaves out.
fn complete(block: &str) -> Vec<String> {
    if block.contains("[[job]]") {
        let store = if block.contains("[store]") { "" } else { STORE };
        return vec![format!("{store}{block}")];
    }
    if block.contains('[') && block.trim_start().starts_with('[') {
        return vec![if block.contains("[store]") { block.to_owned() } else { format!("{STORE}{block}") }];
    }
    if block.lines().all(|line| line.starts_with("url = ")) {
        return block.lines().map(|line| format!("[store]\n{line}\n")).collect();
    }
    let has = |key: &str| block.lines().any(|line| line.starts_with(&format!("{key} = ")));
    let rest: Vec<&str> = JOB.into_iter().filter(|(key, _)| !has(key)).map(|(_, line)| line).collect();
    let reason = if block.contains("add = ") { "reason = \"agreed\"\n" } else { "" };
    vec![format!("{STORE}[[job]]\n{}\n{reason}{block}", rest.join("\n"))]
}

#[test]
fn every_example_of_toml_is_accepted() {
    let mut seen = 0;
    for (path, page) in pages() {
        for block in blocks(&page, "toml") {
            seen += 1;
            let fault = if block.contains("[[export]]") {
                let folder = tempfile::tempdir().unwrap();
                fs::write(folder.path().join("own.toml"), &block).unwrap();
                let text = format!("{STORE}[catalogue]\nfiles = [\"own.toml\"]\n");
                Config::parse(&text, Path::new("jobs.toml"), folder.path()).err().map(|faults| faults.to_string())
            } else {
                complete(&block).iter().find_map(|text| faults(text))
            };
            assert!(fault.is_none(), "{}:\n{block}\n{}", path.display(), fault.unwrap_or_default());
        }
    }
    assert!(seen >= 5, "only {seen} examples were found");
}

/// The words of a command line after `exportd`, as far as a shell would hand them over.
fn words(line: &str) -> Option<Vec<&str>> {
    let at = line.split_whitespace().position(|word| word == "exportd")?;
    let is_command =
        line.split_whitespace().take(at).all(|word| ["$", "#", "sudo", "-u"].contains(&word) || word == "exportd");
    let words = line.split_whitespace().skip(at).collect::<Vec<_>>();
    // `sudo -u exportd exportd …` names the user first.
    let words = if words.get(1) == Some(&"exportd") { words[1..].to_vec() } else { words };
    is_command.then(|| words.into_iter().take_while(|word| !["#", ">", "|", "&&"].contains(word)).collect())
}

#[test]
fn every_command_of_an_example_can_be_typed() {
    let mut seen = 0;
    for (path, page) in pages() {
        for block in blocks(&page, "console") {
            for line in block.lines().filter(|line| line.starts_with(['$', '#'])) {
                let Some(words) = words(line) else { continue };
                seen += 1;
                let parsed = args::command().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{}: {line}: {}", path.display(), parsed.unwrap_err());
            }
        }
    }
    assert!(seen >= 12, "only {seen} commands were found");
}

/// Between code marks a command may leave arguments out.
#[test]
fn every_command_in_a_sentence_exists() {
    for (path, page) in pages() {
        for code in
            page.split('`').skip(1).step_by(2).filter(|code| code.starts_with("exportd ") && !code.contains('…'))
        {
            let Some(words) = words(code) else { continue };
            let words = words.into_iter().filter(|word| !word.contains(['[', '|']));
            let Err(error) = args::command().try_get_matches_from(words) else { continue };
            let is_short = matches!(
                error.kind(),
                ErrorKind::MissingRequiredArgument
                    | ErrorKind::InvalidValue
                    | ErrorKind::DisplayHelp
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            );
            assert!(is_short, "{}: `{code}`: {error}", path.display());
        }
    }
}

#[test]
fn every_error_that_troubleshooting_explains_is_one_that_can_be_seen() {
    let page = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let mut source = String::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => source.push_str(&fs::read_to_string(path).unwrap_or_default()),
            }
        }
    }
    let source = source.replace("\\\"", "\"");
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    assert!(headings.len() >= 20);
    for heading in headings {
        for part in heading.split('…').map(str::trim) {
            assert!(source.contains(part), "no message says {part:?}");
        }
    }
}
