//! How many channels a server grants is found out by asking for them, once.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use exportd::deliver::{HostLimits, Session, Settings};
use exportd::job::Publish;

use super::destination::{FAR, content, deliver, local_file, whole};
use crate::support::sshd::{Options, Sshd};

const LENGTH: usize = 20_000_001;

/// A server that grants so many sessions on one connection, and tells in its log what it is asked for.
fn server(sessions: usize) -> Sshd {
    let config = vec![format!("MaxSessions {sessions}\nLogLevel DEBUG1")];
    Sshd::with(Options { config, ..Options::default() })
}

/// A session to which every distance is far.
async fn session(server: &Sshd, limits: &HostLimits) -> Session {
    let settings = Settings { tuning: FAR, limits: limits.clone(), ..Settings::default() };
    Session::open_with(&server.destination(), settings).await.unwrap()
}

/// How many channels the server has been asked for by its first `sessions` sessions, which have said goodbye.
async fn asked(server: &Sshd, sessions: usize) -> usize {
    let count = |text: &str| server.log().iter().filter(|line| line.contains(text)).count();
    let told = async {
        while count("Received disconnect") < sessions {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("the server hears of the end of the session");
    count("server_input_channel_open: ctype session")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_is_not_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = local_file(&folder, LENGTH);
    for sessions in [1, 2, 3] {
        let (server, limits) = (server(sessions), HostLimits::default());
        let mut before = 0;
        for (round, expected) in [(1, 10), (2, sessions), (3, sessions)] {
            let session = session(&server, &limits).await;
            deliver(&session, &path, "daily.csv", Publish::Replace).await.unwrap();
            session.close().await;
            assert!(std::fs::read(server.directory().join("daily.csv")).unwrap() == content(LENGTH));
            let all = asked(&server, round).await;
            assert_eq!(all - before, expected, "channels asked for in round {round}, of {sessions}");
            before = all;
        }
        assert_eq!(server.names(), ["daily.csv"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_serve_one_large_file_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = local_file(&folder, LENGTH);
    let server = server(10);
    let session = session(&server, &HostLimits::default()).await;
    for number in 0..3 {
        session.upload(&path, whole(&path), &format!(".{number}.part"), &AtomicU64::new(0)).await.unwrap();
    }
    session.close().await;
    assert_eq!(asked(&server, 1).await, 10);
    for name in server.names() {
        assert!(std::fs::read(server.directory().join(&name)).unwrap() == content(LENGTH), "{name}");
    }
}

/// What a server does after a login is no distance. A busy machine may be late to answer once, and not ten times.
#[tokio::test(flavor = "multi_thread")]
async fn one_channel_carries_a_large_file_to_a_server_nearby() {
    let folder = tempfile::tempdir().unwrap();
    let path = local_file(&folder, LENGTH);
    let server = server(10);
    for round in 1..=10 {
        let session = Session::open(&server.destination()).await.unwrap();
        let before = if round == 1 { 0 } else { asked(&server, round - 1).await };
        deliver(&session, &path, "daily.csv", Publish::Replace).await.unwrap();
        session.close().await;
        if asked(&server, round).await == before + 1 {
            return;
        }
    }
    panic!("ten times several channels to a server on the same machine");
}
