//! A user who may not read what a command needs is told so: which file or folder, whose it is, and the command that
//! works.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::night;
use crate::support::program::{Outcome, Program, outcome};
use crate::support::shop;
use crate::support::sshd::{Sshd, set_mode};
use crate::support::users::{self, SERVICE, STRANGER};

/// Every command that reads the configuration.
const ALL: [&[&str]; 13] = [
    &["status"],
    &["history"],
    &["show", "2026"],
    &["check"],
    &["plan"],
    &["report"],
    &["reload"],
    &["run", "shop"],
    &["redeliver", "2026"],
    &["notify"],
    &["catalogue"],
    &["catalogue", "draft"],
    &["serve"],
];

/// Those that read or write state.
const OF_STATE: [&[&str]; 7] = [
    &["status"],
    &["history", "--limit", "3"],
    &["show", "2026"],
    &["reload"],
    &["run", "shop"],
    &["redeliver", "2026"],
    &["serve"],
];

/// A program of the service's user, whose configuration lies in `etc` and whose state in `state`.
fn program(server: &Sshd) -> Program {
    let program = shop::program(server, "");
    users::open(&program);
    fs::create_dir(program.path("etc")).unwrap();
    for name in ["jobs.toml", "catalogue.toml", "shop.db"] {
        fs::rename(program.path(name), program.path("etc").join(name)).unwrap();
    }
    let config = fs::read_to_string(program.path("etc/jobs.toml")).unwrap();
    let key = program.path("etc/id");
    fs::copy(server.file("id"), &key).unwrap();
    let config = config.replace("dir = \"state\"", &format!("dir = \"{}\"", program.path("state").display()));
    let config = config.replace(&server.file("id").display().to_string(), &key.display().to_string());
    fs::write(program.path("etc/jobs.toml"), config).unwrap();
    fs::create_dir(program.path("state")).unwrap();
    users::give(&program.path("etc"), SERVICE);
    users::give(&program.path("state"), SERVICE);
    set_mode(&key, 0o600);
    program
}

/// One sentence that names the place and its owner, and then the command, with all that was typed.
#[track_caller]
fn assert_told(told: &Outcome, code: i32, place: &Path, typed: &[&str]) {
    let text = format!("{typed:?}:\n{}{}", told.out, told.err);
    assert_eq!(told.code, code, "{text}");
    assert!(told.err.contains(&place.display().to_string()), "where? {text}");
    assert!(told.err.contains("belongs to daemon"), "whose is it? {text}");
    let command = told.err.lines().find(|line| line.contains("sudo -u daemon ")).unwrap_or_else(|| panic!("{text}"));
    assert!(command.ends_with(&typed.join(" ")), "{text}");
    for bad in ["not up", "no configuration here", "remove", "chown", "exportd init", "state folder of its own"] {
        assert!(!told.err.contains(bad), "{bad}: {text}");
    }
}

#[test]
fn a_configuration_that_may_not_be_read_is_there_and_somebodys() {
    if !users::can_be_many() {
        return;
    }
    let server = Sshd::start();
    let program = program(&server);
    let (folder, file) = (program.path("etc"), program.path("etc/jobs.toml"));
    for (folder_mode, file_mode, place) in [(0o755, 0o600, &file), (0o750, 0o644, &folder), (0o700, 0o600, &folder)] {
        set_mode(&folder, folder_mode);
        set_mode(&file, file_mode);
        for typed in ALL {
            let all: Vec<&str> = ["--config", file.to_str().unwrap()].iter().chain(typed).copied().collect();
            assert_told(&users::run(&program, STRANGER, &all), 2, place, &all);
        }
        // Named by the environment, which sudo does not pass on.
        let mut command = users::command(&program, STRANGER, &["history"]);
        let told = outcome(command.env("EXPORTD_CONFIG", &file).output().unwrap());
        assert_told(&told, 2, place, &["history"]);
        assert!(users::follow(&program, &told.err).expect(0).out.contains("no runs yet"));
    }
}

#[test]
fn files_that_the_configuration_names_are_told_in_the_same_way() {
    if !users::can_be_many() {
        return;
    }
    let server = Sshd::start();
    let program = program(&server);
    let config = program.path("etc/jobs.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(program.path("etc/url"), "sqlite:shop.db").unwrap();
    fs::write(&config, text.replace("url = \"sqlite:shop.db\"", "url = { file = \"url\" }")).unwrap();
    users::give(&program.path("etc"), SERVICE);
    let typed = ["--config", config.to_str().unwrap(), "check"];
    assert_told(&users::run(&program, STRANGER, &typed), 2, &program.path("etc/id"), &typed);
    for name in ["url", "catalogue.toml"] {
        set_mode(&program.path("etc").join(name), 0o600);
        assert_told(&users::run(&program, STRANGER, &typed), 2, &program.path("etc").join(name), &typed);
        set_mode(&program.path("etc").join(name), 0o644);
    }
    // Root is told whose key it is, too.
    let told = outcome(program.command(&typed).output().unwrap());
    assert!(told.code == 2 && told.err.contains("belongs to daemon") && !told.err.contains("chown"), "{}", told.err);
    users::run(&program, SERVICE, &typed).expect(0);
}

#[test]
fn a_state_that_may_not_be_entered_is_there_and_somebodys() {
    if !users::can_be_many() {
        return;
    }
    let server = Sshd::start();
    let program = program(&server);
    let config = program.path("etc/jobs.toml");
    // Rightly configured for anybody: the key is not what keeps a stranger out.
    users::run(&program, SERVICE, &["--config", config.to_str().unwrap(), "run", "shop"]).expect(0);
    let state = program.path("state");
    let of_database = ["status", "history", "show", "run", "redeliver", "serve"];
    let table: [(&str, u32, &[&str]); 6] = [
        ("", 0o700, &["status", "history", "show", "reload", "run", "redeliver", "serve"]),
        ("", 0o750, &["status", "history", "show", "reload", "run", "redeliver", "serve"]),
        ("state.db", 0o600, &of_database),
        // A command that was killed leaves it; without it the database can't be read.
        ("state.db-wal", 0o600, &of_database),
        ("daemon.lock", 0o600, &["status", "reload", "serve"]),
        ("spool", 0o700, &["run", "redeliver", "serve"]),
    ];
    for (name, mode, met_by) in table {
        set_mode(&state, 0o777);
        // The log of the database is there while somebody writes, and after one who was killed.
        for made in ["daemon.lock", "state.db-wal"].map(|made| state.join(made)).iter().filter(|made| !made.exists()) {
            fs::write(made, "").unwrap();
            users::give(made, SERVICE);
        }
        for open in ["migration.lock", "state.db", "state.db-wal", "state.db-shm", "daemon.lock"] {
            if state.join(open).exists() {
                set_mode(&state.join(open), 0o666);
            }
        }
        let place = if name.is_empty() { state.clone() } else { state.join(name) };
        set_mode(&place, mode);
        for typed in OF_STATE.into_iter().filter(|typed| met_by.contains(&typed[0])) {
            let all: Vec<&str> = ["--config", config.to_str().unwrap()].iter().chain(typed).copied().collect();
            assert_told(&users::run(&program, STRANGER, &all), 3, &place, &all);
        }
    }
    set_mode(&state, 0o700);
    let typed = ["--config", config.to_str().unwrap(), "history", "--json"];
    let told = users::run(&program, STRANGER, &typed);
    assert_eq!(users::follow(&program, &told.err).expect(0).json()[0]["state"], "delivered");
    assert!(fs::read_dir(program.path("home")).unwrap().next().is_none(), "there is no second state");
}

/// A command line in a namespace whose `/etc` and `/var/lib` are the test's: in `etc`, and empty.
fn elsewhere(program: &Program, script: &str) -> Outcome {
    let etc = program.path("etc");
    fs::create_dir_all(etc.join("exportd")).unwrap();
    for name in ["passwd", "group"] {
        fs::copy(Path::new("/etc").join(name), etc.join(name)).unwrap();
    }
    let script = format!(
        "set -e; mount --bind etc /etc; mount -t tmpfs -o mode=755 tmpfs /var/lib\n\
         stranger() {{ setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; }}\n{script}"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]).env("HOME", program.path("home"));
    outcome(command.current_dir(program.path("")).output().unwrap())
}

/// A program without a state folder of its own, at home in `/etc/exportd`.
fn installed(server: &Sshd) -> Program {
    let program = night::program(server, "");
    users::open(&program);
    fs::create_dir_all(program.path("etc/exportd")).unwrap();
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap().replace("dir = \"state\"", "");
    let config = config.replace("sqlite:shop.db", &format!("sqlite:{}", program.path("shop.db").display()));
    let catalogue = program.path("catalogue.toml").display().to_string();
    let config = config.replace("\"catalogue.toml\"", &format!("\"{catalogue}\""));
    fs::write(program.path("etc/exportd/jobs.toml"), config).unwrap();
    fs::remove_file(program.path("jobs.toml")).unwrap();
    program
}

#[test]
fn the_state_of_a_dynamic_user_is_not_looked_for_elsewhere() {
    if !users::can_be_many() {
        return;
    }
    let server = Sshd::start();
    let program = installed(&server);
    // As systemd makes it for the unit that we ship.
    let dynamic = "mkdir -m 700 /var/lib/private; mkdir -m 700 /var/lib/private/exportd; chown 1 /var/lib/private/exportd\n\
                   ln -s private/exportd /var/lib/exportd\n";
    for command in ["status", "history", "show 2026", "reload"] {
        let told = elsewhere(&program, &format!("{dynamic} stranger ./exportd {command}"));
        assert_eq!(told.code, 3, "{command}: {told:?}");
        assert!(told.err.contains("/var/lib/private") && told.err.contains("belongs to root"), "{}", told.err);
        assert!(told.err.trim_end().ends_with(&format!("sudo ./exportd {command}")), "{}", told.err);
    }
    assert!(fs::read_dir(program.path("home")).unwrap().next().is_none(), "there is no second state");
    // What it says works.
    let told = elsewhere(&program, &format!("{dynamic} ./exportd history; ls -A /var/lib/exportd"));
    assert_eq!(told.expect(0).out.lines().count(), 1);
}

#[test]
fn the_file_that_is_used_is_named() {
    if !users::can_be_many() {
        return;
    }
    let server = Sshd::start();
    let program = installed(&server);
    let both = "/etc/exportd/jobs.toml";
    let alone = elsewhere(&program, "./exportd plan; ./exportd check");
    assert_eq!(alone.err, "");
    assert!(alone.out.lines().any(|line| line.contains(both)), "{}", alone.out);

    fs::copy(program.path("etc/exportd/jobs.toml"), program.path("jobs.toml")).unwrap();
    let here = program.path("jobs.toml").display().to_string();
    for command in ["plan", "check", "status", "report"] {
        let told = elsewhere(&program, &format!("./exportd {command} || true"));
        let notes: Vec<&str> = told.err.lines().filter(|line| line.contains(both) && line.contains(&here)).collect();
        assert_eq!(notes.len(), 1, "{command}: {}", told.err);
    }
    let told = elsewhere(&program, "./exportd check").expect(0);
    assert!(told.out.lines().next().unwrap().contains(&here), "{}", told.out);
    let told = elsewhere(&program, "./exportd --config jobs.toml plan; EXPORTD_CONFIG=jobs.toml ./exportd plan");
    assert_eq!(told.expect(0).err, "", "who names the file is not told of others");

    // A file that is there and may not be read is not passed over.
    set_mode(&program.path("jobs.toml"), 0o600);
    let told = elsewhere(&program, "stranger ./exportd plan");
    assert!(told.code == 2 && told.err.contains(&here) && told.err.contains("belongs to root"), "{told:?}");

    // In a folder that may not be entered nothing can be looked for; the advice that we give works from there, too.
    let path = program.path("exportd").display().to_string();
    let told =
        elsewhere(&program, &format!("mkdir -m 700 mine; cp jobs.toml mine; cd mine; stranger {path} plan")).expect(0);
    assert!(told.err.contains("mine") && told.err.contains(both), "{}", told.err);
}

#[test]
fn what_root_makes_in_the_services_state_is_the_services() {
    if !users::can_be_many() {
        return;
    }
    let server = Sshd::start();
    let program = program(&server);
    let config = program.path("etc/jobs.toml");
    let for_root = program.path("root.toml");
    let state = |name: &str| format!("\"{}\"", program.path(name).display());
    let text = fs::read_to_string(&config).unwrap().replace(&state("state"), &state("var/state"));
    fs::write(&config, &text).unwrap();
    let text = text.replace("\"sqlite:", "\"sqlite:etc/").replace("\"catalogue.toml\"", "\"etc/catalogue.toml\"");
    let text = text.replace(&program.path("etc/id").display().to_string(), &server.file("id").display().to_string());
    fs::write(&for_root, text).unwrap();
    fs::create_dir(program.path("var")).unwrap();
    users::give(&program.path("var"), SERVICE);

    // Its very first command, before there is anything.
    program.run(&["--config", "root.toml", "run", "shop"]).expect(0);
    program.run(&["--config", "root.toml", "history"]).expect(0);
    let found = Command::new("find").arg(program.path("var")).args(["!", "-user", "daemon"]).output().unwrap();
    assert_eq!(String::from_utf8(found.stdout).unwrap(), "", "what is not the service's");

    let typed = |command: &[&'static str]| -> Vec<String> {
        ["--config", config.to_str().unwrap()].iter().chain(command).map(|word| (*word).to_owned()).collect()
    };
    let service = |command: &[&'static str]| {
        let words = typed(command);
        users::run(&program, SERVICE, &words.iter().map(String::as_str).collect::<Vec<_>>()).expect(0)
    };
    let run = service(&["history", "--json"]).json()[0]["run"].as_str().unwrap().to_owned();
    service(&["redeliver", run.leak()]);
    service(&["run", "shop", "--at", "2026-11-20"]);
    program.run(&["--config", "root.toml", "run", "shop", "--at", "2026-11-19"]).expect(0);
    service(&["run", "shop", "--at", "2026-11-18"]);
}
