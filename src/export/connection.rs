//! The connection of an attempt to its destination, opened again when it has ended.

use std::time::Duration;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Attempt, RunError};
use crate::deliver::{DeliverError, Delivery, Options, Probe, probe_names};
use crate::failpoint::{self, Side};
use crate::run::RunId;
use crate::state::Temporary;

/// How long connecting to a destination and checking its directory may take, whatever the server does.
const REACH: Duration = Duration::from_secs(120);

/// A destination, and what is connected to it.
pub(super) struct Connection<'a> {
    attempt: &'a Attempt<'a>,
    current: RwLock<Delivery>,
    /// The server has not refused to remove the probe.
    removes: bool,
}

/// A directory that takes files.
struct Checked {
    /// The run that the names of the probe are from.
    prober: RunId,
    probe: Probe,
}

impl Checked {
    /// The names of the probe, as they are on record.
    fn names(&self, attempt: &Attempt<'_>) -> [Temporary; 2] {
        let prober = &self.prober;
        probe_names(prober.as_str()).map(|name| Temporary { run: prober.clone(), ..attempt.temporary_here(name) })
    }
}

/// Connects to the job's destination and makes sure that its directory takes files.
pub(super) async fn reach<'a>(attempt: &'a Attempt<'a>) -> Result<Connection<'a>, RunError> {
    let (state, run) = (&attempt.context.state, attempt.id());
    let (origin, reason) = (&attempt.context.origin, attempt.job.reason.as_deref());
    let kept = kept_probe(attempt).await?;
    let makes_probe = kept.is_none() && !attempt.is_direct();
    let probes: &[String] = if makes_probe { &probe_names(run.as_str()) } else { &[] };
    state.reaching(run, probes, origin, &attempt.location(), reason).await?;
    failpoint::reach("destination:reach", Side::Before).await;
    let (delivery, checked) = attempt.cancel.unless(reuse_or_open(attempt, kept.as_ref())).await??;
    failpoint::reach("destination:reach", Side::After).await;
    let host_key = delivery.host_key().map(|key| format!("{} {}", key.algorithm, key.fingerprint));
    let removes = !matches!(checked.probe, Probe::Kept { .. });
    let gone: &[Temporary] = if checked.probe == Probe::Removed { &checked.names(attempt) } else { &[] };
    state.reached(run, host_key.as_deref(), gone).await?;
    if let Probe::Kept { name, is_new: true } = &checked.probe {
        let place = delivery.place();
        attempt.warn(&format!(
            "{place} does not let files be removed: the empty hidden file {name} stays there, and later runs of the job \
             use it again"
        ));
    }
    Ok(Connection { attempt, current: RwLock::new(delivery), removes })
}

/// The run whose probe the destination has kept, because files can't be removed there.
async fn kept_probe(attempt: &Attempt<'_>) -> Result<Option<RunId>, RunError> {
    if attempt.is_direct() {
        return Ok(None);
    }
    let present = attempt.location();
    let leftovers = attempt.context.state.temporaries(attempt.id(), &attempt.run.job).await?;
    let is_probe = |leftover: &Temporary| probe_names(leftover.run.as_str()).contains(&leftover.name);
    let here = leftovers.into_iter().filter(|leftover| leftover.location.as_ref() == Some(&present));
    Ok(here.filter(is_probe).map(|leftover| leftover.run).next())
}

/// A connection whose directory takes files: one that an earlier run has left open, or a new one. A probe that the server
/// has kept is used again.
async fn reuse_or_open(attempt: &Attempt<'_>, kept: Option<&RunId>) -> Result<(Delivery, Checked), RunError> {
    let (destination, options) = (&attempt.job.destination, options(attempt));
    if let Some(delivery) = Delivery::reuse(destination, &options) {
        match within_reach(check(attempt, &delivery, kept)).await {
            Err(RunError::Deliver(error @ (DeliverError::Lost { .. } | DeliverError::Stalled { .. }))) => {
                tracing::debug!(%error, "an idle connection has died; another one is opened");
            }
            checked => return Ok((delivery, checked?)),
        }
    }
    // A run that waits for others to connect has not begun to.
    let opening = options.hosts.opening().await;
    within_reach(async {
        let delivery = Delivery::open(destination, &options).await?;
        drop(opening);
        let checked = check(attempt, &delivery, kept).await?;
        Ok((delivery, checked))
    })
    .await
}

/// Checks the directory with the probe that was kept there, or else with one of this run.
async fn check(attempt: &Attempt<'_>, delivery: &Delivery, kept: Option<&RunId>) -> Result<Checked, RunError> {
    if let Some(kept) = kept {
        match delivery.check_again(kept.as_str()).await {
            // Another run of the job may have used the same probe at the same time, and could remove it.
            Err(DeliverError::TakenEarly { .. }) => {}
            checked => return Ok(Checked { prober: kept.clone(), probe: checked? }),
        }
        attempt.context.state.expect_temporaries(attempt.id(), &probe_names(attempt.id().as_str())).await?;
    }
    let prober = attempt.id().clone();
    let probe = delivery.check(prober.as_str()).await?;
    Ok(Checked { prober, probe })
}

async fn within_reach<T>(work: impl Future<Output = Result<T, RunError>>) -> Result<T, RunError> {
    let in_time = tokio::time::timeout(REACH, work).await;
    in_time.unwrap_or(Err(RunError::TooLong { phase: "reaching the destination", limit: REACH }))
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

    /// Whether the server lets files be removed, as far as the check of its directory shows.
    pub(super) fn removes(&self) -> bool {
        self.removes
    }

    /// Leaves the connection to the next run.
    pub(super) async fn leave(self) {
        self.current.into_inner().leave(&self.attempt.context.hosts).await;
    }
}
