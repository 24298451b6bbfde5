//! How closely an upload is compared with what was sent: by size, by content, or not at all where nothing may be
//! looked at; and that one open file at a time is enough for all of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use exportd::deliver::{DeliverError, PublishOutcome, Session, Settings};
use exportd::job::{Publish, Verify};
use exportd::run::FileRecord;
use sha2::{Digest, Sha256};

use super::destination::{content, deliver, local_file, whole};
use crate::support::sftp_pipe::{Fate, Judge, spoil, spoiled};
use crate::support::sshd::names_in;

const LENGTH: usize = 3_000_000;

/// What state would hold of a file of `length` bytes.
pub fn record(length: usize) -> FileRecord {
    let sha256 = Sha256::digest(content(length)).iter().map(|byte| format!("{byte:02x}")).collect();
    FileRecord {
        name: "a.csv".to_owned(),
        export: "a".to_owned(),
        rows: 0,
        bytes: length as u64,
        sha256,
        published: false,
        unreadable: BTreeMap::new(),
    }
}

async fn session(remote: &Path, verify: Verify, judge: Judge) -> Session {
    let settings = Settings { verify, ..Settings::default() };
    Session::over_with(spoiled(remote, &[], false, judge), ".", settings).await.unwrap()
}

fn faithful() -> Judge {
    Box::new(|_, _| Fate::Pass)
}

/// Permission denied for whatever looks.
fn write_only() -> Judge {
    Box::new(|request, _| match request {
        "STAT" | "LSTAT" | "FSTAT" | "OPENDIR" | "READDIR" | "READ" => Fate::Answer(3),
        _ => Fate::Pass,
    })
}

/// A failure for whatever would be the second open handle.
fn one_handle() -> Judge {
    let mut open = 0;
    Box::new(move |request, _| match request {
        "OPEN" | "OPENDIR" if open == 1 => Fate::Answer(4),
        "OPEN" | "OPENDIR" => {
            open += 1;
            Fate::Pass
        }
        "CLOSE" => {
            open -= 1;
            Fate::Pass
        }
        _ => Fate::Pass,
    })
}

#[tokio::test]
async fn only_reading_back_notices_a_hole_of_the_right_size() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = local_file(&folder, LENGTH);
    for (verify, is_noticed) in [(Verify::Size, false), (Verify::Readback, true)] {
        // Acknowledged and never done.
        let session = session(remote.path(), verify, spoil("WRITE", 1, Fate::Answer(0))).await;
        session.upload(&path, whole(&path), ".a.part", &AtomicU64::new(0)).await.unwrap();
        assert_eq!(session.verify(".a.part", &record(LENGTH)).await.unwrap(), !is_noticed);
    }
}

#[tokio::test]
async fn what_is_read_back_has_to_be_all_and_nothing_more() {
    let remote = tempfile::tempdir().unwrap();
    let session = session(remote.path(), Verify::Readback, faithful()).await;
    session.check("probe").await.unwrap();
    for length in [0, 1, 32_768, 32_769, 100_000, LENGTH] {
        let record = record(length);
        for (there, is_whole) in [(length, true), (length + 1, false), (length + 70_000, false)] {
            std::fs::write(remote.path().join(".a.part"), content(there)).unwrap();
            assert_eq!(session.verify(".a.part", &record).await.unwrap(), is_whole, "{there} bytes for {length}");
        }
        std::fs::write(remote.path().join(".a.part"), vec![1; length]).unwrap();
        assert_eq!(session.verify(".a.part", &record).await.unwrap(), length == 0);
    }
    assert!(!session.verify(".b.part", &record(0)).await.unwrap());
}

#[tokio::test]
async fn a_directory_that_is_only_written_to_needs_a_word() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = local_file(&folder, LENGTH);
    let looking = session(remote.path(), Verify::Size, write_only()).await;
    let error = looking.check("probe").await.unwrap_err();
    assert!(matches!(error, DeliverError::DirectoryDenied { .. }) && error.is_permanent(), "{error}");
    assert!(error.to_string().contains("set verify = \"none\""), "{error}");
    assert_eq!(names_in(remote.path()), Vec::<String>::new());

    let blind = session(remote.path(), Verify::None, write_only()).await;
    blind.check("probe").await.unwrap();
    std::fs::write(remote.path().join(".a.csv.run1.part"), "left over").unwrap();
    std::fs::write(remote.path().join("a.csv"), "old").unwrap();
    deliver(&blind, &path, "a.csv", Publish::Replace).await.unwrap();
    assert!(std::fs::read(remote.path().join("a.csv")).unwrap() == content(LENGTH));
    let error = deliver(&blind, &path, "a.csv", Publish::Refuse).await.unwrap_err();
    assert!(!matches!(error, DeliverError::PublishUnknown { .. }), "{error}");
    assert_eq!(names_in(remote.path()), [".a.csv.run1.part", "a.csv"]);
}

#[tokio::test]
async fn a_lost_reply_is_settled_without_looking_by_the_name_that_only_we_know() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = local_file(&folder, 10);
    let session = session(remote.path(), Verify::None, write_only()).await;
    session.upload(&path, whole(&path), ".a.part", &AtomicU64::new(0)).await.unwrap();
    for (outcome, is_up) in [(PublishOutcome::NotPublished, true), (PublishOutcome::Published, false)] {
        assert_eq!(session.settle(".a.part", "a.csv", 10, Publish::Replace).await.unwrap(), outcome);
        assert_eq!(session.verify(".a.part", &record(10)).await.unwrap(), is_up);
        let _ = session.publish(".a.part", "a.csv", Publish::Replace, false).await;
    }
    assert_eq!(std::fs::read(remote.path().join("a.csv")).unwrap(), content(10));
}

#[tokio::test]
async fn one_open_handle_is_enough_for_every_step() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = local_file(&folder, LENGTH);
    let session = session(remote.path(), Verify::Readback, one_handle()).await;
    session.check("probe").await.unwrap();
    deliver(&session, &path, "a.csv", Publish::Replace).await.unwrap();
    assert!(session.verify("a.csv", &record(LENGTH)).await.unwrap());
    std::fs::hard_link(remote.path().join("a.csv"), remote.path().join(".a.part")).unwrap();
    let settled = session.settle(".a.part", "a.csv", LENGTH as u64, Publish::Refuse).await.unwrap();
    assert_eq!(settled, PublishOutcome::Published, "both names are compared");
    assert_eq!(names_in(remote.path()), ["a.csv"]);
}
