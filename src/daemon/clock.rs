//! The daemon's clocks: what time it is, how long the machine has been up, and when to look again.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use tokio::process::Command;
use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler};

use super::DaemonError;

/// Tells the time. A tick carries no meaning but "look at the time now": it may come late, twice or not at all.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock's time.
    fn now(&self) -> Timestamp;

    /// The time since boot, time spent suspended included. It can't be set, and never goes back.
    fn since_boot(&self) -> Duration;

    /// Whether the system says that its wall clock is synchronised. False where it can't be asked.
    fn is_synchronised(&self) -> impl Future<Output = bool> + Send;

    /// Returns when it is time to look at the clock again, a second or so from now.
    fn tick(&self) -> impl Future<Output = ()> + Send;
}

/// The longest time between two looks, should the ticks stay out: a wall clock that was set back would otherwise
/// silence them for as long.
const LONGEST: Duration = Duration::from_secs(2);

/// How long the system may take to answer whether its clock is synchronised.
const ANSWER: Duration = Duration::from_secs(2);

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

    fn since_boot(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    // systemd asks the kernel (adjtimex) on our behalf: there is no safe way to do so from here, and under ProtectClock=
    // the kernel would not answer us.
    async fn is_synchronised(&self) -> bool {
        let mut question = Command::new("timedatectl");
        question.args(["show", "--property=NTPSynchronized", "--value"]);
        question.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        match tokio::time::timeout(ANSWER, question.output()).await {
            Ok(Ok(answer)) => answer.status.success() && answer.stdout.trim_ascii() == b"yes",
            Ok(Err(_)) | Err(_) => false,
        }
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
