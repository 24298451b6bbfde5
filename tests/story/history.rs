//! What is told of past runs: nothing is made by looking, failed files are marked, a run shows all that it met.

use std::fs;

use crate::support::program::Program;
use crate::support::shop;
use crate::support::sshd::Sshd;

/// The run at a place of the history.
pub fn run_id(program: &Program, place: usize) -> String {
    program.run(&["history", "--json"]).expect(0).json()[place]["run"].as_str().unwrap().to_owned()
}

#[test]
fn looking_makes_nothing() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let told = program.run(&["history"]).expect(0);
    assert!(told.out.contains("no runs yet: there is no state in"), "{}", told.out);
    assert_eq!(program.run(&["history", "--json"]).expect(0).json(), serde_json::json!([]));
    assert_eq!(program.run(&["history", "--events", "--json"]).expect(0).json(), serde_json::json!([]));
    assert!(program.run(&["show", "0abc"]).expect(2).err.contains("there is no state"));
    assert!(!program.path("state").exists());
}

#[test]
fn files_that_are_not_delivered_are_marked_and_runs_can_be_chosen() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    program.run(&["run", "shop", "--at", "2026-11-20"]).expect(0);
    // No file takes the place of a folder.
    fs::create_dir(server.directory().join("shop_2026_11_21_orders.csv")).unwrap();
    program.run(&["run", "shop", "--at", "2026-11-21"]).expect(1);

    let told = program.run(&["history"]).expect(0).out;
    assert!(told.lines().any(|line| line.contains("failed") && line.contains(" 1! ")), "{told}");
    assert!(told.contains("! files that are not delivered"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let json = program.run(&["history", "--json"]).expect(0).json();
    assert_eq!((&json[0]["state"], &json[0]["files"][0]["published"]), (&"failed".into(), &false.into()));
    assert_eq!((&json[1]["state"], &json[1]["files"][0]["published"]), (&"delivered".into(), &true.into()));

    let count = |arguments: &[&str]| {
        let all = [&["history", "--json"], arguments].concat();
        program.run(&all).expect(0).json().as_array().unwrap().len()
    };
    assert_eq!([count(&[]), count(&["SHOP"]), count(&["other"])], [2, 2, 0]);
    assert_eq!([count(&["--state", "failed"]), count(&["--state", "waiting"])], [1, 0]);
    assert_eq!([count(&["--since", "1h"]), count(&["--since", "2099-01-01"]), count(&["--limit", "1"])], [2, 0, 1]);
    assert!(program.run(&["history", "--since", "yesterday"]).expect(2).err.contains("12h"));

    let show = program.run(&["show", &run_id(&program, 0)]).expect(0).out;
    assert!(show.contains("not delivered; in the spool"), "{show}");
}

#[test]
fn a_run_shows_its_stages_its_columns_and_whom_it_met() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let config = shop::config(&server, "reason = \"they asked\"\nmanifest = true");
    program.configure(&config.replace(r#"["orders"]"#, r#"[{ name = "orders", add = ["email"] }]"#));
    let mut run = program.command(&["run", "shop", "--at", "2026-11-21"]);
    assert!(run.env("SUDO_USER", "ada").output().unwrap().status.success());

    let id = run_id(&program, 0);
    let shown = program.run(&["show", &id[..11]]).expect(0).out;
    let key = server.fingerprint("ed25519");
    for words in [
        &format!("host key   ssh-ed25519 {key}"),
        &format!("@127.0.0.1:{}", server.port()),
        &format!("directory  {}", server.directory().display()),
        "reason     they asked",
        "columns  id, placed_at, größe, total, paid, email*",
        "attempt 1 by ada, configuration ",
        "  querying",
        "  published",
        "the manifest, ",
    ] {
        assert!(shown.contains(words), "no {words:?} in\n{shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");

    let run = program.run(&["show", &id, "--json"]).expect(0).json();
    let files = ["jobs.toml", "catalogue.toml"].map(|name| fs::read(program.path(name)).unwrap());
    let digest = crate::support::oracle::digest(&files.concat());
    let attempt = &run["timeline"][0];
    assert_eq!((&attempt["by"], &attempt["config"]), (&"ada".into(), &digest.into()));
    let stages: Vec<&str> =
        attempt["stages"].as_array().unwrap().iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["querying", "spooled", "uploading", "uploaded", "publishing", "published"]);
    assert_eq!(run["files"][0]["sensitive"], serde_json::json!(["email"]));
    assert_eq!(run["manifest"]["published"], true);
    // What history lists of a run is in it, field by field.
    let listed = program.run(&["history", "--json"]).expect(0).json();
    for (field, value) in listed[0].as_object().unwrap().iter().filter(|(field, _)| *field != "files") {
        assert_eq!(&run[field], value, "{field}");
    }
}
