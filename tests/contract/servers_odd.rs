//! Servers whose oddity is not for every session: they end it after a file, take files away too early, let people wait
//! at the door, or fall silent.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use exportd::deliver::{DeliverError, Session, Settings};
use exportd::job::{Publish, SftpDestination};

use super::destination::{deliver, local_file, whole};
use crate::support::proxy::{self, Fate};
use crate::support::servers::{Kind, Server};
use crate::support::shop;
use crate::support::sshd::Sshd;

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_after_each_file_is_made_again() {
    let server = Server::start(Kind::Odd(&["one-file"]));
    for (publish, due) in [("replace", "2026-11-21"), ("refuse", "2026-11-20")] {
        let program = shop::program_to(&server.destination(), &format!("manifest = true\npublish = {publish:?}"));
        let run = tokio::task::spawn_blocking(move || program.run(&["run", "shop", "--at", due]));
        run.await.unwrap().expect(0);
    }
    assert_eq!(
        server.names(),
        [
            "shop_2026-11-20.manifest.json",
            "shop_2026-11-21.manifest.json",
            "shop_2026_11_20_orders.csv",
            "shop_2026_11_21_orders.csv"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_go_one_by_one_where_only_one_may_be_open() {
    let server = Server::start(Kind::Odd(&["one-handle"]));
    let program = shop::program_to(&server.destination(), "manifest = true");
    let names: Vec<String> = (0..12).map(|number| format!("orders{number}")).collect();
    let config = std::fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("[\"orders\"]", &format!("{names:?}")));
    let export = |name: &String| shop::CATALOGUE.replace("name = \"orders\"", &format!("name = {name:?}"));
    std::fs::write(program.path("catalogue.toml"), names.iter().map(export).collect::<String>()).unwrap();
    let run = tokio::task::spawn_blocking(move || {
        program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
        let history = program.run(&["history", "--json"]).expect(0).json();
        // From the spool, all of them at once.
        program.run(&["redeliver", history[0]["run"].as_str().unwrap()]).expect(0);
    });
    run.await.unwrap();
    assert_eq!(server.names().len(), 13, "{:?}", server.names());
    assert!(server.names().iter().all(|name| !name.starts_with('.')), "{:?}", server.names());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_files_before_they_have_their_name_is_found_out() {
    let server = Server::start(Kind::Odd(&["takes-closed"]));
    let session = Session::open(&server.destination()).await.unwrap();
    let error = session.check("check").await.unwrap_err();
    assert!(matches!(error, DeliverError::TakenEarly { .. }) && error.is_permanent(), "{error}");
    assert_eq!(server.names(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_sent_more_than_it_takes_hangs_up_and_the_setting_helps() {
    let server = Server::start(Kind::Odd(&["one-request"]));
    let folder = tempfile::tempdir().unwrap();
    let path = local_file(&folder, 3_000_000);
    let session = Session::open(&server.destination()).await.unwrap();
    let error = session.upload(&path, whole(&path), ".a.part", &AtomicU64::new(0)).await.unwrap_err();
    assert!(matches!(error, DeliverError::Lost { .. }) && !error.is_permanent(), "{error}");
    let session = Session::open(&SftpDestination { requests: 1, ..server.destination() }).await.unwrap();
    deliver(&session, &path, "a.csv", Publish::Replace).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banner_and_a_slow_login_are_waited_for_and_not_for_ever() {
    let server = Server::with(Kind::AsyncSsh, &["--banner", "Authorized\r\nusers \x1b[31monly.", "--login-takes", "1"]);
    let began = Instant::now();
    let session = Session::open(&server.destination()).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(session.server().banner, "Authorized  users  [31monly.");
    session.check("check").await.unwrap();

    let hasty = Settings { handshake: Duration::from_millis(400), ..Settings::default() };
    let error = Session::open_with(&server.destination(), hasty).await.err().expect("it takes too long");
    assert!(matches!(error, DeliverError::Silent { .. }) && !error.is_permanent(), "{error}");
}

/// Short enough for a test, in the proportions of the usual ones.
fn brisk() -> Settings {
    let [handshake, stall, keepalive] = [1500, 1200, 300].map(Duration::from_millis);
    Settings { handshake, stall, keepalive, ..Settings::default() }
}

/// As long as finding out may take with [`brisk`] settings; fifty times that is more than the usual ones take.
const FOUND_OUT: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn a_black_hole_is_noticed_wherever_it_opens() {
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let path = local_file(&folder, 8_000_000);
    // Before the first word, in the key exchange, in the login, at the start of SFTP, in the middle of a file.
    for bytes in [1, 500, 2500, 4500, 1_000_000] {
        let port = proxy::start(server.port(), bytes, Fate::Silence).await;
        let began = Instant::now();
        let work = async {
            let session = Session::open_with(&SftpDestination { port, ..server.destination() }, brisk()).await?;
            deliver(&session, &path, "a.csv", Publish::Replace).await
        };
        let error = work.await.unwrap_err();
        assert!(!error.is_permanent(), "after {bytes} bytes: {error}");
        assert!(began.elapsed() < FOUND_OUT, "after {bytes} bytes: {:?} until {error}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_is_noticed_in_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = local_file(&folder, 100_000);
    for step in ["connecting", "checking", "uploading", "publishing", "looking", "closing"] {
        let mut server = Sshd::start();
        let settings = brisk();
        if step == "connecting" {
            server.freeze();
        }
        let session = Session::open_with(&server.destination(), settings).await;
        let began = Instant::now();
        let outcome = match (step, session) {
            ("connecting", session) => session.map(|_| ()),
            (_, Err(error)) => panic!("{step}: {error}"),
            (step, Ok(session)) => {
                session.upload(&path, whole(&path), ".a.part", &AtomicU64::new(0)).await.unwrap();
                server.freeze();
                match step {
                    "checking" => session.check("check").await.map(|_| ()),
                    "uploading" => session.upload(&path, whole(&path), ".b.part", &AtomicU64::new(0)).await,
                    "publishing" => session.publish(".a.part", "a.csv", Publish::Replace, false).await,
                    "looking" => session.settle(".a.part", "a.csv", 10, Publish::Replace).await.map(|_| ()),
                    _ => {
                        session.close().await;
                        assert!(began.elapsed() < FOUND_OUT, "{step}: {:?}", began.elapsed());
                        continue;
                    }
                }
            }
        };
        let error = outcome.unwrap_err();
        assert!(!error.is_permanent(), "{step}: {error}");
        assert!(began.elapsed() < FOUND_OUT, "{step}: {:?} until {error}", began.elapsed());
        if step == "publishing" {
            assert!(matches!(error, DeliverError::PublishUnknown { .. }), "{error}");
        }
    }
}

#[test]
fn the_usual_settings_find_a_dead_server_within_75_seconds() {
    let limit = Duration::from_secs(75);
    let Settings { address, handshake, stall, keepalive, .. } = Settings::default();
    assert!(address * 3 + handshake <= limit, "from the name to the login, with two addresses that are dead");
    assert!(stall <= limit, "a request without a reply");
    assert!(keepalive * 4 <= limit, "nothing to say, or a slow request");
}
