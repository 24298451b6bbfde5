//! The administrator's look at a daemon: up, told to reload, refusing, waiting, killed.

use crate::support::night;
use crate::support::program::{Program, outcome};
use crate::support::service::Service;
use crate::support::shop;
use crate::support::sshd::Sshd;

fn add_email(server: &Sshd) -> String {
    let config = shop::config(server, "reason = \"they asked\"");
    config.replace(r#"["orders"]"#, r#"[{ name = "orders", add = ["email"] }]"#)
}

#[track_caller]
fn status(program: &Program, code: i32) -> String {
    let told = program.run(&["status"]).expect(code).out;
    let long: Vec<&str> = told.lines().filter(|line| line.chars().count() > 80 && line.contains("  ")).collect();
    // A path has no blanks to break it at.
    assert!(long.iter().all(|line| line.contains('/')), "wider than 80: {long:?}");
    told
}

#[test]
fn a_reload_says_what_it_changes_or_why_it_is_refused() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    assert!(status(&program, 1).contains("not up"));
    assert!(program.run(&["reload"]).expect(1).err.contains("no daemon works with"));
    assert!(!program.path("state").exists(), "looking makes nothing");

    let mut daemon = Service::start(&program);
    daemon.says("the daemon is up");
    let told = status(&program, 0);
    assert!(told.contains(&format!("(process {}, exportd ", daemon.id())), "{told}");
    assert!(told.lines().any(|line| line.starts_with("shop") && line.contains("none yet")), "{told}");

    let sound = shop::config(&server, "");
    program.configure(&sound.replace("run = \"daily\"", "run = \"dayly\""));
    assert!(status(&program, 0).contains("CHANGED"));
    let refused = program.run(&["reload"]).expect(2);
    assert!(refused.err.contains("jobs.toml:9") && refused.err.contains("did you mean `daily`?"), "{}", refused.err);
    let told = status(&program, 1);
    assert!(told.contains("REFUSED") && !told.contains("CHANGED"), "{told}");
    assert_eq!(program.run(&["status", "--json"]).expect(1).json()["well"], false);

    program.configure(&sound);
    program.run(&["reload"]).expect(0);
    let catalogue = std::fs::read_to_string(program.path("catalogue.toml")).unwrap();
    std::fs::write(program.path("catalogue.toml"), catalogue.replace("scale = 2", "scale = 3")).unwrap();
    assert!(status(&program, 0).contains("CHANGED"), "a catalogue is part of the configuration");
    let accepted = program.run(&["reload"]).expect(0).out;
    assert!(accepted.contains("in force from now on: catalogue (orders)"), "{accepted}");
    assert!(!status(&program, 0).contains("CHANGED"));

    program.configure(&add_email(&server));
    let accepted = program.run(&["reload"]).expect(0).out;
    assert!(accepted.contains("accepted: changed shop (") && accepted.contains("shop, orders: email*"), "{accepted}");
    daemon.says("columns newly leave the house");
    assert!(!status(&program, 0).contains("REFUSED"));
    let again = program.run(&["reload", "--json"]).expect(0).json();
    assert_eq!((&again["accepted"], &again["text"]), (&true.into(), &"no job changed".into()));

    daemon.stop();
    let told = status(&program, 1);
    assert!(told.contains("not up since"), "{told}");
    let events = program.run(&["history", "--events", "--json"]).expect(0).json();
    let kinds: Vec<&str> = events.as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["stopped", "accepted", "accepted", "accepted", "accepted", "refused", "started"]);
    let told = program.run(&["history", "--events"]).expect(0).out;
    assert!(told.contains("refused") && told.contains("dayly"), "{told}");
}

#[test]
fn a_killed_daemon_is_not_up_and_a_refusal_dies_with_it() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let mut daemon = Service::start(&program);
    daemon.says("the daemon is up");
    program.configure("nonsense");
    program.run(&["reload"]).expect(2);
    daemon.signal("KILL");
    daemon.was_killed();
    program.configure(&add_email(&server));
    let told = status(&program, 1);
    assert!(told.contains("not up") && !told.contains("REFUSED"), "{told}");

    let mut daemon = Service::start(&program);
    daemon.says("columns newly leave the house");
    daemon.says("the daemon is up");
    assert!(!status(&program, 0).contains("REFUSED"));
    daemon.stop();
}

#[test]
fn what_waits_says_why_and_until_when() {
    let mut server = Sshd::start();
    let program = shop::program(&server, "retry = { first = \"1h\", max = \"1h\", for = \"2d\" }");
    night::last_up(&program, 2);
    server.stop();
    let mut daemon = Service::start(&program);
    daemon.says("retry_at");
    let told = status(&program, 1);
    assert!(told.contains("shop waiting: run ") && told.contains("after 1 attempt"), "{told}");
    assert!(told.contains("refused") && told.contains("waits behind "), "{told}");
    let shown = program.run(&["status", "--json"]).expect(1).json();
    let under_way = shown["jobs"][0]["under_way"].as_array().unwrap();
    assert_eq!(under_way.iter().map(|run| run["state"].as_str().unwrap()).collect::<Vec<_>>(), ["waiting", "queued"]);
    assert!(under_way[0]["retry_at"].is_string());
    daemon.stop();
    assert!(status(&program, 1).contains("no daemon is up"));
}

#[test]
fn a_reload_lists_settings_that_changed_and_those_that_need_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let program = shop::program_into(folder.path(), "");
    let sound = std::fs::read_to_string(program.path("jobs.toml")).unwrap();
    let mut daemon = Service::start(&program);
    daemon.says("the daemon is up");
    let changed = sound
        .replace("[state]", "timeout = \"5m\"\n[notify]\ncommand = [\"true\"]\n[defaults]\nat = \"05:00\"\n[state]");
    program.configure(&changed);
    let accepted = program.run(&["reload", "--json"]).expect(0).json();
    let text = "changed shop (at)\nin force from now on: [defaults] at; [notify] command; [store] timeout";
    assert_eq!(accepted["text"], text);
    assert_eq!(accepted["detail"]["settings"][2]["keys"], serde_json::json!(["timeout"]));
    // Another state folder is taken by the next start, and told by every reload before.
    let moved = changed.replace("dir = \"state\"", "dir = \"elsewhere\"");
    for _ in 0..2 {
        program.configure(&moved);
        daemon.signal("HUP");
        daemon.says("in force when the daemon is started again: [state] dir");
    }
    program.configure(&changed);
    let again = program.run(&["reload", "--json"]).expect(0).json();
    assert_eq!(again["text"], "no job changed");
    daemon.stop();
}

#[test]
fn a_broken_file_hides_neither_the_daemon_nor_the_past() {
    let folder = tempfile::tempdir().unwrap();
    let program = shop::program_into(folder.path(), "");
    let sound = std::fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    let mut daemon = Service::start(&program);
    daemon.says("the daemon is up");
    for broken in [
        format!("{sound}zip = yes\n"),
        sound.replace("url = ", "url = \"\n"),
        sound.replace("[state]", "[state]\nkeep = 5"),
    ] {
        program.configure(&broken);
        let told = program.run(&["status"]).expect(1);
        assert!(
            told.out.contains("up since") && told.out.contains("FAULT") && told.out.contains("shop"),
            "{}",
            told.out
        );
        assert!(told.err.contains("error: ") && told.err.contains("jobs.toml:"), "{}", told.err);
        let shown = program.run(&["status", "--json"]).expect(1);
        assert!(shown.json()["daemon"]["process"].is_u64() && shown.err.is_empty(), "{}", shown.err);
        let fault = &shown.json()["faults"][0];
        assert!(fault["line"].is_u64() && fault["text"].as_str().unwrap().len() > 10, "{fault}");
        let past = program.run(&["history"]).expect(0);
        assert!(past.out.contains("delivered") && past.err.contains("jobs.toml:"), "{} {}", past.out, past.err);
        let id = program.run(&["history", "--json"]).expect(0).json()[0]["run"].as_str().unwrap().to_owned();
        assert!(program.run(&["show", &id]).expect(0).err.contains("jobs.toml:"));
        program.run(&["reload"]).expect(2);
    }
    daemon.stop();
    // Nothing says where the state is.
    program.configure("store:\n  url: x\n");
    let home = program.path("home");
    let mut status = program.command(&["status"]);
    let told = outcome(status.env("STATE_DIRECTORY", &home).output().unwrap()).expect(2);
    assert!(told.out.is_empty() && told.err.contains("looks like YAML"), "{}", told.err);
    let mut status = program.command(&["status"]);
    let state = program.path("state");
    let told = outcome(status.env("STATE_DIRECTORY", &state).output().unwrap()).expect(1);
    assert!(told.out.contains("not up") && told.err.contains("looks like YAML"), "{}", told.err);
}
