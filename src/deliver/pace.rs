//! The pace of uploads to a host whose jobs have a `max_rate`, whatever the number of sessions.
//!
//! A token bucket, kept as the moment at which the line will be free again: each write reserves its time there and waits
//! for it. Sessions with different rates share the line, each at its own rate.

use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// What may be sent at once after a pause, in time at the full rate.
const BURST: Duration = Duration::from_millis(250);

/// A limit that a session keeps.
#[derive(Clone, Debug)]
pub struct Pace {
    rate: NonZeroU64,
    line: Arc<Line>,
}

/// The line to a host.
#[derive(Debug)]
pub(super) struct Line {
    free_at: Mutex<Instant>,
}

impl Pace {
    /// At most `rate` bytes a second over a line.
    pub(super) fn new(rate: NonZeroU64, line: Arc<Line>) -> Pace {
        Pace { rate, line }
    }

    /// Waits until `bytes` may be sent.
    pub async fn wait(&self, bytes: usize) {
        let takes = Duration::from_secs_f64(bytes as f64 / self.rate.get() as f64);
        sleep_until(self.line.reserve(Instant::now(), takes)).await;
    }

    #[cfg(test)]
    pub(super) fn shares_line_with(&self, other: &Pace) -> bool {
        Arc::ptr_eq(&self.line, &other.line)
    }
}

impl Line {
    pub(super) fn new() -> Line {
        Line { free_at: Mutex::new(Instant::now()) }
    }

    /// Reserves the line for a while, and returns when that begins.
    fn reserve(&self, now: Instant, takes: Duration) -> Instant {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = (*free_at).max(now.checked_sub(BURST).unwrap_or(now));
        *free_at = begin + takes;
        begin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(50);

    #[test]
    fn writes_take_their_time_one_after_the_other() {
        let (line, now) = (Line::new(), Instant::now());
        let begins: Vec<Instant> = (0..100).map(|_| line.reserve(now, MOMENT)).collect();
        assert!(begins.windows(2).all(|pair| pair[1] - pair[0] == MOMENT));
        assert!(begins[99] - now >= 99 * MOMENT - BURST, "{:?}", begins[99] - now);
    }

    #[test]
    fn a_pause_is_made_up_for_by_a_short_burst_only() {
        let line = Line::new();
        let later = Instant::now() + Duration::from_secs(3600);
        let at_once = (0..100).filter(|_| line.reserve(later, MOMENT) <= later).count();
        assert_eq!(at_once as u128, 1 + BURST.as_millis() / MOMENT.as_millis());
    }

    #[tokio::test]
    async fn a_rate_is_kept() {
        let pace = Pace::new(NonZeroU64::new(1_000_000).unwrap(), Arc::new(Line::new()));
        let begin = Instant::now();
        for _ in 0..8 {
            pace.wait(50_000).await;
        }
        assert!(begin.elapsed() >= 7 * MOMENT - BURST, "{:?}", begin.elapsed());
    }
}
