//! What editors and shells are told: JSON schemas and completions, checked by programs that are not ours.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::program::Program;

const EXAMPLE: &str = include_str!("../../jobs.example.toml");
const BUILT_IN: [&str; 4] = [
    include_str!("../../src/catalogue/contact_centre/people.toml"),
    include_str!("../../src/catalogue/contact_centre/customers.toml"),
    include_str!("../../src/catalogue/contact_centre/conversations.toml"),
    include_str!("../../src/catalogue/contact_centre/settings.toml"),
];
const SOUND: &str = "[store]\nurl = { env = \"URL\" }\n[[job]]\nlabel = \"a\"\nexports = [\"b\"]\n";

/// Lines that make [`SOUND`] wrong, and where.
const WRONG: [(&str, &str); 12] = [
    ("att = \"04:00\"", "$.job[0]"),
    ("at = \"4\"", "$.job[0].at"),
    ("run = \"dayly\"", "$.job[0].run"),
    ("zip = \"yes\"", "$.job[0].zip"),
    ("port = 70000", "$.job[0].port"),
    ("host_keys = [\"MD5:16:27\"]", "$.job[0].host_keys[0]"),
    ("channels = \"many\"", "$.job[0].channels"),
    ("retry = { first = \"30s\", most = \"1h\" }", "$.job[0].retry"),
    ("csv = { boolean = [\"yes\"] }", "$.job[0].csv.boolean"),
    ("key_passphrase = { file = \"a\", env = \"b\" }", "$.job[0].key_passphrase"),
    ("[defaults]\nlabel = \"x\"", "$.defaults"),
    ("[state]\nkeep = 15", "$.state.keep"),
];

fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("EXPORTD_TEST_PYTHON").map_or(root.join("target/test-venv/bin/python"), PathBuf::from)
}

/// What the validator says of each document.
fn validate(schema: &str, documents: &[String]) -> Vec<Option<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/schema/validate.py");
    let mut command = Command::new(python());
    let mut child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let request = serde_json::json!({ "schema": schema, "documents": documents });
    child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "Python needs jsonschema: scripts/test installs it");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_example_and_the_built_in_catalogue_fit_their_schemas() {
    let program = Program::new("");
    let (jobs, catalogue) = (program.run(&["schema"]).expect(0), program.run(&["schema", "catalogue"]).expect(0));
    let sound = [EXAMPLE.to_owned(), SOUND.to_owned()];
    assert_eq!(validate(&jobs.out, &sound), [None, None]);
    assert_eq!(validate(&catalogue.out, &BUILT_IN.map(str::to_owned)), [None, None, None, None]);

    let wrong: Vec<String> = WRONG.iter().map(|(lines, _)| format!("{SOUND}{lines}\n")).collect();
    for (verdict, (lines, place)) in validate(&jobs.out, &wrong).into_iter().zip(WRONG) {
        let verdict = verdict.unwrap_or_else(|| panic!("{lines} is taken for right"));
        assert!(verdict.starts_with(&format!("{place}: ")), "{lines}: {verdict}");
    }
    let unknown = BUILT_IN[0].replacen("sensitive = true", "senstive = true", 1);
    assert!(validate(&catalogue.out, &[unknown])[0].is_some());
}

/// Runs `script` in a shell with our completions loaded; `None` if this machine does not have the shell.
fn complete(shell: &str, script: &str) -> Option<String> {
    let program = Program::new("");
    let completions = program.run(&["completions", shell]).expect(0).out;
    std::fs::write(program.path("completions"), completions).unwrap();
    let run = Command::new(shell).args(["-c", script]).current_dir(program.path("")).output().ok()?;
    assert!(run.status.success(), "{shell}: {}", String::from_utf8_lossy(&run.stderr));
    Some(String::from_utf8(run.stdout).unwrap())
}

#[test]
fn shells_take_the_completions() {
    let bash = "source ./completions; COMP_WORDS=(exportd che); COMP_CWORD=1; _exportd exportd che exportd; echo ${COMPREPLY[@]}";
    assert_eq!(complete("bash", bash).expect("every machine that runs these tests has bash"), "check\n");
    if let Some(fish) = complete("fish", "source ./completions; complete -C 'exportd che'") {
        assert!(fish.starts_with("check"), "{fish}");
    }
    if let Some(zsh) = complete("zsh", "autoload -U compinit; compinit -u -D; source ./completions; which _exportd") {
        assert!(zsh.contains("_exportd"), "{zsh}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let program = Program::new("");
    let page = program.run(&["man", "run"]).expect(0).out;
    assert!(page.contains(".TH exportd-run 1") && page.contains("dry\\-run"), "{page}");
    assert!(program.run(&["man"]).expect(0).out.contains(".TH exportd 1"));
    program.run(&["man", "rnu"]).expect(2);
}
