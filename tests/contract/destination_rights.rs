//! Servers that grant some requests and refuse others: what a delivery needs, and what is said where that is missing.

use std::fs;
use std::path::PathBuf;

use crate::support::program::{Outcome, Program};
use crate::support::servers::{Kind, Server};
use crate::support::shop;
use crate::support::sshd::{Options, Sshd, set_mode};

/// A server whose rights can be changed while it runs.
struct Strict {
    server: Sshd,
    denied: PathBuf,
    _folder: tempfile::TempDir,
}

impl Strict {
    /// A server that refuses these requests, named as `sftp-server -P` names them.
    fn refusing(requests: &str) -> Strict {
        let folder = tempfile::tempdir().unwrap();
        let (script, denied) = (folder.path().join("server"), folder.path().join("denied"));
        let text = format!("#!/bin/sh\nexec /usr/lib/openssh/sftp-server $(cat {})\n", denied.display());
        fs::write(&script, text).unwrap();
        set_mode(&script, 0o755);
        let subsystem = Some(script.display().to_string());
        let server = Sshd::with(Options { subsystem, ..Options::default() });
        let strict = Strict { server, denied, _folder: folder };
        strict.refuse(requests);
        strict
    }

    /// Refuses these requests from the next connection on; none if it is empty.
    fn refuse(&self, requests: &str) {
        let option = if requests.is_empty() { String::new() } else { format!("-P {requests}") };
        fs::write(&self.denied, option).unwrap();
    }

    fn hidden(&self) -> Vec<String> {
        self.server.names().into_iter().filter(|name| name.starts_with('.')).collect()
    }

    fn shown(&self) -> Vec<String> {
        self.server.names().into_iter().filter(|name| !name.starts_with('.')).collect()
    }
}

fn deliver(program: &Program, day: u8) -> Outcome {
    program.run(&["run", "shop", "--at", &format!("2026-11-{day}")])
}

#[test]
fn a_server_that_removes_nothing_gets_every_file_and_keeps_one_probe() {
    for (denied, job) in [
        ("remove", "publish = \"refuse\""),
        ("remove", "publish = \"replace\""),
        ("remove", "publish = \"refuse\"\nverify = \"readback\""),
        ("remove,posix-rename", "publish = \"refuse\""),
    ] {
        let strict = Strict::refusing(denied);
        let program = shop::program(&strict.server, job);
        let first = deliver(&program, 21).expect(0);
        assert!(first.err.contains("does not let files be removed"), "{denied} {job}: {}", first.err);
        let kept = strict.hidden();
        assert_eq!(kept.len(), 1, "{denied} {job}: {kept:?}");
        for day in [22, 23] {
            let later = deliver(&program, day).expect(0);
            assert!(!later.err.contains("does not let"), "{denied} {job}: {}", later.err);
            assert_eq!(strict.hidden(), kept, "{denied} {job}");
        }
        assert_eq!(strict.shown().len(), 3, "{denied} {job}");

        for _ in 0..2 {
            let checked = program.run(&["check", "--connect"]).expect(0);
            assert!(checked.out.contains("doesn't let files be removed"), "{denied} {job}: {}", checked.out);
            assert_eq!(strict.hidden().len(), 2, "{denied} {job}: a check has a probe of its own");
        }
        let json = program.run(&["check", "--connect", "--json"]).expect(0).json();
        assert_eq!(json["destinations"][0]["server"]["remove"], false);
        assert_eq!(json["destinations"][0]["server"]["several_handles"], true);

        strict.refuse("");
        deliver(&program, 24).expect(0);
        program.run(&["check", "--connect"]).expect(0);
        assert_eq!(strict.hidden(), Vec::<String>::new(), "{denied} {job}: the right has come");
    }
}

#[test]
fn what_a_failed_run_leaves_there_is_told_once_and_removed_when_that_is_allowed() {
    let strict = Strict::refusing("remove");
    let program = shop::program(&strict.server, "publish = \"refuse\"\nverify = \"none\"\nmanifest = true");
    // Where nothing may be looked at, a taken name shows with the rename.
    strict.refuse("remove,stat,lstat");
    fs::write(strict.server.directory().join("shop_2026_11_21_orders.csv"), "theirs").unwrap();
    let failed = deliver(&program, 21).expect(1);
    assert!(failed.err.contains("publishing shop_2026_11_21_orders.csv"), "{}", failed.err);
    for told in ["hidden files may stay", ".shop_2026_11_21_orders.csv.", ".shop_2026-11-21.manifest.json."] {
        assert!(failed.err.contains(told), "{told}: {}", failed.err);
    }
    assert_eq!(strict.hidden().len(), 3, "the probe, and the files that could not be published");
    let next = deliver(&program, 22).expect(0);
    assert!(!next.err.contains("hidden files") && !next.err.contains("not let"), "{}", next.err);
    assert_eq!(strict.hidden().len(), 3);
    strict.refuse("");
    deliver(&program, 23).expect(0);
    assert_eq!(strict.hidden(), Vec::<String>::new());
}

#[test]
fn a_name_that_is_taken_and_kept_is_found_before_the_store_is_read() {
    for taken in ["shop_2026_11_21_orders.csv", "shop_2026-11-21.manifest.json"] {
        let strict = Strict::refusing("remove");
        let program = shop::program(&strict.server, "publish = \"refuse\"\nmanifest = true");
        // The same content: it is of another run all the same.
        fs::write(strict.server.directory().join(taken), shop::ORDERS).unwrap();
        fs::rename(program.path("shop.db"), program.path("away.db")).unwrap();
        for _ in 0..2 {
            let failed = deliver(&program, 21).expect(1);
            assert!(failed.err.contains(taken) && failed.err.contains("exists already"), "{}", failed.err);
            assert_eq!(strict.hidden().len(), 1, "the probe: {:?}", strict.hidden());
        }
        fs::rename(program.path("away.db"), program.path("shop.db")).unwrap();
        deliver(&program, 22).expect(0);
        // Its files are in the spool now, and their names are taken by themselves.
        let history = program.run(&["history", "--json"]).expect(0).json();
        let again = program.run(&["redeliver", history[0]["run"].as_str().unwrap()]).expect(1);
        assert!(again.err.contains("exists already"), "{}", again.err);
        assert_eq!(strict.hidden().len(), 1, "the probe: {:?}", strict.hidden());
    }
    let folder = tempfile::tempdir().unwrap();
    let program = shop::program_into(folder.path(), "publish = \"refuse\"");
    fs::write(folder.path().join("shop_2026_11_21_orders.csv"), "theirs").unwrap();
    fs::remove_file(program.path("shop.db")).unwrap();
    let failed = deliver(&program, 21).expect(1);
    assert!(failed.err.contains("exists already"), "{}", failed.err);
}

#[test]
fn a_replacement_that_has_to_remove_is_refused_before_the_store_is_read() {
    let strict = Strict::refusing("remove,posix-rename");
    let program = shop::program(&strict.server, "allow_gap = true");
    fs::remove_file(program.path("shop.db")).unwrap();
    for _ in 0..4 {
        let failed = deliver(&program, 21).expect(1);
        assert!(failed.err.contains("does not allow") && failed.err.contains("remove files from it"), "{}", failed.err);
    }
    let kept = strict.hidden();
    assert!(kept.len() <= 2, "no run adds one: {kept:?}");
}

#[test]
fn the_rename_that_is_tried_is_the_one_that_publishes() {
    for (denied, publish) in [("rename", "refuse"), ("posix-rename,rename", "replace")] {
        let strict = Strict::refusing(denied);
        let program = shop::program(&strict.server, &format!("publish = {publish:?}"));
        fs::remove_file(program.path("shop.db")).unwrap();
        let failed = deliver(&program, 21).expect(1);
        assert!(failed.err.contains("rename files in it"), "{denied} {publish}: {}", failed.err);
        assert_eq!(strict.server.names(), Vec::<String>::new());
    }
    let strict = Strict::refusing("rename");
    deliver(&shop::program(&strict.server, "publish = \"replace\""), 21).expect(0);
}

/// All but opening for writing, writing and closing.
const ONLY_UPLOADS: &str = "read,lstat,fstat,setstat,fsetstat,opendir,readdir,remove,mkdir,rmdir,realpath,stat,rename,\
                            readlink,symlink,posix-rename,statvfs,fstatvfs,hardlink,fsync,lsetstat,limits,expand-path";

const IN_PLACE: &str = "publish = \"direct\"\nverify = \"none\"\nmanifest = true";

#[test]
fn a_server_that_only_takes_uploads_gets_every_file_and_nothing_else() {
    let strict = Strict::refusing(ONLY_UPLOADS);
    let program = shop::program(&strict.server, IN_PLACE);
    let checked = program.run(&["check", "--connect"]).expect(0);
    assert!(checked.out.contains("a reader may see half of one"), "{}", checked.out);
    assert!(checked.out.contains("sizes are not compared") && !checked.out.contains("set verify"), "{}", checked.out);
    let json = program.run(&["check", "--connect", "--json"]).expect(0).json();
    assert!(json["destinations"][0]["server"]["remove"].is_null(), "{json}");
    for command in ["check", "report"] {
        let told = program.run(&[command]).expect(0);
        assert!(told.out.contains("written in place: a reader may see half of a file"), "{}", told.out);
    }
    // The second time over what is there.
    for _ in 0..2 {
        deliver(&program, 21).expect(0);
        let orders = fs::read_to_string(strict.server.directory().join("shop_2026_11_21_orders.csv")).unwrap();
        assert_eq!(orders, shop::ORDERS);
        assert_eq!(strict.server.names(), ["shop_2026-11-21.manifest.json", "shop_2026_11_21_orders.csv"]);
    }
}

#[test]
fn a_server_that_can_not_rename_is_told_to_be_written_to_in_place() {
    let strict = Strict::refusing("rename,posix-rename");
    let program = shop::program(&strict.server, "");
    let checked = program.run(&["check", "--connect"]).expect(1);
    assert!(checked.out.contains("set publish = \"direct\""), "{}", checked.out);
    assert_eq!(strict.server.names(), Vec::<String>::new());
}

#[test]
fn a_server_that_does_not_tell_sizes_is_told_apart() {
    let strict = Strict::refusing(ONLY_UPLOADS);
    let program = shop::program(&strict.server, "publish = \"direct\"");
    let checked = program.run(&["check", "--connect"]).expect(1);
    assert!(checked.out.contains("FAULT") && checked.out.contains("set verify = \"none\""), "{}", checked.out);
    let failed = deliver(&program, 21).expect(1);
    assert!(failed.err.contains("see the size of files in it"), "{}", failed.err);
    assert!(failed.err.contains("set verify = \"none\""), "{}", failed.err);
    assert!(failed.err.contains("may be in directory") && failed.err.contains("unfinished"), "{}", failed.err);
}

#[test]
fn half_a_file_is_written_again_from_its_start_or_its_removal_is_asked_for() {
    let strict = Strict::refusing("");
    let program = shop::program(&strict.server, "publish = \"direct\"\nverify = \"readback\"");
    let file = strict.server.directory().join("shop_2026_11_21_orders.csv");
    for half in [shop::ORDERS[..40].to_owned(), format!("{}{}", shop::ORDERS, "of a longer file")] {
        fs::write(&file, half).unwrap();
        deliver(&program, 21).expect(0);
        assert_eq!(fs::read_to_string(&file).unwrap(), shop::ORDERS);
    }
    let server = Sshd::with(Options { unprivileged: true, ..Options::default() });
    let program = shop::program(&server, "publish = \"direct\"");
    let file = server.directory().join("shop_2026_11_21_orders.csv");
    fs::write(&file, "half").unwrap();
    set_mode(&file, 0o444);
    let failed = deliver(&program, 21).expect(1);
    assert!(failed.err.contains("does not let user") && failed.err.contains("have it removed"), "{}", failed.err);
    assert_eq!(fs::read(&file).unwrap(), b"half");
}

#[test]
fn a_complete_file_that_could_not_be_opened_stays_as_it_was() {
    let server = Server::with(Kind::Paramiko, &["overwrite"]);
    let program = shop::program_to(&server.destination(), "publish = \"direct\"\nverify = \"none\"");
    let file = server.directory().join("shop_2026_11_21_orders.csv");
    fs::write(&file, "complete").unwrap();
    let failed = deliver(&program, 21).expect(1);
    assert!(failed.err.contains("uploading shop_2026_11_21_orders.csv"), "{}", failed.err);
    assert!(!failed.err.contains("unfinished"), "{}", failed.err);
    assert_eq!(fs::read(&file).unwrap(), b"complete");

    let folder = tempfile::tempdir().unwrap();
    let program = shop::program_into(folder.path(), "publish = \"direct\"");
    let link = folder.path().join("shop_2026_11_21_orders.csv");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    deliver(&program, 21).expect(1);
    assert!(link.is_symlink(), "a link is not followed, and not removed");
    assert_eq!(fs::read(&file).unwrap(), b"complete");
}

#[test]
fn nothing_is_written_in_place_before_every_file_is_finished() {
    let strict = Strict::refusing("");
    let program = shop::program(&strict.server, "publish = \"direct\"");
    let broken = shop::CATALOGUE
        .replace("name = \"orders\"", "name = \"broken\"")
        .replace("paid = \"boolean\"", "paid = \"date\"");
    fs::write(program.path("catalogue.toml"), format!("{}{broken}", shop::CATALOGUE)).unwrap();
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("[\"orders\"]", "[\"orders\", \"broken\"]"));
    let failed = deliver(&program, 21).expect(1);
    assert!(failed.err.contains("column paid"), "{}", failed.err);
    assert_eq!(strict.server.names(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn other_servers_that_refuse_requests_get_every_file_too() {
    let limit = |commands: &str| format!("<Directory />\n<Limit {commands}>\nDenyAll\n</Limit>\n</Directory>");
    let (keeps, takes) = (limit("DELE"), limit("DELE RNFR RNTO READ DIRS"));
    for (kind, option, job, hidden) in [
        (Kind::ProFtpd, keeps.as_str(), "publish = \"refuse\"", 1),
        (Kind::ProFtpd, keeps.as_str(), "", 1),
        (Kind::ProFtpd, takes.as_str(), IN_PLACE, 0),
        (Kind::Paramiko, "remove", "publish = \"refuse\"", 1),
        (Kind::Paramiko, "remove", "publish = \"direct\"", 0),
    ] {
        let server = Server::with(kind, &[option]);
        let program = shop::program_to(&server.destination(), job);
        let days = if job.contains("refuse") { [21, 22] } else { [21, 21] };
        let delivering = tokio::task::spawn_blocking(move || days.map(|day| deliver(&program, day).expect(0)));
        delivering.await.unwrap();
        let names = server.names();
        let found = names.iter().filter(|name| name.starts_with('.')).count();
        assert_eq!(found, hidden, "{kind:?} {job}: {names:?}");
        let orders = fs::read_to_string(server.directory().join("shop_2026_11_21_orders.csv")).unwrap();
        assert_eq!(orders, shop::ORDERS, "{kind:?} {job}");
    }
}
