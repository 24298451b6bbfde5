//! The behaviours of the delivery contract, one function each, for whatever server a case stands for.

use std::path::Path;
use std::sync::atomic::AtomicU64;

use exportd::deliver::{DeliverError, PublishOutcome, Session};
use exportd::job::{Channels, Destination, Publish, Trust};

use super::Case;
use crate::contract::destination::{content, local_file};
use crate::contract::destination_verify::record;
use crate::support::proxy::{self, Fate};
use crate::support::servers::Server;
use crate::support::shop::{self, ORDERS};
use crate::support::sshd;

/// Uploads, verifies and publishes `length` bytes.
async fn deliver(case: &Case, session: &Session, folder: &Path, name: &str, length: usize) -> Result<(), DeliverError> {
    deliver_by(case, session, folder, name, length, Publish::Replace).await
}

async fn deliver_by(
    case: &Case,
    session: &Session,
    folder: &Path,
    name: &str,
    length: usize,
    publish: Publish,
) -> Result<(), DeliverError> {
    let temporary = format!(".{name}.run1.part");
    let sent = AtomicU64::new(0);
    session.upload(&local_file(folder, length), &temporary, &sent).await?;
    assert_eq!(sent.into_inner(), length as u64, "every byte is acknowledged");
    session.read_back(&temporary, &record(length)).await?;
    session.publish(&temporary, name, publish, case.says("allow_gap = true")).await
}

async fn open(case: &Case, server: &Server) -> Session {
    Session::open(&case.destination(server)).await.unwrap()
}

async fn refusal(destination: &Destination) -> DeliverError {
    Session::open(destination).await.err().expect("the session is refused")
}

pub async fn it_says_what_it_can_do(case: &Case, server: &Server, _: &Path) {
    let session = open(case, server).await;
    let facts = session.server();
    assert_eq!([facts.posix_rename, facts.fsync, facts.statvfs], case.offers, "{facts:?}");
    let Trust::Pinned(pins) = server.destination().trust else { panic!("it is trusted by its fingerprint") };
    assert_eq!(facts.host_key.as_ref().unwrap().fingerprint, pins[0]);
    session.close().await;
}

pub async fn a_stranger_is_not_let_in(case: &Case, server: &Server, folder: &Path) {
    let key = folder.join("stranger");
    sshd::make_key(&key, &["-t", "ed25519", "-N", ""]);
    let error = refusal(&Destination { key, ..case.destination(server) }).await;
    assert!(matches!(error, DeliverError::LoginRefused { .. }) && error.is_permanent(), "{error}");
}

pub async fn another_host_key_is_refused(case: &Case, server: &Server, _: &Path) {
    let trust = Trust::Pinned(vec![format!("SHA256:{}", "A".repeat(43))]);
    let error = refusal(&Destination { trust, ..case.destination(server) }).await;
    assert!(matches!(error, DeliverError::HostKeyChanged(_)) && error.is_permanent(), "{error}");
}

pub async fn the_directory_is_checked_and_stays_as_it_was(case: &Case, server: &Server, _: &Path) {
    let session = open(case, server).await;
    session.check_directory("run1").await.unwrap();
    session.survey("run1").await.unwrap();
    assert_eq!(server.names(), Vec::<String>::new());
}

pub async fn a_missing_directory_is_not_made(case: &Case, server: &Server, folder: &Path) {
    let directory = format!("{}/nowhere", server.destination().directory);
    let session = Session::open(&Destination { directory, ..case.destination(server) }).await.unwrap();
    let error = session.check_directory("run1").await.unwrap_err();
    assert!(matches!(error, DeliverError::DirectoryMissing { .. }) && error.is_permanent(), "{error}");
    let error = deliver(case, &session, folder, "a.csv", 10).await.unwrap_err();
    assert!(matches!(error, DeliverError::DirectoryMissing { .. }), "{error}");
    assert_eq!(server.names(), Vec::<String>::new());
}

pub async fn files_of_every_size_and_name_arrive(case: &Case, server: &Server, folder: &Path) {
    let session = open(case, server).await;
    let names = ["empty.csv", "one.csv", "two words.csv", "Jürgen's Öl-Käufe 100%.csv", "数.csv", "x"];
    for (name, length) in names.into_iter().zip([0, 1, 32_767, 32_768, 32_769, 1_000_003]) {
        deliver(case, &session, folder, name, length).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(case.published(server, name) == content(length), "{name} differs");
    }
}

pub async fn a_directory_may_have_any_name(case: &Case, server: &Server, folder: &Path) {
    let below = server.directory().join("Für die Bücher/in box");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::create_dir(below.with_file_name("taken")).unwrap();
    let directory = below.display().to_string();
    let session = Session::open(&Destination { directory, ..case.destination(server) }).await.unwrap();
    session.check_directory("run1").await.unwrap();
    deliver(case, &session, folder, "a b.csv", 1000).await.unwrap();
    let taken = below.with_file_name("taken");
    assert!(below.join("a b.csv").exists() || taken.join("a b.csv").exists());
}

pub async fn a_file_that_is_there_is_replaced(case: &Case, server: &Server, folder: &Path) {
    let session = open(case, server).await;
    std::fs::write(server.directory().join("a.csv"), "old").unwrap();
    if case.says("allow_gap = true") {
        let error = session.publish(".a.part", "a.csv", Publish::Replace, false).await.unwrap_err();
        assert!(matches!(error, DeliverError::CannotReplace { .. }) && error.is_permanent(), "{error}");
        assert_eq!(std::fs::read(server.directory().join("a.csv")).unwrap(), b"old");
    }
    for length in [5000, 20] {
        deliver(case, &session, folder, "a.csv", length).await.unwrap();
        assert_eq!(case.published(server, "a.csv"), content(length));
    }
}

pub async fn a_file_that_is_there_is_kept(case: &Case, server: &Server, folder: &Path) {
    let session = open(case, server).await;
    std::fs::write(server.directory().join("a.csv"), "theirs").unwrap();
    let error = deliver_by(case, &session, folder, "a.csv", 10, Publish::Refuse).await.unwrap_err();
    let is_taken = matches!(error, DeliverError::NameTaken { .. }) && error.is_permanent();
    assert!(is_taken || case.says("verify = \"none\""), "{error}");
    assert_eq!(std::fs::read(server.directory().join("a.csv")).unwrap(), b"theirs");
    deliver_by(case, &session, folder, "b.csv", 10, Publish::Refuse).await.unwrap();
    assert_eq!(case.published(server, "b.csv"), content(10));
}

pub async fn one_session_carries_many_files(case: &Case, server: &Server, folder: &Path) {
    let session = open(case, server).await;
    for number in 0..40 {
        deliver(case, &session, folder, &format!("{number}.csv"), 1000 + number).await.unwrap();
        assert_eq!(case.published(server, &format!("{number}.csv")), content(1000 + number));
    }
    assert!(session.is_alive());
}

pub async fn nothing_stays_behind_after_a_failure(case: &Case, server: &Server, folder: &Path) {
    let session = open(case, server).await;
    // It can be opened and described, but not read.
    let error = session.upload(folder, ".a.csv.run1.part", &AtomicU64::new(0)).await.unwrap_err();
    assert!(matches!(error, DeliverError::LocalFile { .. }), "{error}");
    assert_eq!(server.names(), Vec::<String>::new());
    deliver(case, &session, folder, "a.csv", 10).await.expect("the session is as good as before");
}

pub async fn a_cut_upload_is_made_again(case: &Case, server: &Server, folder: &Path) {
    let destination = case.destination(server);
    let port = proxy::start(destination.port, 300_000, Fate::Cut).await;
    let destination = Destination { port, ..destination };
    let session = Session::open(&destination).await.unwrap();
    let error = deliver(case, &session, folder, "a.csv", 1_000_000).await.unwrap_err();
    assert!(matches!(error, DeliverError::Lost { .. }) && !error.is_permanent(), "{error}");
    assert!(!server.directory().join("a.csv").exists() && !session.is_alive());
    let session = Session::open(&destination).await.unwrap();
    deliver(case, &session, folder, "a.csv", 1_000_000).await.unwrap();
    assert!(case.published(server, "a.csv") == content(1_000_000));
    assert!(server.names().iter().all(|name| name == "a.csv"), "{:?}", server.names());
}

pub async fn a_lost_reply_is_settled(case: &Case, server: &Server, folder: &Path) {
    let session = open(case, server).await;
    session.upload(&local_file(folder, 10), ".a.part", &AtomicU64::new(0)).await.unwrap();
    for publish in [Publish::Replace, Publish::Refuse] {
        let settled = session.settle_publish(".a.part", "a.csv", 10, publish).await.unwrap();
        assert_eq!(settled, PublishOutcome::NotPublished);
        assert!(session.is_uploaded(".a.part", &record(10)).await.unwrap());
    }
    session.publish(".a.part", "a.csv", Publish::Refuse, false).await.unwrap();
    let settled = session.settle_publish(".a.part", "a.csv", 10, Publish::Refuse).await.unwrap();
    let is_taken = !server.directory().join("a.csv").exists();
    assert_eq!(settled, if is_taken { PublishOutcome::Gone } else { PublishOutcome::Published });
    assert!(!session.is_uploaded(".a.part", &record(10)).await.unwrap());
}

pub async fn several_channels_write_one_file(case: &Case, server: &Server, folder: &Path) {
    if !case.shares_files {
        return;
    }
    let destination = Destination { channels: Channels::AtMost(3), ..case.destination(server) };
    let session = Session::open(&destination).await.unwrap();
    deliver(case, &session, folder, "large.csv", 6_000_001).await.unwrap();
    assert!(case.published(server, "large.csv") == content(6_000_001));
}

pub async fn a_job_delivers_its_files_and_the_manifest_last(case: &Case, server: &Server, _: &Path) {
    let destination = server.destination();
    let job = case.job.to_owned();
    let program = shop::program_to(&destination, &format!("manifest = true\n{job}"));
    let run = tokio::task::spawn_blocking(move || {
        program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
        program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    });
    run.await.unwrap();
    assert_eq!(case.published(server, "shop_2026_11_21_orders.csv"), ORDERS.as_bytes());
    let manifest = case.published(server, "shop_2026-11-21.manifest.json");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["files"][0]["bytes"], ORDERS.len());
    let changed = |name: &str| case.changed(server, name);
    assert!(changed("shop_2026-11-21.manifest.json") >= changed("shop_2026_11_21_orders.csv"), "the manifest is last");
    assert!(server.names().iter().all(|name| !name.starts_with('.')), "{:?}", server.names());
}
