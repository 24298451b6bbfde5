//! What each host is granted: its limits, and the connections that runs leave open for each other.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, sleep};

use super::idle::{self, Identity, Idle};
use super::limits::{HostLimits, PER_HOST, Permit};
use super::session::Session;
use crate::clearance::Recipient;

/// What all hosts are granted. Clones share it.
#[derive(Clone)]
pub struct Hosts {
    limits: HostLimits,
    idle: Arc<Mutex<IdleConnections>>,
}

/// Connections that no run uses, by host, the one left first in front. With those in use they are no more than the permits.
type IdleConnections = HashMap<String, Vec<Idle>>;

impl Hosts {
    /// Grants each host `per_host` connections at the same time.
    pub fn new(per_host: usize) -> Hosts {
        Hosts { limits: HostLimits::new(per_host), idle: Arc::default() }
    }

    /// Waits for a permit to connect to a recipient's host, first come, first served.
    pub async fn permit(&self, recipient: &Recipient) -> Permit {
        self.limits.permit(recipient).await
    }

    /// A permit, if there is one now. While a recipient is paused there is none; after that a single connection finds
    /// out whether the server lets us in again.
    pub fn try_permit(&self, recipient: &Recipient, now: Timestamp) -> Option<Permit> {
        self.limits.try_permit(recipient, now)
    }

    /// Pauses a recipient whose server has just refused us.
    pub fn pause(&self, recipient: &Recipient, now: Timestamp) {
        self.limits.pause(recipient, now);
    }

    /// Ends the pause of a recipient: its server has let us in.
    pub fn resume(&self, recipient: &Recipient) {
        self.limits.resume(recipient);
    }

    /// Waits until a connection may be opened: few are being opened at the same time, over all hosts. The connection is
    /// open, or has failed, when the value is dropped.
    pub async fn opening(&self) -> SemaphorePermit<'_> {
        self.limits.opening().await
    }

    /// The limits alone.
    pub(super) fn limits(&self) -> &HostLimits {
        &self.limits
    }

    /// The connection left last that is identical to one that would be opened now.
    pub(super) fn take_idle(&self, identity: &Identity) -> Option<Session> {
        let mut hosts = self.lock();
        let idle = hosts.get_mut(identity.host())?;
        idle.retain(|idle| idle.session.is_alive());
        let position = idle.iter().rposition(|idle| idle.identity == *identity)?;
        Some(idle.remove(position).session)
    }

    /// Keeps a connection for a few seconds. The permit it was opened with must still be held.
    pub(super) fn keep_idle(&self, identity: Identity, session: Session) {
        let (since, host) = (Instant::now(), identity.host().to_owned());
        self.lock().entry(host.clone()).or_default().push(Idle { identity, session, since });
        let hosts = Arc::downgrade(&self.idle);
        tokio::spawn(async move {
            sleep(idle::KEPT).await;
            let Some(hosts) = hosts.upgrade() else { return };
            let expired = match lock(&hosts).get_mut(&host) {
                Some(idle) => idle.extract_if(.., |idle| idle.since == since).collect(),
                None => Vec::new(),
            };
            end(expired).await;
        });
    }

    /// Ends the oldest idle connections with a host that are too many beside those in use, one of which is about to be
    /// opened.
    pub(super) async fn make_room(&self, host: &str) {
        let (permits, taken) = self.limits.permits(host);
        let surplus = match self.lock().get_mut(host) {
            Some(idle) => {
                let surplus = (idle.len() + taken).saturating_sub(permits).min(idle.len());
                idle.drain(..surplus).collect()
            }
            None => Vec::new(),
        };
        end(surplus).await;
    }

    /// Ends all connections that no run uses.
    pub async fn close(&self) {
        let idle = self.lock().drain().flat_map(|(_, idle)| idle).collect();
        end(idle).await;
    }

    fn lock(&self) -> MutexGuard<'_, IdleConnections> {
        lock(&self.idle)
    }
}

fn lock(idle: &Mutex<IdleConnections>) -> MutexGuard<'_, IdleConnections> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn end(idle: Vec<Idle>) {
    futures_util::future::join_all(idle.into_iter().map(|idle| idle.session.close())).await;
}

impl Default for Hosts {
    fn default() -> Hosts {
        Hosts::new(PER_HOST)
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts").field("limits", &self.limits).finish_non_exhaustive()
    }
}
