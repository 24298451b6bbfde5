//! A folder on this machine as a destination: the promises that a server gets.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::story::crash::each_passage_of;
use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::service::Service;
use crate::support::shop::{self, ORDERS};
use crate::support::sshd::{Sshd, names_in};

#[test]
fn files_appear_whole_and_may_be_read_by_those_who_may_list_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let program = shop::program_into(folder.path(), "");
    for (folder_mode, mode) in [(0o750, 0o640), (0o755, 0o644), (0o700, 0o600)] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(folder_mode)).unwrap();
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "umask 077; exec \"$0\" run shop --at 2026-11-21", env!("CARGO_BIN_EXE_exportd")]);
        assert!(command.current_dir(program.path("")).output().unwrap().status.success());
        let file = folder.path().join("shop_2026_11_21_orders.csv");
        assert_eq!(fs::read_to_string(&file).unwrap(), ORDERS);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, mode);
    }
    assert_eq!(names_in(folder.path()), ["shop_2026_11_21_orders.csv"]);
}

#[test]
fn a_folder_that_is_missing_or_may_not_be_written_to_is_told_before_the_store_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("drops");
    let program = shop::program_into(&missing, "");
    fs::remove_file(program.path("shop.db")).unwrap();
    let failed = program.run(&["run", "shop"]).expect(1);
    assert!(failed.err.contains(&format!("the directory {} does not exist on this machine", missing.display())));
    fs::write(&missing, "no folder").unwrap();
    let failed = program.run(&["run", "shop"]).expect(1);
    assert!(failed.err.contains("is not a directory"), "{}", failed.err);
    assert_eq!(fs::read(&missing).unwrap(), b"no folder");
}

#[test]
fn check_says_whether_a_folder_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let program = shop::program_into(folder.path(), "");
    let checked = program.run(&["check", "--connect"]).expect(0);
    assert!(checked.out.contains("folder readable and writable"), "{}", checked.out);
    assert_eq!(names_in(folder.path()), Vec::<String>::new());
    fs::remove_dir(folder.path()).unwrap();
    let checked = program.run(&["check", "--connect"]).expect(1);
    assert!(checked.out.contains("does not exist on this machine"), "{}", checked.out);
}

#[test]
fn killed_while_it_delivers_into_a_folder() {
    let points = ["state:uploading", "destination:upload", "destination:rename", "state:published"];
    for publish in ["replace", "refuse"] {
        let folder = tempfile::tempdir().unwrap();
        let more = format!("publish = {publish:?}\nverify = \"readback\"");
        each_passage_of(&points, folder.path(), || night::program_into(folder.path(), &more));
    }
}

#[test]
fn a_job_that_moves_to_another_folder_has_a_new_recipient() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let program = night::program_into(one.path(), "");
    program.run(&["run", "shop"]).expect(0);
    let (run, _) = &oracle::runs(&program)[0];
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace(&one.path().display().to_string(), &other.path().display().to_string()));
    let refused = program.run(&["redeliver", run.id.as_str()]).expect(1);
    let objection = format!("the files are for the folder {}", one.path().display());
    assert!(refused.err.contains(&objection), "{}", refused.err);
    assert_eq!(names_in(other.path()), Vec::<String>::new());
    program.run(&["redeliver", run.id.as_str(), "--to-new-recipient"]).expect(0);
    oracle::settle(&program, Watcher::start(other.path()));
}

#[test]
fn a_job_that_moves_from_a_server_to_a_folder_exports_all_columns_anew() {
    let (server, folder) = (Sshd::start(), tempfile::tempdir().unwrap());
    let program = night::program(&server, "");
    let mut service = Service::start(&program);
    service.says("the daemon is up");
    let into_folder = fs::read_to_string(night::program_into(folder.path(), "").path("jobs.toml")).unwrap();
    program.configure(&into_folder);
    let told = program.run(&["reload"]).expect(0).out;
    let recipient = format!("the folder {}", folder.path().display());
    assert!(told.contains(&recipient) && told.contains("placed_at"), "{told}");
    service.stop();
}
