//! Pace: how fast bytes may go to a host, whatever number of sessions they go over.
//!
//! A bucket of tokens, kept as the moment at which the line will be free again: who sends takes its turn there and
//! waits for it. Sessions with different rates share the line, each by its own.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::error::Place;

/// What may be sent at once after a pause, in time at the full rate.
const BURST: Duration = Duration::from_millis(250);

/// The lines to all hosts that this process sends to at a limited rate.
static LINES: LazyLock<Mutex<Lines>> = LazyLock::new(Mutex::default);

/// Lines by host and port.
type Lines = HashMap<(String, u16), Arc<Line>>;

/// A limit that a session obeys.
#[derive(Clone, Debug)]
pub struct Pace {
    rate: NonZeroU64,
    line: Arc<Line>,
}

#[derive(Debug)]
struct Line {
    free_at: Mutex<Instant>,
}

impl Pace {
    /// At most `rate` bytes a second to the host of `place`, together with all other sessions that have a limit.
    pub fn of(place: &Place, rate: NonZeroU64) -> Pace {
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry((place.host.to_lowercase(), place.port)).or_insert_with(|| Arc::new(Line::new()));
        Pace { rate, line: Arc::clone(line) }
    }

    /// Waits until `bytes` may be sent.
    pub async fn wait(&self, bytes: usize) {
        let takes = Duration::from_secs_f64(bytes as f64 / self.rate.get() as f64);
        sleep_until(self.line.turn(Instant::now(), takes)).await;
    }
}

impl Line {
    fn new() -> Line {
        Line { free_at: Mutex::new(Instant::now()) }
    }

    /// When something may begin that takes so long, asked at `now`. The line is taken from then on.
    fn turn(&self, now: Instant, takes: Duration) -> Instant {
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

    fn pace(host: &str) -> Pace {
        let (user, directory) = ("drop".to_owned(), ".".to_owned());
        Pace::of(&Place { host: host.to_owned(), port: 22, user, directory }, NonZeroU64::MIN)
    }

    #[test]
    fn what_is_sent_takes_its_time_one_after_the_other() {
        let (line, now) = (Line::new(), Instant::now());
        let turns: Vec<Instant> = (0..100).map(|_| line.turn(now, MOMENT)).collect();
        assert!(turns.windows(2).all(|pair| pair[1] - pair[0] == MOMENT));
        assert!(turns[99] - now >= 99 * MOMENT - BURST, "{:?}", turns[99] - now);
    }

    #[test]
    fn a_pause_is_not_made_up_for_beyond_a_moment() {
        let line = Line::new();
        let later = Instant::now() + Duration::from_secs(3600);
        let at_once = (0..100).filter(|_| line.turn(later, MOMENT) <= later).count();
        assert_eq!(at_once as u128, 1 + BURST.as_millis() / MOMENT.as_millis());
    }

    #[test]
    fn sessions_to_one_host_share_a_line_and_hosts_do_not() {
        assert!(Arc::ptr_eq(&pace("a.example").line, &pace("A.example").line));
        assert!(!Arc::ptr_eq(&pace("a.example").line, &pace("b.example").line));
    }

    #[tokio::test]
    async fn who_waits_waits() {
        let pace = Pace { rate: NonZeroU64::new(1_000_000).unwrap(), ..pace("c.example") };
        let begin = Instant::now();
        for _ in 0..8 {
            pace.wait(50_000).await;
        }
        assert!(begin.elapsed() >= 7 * MOMENT - BURST, "{:?}", begin.elapsed());
    }
}
