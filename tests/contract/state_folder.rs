//! The state folder: made for its owner alone, and held by one daemon.

use std::fs;

use exportd::state::{DaemonLock, State, StateError};
use tempfile::TempDir;

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    let error = State::open(&dir.path().join("file/state")).await.unwrap_err();
    assert!(matches!(error, StateError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("file/state"), "{error}");
}

#[tokio::test]
async fn the_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("deep/state");
    State::open(&folder).await.unwrap();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_second_daemon_is_refused_and_told_who_holds_the_folder() {
    let dir = TempDir::new().unwrap();
    let first = DaemonLock::acquire(dir.path()).unwrap();
    let error = DaemonLock::acquire(dir.path()).unwrap_err();
    assert!(matches!(error, StateError::Held { .. }), "{error}");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(first);
    DaemonLock::acquire(dir.path()).expect("free again");
}
