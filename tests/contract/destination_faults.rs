//! Every request refused, cut off, or left without a reply, one after the other: the outcome is known, and no final
//! name ever holds anything but a whole file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use exportd::deliver::{DeliverError, PublishOutcome, Session, Settings};
use exportd::job::Publish;

use super::destination::{content, deliver, local_file, whole};
use crate::support::sftp_pipe::{self, Fate, Judge, plain, spoil, spoiled};
use crate::support::sshd::names_in;

const LENGTH: usize = 600_000;
/// Only the last one is missed in the size of the file.
const LAST_WRITE: usize = LENGTH / (64 * 1024);
const CODES: [u32; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 11, 14, 15, 99];

async fn session(remote: &Path, judge: Judge) -> Session {
    Session::over(spoiled(remote, &[], false, judge), ".").await.unwrap()
}

#[tokio::test]
async fn a_refused_step_of_an_upload_leaves_nothing_behind() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = local_file(&folder, LENGTH);
    for code in CODES {
        for (step, nth) in [
            ("OPEN", 0),
            ("WRITE", 0),
            ("WRITE", 1),
            ("WRITE", 2),
            ("fsync@openssh.com", 0),
            ("FSTAT", 0),
            ("CLOSE", 0),
        ] {
            let session = session(remote.path(), spoil(step, nth, Fate::Answer(code))).await;
            let error = session
                .upload(&path, whole(&path), ".a.part", &AtomicU64::new(0))
                .await
                .expect_err("a step was refused");
            let text = error.to_string();
            assert!(text.contains("spoiled") || code == 14 || code == 2, "{step} {code}: {text}");
            let is_final = matches!(code, 2 | 3 | 14) || (step, code) == ("FSTAT", 8);
            assert_eq!(error.is_permanent(), is_final, "{step} {code}: {text}");
            assert_eq!(names_in(remote.path()), Vec::<String>::new(), "after {step} {code}");
        }
    }
}

#[tokio::test]
async fn a_write_that_is_acknowledged_and_dropped_is_noticed_by_its_size() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = local_file(&folder, LENGTH);
    let session = session(remote.path(), spoil("WRITE", LAST_WRITE, Fate::Answer(0))).await;
    let error =
        session.upload(&path, whole(&path), ".a.part", &AtomicU64::new(0)).await.expect_err("a write was dropped");
    assert!(matches!(error, DeliverError::SizeDiffers { sent: 600_000, found, .. } if found < 600_000), "{error}");
    assert!(!error.is_permanent());
    assert_eq!(names_in(remote.path()), Vec::<String>::new());
    deliver(&session, &path, "a.csv", Publish::Refuse).await.expect("the session is as good as before");
}

#[tokio::test]
async fn a_refused_rename_changes_nothing() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = local_file(&folder, 10);
    std::fs::write(remote.path().join("a.csv"), "old").unwrap();
    for code in CODES {
        for (name, publish, request) in
            [("a.csv", Publish::Replace, "posix-rename@openssh.com"), ("b.csv", Publish::Refuse, "RENAME")]
        {
            let session = session(remote.path(), spoil(request, 0, Fate::Answer(code))).await;
            session.upload(&path, whole(&path), ".x.part", &AtomicU64::new(0)).await.unwrap();
            let error = session.publish(".x.part", name, publish, false).await.expect_err("the rename was refused");
            let expected = match (code, publish) {
                (2, _) => matches!(error, DeliverError::TemporaryGone { .. }),
                (3, _) => matches!(error, DeliverError::Denied { .. }),
                (11, Publish::Refuse) => matches!(error, DeliverError::NameTaken { .. }),
                _ => matches!(error, DeliverError::Failed { .. }),
            };
            assert!(expected, "{request} {code}: {error:?}");
            let settled = session.settle(".x.part", name, 10, publish).await.unwrap();
            assert_eq!(settled, PublishOutcome::NotPublished);
        }
    }
    assert_eq!(std::fs::read(remote.path().join("a.csv")).unwrap(), b"old");
    assert_eq!(names_in(remote.path()), [".x.part", "a.csv"]);
}

/// One delivery that goes on after every fault, as the daemon does: connect again, look, do what is left.
async fn deliver_until_done(remote: &Path, path: &Path, publish: Publish, spoiler: Judge) {
    let mut spoiler = Some(spoiler);
    let mut unknown = false;
    for _ in 0..4 {
        let judge = spoiler.take().unwrap_or_else(|| Box::new(|_, _| Fate::Pass));
        let Ok(session) = Session::over(spoiled(remote, &[], false, judge), ".").await else { continue };
        if unknown {
            match session.settle(".a.csv.part", "a.csv", LENGTH as u64, publish).await {
                Ok(PublishOutcome::Published) => return,
                Ok(PublishOutcome::NotPublished) => {}
                other => panic!("{other:?}"),
            }
        }
        if session.upload(path, whole(path), ".a.csv.part", &AtomicU64::new(0)).await.is_err() {
            continue;
        }
        match session.publish(".a.csv.part", "a.csv", publish, false).await {
            Ok(()) => return,
            Err(DeliverError::PublishUnknown { .. }) => unknown = true,
            Err(error) => assert!(!error.is_permanent(), "{error}"),
        }
    }
    panic!("it was never delivered");
}

#[tokio::test]
async fn a_connection_cut_at_any_message_ends_in_exactly_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = local_file(&folder, LENGTH);
    for publish in [Publish::Replace, Publish::Refuse] {
        for fate in [Fate::CutBefore, Fate::CutAfter] {
            for message in 0.. {
                let remote = tempfile::tempdir().unwrap();
                if publish == Publish::Replace {
                    std::fs::write(remote.path().join("a.csv"), "old").unwrap();
                }
                let reached = Arc::new(AtomicUsize::new(0));
                let counter = Arc::clone(&reached);
                let judge: Judge = Box::new(move |_, count| {
                    counter.store(count + 1, Ordering::Relaxed);
                    if count == message { fate } else { Fate::Pass }
                });
                deliver_until_done(remote.path(), &path, publish, judge).await;
                let whole = std::fs::read(remote.path().join("a.csv")).unwrap() == content(LENGTH);
                assert!(whole && names_in(remote.path()) == ["a.csv"], "{publish:?} {fate:?} at message {message}");
                if reached.load(Ordering::Relaxed) <= message {
                    assert!(message > 7, "only {message} messages were sent");
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_answering_is_given_up() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = local_file(&folder, LENGTH);
    let settings = Settings { stall: Duration::from_millis(200), ..Settings::default() };
    for step in ["OPEN", "WRITE", "FSTAT"] {
        let stream = spoiled(remote.path(), &[], false, spoil(step, 0, Fate::Silence));
        let session = Session::over_with(stream, ".", settings.clone()).await.unwrap();
        let error =
            session.upload(&path, whole(&path), ".a.part", &AtomicU64::new(0)).await.expect_err("there was no reply");
        assert!(matches!(error, DeliverError::Stalled { .. }) && !error.is_permanent(), "{step}: {error}");
        assert!(!session.is_alive());
    }
}

#[tokio::test]
async fn a_file_left_under_both_names_is_settled_by_its_content() {
    let remote = tempfile::tempdir().unwrap();
    let (_server, stream) = plain(remote.path(), &[]);
    let session = Session::over(stream, ".").await.unwrap();
    let settle = |publish| session.settle(".a.part", "a.csv", 100_000, publish);
    std::fs::write(remote.path().join(".a.part"), content(100_000)).unwrap();
    assert_eq!(settle(Publish::Refuse).await.unwrap(), PublishOutcome::NotPublished);
    let mut theirs = content(100_000);
    theirs[70_000] ^= 1;
    std::fs::write(remote.path().join("a.csv"), theirs).unwrap();
    assert_eq!(settle(Publish::Refuse).await.unwrap(), PublishOutcome::Conflict);
    assert_eq!(settle(Publish::Replace).await.unwrap(), PublishOutcome::NotPublished);
    std::fs::remove_file(remote.path().join("a.csv")).unwrap();
    std::fs::hard_link(remote.path().join(".a.part"), remote.path().join("a.csv")).unwrap();
    assert_eq!(settle(Publish::Refuse).await.unwrap(), PublishOutcome::Published);
    assert_eq!(names_in(remote.path()), ["a.csv"]);
    assert_eq!(settle(Publish::Refuse).await.unwrap(), PublishOutcome::Published);
    std::fs::write(remote.path().join("a.csv"), "short").unwrap();
    assert_eq!(settle(Publish::Replace).await.unwrap(), PublishOutcome::Gone);
    std::fs::remove_file(remote.path().join("a.csv")).unwrap();
    assert_eq!(settle(Publish::Replace).await.unwrap(), PublishOutcome::Gone);
}

#[tokio::test]
async fn handles_that_are_no_text_work() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = local_file(&folder, LENGTH);
    let stream = spoiled(remote.path(), &[], true, Box::new(|_, _| Fate::Pass));
    let session = Session::over(stream, ".").await.unwrap();
    session.check("exportd-check").await.unwrap();
    deliver(&session, &path, "a.csv", Publish::Replace).await.unwrap();
    assert!(std::fs::read(remote.path().join("a.csv")).unwrap() == content(LENGTH));
}

#[tokio::test]
async fn one_request_at_a_time_is_enough() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = local_file(&folder, LENGTH);
    let (_server, stream) = sftp_pipe::plain(remote.path(), &["-P", "limits,fsync,statvfs"]);
    let settings = Settings { requests: 1, ..Settings::default() };
    let session = Session::over_with(stream, ".", settings).await.unwrap();
    assert_eq!((session.write_limit().await, session.server().fsync), (None, false));
    deliver(&session, &path, "a.csv", Publish::Replace).await.unwrap();
    assert!(std::fs::read(remote.path().join("a.csv")).unwrap() == content(LENGTH));
}
