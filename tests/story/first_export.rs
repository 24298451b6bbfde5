//! The main job: from a store with odd names to files on a partner's server.

use std::fs;
use std::process::Stdio;

use crate::support::program::{Program, outcome};
use crate::support::shop::{self, DAY, ORDERS};
use crate::support::sshd::Sshd;

#[test]
fn a_job_delivers_exactly_the_period_of_its_due_time() {
    let server = Sshd::start();
    let program = shop::program(&server, "");

    program.run(&["check"]).expect(0);
    let check = program.run(&["check", "--connect"]).expect(0);
    assert!(check.out.contains("All is well."), "{}", check.out);

    let run = program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    assert!(run.out.contains("shop_2026_11_21_orders.csv"), "{}", run.out);
    assert_eq!(server.names(), ["shop_2026_11_21_orders.csv"]);
    assert_eq!(fs::read_to_string(server.directory().join("shop_2026_11_21_orders.csv")).unwrap(), ORDERS);
    assert_eq!(fs::read_dir(program.path("state/spool")).unwrap().count(), 1, "the file is kept to be delivered again");
}

#[test]
fn a_repeated_run_makes_the_same_bytes_under_the_same_name() {
    let server = Sshd::start();
    let program = shop::program(&server, "zip = true\nfilename = \"{{label}}_{{year}}-{{month}}-{{day}}\"");
    program.run(&["run", "shop", "--at", "2026-11-21T04:00"]).expect(0);
    let first = fs::read(server.directory().join("shop_2026-11-21.zip")).unwrap();
    program.run(&["run", "shop", "--at", "2026-11-21T03:00:00Z"]).expect(0);
    assert_eq!(server.names(), ["shop_2026-11-21.zip"]);
    assert_eq!(fs::read(server.directory().join("shop_2026-11-21.zip")).unwrap(), first);
}

#[test]
fn a_manifest_tells_what_was_delivered() {
    let server = Sshd::start();
    let program = shop::program(&server, "manifest = true");
    program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    assert_eq!(server.names(), ["shop_2026-11-21.manifest.json", "shop_2026_11_21_orders.csv"]);
    let text = fs::read_to_string(server.directory().join("shop_2026-11-21.manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let file = &manifest["files"][0];
    assert_eq!(file["bytes"], ORDERS.len());
    assert_eq!(file["rows"], 3);
    assert_eq!(file["period"]["from"], format!("{DAY}T00:00:00+01:00"));
    assert_eq!(file["columns"], serde_json::json!(["id", "placed_at", "größe", "total", "paid"]));
}

#[test]
fn history_tells_the_run_in_documented_words() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    let history = program.run(&["history", "--json"]).expect(0).json();
    let run = &history[0];
    assert_eq!(run["job"], "shop");
    assert_eq!(run["due"], "2026-11-21T04:00:00+01:00");
    assert_eq!(run["trigger"], "manual");
    assert_eq!(run["state"], "delivered");
    assert_eq!(run["attempts"], 1);
    assert_eq!(run["error"], serde_json::Value::Null);
    assert_eq!(run["period"]["from"], "2026-11-20T00:00:00+01:00");
    assert_eq!(run["period"]["to"], "2026-11-21T00:00:00+01:00");
    assert_eq!(run["files"][0]["export"], "orders");
    assert_eq!(run["files"][0]["sha256"].as_str().unwrap().len(), 64);

    let id = run["run"].as_str().unwrap();
    let shown = program.run(&["show", &id[..10]]).expect(0);
    assert!(shown.out.contains("delivered") && shown.out.contains("orders.csv"), "{}", shown.out);
}

#[test]
fn a_refused_name_fails_the_run_and_keeps_the_file() {
    let server = Sshd::start();
    let program = shop::program(&server, "publish = \"refuse\"");
    fs::write(server.directory().join("shop_2026_11_21_orders.csv"), "somebody else's").unwrap();
    let run = program.run(&["run", "shop", "--at", "2026-11-21"]).expect(1);
    assert!(run.err.contains("shop_2026_11_21_orders.csv"), "{}", run.err);
    assert_eq!(server.names(), ["shop_2026_11_21_orders.csv"]);
    assert_eq!(fs::read_to_string(server.directory().join("shop_2026_11_21_orders.csv")).unwrap(), "somebody else's");
}

#[test]
fn a_dry_run_delivers_nothing_and_leaves_no_history() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    program.run(&["run", "shop", "--at", "2026-11-21", "--dry-run", "--output", "look"]).expect(0);
    assert_eq!(server.names(), Vec::<String>::new());
    assert_eq!(fs::read_to_string(program.path("look/shop_2026_11_21_orders.csv")).unwrap(), ORDERS);
    assert_eq!(fs::read_dir(program.path("look")).unwrap().count(), 1);
    assert_eq!(program.run(&["history", "--json"]).expect(0).json(), serde_json::json!([]));
}

#[test]
fn a_cell_of_the_wrong_type_fails_the_run_by_name() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let store = rusqlite::Connection::open(program.path("shop.db")).unwrap();
    store.execute(r#"UPDATE "order""; --" SET total = 'a lot' WHERE id = 3"#, []).unwrap();
    let run = program.run(&["run", "shop", "--at", "2026-11-21"]).expect(1);
    for part in ["orders", "row 2", "total", "decimal"] {
        assert!(run.err.contains(part), "{part} is missing in: {}", run.err);
    }
    assert!(!run.err.contains("a lot"), "a value is shown: {}", run.err);
    assert_eq!(server.names(), Vec::<String>::new());
}

#[test]
fn a_configuration_with_faults_begins_nothing() {
    let program = Program::new("[[job]]\nlabel = \"x\"\nrun = \"dayly\"\n");
    let check = program.run(&["check"]).expect(2);
    assert!(check.err.contains("jobs.toml:3:7") && check.err.contains("daily"), "{}", check.err);
    program.run(&["serve"]).expect(2);
    program.run(&["run", "x"]).expect(2);
    assert!(!program.path("state").exists());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let program = Program::new("[store]\nurl = \"sqlite:none.db\"\n[catalogue]\nbuiltin = \"contact-centre\"\n");
    let mut catalogue = program.command(&["catalogue", "--json"]);
    let mut child = catalogue.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let outcome = outcome(child.wait_with_output().unwrap());
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
}
