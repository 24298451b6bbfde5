//! The connection of an attempt to its destination, opened again when it has ended.

use std::time::Duration;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Attempt, RunError};
use crate::deliver::{DeliverError, Delivery, Options, probe_names};
use crate::failpoint::{self, Side};

/// How long connecting to a destination and checking its directory may take, whatever the server does.
const REACH: Duration = Duration::from_secs(120);

/// A destination, and what is connected to it.
pub(super) struct Connection<'a> {
    attempt: &'a Attempt<'a>,
    current: RwLock<Delivery>,
}

/// Connects to the job's destination and makes sure that its directory takes files.
pub(super) async fn reach<'a>(attempt: &'a Attempt<'a>) -> Result<Connection<'a>, RunError> {
    let (state, run, probes) = (&attempt.context.state, attempt.id(), probe_names(attempt.id().as_str()));
    let (origin, reason) = (&attempt.context.origin, attempt.job.reason.as_deref());
    state.reaching(run, &probes, origin, &attempt.location(), reason).await?;
    failpoint::reach("destination:reach", Side::Before).await;
    let delivery = attempt.cancel.unless(reuse_or_open(attempt)).await??;
    failpoint::reach("destination:reach", Side::After).await;
    let host_key = delivery.host_key().map(|key| format!("{} {}", key.algorithm, key.fingerprint));
    let gone = probes.map(|name| attempt.temporary_here(name));
    state.reached(run, host_key.as_deref(), &gone).await?;
    Ok(Connection { attempt, current: RwLock::new(delivery) })
}

/// A connection whose directory takes files: one that an earlier run has left open, or a new one.
async fn reuse_or_open(attempt: &Attempt<'_>) -> Result<Delivery, RunError> {
    let (destination, options, probe) = (&attempt.job.destination, options(attempt), attempt.id().as_str());
    if let Some(delivery) = Delivery::reuse(destination, &options) {
        match within_reach(delivery.check(probe)).await? {
            Err(error @ (DeliverError::Lost { .. } | DeliverError::Stalled { .. })) => {
                tracing::debug!(%error, "an idle connection has died; another one is opened");
            }
            checked => return Ok(checked.map(|()| delivery)?),
        }
    }
    // A run that waits for others to connect has not begun to.
    let opening = options.hosts.opening().await;
    let reaching = async {
        let delivery = Delivery::open(destination, &options).await?;
        drop(opening);
        delivery.check(probe).await?;
        Ok(delivery)
    };
    Ok(within_reach(reaching).await??)
}

async fn within_reach<T>(
    work: impl Future<Output = Result<T, DeliverError>>,
) -> Result<Result<T, DeliverError>, RunError> {
    let in_time = tokio::time::timeout(REACH, work).await;
    in_time.map_err(|_| RunError::TooLong { phase: "reaching the destination", limit: REACH })
}

async fn open(attempt: &Attempt<'_>) -> Result<Delivery, DeliverError> {
    let options = options(attempt);
    let _opening = options.hosts.opening().await;
    Delivery::open(&attempt.job.destination, &options).await
}

fn options(attempt: &Attempt<'_>) -> Options {
    let context = attempt.context;
    Options { stall: context.stall, tuning: context.tuning, hosts: context.hosts.clone() }
}

impl Connection<'_> {
    /// The open connection. Servers drop connections that were idle while the store was read; then it is a new one.
    pub(super) async fn delivery(&self) -> Result<RwLockReadGuard<'_, Delivery>, DeliverError> {
        let delivery = self.current.read().await;
        if delivery.is_alive() {
            return Ok(delivery);
        }
        drop(delivery);
        let mut delivery = self.current.write().await;
        if !delivery.is_alive() {
            *delivery = open(self.attempt).await?;
        }
        Ok(RwLockWriteGuard::downgrade(delivery))
    }

    /// Leaves the connection to the next run.
    pub(super) async fn leave(self) {
        self.current.into_inner().leave(&self.attempt.context.hosts).await;
    }
}
