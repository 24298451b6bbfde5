//! The daemon's clock: what time it is, and when to look again.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler};

use super::DaemonError;

/// Tells the time. A tick carries no meaning but "look at the time now": it may come late, twice or not at all.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock's time.
    fn now(&self) -> Timestamp;

    /// Returns when it is time to look at the clock again, a second or so from now.
    fn tick(&self) -> impl Future<Output = ()> + Send;
}

/// The longest time between two looks, should the ticks stay out: a wall clock that was set back would otherwise
/// silence them for as long.
const LONGEST: Duration = Duration::from_secs(2);

/// The system's clock, ticking every second.
pub struct SystemClock {
    ticks: Arc<Notify>,
    // It answers for the job behind the ticks as long as it is kept.
    _scheduler: JobScheduler,
}

impl SystemClock {
    /// Starts the ticking.
    pub async fn start() -> Result<SystemClock, DaemonError> {
        let ticks = Arc::new(Notify::new());
        let poke = ticks.clone();
        let failed = |error: tokio_cron_scheduler::JobSchedulerError| DaemonError::Clock(error.to_string());
        let scheduler = JobScheduler::new().await.map_err(failed)?;
        // One job for all: the scheduler keeps a fixed offset for a zone and nothing over a restart, so due times
        // are worked out from state instead.
        let every_second = Job::new("* * * * * *", move |_, _| poke.notify_one()).map_err(failed)?;
        scheduler.add(every_second).await.map_err(failed)?;
        scheduler.start().await.map_err(failed)?;
        Ok(SystemClock { ticks, _scheduler: scheduler })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn tick(&self) {
        // Elapsed or ticked: either way it is time to look.
        let _ = tokio::time::timeout(LONGEST, self.ticks.notified()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_systems_clock_ticks_by_itself() {
        let clock = SystemClock::start().await.unwrap();
        let before = clock.now();
        // Not by `tick`, which would return without a tick too.
        for _ in 0..2 {
            let ticked = tokio::time::timeout(Duration::from_secs(20), clock.ticks.notified()).await;
            ticked.expect("no tick came");
        }
        assert!(clock.now() > before);
    }
}
