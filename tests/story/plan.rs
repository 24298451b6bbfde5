//! `plan` and `run --at`: what is due when, odd days marked, and no file of a period that still goes on.

use crate::support::program::{Outcome, Program, outcome};

const CONFIG: &str = r#"[store]
url = "sqlite:none.db"
[state]
dir = "state"
[defaults]
timezone = "Europe/Paris"
host = "sftp.partner.example"
user = "drop"
key = "id_ed25519"
known_hosts = "known_hosts"
[[job]]
label = "night"
run = "daily"
at = "02:30"
exports = ["messages", { name = "agents", period = "all" }]
manifest = true
[[job]]
label = "week"
run = "weekly"
exports = ["messages"]
[[job]]
label = "month"
run = "monthly"
exports = ["messages"]
[[job]]
label = "never"
enabled = false
run = "daily"
exports = ["messages"]
"#;

fn plan(arguments: &[&str]) -> Outcome {
    let program = Program::new(CONFIG);
    outcome(program.command(&[&["plan"], arguments].concat()).env("TZ", "America/New_York").output().unwrap()).expect(0)
}

#[test]
fn a_time_that_comes_twice_is_marked() {
    insta::assert_snapshot!("autumn", plan(&["night", "--from", "2026-10-24", "--days", "3"]).out);
}

#[test]
fn a_time_that_never_comes_is_marked() {
    insta::assert_snapshot!("spring", plan(&["night", "--from", "2026-03-28T12:00", "--days", "2"]).out);
}

#[test]
fn weeks_and_months_are_shown_with_their_last_day() {
    insta::assert_snapshot!("month", plan(&["--from", "2026-10-31T12:00", "--days", "2"]).out);
}

#[test]
fn json_has_the_documented_shape() {
    let plan = plan(&["night", "--from", "2026-11-20T12:00", "--days", "1", "--json"]).json();
    let expected = serde_json::json!([{
        "job": "night",
        "due": "2026-11-21T02:30:00+01:00",
        "period": { "from": "2026-11-20T00:00:00+01:00", "to": "2026-11-21T00:00:00+01:00" },
        "directory": ".",
        "files": ["night_2026_11_21_messages.csv", "night_2026_11_21_agents.csv", "night_2026-11-21.manifest.json"],
    }]);
    assert_eq!(plan, expected);
}

#[test]
fn a_period_that_is_not_over_is_not_exported() {
    let program = Program::new(CONFIG);
    for at in ["9999-12-31", "2999-01-01T00:00", "2999-01-01T00:00:00Z"] {
        let run = program.run(&["run", "night", "--at", at]).expect(2);
        assert!(run.err.contains("not over yet") && run.err.contains("--at"), "{at}: {}", run.err);
    }
    for at in ["", "tomorrow", "2026-11-31", "20261121", "2026-11-21T04:00[UTC]"] {
        let run = program.run(&["run", "night", "--at", at]).expect(2);
        assert!(run.err.contains("can't read the time"), "{at}: {}", run.err);
    }
    let run = program.run(&["run", "nigth"]).expect(2);
    assert!(run.err.contains("did you mean \"night\"?"), "{}", run.err);
    assert!(!program.path("state").exists(), "nothing was begun");
}
