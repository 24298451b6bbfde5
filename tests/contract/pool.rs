//! Connections that runs leave to each other: who may take one over, how many there are, and what becomes of dead ones.

use std::fs;
use std::time::Duration;

use exportd::deliver::{Pool, Settings};
use exportd::job::{Destination, Trust};
use futures_util::FutureExt;
use rustix::process::{Signal, kill_process};

use crate::support::counted::Counted;
use crate::support::sshd::make_key;

/// A run that reaches its destination and leaves its connection.
async fn visit(pool: &Pool, destination: &Destination) {
    let turn = pool.turn(destination, Settings::of(destination)).await;
    let session = turn.reach("probe").await.unwrap();
    turn.leave(session).await;
}

#[tokio::test]
async fn runs_in_turn_share_one_connection_each_with_its_own_directory() {
    let server = Counted::start();
    let pool = Pool::new(4);
    let other = Destination { directory: server.sshd.file("").display().to_string(), ..server.sshd.destination() };
    for destination in [server.sshd.destination(), other.clone(), server.sshd.destination(), other] {
        let turn = pool.turn(&destination, Settings::of(&destination)).await;
        let session = turn.reach("probe").await.unwrap();
        assert_eq!(session.place().directory, destination.directory);
        assert_eq!(session.server().host_key.as_ref().unwrap().fingerprint, server.sshd.fingerprint("ed25519"));
        turn.leave(session).await;
    }
    assert_eq!(server.sessions().len(), 1);
    pool.close().await;
    visit(&pool, &server.sshd.destination()).await;
    visit(&pool, &server.sshd.destination()).await;
    assert_eq!(server.sessions().len(), 3, "after the end nothing is kept");
}

#[tokio::test]
async fn whoever_would_connect_otherwise_gets_a_connection_of_their_own() {
    let server = Counted::start();
    let mut pool = Pool::new(9);
    let usual = server.sshd.destination();
    let (other_key, line) = (server.sshd.file("other"), server.sshd.file("known_hosts"));
    make_key(&other_key, &["-t", "ed25519", "-N", ""]);
    server.sshd.authorize(&server.sshd.file("other.pub"));
    let host_key = fs::read_to_string(server.sshd.file("host_ed25519.pub")).unwrap();
    fs::write(&line, format!("[127.0.0.1]:{} {host_key}", server.sshd.port())).unwrap();
    let pins = vec![server.sshd.fingerprint("ed25519"), "SHA256:of-next-year".to_owned()];
    let others = [
        Destination { key: other_key, ..usual.clone() },
        Destination { trust: Trust::Pinned(pins), ..usual.clone() },
        Destination { trust: Trust::KnownHosts(line.clone()), ..usual.clone() },
        Destination { host: "localhost".to_owned(), ..usual.clone() },
        Destination { requests: 1, ..usual.clone() },
    ];
    visit(&pool, &usual).await;
    for (position, other) in others.iter().enumerate() {
        visit(&pool, other).await;
        assert_eq!(server.sessions().len(), position + 2, "{other:?}");
        visit(&pool, &usual).await;
        assert_eq!(server.sessions().len(), position + 2);
    }
    let before = server.sessions().len();
    // Neither path has changed, but what is behind it.
    fs::write(&line, format!("# again\n[127.0.0.1]:{} {host_key}", server.sshd.port())).unwrap();
    visit(&pool, &others[2]).await;
    assert_eq!(server.sessions().len(), before + 1);
    pool.renew();
    visit(&pool, &usual).await;
    assert_eq!(server.sessions().len(), before + 2, "what is renewed keeps nothing");
}

#[tokio::test]
async fn a_connection_that_was_at_work_when_the_pool_was_renewed_is_not_kept() {
    let server = Counted::start();
    let mut pool = Pool::new(4);
    let destination = server.sshd.destination();
    let turn = pool.turn(&destination, Settings::of(&destination)).await;
    let session = turn.reach("probe").await.unwrap();
    pool.renew();
    turn.leave(session).await;
    drop(turn);
    visit(&pool, &destination).await;
    assert_eq!(server.sessions().len(), 2);
}

#[tokio::test]
async fn a_connection_on_which_something_failed_is_not_kept() {
    let server = Counted::start();
    let pool = Pool::new(4);
    let destination = server.sshd.destination();
    let turn = pool.turn(&destination, Settings::of(&destination)).await;
    let session = turn.reach("probe").await.unwrap();
    fs::create_dir(server.sshd.directory().join("folder")).unwrap();
    session.remove("folder").await.unwrap_err();
    turn.leave(session).await;
    drop(turn);
    visit(&pool, &destination).await;
    assert_eq!(server.sessions().len(), 2);
}

#[tokio::test]
async fn a_connection_that_died_while_it_was_idle_is_replaced_at_once() {
    let server = Counted::start();
    let pool = Pool::new(1);
    let destination = server.sshd.destination();
    let hasty = Settings { stall: Duration::from_secs(3), ..Settings::of(&destination) };
    let mut stopped = Vec::new();
    for signal in [Signal::STOP, Signal::KILL] {
        let turn = pool.turn(&destination, hasty).await;
        let session = turn.reach("probe").await.unwrap();
        turn.leave(session).await;
        drop(turn);
        let process = *server.sessions().last().unwrap();
        kill_process(process, signal).unwrap();
        stopped.push(process);
        let turn = pool.turn(&destination, hasty).await;
        turn.reach("probe").await.unwrap();
        assert_ne!(*server.sessions().last().unwrap(), process, "{signal:?}");
    }
    for process in stopped {
        let _ = kill_process(process, Signal::KILL);
    }
}

#[tokio::test]
async fn a_host_gets_so_many_connections_and_idle_ones_make_room() {
    let server = Counted::start();
    let pool = Pool::new(2);
    let destination = server.sshd.destination();
    let first = pool.turn(&destination, Settings::of(&destination)).await;
    let second = pool.turn(&destination, Settings::of(&destination)).await;
    let mut third = Box::pin(pool.turn(&destination, Settings::of(&destination)));
    let mut fourth = Box::pin(pool.turn(&destination, Settings::of(&destination)));
    assert!(third.as_mut().now_or_never().is_none() && fourth.as_mut().now_or_never().is_none());
    drop(first);
    assert!(fourth.as_mut().now_or_never().is_none(), "first come, first served");
    drop((third.await, second));
    drop(fourth.await);

    let pool = Pool::new(1);
    let other = Destination { requests: 7, ..destination.clone() };
    for (number, destination) in [&destination, &other, &destination].into_iter().enumerate() {
        visit(&pool, destination).await;
        assert_eq!(server.sessions().len(), number + 1, "the idle one was ended for this one");
    }
}
