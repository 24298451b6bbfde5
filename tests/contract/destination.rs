//! What every delivery promises, against a real OpenSSH server: whole files, atomic replacement, nothing followed,
//! nothing left behind.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use exportd::deliver::{DeliverError, Session, Settings};
use exportd::growth::Follower;
use exportd::job::{Channels, Publish, SftpDestination};
use exportd::tuning::Tuning;

use crate::support::sshd::{Options, Sshd};

/// A local file with content that no offset mistake leaves intact.
pub fn local_file(folder: impl AsRef<Path>, length: usize) -> PathBuf {
    let path = folder.as_ref().join("spooled");
    std::fs::write(&path, content(length)).unwrap();
    path
}

/// Reads a finished file.
pub fn whole(path: impl AsRef<Path>) -> Follower {
    Follower::of_whole(std::fs::metadata(path).unwrap().len())
}

/// Any server counts as far away.
pub const FAR: Tuning = Tuning { far: Duration::ZERO, ..Tuning::DEFAULT };

/// `length` bytes, each four of them telling where they belong.
pub fn content(length: usize) -> Vec<u8> {
    (0..length.div_ceil(4) as u32).flat_map(u32::to_le_bytes).take(length).collect()
}

/// Uploads a new file of `length` bytes.
pub async fn upload_new(
    session: &Session,
    folder: impl AsRef<Path>,
    length: usize,
    temporary: &str,
) -> Result<(), DeliverError> {
    let path = local_file(folder, length);
    session.upload(&path, whole(&path), temporary, &AtomicU64::new(0)).await
}

/// Uploads and publishes one file.
pub async fn deliver(session: &Session, path: &Path, name: &str, publish: Publish) -> Result<(), DeliverError> {
    let temporary = format!(".{name}.run1.part");
    session.upload(path, whole(path), &temporary, &AtomicU64::new(0)).await?;
    session.publish(&temporary, name, publish, false).await
}

#[tokio::test]
async fn files_arrive_byte_for_byte() {
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&server.destination()).await.unwrap();
    for (name, length) in [("empty.csv", 0), ("one.csv", 1), ("déjà vu 2026.csv", 70_000), ("large.csv", 5_242_881)] {
        let path = local_file(&folder, length);
        let progress = AtomicU64::new(99);
        session.upload(&path, whole(&path), ".x.run1.part", &progress).await.unwrap();
        assert_eq!(progress.into_inner(), length as u64);
        session.publish(".x.run1.part", name, Publish::Replace, false).await.unwrap();
        assert!(std::fs::read(server.directory().join(name)).unwrap() == content(length), "{name} differs");
    }
    assert_eq!(server.names(), ["déjà vu 2026.csv", "empty.csv", "large.csv", "one.csv"]);
    session.close().await;
}

#[tokio::test]
async fn the_server_is_described() {
    let banner = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(banner.path(), "Authorized users only.\n").unwrap();
    let config = vec![format!("Banner {}", banner.path().display())];
    let server = Sshd::with(Options { config, ..Options::default() });
    let session = Session::open(&server.destination()).await.unwrap();
    let facts = session.server();
    let host_key = facts.host_key.as_ref().unwrap();
    assert_eq!(host_key.fingerprint, server.fingerprint("ed25519"));
    assert_eq!(host_key.algorithm, "ssh-ed25519");
    assert!(facts.version.starts_with("SSH-2.0-OpenSSH"), "{}", facts.version);
    assert_eq!(facts.banner, "Authorized users only.");
    assert!(facts.posix_rename && facts.fsync && facts.statvfs);
    assert!(session.write_limit().await.is_some_and(|limit| limit >= 32_768));
    assert!(session.is_alive());
}

#[tokio::test]
async fn a_polling_reader_never_sees_half_a_file() {
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&server.destination()).await.unwrap();
    let path = local_file(&folder, 300_000);
    let (old, new) = (vec![b'o'; 1000], content(300_000));
    let name = server.directory().join("daily.csv");
    std::fs::write(&name, &old).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let reader = {
        let (stop, old, new, name) = (Arc::clone(&stop), old.clone(), new.clone(), name.clone());
        std::thread::spawn(move || {
            let mut sights = (0, 0);
            while !stop.load(Ordering::Relaxed) {
                let seen = std::fs::read(&name).expect("the name is never away");
                assert!(seen == old || seen == new, "{} bytes seen", seen.len());
                sights = if seen == old { (sights.0 + 1, sights.1) } else { (sights.0, sights.1 + 1) };
            }
            sights
        })
    };
    for round in 0..20 {
        deliver(&session, &path, "daily.csv", Publish::Replace).await.unwrap();
        if round < 19 {
            std::fs::write(server.directory().join("old"), &old).unwrap();
            std::fs::rename(server.directory().join("old"), &name).unwrap();
        }
    }
    stop.store(true, Ordering::Relaxed);
    let (saw_old, saw_new) = reader.join().unwrap();
    assert!(saw_old > 0 && saw_new > 0, "the reader saw the old file {saw_old} times and the new one {saw_new} times");
}

#[tokio::test]
async fn refuse_keeps_the_file_that_is_there() {
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&server.destination()).await.unwrap();
    let path = local_file(&folder, 10);
    std::fs::write(server.directory().join("daily.csv"), "theirs").unwrap();
    let error = deliver(&session, &path, "daily.csv", Publish::Refuse).await.unwrap_err();
    assert!(matches!(error, DeliverError::NameTaken { .. }) && error.is_permanent(), "{error}");
    assert_eq!(std::fs::read(server.directory().join("daily.csv")).unwrap(), b"theirs");
    deliver(&session, &path, "other.csv", Publish::Refuse).await.unwrap();
    assert_eq!(std::fs::read(server.directory().join("other.csv")).unwrap(), content(10));
}

#[tokio::test]
async fn links_are_replaced_and_never_followed() {
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&server.destination()).await.unwrap();
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, server.directory().join("daily.csv")).unwrap();
    std::os::unix::fs::symlink(&victim, server.directory().join(".daily.csv.run1.part")).unwrap();
    let path = local_file(&folder, 1000);
    deliver(&session, &path, "daily.csv", Publish::Replace).await.unwrap();
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    assert!(!std::fs::symlink_metadata(server.directory().join("daily.csv")).unwrap().is_symlink());
    assert_eq!(server.names(), ["daily.csv"]);
    std::os::unix::fs::symlink("/nowhere", server.directory().join("dangling.csv")).unwrap();
    let error = deliver(&session, &path, "dangling.csv", Publish::Refuse).await.unwrap_err();
    assert!(matches!(error, DeliverError::NameTaken { .. }), "{error}");
}

#[tokio::test]
async fn a_leftover_of_an_earlier_attempt_is_replaced() {
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&server.destination()).await.unwrap();
    std::fs::write(server.directory().join(".daily.csv.run1.part"), vec![b'x'; 100_000]).unwrap();
    std::fs::write(server.directory().join(".other.csv.run0.part"), "x").unwrap();
    let path = local_file(&folder, 7);
    deliver(&session, &path, "daily.csv", Publish::Replace).await.unwrap();
    assert_eq!(std::fs::read(server.directory().join("daily.csv")).unwrap(), content(7));
    session.remove(None, ".other.csv.run0.part").await.unwrap();
    session.remove(None, ".other.csv.run0.part").await.expect("what is gone needs no removing");
    assert_eq!(session.stat(".other.csv.run0.part").await.unwrap(), None);
    assert_eq!(session.stat("daily.csv").await.unwrap().unwrap().size, Some(7));
    assert_eq!(server.names(), ["daily.csv"]);
}

#[tokio::test]
async fn many_files_share_one_session() {
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&server.destination()).await.unwrap();
    let path = local_file(&folder, 400_000);
    let names: Vec<String> = (0..20).map(|number| format!("file{number:02}.csv")).collect();
    let deliveries = names.iter().map(|name| deliver(&session, &path, name, Publish::Refuse));
    for outcome in futures_util::future::join_all(deliveries).await {
        outcome.unwrap();
    }
    assert_eq!(server.names(), names);
    for name in &names {
        assert!(std::fs::read(server.directory().join(name)).unwrap() == content(400_000), "{name} differs");
    }
}

#[tokio::test]
async fn rekeying_in_the_middle_of_a_file_does_no_harm() {
    let config = vec!["RekeyLimit 1M".to_owned()];
    let server = Sshd::with(Options { config, ..Options::default() });
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&server.destination()).await.unwrap();
    let path = local_file(&folder, 20_000_000);
    deliver(&session, &path, "daily.csv", Publish::Replace).await.unwrap();
    assert!(std::fs::read(server.directory().join("daily.csv")).unwrap() == content(20_000_000));
}

#[tokio::test]
async fn a_large_file_may_travel_over_several_channels() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = |most| vec![format!("MaxSessions {most}")];
    for (number, (config, channels, most)) in [
        (Vec::new(), Channels::Auto, 10),
        (sessions(3), Channels::Auto, 3),
        (sessions(1), Channels::Auto, 1),
        (Vec::new(), Channels::AtMost(1), 1),
        (Vec::new(), Channels::AtMost(2), 2),
    ]
    .into_iter()
    .enumerate()
    {
        // Each server has a log of its own: the channels of the one before may close late.
        let (script, log) =
            (folder.path().join(format!("server-{number}")), folder.path().join(format!("log-{number}")));
        let shown = log.display();
        let text = format!("#!/bin/sh\necho 1 >> {shown}\n/usr/lib/openssh/sftp-server\necho -1 >> {shown}\n");
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let subsystem = Some(script.display().to_string());
        let server = Sshd::with(Options { config, subsystem, ..Options::default() });
        let destination = SftpDestination { channels, ..server.destination() };
        let settings = Settings { tuning: FAR, ..Settings::of(&destination) };
        let session = Session::open_with(&destination, settings).await.unwrap();
        let path = local_file(&folder, 20_000_001);
        deliver(&session, &path, "daily.csv", Publish::Replace).await.unwrap();
        assert!(std::fs::read(server.directory().join("daily.csv")).unwrap() == content(20_000_001));
        let changes = std::fs::read_to_string(&log).unwrap();
        // How many were open at once: a channel that was closed makes room for another.
        let open = changes.lines().map(|change| change.parse::<i32>().unwrap()).scan(0, |open, change| {
            *open += change;
            Some(*open)
        });
        let channels = open.max().unwrap();
        assert!(channels <= most && (most == 1 || channels > 1), "{channels} channels of {most}");
    }
}
