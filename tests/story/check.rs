//! `check` without connecting: hints about a configuration that is valid, and what it looks at on this machine.

use std::fs;
use std::path::Path;

use crate::support::program::Program;
use crate::support::shop;

/// A shop that delivers into a folder of its own.
fn program(more: &str) -> Program {
    shop::program_into(Path::new("/srv/drops"), more)
}

#[test]
fn what_may_not_be_meant_so_is_a_hint() {
    let program = program("");
    assert!(!program.run(&["check"]).expect(0).out.contains("hint"));
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    let config = config.replace("\"Europe/Paris\"", "\"Etc/GMT+1\"");
    let more = "[[job]]\nlabel = \"x\"\nrun = \"daily\"\nexports = [\"orders\"]\nfolder = \"/srv\"\nfilename = \"%Y_{{label}}\"";
    program.configure(&format!("{config}\nfilename = \"con\"\n{more}\n"));
    let catalogue = fs::read_to_string(program.path("catalogue.toml")).unwrap();
    fs::write(program.path("catalogue.toml"), catalogue.replace("\"placed at\" }", "\"placed at\", zone = \"EST\" }"))
        .unwrap();
    let checked = program.run(&["check"]).expect(0).out;
    let hints = [
        "hint   shop: Etc/GMT+1 is 1 hour behind UTC all year, without daylight saving",
        "hint   orders, column placed_at: EST is 5 hours behind UTC all year",
        "hint   shop: con.csv is a device on Windows, where no file can have that name; change `filename`",
        "hint   x: % in `filename` becomes _ in names; variables are written {{year}}",
    ];
    for hint in hints {
        assert!(checked.contains(hint), "{hint} is not in:\n{checked}");
    }
    let shown = program.run(&["check", "--json"]).expect(0).json();
    assert_eq!(shown["configuration"]["findings"].as_array().unwrap().len(), hints.len());
}

#[test]
fn what_the_daemon_will_need_on_this_machine_is_looked_at() {
    let program = program("");
    let sound = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.run(&["check"]).expect(0);
    assert!(!program.path("state").exists(), "looking makes nothing");
    fs::write(program.path("script"), "#!/bin/sh\n").unwrap();
    let notify = |keys: &str| format!("[notify]\n{keys}\n{sound}");
    let cases = [
        (sound.replace("\"state\"", "\"/proc/state\""), "the state folder /proc/state can't be created"),
        (sound.replace("\"state\"", "\"jobs.toml\""), "jobs.toml is not a folder"),
        (notify("command = [\"no-such-pager\", \"x\"]"), "there is no program `no-such-pager` in PATH"),
        (notify("command = [\"/no/such/pager\"]"), "there is no program /no/such/pager"),
        (notify(&format!("command = [{:?}]", program.path("script"))), "script can't be executed"),
        (notify("command = [\"/usr\"]"), "/usr is not a file"),
        (notify("url = \"https://[::1/x\""), "the url of [notify] can't be used"),
        (notify("command = [\"sh\"]\nca = \"jobs.toml\""), "jobs.toml can't be used"),
        (sound.replace("[state]", "ca = \"gone.pem\"\n[state]"), "gone.pem can't be used"),
    ];
    for (config, words) in cases {
        program.configure(&config);
        let told = program.run(&["check"]).expect(2).err;
        assert!(told.contains(words), "{words} is not in:\n{told}");
    }
    program.configure(&notify("command = [\"sh\", \"-c\", \"true\"]"));
    program.run(&["check"]).expect(0);
}
