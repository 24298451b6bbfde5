//! `check` without connecting: hints about a configuration that is valid, and what it looks at on this machine.

use std::fs;
use std::path::Path;

use crate::support::program::Program;
use crate::support::shop;
use crate::support::sshd::{make_key, set_mode};
use crate::support::users::{self, SERVICE, STRANGER};

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
fn dates_in_the_notation_of_another_program_are_a_hint() {
    let to_server = |more: &str| {
        let destination = "host = \"h.example\"\nuser = \"u\"\nkey = \"id\"\nhost_keys = [\"SHA256:9ePjU1CY5Dz0pWkV6mYc3nXh2rTqLs8bGfAoI7wJuRM\"]";
        let program = program("");
        make_key(&program.path("id"), &["-t", "ed25519", "-N", ""]);
        let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
        program.configure(&config.replace("folder = \"/srv/drops\"", &format!("{destination}\n{more}")));
        program.run(&["check"]).expect(0).out
    };
    for (directory, found) in [
        ("in/%Y/%m", "%Y"),
        ("in/{year}", "{year}"),
        ("$HOME/x", "$HOME"),
        ("in/$(date +%Y)", "$(date +%Y)"),
        ("in/{{year}}/%m", "%m"),
        ("in/YYYY/MM", "YYYY"),
        ("in/yyyy-MM", "yyyy"),
    ] {
        let told = to_server(&format!("directory = \"{directory}\""));
        let hint = format!("hint   shop: {found} in `directory` is taken as it is");
        assert!(told.contains(&hint) && told.contains("{{year}}"), "{directory}: {told}");
    }
    for directory in ["in/{{year}}/{{month}}", "in/100%", "in/$5", "in/new years", "in/{}"] {
        let told = to_server(&format!("directory = \"{directory}\""));
        assert!(!told.contains("hint"), "{directory}: {told}");
    }
    let told = to_server("filename = \"orders_yyyyMMdd\"");
    assert!(told.contains("hint   shop: yyyy in `filename` is taken as it is"), "{told}");
    let folder = shop::program_into(Path::new("/srv/drops/{{year}}"), "").run(&["check"]).expect(0).out;
    assert!(
        folder.contains("hint   shop: {{year}} in `folder` is taken as it is: a folder has no variables"),
        "{folder}"
    );
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

#[test]
fn a_state_folder_of_another_user_is_no_fault_of_the_configuration() {
    if !users::can_be_many() {
        return;
    }
    let program = program("");
    users::open(&program);
    let state = program.path("state");
    fs::create_dir(&state).unwrap();
    users::give(&state, SERVICE);
    for mode in [0o755, 0o700] {
        set_mode(&state, mode);
        let told = users::run(&program, STRANGER, &["check"]).expect(0).out;
        let text = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("was not looked at") && text.contains("belongs to daemon"), "{told}");
        assert!(text.contains("sudo -u daemon"), "{told}");
        assert!(!users::run(&program, SERVICE, &["check"]).expect(0).out.contains("not looked at"));
    }
    set_mode(&state, 0o500);
    let own = users::run(&program, SERVICE, &["check"]).expect(2);
    assert!(own.err.contains("can't be written to"), "{}", own.err);
}
