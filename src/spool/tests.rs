//! Tests of the spool on a real file system.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::wording::count;

fn spool() -> (TempDir, Spool) {
    let state = tempfile::tempdir().unwrap();
    let spool = Spool::open(state.path()).unwrap();
    (state, spool)
}

fn run_id(text: &str) -> RunId {
    RunId::from_stored(text)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn contents(rows: u64) -> Contents {
    Contents { export: "agents".to_owned(), rows, columns: vec!["id".to_owned()], ..Contents::default() }
}

#[test]
fn a_finished_file_is_private_and_known() {
    let (_state, spool) = spool();
    let folder = spool.run(&run_id("run1")).unwrap();
    let mut file = folder.writer("agents.csv").unwrap();
    file.append(b"id\n").unwrap();
    file.append(b"1\n").unwrap();
    let artifact = file.finish(contents(1)).unwrap();
    assert_eq!(fs::read(&artifact.path).unwrap(), b"id\n1\n");
    assert_eq!((artifact.rows, artifact.bytes), (1, 5));
    // printf 'id\n1\n' | sha256sum
    assert_eq!(artifact.sha256, "7cde7fb64fd82bd152710cf238e017b9ab46c0592483edc067ba4f6c75fac108");
    assert_eq!(mode(&artifact.path), 0o600);
    assert_eq!(mode(folder.path()), 0o700);
    assert_eq!(mode(folder.path().parent().unwrap()), 0o700);
    assert_eq!(spool.find(&run_id("run1"), &artifact.record(), vec!["id".to_owned()]).unwrap(), artifact);
}

#[test]
fn an_unfinished_file_leaves_nothing() {
    let (_state, spool) = spool();
    let folder = spool.run(&run_id("run1")).unwrap();
    let mut file = folder.writer("agents.csv").unwrap();
    file.append(b"id\n").unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    drop(file);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_changed_is_noticed() {
    let (_state, spool) = spool();
    let folder = spool.run(&run_id("run1")).unwrap();
    let mut file = folder.writer("agents.csv").unwrap();
    file.append(b"id\n1\n").unwrap();
    let artifact = file.finish(contents(1)).unwrap();
    for (change, expected) in [(&b"id\n2\n"[..], "content"), (b"id\n", "size")] {
        fs::write(&artifact.path, change).unwrap();
        assert!(artifact.verify().unwrap_err().to_string().contains(expected));
    }
    fs::remove_file(&artifact.path).unwrap();
    assert!(artifact.verify().unwrap_err().to_string().contains("gone"));
}

#[test]
fn a_full_disk_is_told_with_the_bytes_that_fitted() {
    let (_state, spool) = spool();
    let folder = spool.run(&run_id("run1")).unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut file =
        FileWriter::new("agents.csv", folder.path().join("agents.csv"), folder.folder, full, &Tuning::DEFAULT);
    // What is less than a block waits for more.
    file.append(b"id\n").unwrap();
    let error = file.append(&vec![b'1'; 2 * 1024 * 1024]).unwrap_err();
    assert!(matches!(error, SpoolError::NoSpace { bytes: 0, .. }), "{error}");
    assert!(error.is_passing());
}

#[test]
fn planted_links_are_refused_and_their_targets_untouched() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), state.path().join("spool")).unwrap();
    let error = Spool::open(state.path()).unwrap_err();
    assert!(matches!(error, SpoolError::Refused { .. }), "{error}");
    assert!(!error.is_passing());

    let (_state, spool) = spool();
    let folder = spool.run(&run_id("run1")).unwrap();
    let target = elsewhere.path().join("target");
    fs::write(&target, b"precious").unwrap();
    symlink(&target, folder.path().join("agents.csv")).unwrap();
    assert!(folder.writer("agents.csv").is_err());
    symlink(elsewhere.path(), folder.path().join("folder")).unwrap();
    folder.remove().unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"precious");
}

#[test]
fn a_file_is_never_written_twice() {
    let (_state, spool) = spool();
    let folder = spool.run(&run_id("run1")).unwrap();
    let first = folder.writer("agents.csv").unwrap().finish(contents(0)).unwrap();
    assert!(matches!(folder.writer("agents.csv"), Err(SpoolError::File { .. })));
    first.verify().unwrap();
}

#[test]
fn permissions_of_others_are_taken_away() {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join("spool");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    Spool::open(state.path()).unwrap();
    assert_eq!(mode(&path), 0o700);
}

#[test]
fn names_that_leave_their_folder_are_refused() {
    let (state, spool) = spool();
    let folder = spool.run(&run_id("run1")).unwrap();
    for name in ["", ".", "..", "../agents.csv", "a/b", "a\0b", &"x".repeat(256)] {
        assert!(matches!(folder.writer(name), Err(SpoolError::BadName { .. })), "{name}");
        assert!(matches!(spool.run(&run_id(name)), Err(SpoolError::BadName { .. })), "{name}");
        assert!(matches!(spool.remove(&run_id(name)), Err(SpoolError::BadName { .. })), "{name}");
    }
    assert!(state.path().join("spool/run1").exists());
}

#[test]
fn a_run_begins_with_an_empty_folder() {
    let (_state, spool) = spool();
    let folder = spool.run(&run_id("run1")).unwrap();
    folder.writer("agents.csv").unwrap().finish(contents(0)).unwrap();
    let again = spool.run(&run_id("run1")).unwrap();
    assert_eq!(fs::read_dir(again.path()).unwrap().count(), 0);
}

#[test]
fn whatever_lies_in_the_spool_is_seen_and_can_be_removed() {
    let (state, spool) = spool();
    for run in ["run1", "run2"] {
        spool.run(&run_id(run)).unwrap().writer("agents.csv").unwrap().finish(contents(0)).unwrap();
    }
    fs::write(state.path().join("spool/stray"), b"").unwrap();
    let mut entries = spool.entries().unwrap();
    entries.sort();
    assert_eq!(entries, ["run1", "run2", "stray"].map(run_id));
    for entry in entries {
        spool.remove(&entry).unwrap();
        spool.remove(&entry).unwrap();
    }
    assert_eq!(fs::read_dir(state.path().join("spool")).unwrap().count(), 0);
}

#[test]
fn more_than_there_is_room_for_is_refused() {
    let (_state, spool) = spool();
    spool.require(1).unwrap();
    let error = spool.require(u64::MAX).unwrap_err();
    assert!(error.is_passing());
    assert!(error.to_string().contains(&count(u64::MAX)), "{error}");
}
