//! Connections that a run leaves open for the next: which run may reuse one, how many there are, and what becomes of
//! dead ones.

use std::fs;
use std::time::Duration;

use exportd::clearance::Recipient;
use exportd::deliver::{Delivery, Hosts, Options, Permit};
use exportd::job::{Destination, SftpDestination, Trust};
use futures_util::FutureExt;
use rustix::process::{Signal, kill_process};

use crate::support::counted::Counted;
use crate::support::sshd::make_key;

fn options(hosts: &Hosts) -> Options {
    Options { hosts: hosts.clone(), ..Options::default() }
}

/// A run that has checked its destination's directory.
struct Visit {
    delivery: Delivery,
    options: Options,
    _permit: Permit,
}

impl Visit {
    async fn begin(destination: &SftpDestination, options: &Options) -> Visit {
        let destination = Destination::Sftp(destination.clone());
        let permit = options.hosts.permit(&Recipient::of(&destination)).await;
        let reused = match Delivery::reuse(&destination, options) {
            Some(delivery) => delivery.check("probe").await.is_ok().then_some(delivery),
            None => None,
        };
        let delivery = match reused {
            Some(delivery) => delivery,
            None => {
                let delivery = Delivery::open(&destination, options).await.unwrap();
                delivery.check("probe").await.unwrap();
                delivery
            }
        };
        Visit { delivery, options: options.clone(), _permit: permit }
    }

    async fn leave(self) {
        self.delivery.leave(&self.options.hosts).await;
    }
}

async fn visit(hosts: &Hosts, destination: &SftpDestination) {
    Visit::begin(destination, &options(hosts)).await.leave().await;
}

#[tokio::test]
async fn runs_in_turn_share_one_connection_each_with_its_own_directory() {
    let server = Counted::start();
    let hosts = Hosts::new(4);
    let other = SftpDestination { directory: server.sshd.file("").display().to_string(), ..server.sshd.destination() };
    for destination in [server.sshd.destination(), other.clone(), server.sshd.destination(), other] {
        let visit = Visit::begin(&destination, &options(&hosts)).await;
        assert_eq!(visit.delivery.place().directory, destination.directory);
        assert_eq!(visit.delivery.host_key().unwrap().fingerprint, server.sshd.fingerprint("ed25519"));
        visit.leave().await;
    }
    assert_eq!(server.sessions().len(), 1);
    hosts.close().await;
    visit(&hosts, &server.sshd.destination()).await;
    visit(&hosts, &server.sshd.destination()).await;
    assert_eq!(server.sessions().len(), 2, "what was idle is closed");
}

#[tokio::test]
async fn only_an_identical_connection_is_reused() {
    let server = Counted::start();
    let hosts = Hosts::new(9);
    let usual = server.sshd.destination();
    let (other_key, line) = (server.sshd.file("other"), server.sshd.file("known_hosts"));
    make_key(&other_key, &["-t", "ed25519", "-N", ""]);
    server.sshd.authorize(&server.sshd.file("other.pub"));
    let host_key = fs::read_to_string(server.sshd.file("host_ed25519.pub")).unwrap();
    fs::write(&line, format!("[127.0.0.1]:{} {host_key}", server.sshd.port())).unwrap();
    let pins = vec![server.sshd.fingerprint("ed25519"), "SHA256:of-next-year".to_owned()];
    let others = [
        SftpDestination { key: other_key, ..usual.clone() },
        SftpDestination { trust: Trust::Pinned(pins), ..usual.clone() },
        SftpDestination { trust: Trust::KnownHosts(line.clone()), ..usual.clone() },
        SftpDestination { host: "localhost".to_owned(), ..usual.clone() },
        SftpDestination { requests: 1, ..usual.clone() },
    ];
    visit(&hosts, &usual).await;
    for (position, other) in others.iter().enumerate() {
        visit(&hosts, other).await;
        assert_eq!(server.sessions().len(), position + 2, "{other:?}");
        visit(&hosts, &usual).await;
        assert_eq!(server.sessions().len(), position + 2);
    }
    let before = server.sessions().len();
    // Neither path has changed, but what is behind it.
    fs::write(&line, format!("# again\n[127.0.0.1]:{} {host_key}", server.sshd.port())).unwrap();
    visit(&hosts, &others[2]).await;
    assert_eq!(server.sessions().len(), before + 1);
}

#[tokio::test]
async fn a_connection_on_which_something_failed_is_not_kept() {
    let server = Counted::start();
    let hosts = Hosts::new(4);
    let destination = server.sshd.destination();
    let failing = Visit::begin(&destination, &options(&hosts)).await;
    fs::create_dir(server.sshd.directory().join("folder")).unwrap();
    failing.delivery.remove(None, "folder").await.unwrap_err();
    failing.leave().await;
    visit(&hosts, &destination).await;
    assert_eq!(server.sessions().len(), 2);
}

#[tokio::test]
async fn a_connection_that_died_while_it_was_idle_is_replaced_at_once() {
    let server = Counted::start();
    let hosts = Hosts::new(1);
    let destination = server.sshd.destination();
    let hasty = Options { stall: Duration::from_secs(3), ..options(&hosts) };
    let mut stopped = Vec::new();
    for signal in [Signal::STOP, Signal::KILL] {
        Visit::begin(&destination, &hasty).await.leave().await;
        let process = *server.sessions().last().unwrap();
        kill_process(process, signal).unwrap();
        stopped.push(process);
        drop(Visit::begin(&destination, &hasty).await);
        assert_ne!(*server.sessions().last().unwrap(), process, "{signal:?}");
    }
    for process in stopped {
        let _ = kill_process(process, Signal::KILL);
    }
}

#[tokio::test]
async fn a_host_has_a_few_permits_and_idle_connections_make_room() {
    let server = Counted::start();
    let hosts = Hosts::new(2);
    let destination = server.sshd.destination();
    let recipient = Recipient::of(&Destination::Sftp(destination.clone()));
    let (first, second) = (hosts.permit(&recipient).await, hosts.permit(&recipient).await);
    let mut third = Box::pin(hosts.permit(&recipient));
    let mut fourth = Box::pin(hosts.permit(&recipient));
    assert!(third.as_mut().now_or_never().is_none() && fourth.as_mut().now_or_never().is_none());
    drop(first);
    assert!(fourth.as_mut().now_or_never().is_none(), "first come, first served");
    drop((third.await, second));
    drop(fourth.await);

    let hosts = Hosts::new(1);
    let other = SftpDestination { requests: 7, ..destination.clone() };
    for (number, destination) in [&destination, &other, &destination].into_iter().enumerate() {
        visit(&hosts, destination).await;
        assert_eq!(server.sessions().len(), number + 1, "the idle one was ended for this one");
    }
}

#[tokio::test]
async fn a_connection_belongs_to_the_files_that_it_was_opened_with() {
    let server = Counted::start();
    let hosts = Hosts::new(4);
    let line = server.sshd.file("known_hosts");
    let host_key = fs::read_to_string(server.sshd.file("host_ed25519.pub")).unwrap();
    let trusted = format!("[127.0.0.1]:{} {host_key}", server.sshd.port());
    fs::write(&line, &trusted).unwrap();
    let destination = SftpDestination { trust: Trust::KnownHosts(line.clone()), ..server.sshd.destination() };
    let at_work = Visit::begin(&destination, &options(&hosts)).await;
    // The file changes while the run is at work.
    fs::write(&line, format!("# again\n{trusted}")).unwrap();
    at_work.leave().await;
    visit(&hosts, &destination).await;
    assert_eq!(server.sessions().len(), 2);
}
