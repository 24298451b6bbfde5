//! The limits of hosts: permits, pauses, pace and channels.
//!
//! A run needs a [`Permit`] to connect, and a host has a few. After a server has refused us, no run logs in there for a
//! minute. Uploads with a `max_rate` share one pace. How many channels a server grants is remembered.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::pace::{Line, Pace};
use crate::clearance::Recipient;

/// Connections to one host at the same time, unless a test says otherwise. Servers drop or refuse more.
pub const PER_HOST: usize = 4;

/// Connections that are being opened at the same time, over all hosts. A key exchange takes a few milliseconds of a
/// processor: a thousand at once would exceed the servers' time limits for a login.
const OPENING: usize = 32;

/// How long no run logs in at a server that has refused us. Servers ban clients that keep trying.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// The limits of all hosts. Clones share them.
#[derive(Clone)]
pub struct HostLimits(Arc<Shared>);

struct Shared {
    per_host: usize,
    hosts: Mutex<HashMap<String, Host>>,
    opening: Semaphore,
}

struct Host {
    permits: Arc<Semaphore>,
    /// When the accounts that were refused may be tried again.
    refused: Vec<(Recipient, Timestamp)>,
    /// The pace of uploads with a limit, by port.
    lines: Vec<(u16, Arc<Line>)>,
    /// What the accounts were granted, if that was less than what we asked for.
    channels: Vec<(Recipient, GrantedChannels)>,
}

/// How many channels beside the first a server grants, and the version of its software that did so.
struct GrantedChannels {
    version: String,
    count: usize,
}

/// The right to one connection to a host. Clones are the same permit; dropping the last one lets the next run connect.
#[derive(Clone, Debug)]
pub struct Permit {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl HostLimits {
    /// Grants each host `per_host` connections at the same time.
    pub fn new(per_host: usize) -> HostLimits {
        let (hosts, opening) = (Mutex::default(), Semaphore::new(OPENING));
        HostLimits(Arc::new(Shared { per_host, hosts, opening }))
    }

    /// Waits for a permit to connect to a recipient's host, first come, first served.
    pub async fn permit(&self, recipient: &Recipient) -> Permit {
        let permits = self.with(recipient.host(), |host| Arc::clone(&host.permits));
        Permit { _permit: Arc::new(permits.acquire_owned().await.expect("the semaphore is never closed")) }
    }

    /// A permit, if there is one now. While a recipient is paused there is none; after that a single connection finds
    /// out whether the server lets us in again.
    pub fn try_permit(&self, recipient: &Recipient, now: Timestamp) -> Option<Permit> {
        let per_host = self.0.per_host;
        self.with(recipient.host(), |host| {
            if let Some((_, again)) = host.refused.iter().find(|(refused, _)| refused == recipient) {
                let left = again.duration_since(now);
                // A longer wait than the pause means that the clock was set back.
                let is_paused = left > SignedDuration::ZERO && left <= PAUSE;
                if is_paused || host.permits.available_permits() < per_host {
                    return None;
                }
            }
            let permit = Arc::clone(&host.permits).try_acquire_owned().ok()?;
            Some(Permit { _permit: Arc::new(permit) })
        })
    }

    /// Pauses a recipient whose server has just refused us.
    pub fn pause(&self, recipient: &Recipient, now: Timestamp) {
        let again = now.checked_add(PAUSE).unwrap_or(Timestamp::MAX);
        self.with(recipient.host(), |host| {
            host.refused.retain(|(refused, _)| refused != recipient);
            host.refused.push((recipient.clone(), again));
        });
    }

    /// Ends the pause of a recipient: its server has let us in.
    pub fn resume(&self, recipient: &Recipient) {
        self.with(recipient.host(), |host| host.refused.retain(|(refused, _)| refused != recipient));
    }

    /// Waits until a connection may be opened. The connection is open, or has failed, when the value is dropped.
    pub(super) async fn opening(&self) -> SemaphorePermit<'_> {
        self.0.opening.acquire().await.expect("the semaphore is never closed")
    }

    /// A limit of `rate` bytes a second to a host, shared with all uploads there that have a limit.
    pub(super) fn pace(&self, host: &str, port: u16, rate: NonZeroU64) -> Pace {
        let line = self.with(host, |host| match host.lines.iter().find(|(of, _)| *of == port) {
            Some((_, line)) => Arc::clone(line),
            None => {
                let line = Arc::new(Line::new());
                host.lines.push((port, Arc::clone(&line)));
                line
            }
        });
        Pace::new(rate, line)
    }

    /// How many channels beside the first a recipient's server grants, if it has refused more. Another version of its
    /// software is another server.
    pub(super) fn channels(&self, recipient: &Recipient, version: &str) -> Option<usize> {
        self.with(recipient.host(), |host| {
            host.channels.retain(|(of, granted)| of != recipient || granted.version == version);
            host.channels.iter().find(|(of, _)| of == recipient).map(|(_, granted)| granted.count)
        })
    }

    /// Remembers that a recipient's server grants `count` channels beside the first, and no more.
    pub(super) fn remember_channels(&self, recipient: &Recipient, version: &str, count: usize) {
        self.with(recipient.host(), |host| {
            host.channels.retain(|(of, _)| of != recipient);
            host.channels.push((recipient.clone(), GrantedChannels { version: version.to_owned(), count }));
        });
    }

    /// Permits for a host, and how many of them are taken.
    pub(super) fn permits(&self, host: &str) -> (usize, usize) {
        let per_host = self.0.per_host;
        self.with(host, |host| (per_host, per_host - host.permits.available_permits()))
    }

    fn with<T>(&self, host: &str, work: impl FnOnce(&mut Host) -> T) -> T {
        let mut hosts = self.lock();
        if let Some(host) = hosts.get_mut(host) {
            return work(host);
        }
        let permits = Arc::new(Semaphore::new(self.0.per_host));
        let new = Host { permits, refused: Vec::new(), lines: Vec::new(), channels: Vec::new() };
        work(hosts.entry(host.to_owned()).or_insert(new))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for HostLimits {
    fn default() -> HostLimits {
        HostLimits::new(PER_HOST)
    }
}

impl fmt::Debug for HostLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostLimits").field("per_host", &self.0.per_host).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipient(user: &str) -> Recipient {
        Recipient::Sftp { user: user.to_owned(), host: "partner.example".to_owned(), port: 22 }
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn a_host_has_a_few_permits_whatever_the_account() {
        let limits = HostLimits::new(2);
        let (one, two) = (limits.permit(&recipient("a")).await, limits.try_permit(&recipient("b"), second(0)));
        assert!(two.is_some());
        assert!(limits.try_permit(&recipient("a"), second(0)).is_none());
        let other = Recipient::Folder { path: "/srv/drops".to_owned() };
        assert!(limits.try_permit(&other, second(0)).is_some());
        drop(one);
        assert!(limits.try_permit(&recipient("a"), second(0)).is_some());
    }

    #[test]
    fn an_account_that_was_refused_waits_and_then_tries_alone() {
        let limits = HostLimits::new(3);
        let (refused, other) = (recipient("a"), recipient("b"));
        limits.pause(&refused, second(100));
        assert!(limits.try_permit(&refused, second(159)).is_none());
        assert!(limits.try_permit(&other, second(159)).is_some(), "another account is not paused");
        let alone = limits.try_permit(&refused, second(160));
        assert!(alone.is_some());
        assert!(limits.try_permit(&refused, second(160)).is_none(), "one at a time");
        limits.resume(&refused);
        assert!(limits.try_permit(&refused, second(160)).is_some());
    }

    #[test]
    fn a_clock_that_was_set_back_prolongs_no_pause() {
        let limits = HostLimits::new(1);
        limits.pause(&recipient("a"), second(10_000));
        assert!(limits.try_permit(&recipient("a"), second(0)).is_some());
    }

    #[test]
    fn granted_channels_are_remembered_until_the_server_changes() {
        let (limits, account) = (HostLimits::default(), recipient("a"));
        assert_eq!(limits.channels(&account, "OpenSSH_9.2"), None);
        limits.remember_channels(&account, "OpenSSH_9.2", 2);
        assert_eq!(limits.channels(&account, "OpenSSH_9.2"), Some(2));
        assert_eq!(limits.channels(&recipient("b"), "OpenSSH_9.2"), None);
        assert_eq!(limits.channels(&account, "OpenSSH_9.9"), None);
        assert_eq!(limits.channels(&account, "OpenSSH_9.2"), None, "it is forgotten");
    }

    #[test]
    fn uploads_to_one_server_share_a_pace() {
        let (limits, rate) = (HostLimits::default(), NonZeroU64::MIN);
        let pace = |host, port| limits.pace(host, port, rate);
        assert!(pace("a.example", 22).shares_line_with(&pace("a.example", 22)));
        assert!(!pace("a.example", 22).shares_line_with(&pace("a.example", 23)));
        assert!(!pace("a.example", 22).shares_line_with(&pace("b.example", 22)));
    }
}
