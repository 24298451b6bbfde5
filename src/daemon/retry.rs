//! When a run that failed for a passing reason is tried again: pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::job::Retry;

/// When to try again after the `attempts`th attempt failed at `now`; none if the time for it is over. The first wait
/// is about `retry.first`, each later one twice the one before up to `retry.max`, each shifted by `dice` (any number)
/// so that runs that failed together do not come back together. The last attempt is made when the time is just up.
pub(super) fn retry_at(
    retry: &Retry,
    attempts: u32,
    first_failed: Timestamp,
    now: Timestamp,
    dice: u32,
) -> Option<Timestamp> {
    let end = first_failed.checked_add(retry.give_up).unwrap_or(Timestamp::MAX);
    // A clock that was set back would make the time for retries endless.
    if now >= end || retry.give_up.is_zero() {
        return None;
    }
    let (first, max) = (retry.first.as_millis(), retry.max.as_millis());
    let doubled = first << attempts.saturating_sub(1).min(30);
    let shortest = doubled.min(max / 4 * 3).max(first.min(max));
    let longest = (doubled + doubled / 2).min(max).max(shortest);
    let wait = shortest + (longest - shortest) * u128::from(dice) / u128::from(u32::MAX);
    let wait = Duration::from_millis(u64::try_from(wait.max(1)).unwrap_or(u64::MAX));
    let at = now.checked_add(wait).unwrap_or(end);
    Some(at.min(end))
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    fn waits(retry: &Retry, dice: u32) -> Vec<u64> {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut waits = Vec::new();
        for attempts in 1..100 {
            let Some(at) = retry_at(retry, attempts, Timestamp::UNIX_EPOCH, now, dice) else { break };
            waits.push(at.duration_since(now).as_secs() as u64);
            now = at;
        }
        waits
    }

    fn retry(first: u64, max: u64, give_up: u64) -> Retry {
        let [first, max, give_up] = [first, max, give_up].map(Duration::from_secs);
        Retry { first, max, give_up }
    }

    #[test]
    fn waits_double_from_first_to_max_and_end_when_the_time_is_up() {
        assert_eq!(waits(&retry(30, 400, 1000), 0), [30, 60, 120, 240, 300, 250]);
        assert_eq!(waits(&retry(30, 400, 1000), u32::MAX), [45, 90, 180, 360, 325]);
        assert_eq!(waits(&retry(30, 30, 70), 0), [30, 30, 10]);
        assert_eq!(waits(&retry(60, 30, 70), 7), [30, 30, 10], "first above max");
        assert!(waits(&retry(30, 30, 0), 0).is_empty(), "no time, no second attempt");
    }

    #[test]
    fn extremes_do_not_overflow() {
        let endless = Retry { first: Duration::MAX / 2, max: Duration::MAX / 2, give_up: Duration::MAX };
        assert!(retry_at(&endless, u32::MAX, Timestamp::MAX - 1.hour(), Timestamp::MAX - 1.hour(), 5).is_some());
        assert!(retry_at(&Retry::default(), 40, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, 5).is_some());
    }
}
