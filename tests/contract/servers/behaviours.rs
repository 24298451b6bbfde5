//! The behaviours of the delivery contract, one function each, for whatever destination a case stands for.

use std::path::Path;
use std::sync::atomic::AtomicU64;

use exportd::deliver::{DeliverError, Delivery, Opening, Options, Probe, PublishOutcome, Session};
use exportd::job::{Channels, Destination, Publish, SftpDestination, Trust};
use exportd::tuning::Tuning;
use exportd::words::Words;

use super::Case;
use crate::contract::destination::{content, local_file, whole};
use crate::contract::destination_verify::record;
use crate::support::proxy::{self, Fate};
use crate::support::servers::{Kind, Server};
use crate::support::shop::{self, ORDERS};
use crate::support::sshd;

/// Uploads, verifies and publishes `length` bytes.
async fn deliver(
    case: &Case,
    delivery: &Delivery,
    folder: &Path,
    name: &str,
    length: usize,
) -> Result<(), DeliverError> {
    let temporary = case.upload_name(name);
    let (sent, path) = (AtomicU64::new(0), local_file(folder, length));
    delivery.upload(&path, whole(&path), &temporary, &sent, &Opening::default()).await?;
    assert_eq!(sent.into_inner(), length as u64, "every byte is acknowledged");
    assert!(delivery.verify(&temporary, &record(length)).await?, "{name} is whole");
    delivery.publish(&temporary, name).await
}

async fn connect(destination: &Destination) -> Delivery {
    let options = Options { tuning: Tuning::of_environment().unwrap(), ..Options::default() };
    Delivery::open(destination, &options).await.unwrap()
}

async fn open(case: &Case, server: &Server) -> Delivery {
    connect(&case.destination(server)).await
}

/// A connection that keeps files which are there.
async fn open_to_refuse(case: &Case, server: &Server) -> Delivery {
    let destination = match case.destination(server) {
        Destination::Sftp(sftp) => Destination::Sftp(SftpDestination { publish: Publish::Refuse, ..sftp }),
        Destination::Folder(mut folder) => {
            folder.publish = Publish::Refuse;
            Destination::Folder(folder)
        }
    };
    connect(&destination).await
}

async fn refusal(destination: SftpDestination) -> DeliverError {
    let opened = Delivery::open(&Destination::Sftp(destination), &Options::default()).await;
    opened.err().expect("the connection is refused")
}

pub async fn it_says_what_it_can_do(case: &Case, server: &Server, _: &Path) {
    let Some(sftp) = case.sftp(server) else {
        assert!(open(case, server).await.host_key().is_none());
        return;
    };
    let session = Session::open(&sftp).await.unwrap();
    let facts = session.server();
    assert_eq!([facts.posix_rename, facts.fsync, facts.statvfs], case.offers, "{facts:?}");
    let Trust::Pinned(pins) = sftp.trust else { panic!("it is trusted by its fingerprint") };
    assert_eq!(facts.host_key.as_ref().unwrap().fingerprint, pins[0]);
    session.close().await;
}

pub async fn a_stranger_is_not_let_in(case: &Case, server: &Server, folder: &Path) {
    let Some(sftp) = case.sftp(server) else { return };
    let key = folder.join("stranger");
    sshd::make_key(&key, &["-t", "ed25519", "-N", ""]);
    let error = refusal(SftpDestination { key, ..sftp }).await;
    assert!(matches!(error, DeliverError::LoginRefused { .. }) && error.is_permanent(), "{error}");
}

pub async fn another_host_key_is_refused(case: &Case, server: &Server, _: &Path) {
    let Some(sftp) = case.sftp(server) else { return };
    let trust = Trust::Pinned(vec![format!("SHA256:{}", "A".repeat(43))]);
    let error = refusal(SftpDestination { trust, ..sftp }).await;
    assert!(matches!(error, DeliverError::HostKeyChanged(_)) && error.is_permanent(), "{error}");
}

pub async fn the_directory_is_checked_and_stays_as_it_was(case: &Case, server: &Server, _: &Path) {
    let delivery = open(case, server).await;
    let left = delivery.check("run1").await.unwrap();
    assert_eq!(left, if case.is_direct() { Probe::NotMade } else { Probe::Removed });
    assert_eq!(delivery.survey("run1", &left).await.unwrap().is_some(), case.sftp(server).is_some());
    assert_eq!(server.names(), Vec::<String>::new());
}

pub async fn a_missing_directory_is_not_made(case: &Case, server: &Server, folder: &Path) {
    let delivery = connect(&case.destination_in(server, &server.directory().join("nowhere"))).await;
    let is_blind = case.is_direct() && case.says("verify = \"none\"");
    match delivery.check("run1").await {
        Err(error) => {
            assert!(matches!(error, DeliverError::DirectoryMissing { .. }) && error.is_permanent(), "{error}")
        }
        // Nobody may look, and nothing is tried.
        Ok(_) => assert!(is_blind),
    }
    let error = deliver(case, &delivery, folder, "a.csv", 10).await.unwrap_err();
    assert!(matches!(error, DeliverError::DirectoryMissing { .. }), "{error}");
    assert_eq!(server.names(), Vec::<String>::new());
}

pub async fn files_of_every_size_and_name_arrive(case: &Case, server: &Server, folder: &Path) {
    let delivery = open(case, server).await;
    let names = ["empty.csv", "one.csv", "two words.csv", "Jürgen's Öl-Käufe 100%.csv", "数.csv", "x"];
    for (name, length) in names.into_iter().zip([0, 1, 32_767, 32_768, 32_769, 1_000_003]) {
        deliver(case, &delivery, folder, name, length).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(case.published(server, name) == content(length), "{name} differs");
    }
}

pub async fn a_directory_may_have_any_name(case: &Case, server: &Server, folder: &Path) {
    let below = server.directory().join("Für die Bücher/in box");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::create_dir(below.with_file_name("taken")).unwrap();
    let delivery = connect(&case.destination_in(server, &below)).await;
    delivery.check("run1").await.unwrap();
    deliver(case, &delivery, folder, "a b.csv", 1000).await.unwrap();
    let taken = below.with_file_name("taken");
    assert!(below.join("a b.csv").exists() || taken.join("a b.csv").exists());
}

pub async fn a_file_that_is_there_is_replaced(case: &Case, server: &Server, folder: &Path) {
    let delivery = open(case, server).await;
    std::fs::write(server.directory().join("a.csv"), "old").unwrap();
    if case.says("allow_gap = true") && !case.is_direct() {
        let sftp = case.sftp(server).expect("a folder needs no such word");
        let careful = connect(&Destination::Sftp(SftpDestination { allow_gap: false, ..sftp })).await;
        let error = careful.publish(".a.part", "a.csv").await.unwrap_err();
        assert!(matches!(error, DeliverError::CannotReplace { .. }) && error.is_permanent(), "{error}");
        assert_eq!(std::fs::read(server.directory().join("a.csv")).unwrap(), b"old");
    }
    for length in [5000, 20] {
        deliver(case, &delivery, folder, "a.csv", length).await.unwrap();
        assert_eq!(case.published(server, "a.csv"), content(length));
    }
}

pub async fn a_file_that_is_there_is_kept(case: &Case, server: &Server, folder: &Path) {
    if case.is_direct() {
        return;
    }
    let delivery = open_to_refuse(case, server).await;
    std::fs::write(server.directory().join("a.csv"), "theirs").unwrap();
    let error = deliver(case, &delivery, folder, "a.csv", 10).await.unwrap_err();
    let is_taken = matches!(error, DeliverError::NameTaken { .. }) && error.is_permanent();
    assert!(is_taken || case.says("verify = \"none\""), "{error}");
    assert_eq!(std::fs::read(server.directory().join("a.csv")).unwrap(), b"theirs");
    deliver(case, &delivery, folder, "b.csv", 10).await.unwrap();
    assert_eq!(case.published(server, "b.csv"), content(10));
}

pub async fn a_link_is_not_followed(case: &Case, server: &Server, folder: &Path) {
    // ProFTPD writes through links, and so do all servers where a file has its name already.
    if case.kind == Kind::ProFtpd || case.is_direct() {
        return;
    }
    let victim = folder.join("victim");
    std::fs::write(&victim, "precious").unwrap();
    for name in ["a.csv", ".a.csv.run1.part"] {
        std::os::unix::fs::symlink(&victim, server.directory().join(name)).unwrap();
    }
    deliver(case, &open(case, server).await, folder, "a.csv", 1000).await.unwrap();
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    assert_eq!(case.published(server, "a.csv"), content(1000));
}

pub async fn one_connection_carries_many_files(case: &Case, server: &Server, folder: &Path) {
    let delivery = open(case, server).await;
    for number in 0..40 {
        deliver(case, &delivery, folder, &format!("{number}.csv"), 1000 + number).await.unwrap();
        assert_eq!(case.published(server, &format!("{number}.csv")), content(1000 + number));
    }
    assert!(delivery.is_alive());
}

pub async fn nothing_stays_behind_after_a_failure(case: &Case, server: &Server, folder: &Path) {
    let delivery = open(case, server).await;
    // It can be opened and described, but not read.
    let name = case.upload_name("a.csv");
    let error =
        delivery.upload(folder, whole(folder), &name, &AtomicU64::new(0), &Opening::default()).await.unwrap_err();
    assert!(matches!(error, DeliverError::LocalFile { .. }), "{error}");
    assert_eq!(server.names(), Vec::<String>::new());
    deliver(case, &delivery, folder, "a.csv", 10).await.expect("the connection is as good as before");
}

pub async fn a_cut_upload_is_made_again(case: &Case, server: &Server, folder: &Path) {
    let Some(sftp) = case.sftp(server) else { return };
    let port = proxy::start(sftp.port, 300_000, Fate::Cut).await;
    let destination = Destination::Sftp(SftpDestination { port, ..sftp });
    let delivery = connect(&destination).await;
    let error = deliver(case, &delivery, folder, "a.csv", 1_000_000).await.unwrap_err();
    assert!(matches!(error, DeliverError::Lost { .. }) && !error.is_permanent(), "{error}");
    assert!((case.is_direct() || !server.directory().join("a.csv").exists()) && !delivery.is_alive());
    deliver(case, &connect(&destination).await, folder, "a.csv", 1_000_000).await.unwrap();
    assert!(case.published(server, "a.csv") == content(1_000_000));
    assert!(server.names().iter().all(|name| name == "a.csv"), "{:?}", server.names());
}

pub async fn a_lost_reply_is_settled(case: &Case, server: &Server, folder: &Path) {
    if case.is_direct() {
        return;
    }
    let (delivery, refusing) = (open(case, server).await, open_to_refuse(case, server).await);
    let path = local_file(folder, 10);
    delivery.upload(&path, whole(&path), ".a.part", &AtomicU64::new(0), &Opening::default()).await.unwrap();
    for delivery in [&delivery, &refusing] {
        let settled = delivery.settle(".a.part", "a.csv", 10).await.unwrap();
        assert_eq!(settled, PublishOutcome::NotPublished);
        assert!(delivery.verify(".a.part", &record(10)).await.unwrap());
    }
    refusing.publish(".a.part", "a.csv").await.unwrap();
    let settled = refusing.settle(".a.part", "a.csv", 10).await.unwrap();
    let is_taken = !server.directory().join("a.csv").exists();
    assert_eq!(settled, if is_taken { PublishOutcome::Gone } else { PublishOutcome::Published });
    assert!(!delivery.verify(".a.part", &record(10)).await.unwrap());
}

pub async fn what_is_removed_is_gone_and_may_be_removed_again(case: &Case, server: &Server, folder: &Path) {
    let delivery = open(case, server).await;
    let below = server.directory().join("below");
    std::fs::create_dir(&below).unwrap();
    for place in [server.directory(), below.clone()] {
        std::fs::copy(local_file(folder, 10), place.join(".a.part")).unwrap();
    }
    for _ in 0..2 {
        delivery.remove(None, ".a.part").await.unwrap();
        delivery.remove(Some(&below.display().to_string()), ".a.part").await.unwrap();
    }
    assert_eq!((server.names(), sshd::names_in(&below)), (vec!["below".to_owned()], Vec::new()));
}

pub async fn several_channels_write_one_file(case: &Case, server: &Server, folder: &Path) {
    if !case.shares_files {
        return;
    }
    let sftp = case.sftp(server).expect("a folder has no channels");
    let destination = Destination::Sftp(SftpDestination { channels: Channels::AtMost(3), ..sftp });
    deliver(case, &connect(&destination).await, folder, "large.csv", 6_000_001).await.unwrap();
    assert!(case.published(server, "large.csv") == content(6_000_001));
}

pub async fn a_job_delivers_its_files_and_the_manifest_last(case: &Case, server: &Server, _: &Path) {
    let more = format!("manifest = true\npublish = \"{}\"\n{}", case.publish.word(), case.job);
    let program = match server.sftp() {
        Some(sftp) => shop::program_to(&sftp, &more),
        None => shop::program_into(&server.directory(), &more),
    };
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
