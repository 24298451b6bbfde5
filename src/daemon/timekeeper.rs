//! Which time to go by while the wall clock may be wrong: pure.
//!
//! The wall clock is compared with the time since boot, which nobody can set. As long as both advance together the wall
//! clock is right. When they part, the new time is in doubt until it has stood for [`HOLD`], or until the system says
//! that its clock is synchronised. During that time nothing is decided by a clock that has jumped ahead, and nothing runs
//! before its due time by a clock that was set back.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A wall clock that is ahead by more than this has jumped.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// A wall clock that is behind by more than this was set back. Corrections of a running clock are smaller.
const BEHIND: SignedDuration = SignedDuration::from_secs(5);

/// How long a new time must stand, by the time since boot, before it is accepted.
const HOLD: Duration = Duration::from_secs(5 * 60);

/// A start that is later than this after the last time seen may be the mistake of a clock.
const ABSENCE: SignedDuration = SignedDuration::from_hours(36);

/// No clock that is right shows an earlier time: this program is younger. Machines without a battery begin in 1970.
pub(super) const EPOCH: Timestamp = Timestamp::constant(1_793_491_200, 0);

/// What the clocks show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// The wall clock.
    pub(super) wall: Timestamp,
    /// The time since boot, time spent suspended included.
    pub(super) boot: Duration,
}

/// What is new about the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It has jumped ahead, from the time that is right as far as we know.
    Ahead { from: Timestamp, to: Timestamp },
    /// It was set back.
    Behind { from: Timestamp, to: Timestamp },
    /// It shows again what it would without the jump, or without having been set back.
    Returned,
    /// A jump has stood its time; it was noticed when it should have been `noticed`. To be confirmed with
    /// [`Timekeeper::accept`].
    AheadForGood { noticed: Timestamp, by: SignedDuration, to: Timestamp },
    /// Having been set back has stood its time: `to` is what it was set back to then. To be confirmed with
    /// [`Timekeeper::accept`].
    BehindForGood { from: Timestamp, to: Timestamp },
}

pub(super) struct Timekeeper {
    /// The moment of boot by the wall clock that is trusted.
    boot_at: Timestamp,
    doubt: Option<Doubt>,
}

struct Doubt {
    /// The moment of boot by the wall clock that is in doubt.
    boot_at: Timestamp,
    /// Since when, in time since boot.
    since: Duration,
}

impl Timekeeper {
    /// Begins with the clocks as they are, unless they contradict `highest`, the latest time that was ever seen.
    /// `was_held` if a jump was in doubt when the daemon before ended: a restart does not make it right.
    pub(super) fn new(highest: Option<Timestamp>, was_held: bool, reading: Reading) -> Timekeeper {
        let longest = if was_held { AHEAD } else { ABSENCE };
        let is_strange = |highest: &Timestamp| {
            let absence = reading.wall.duration_since(*highest);
            absence > longest || absence < -BEHIND
        };
        let wall = highest.filter(is_strange).unwrap_or(reading.wall);
        Timekeeper { boot_at: boot_at(wall, reading.boot), doubt: None }
    }

    /// Compares the clocks, and says what is new about the wall clock. `is_synchronised` is what the system says of it.
    pub(super) fn observe(&mut self, reading: Reading, is_synchronised: bool) -> Option<Change> {
        let now_at = boot_at(reading.wall, reading.boot);
        let Some(is_ahead) = self.strays(now_at) else {
            self.boot_at = now_at;
            return self.doubt.take().map(|_| Change::Returned);
        };
        let (from, to) = (self.boot_at + reading.boot, reading.wall);
        let known = self.doubt.as_mut().filter(|doubt| {
            let moved = now_at.duration_since(doubt.boot_at);
            moved <= AHEAD && moved >= -BEHIND && (self.boot_at < doubt.boot_at) == is_ahead
        });
        let Some(doubt) = known else {
            self.doubt = Some(Doubt { boot_at: now_at, since: reading.boot });
            return Some(if is_ahead { Change::Ahead { from, to } } else { Change::Behind { from, to } });
        };
        doubt.boot_at = now_at;
        if reading.wall < EPOCH || (reading.boot.saturating_sub(doubt.since) < HOLD && !is_synchronised) {
            return None;
        }
        let noticed = self.boot_at + doubt.since;
        Some(match is_ahead {
            true => Change::AheadForGood { noticed, by: to.duration_since(from), to },
            false => Change::BehindForGood { from, to: now_at + doubt.since },
        })
    }

    /// A change could not be recorded: one that is new is noticed again.
    pub(super) fn forget(&mut self, change: Change) {
        if let Change::Ahead { .. } | Change::Behind { .. } = change {
            self.doubt = None;
        }
    }

    /// The wall clock is right as it is now.
    pub(super) fn accept(&mut self, reading: Reading) {
        *self = Timekeeper { boot_at: boot_at(reading.wall, reading.boot), doubt: None };
    }

    /// Whether the wall clock is in doubt, or would be with this reading.
    pub(super) fn doubts(&self, reading: Reading) -> bool {
        self.strays(boot_at(reading.wall, reading.boot)).is_some()
    }

    /// The time to decide by: what the wall clock shows, but not what it has jumped ahead to.
    pub(super) fn now(&self, reading: Reading) -> Timestamp {
        match self.strays(boot_at(reading.wall, reading.boot)) {
            Some(true) => self.boot_at + reading.boot,
            Some(false) | None => reading.wall,
        }
    }

    /// Whether the clock that shows this moment of boot is too far ahead (true), or behind (false).
    fn strays(&self, boot_at: Timestamp) -> Option<bool> {
        let shift = boot_at.duration_since(self.boot_at);
        match () {
            () if shift > AHEAD => Some(true),
            () if shift < -BEHIND => Some(false),
            () => None,
        }
    }
}

fn boot_at(wall: Timestamp, boot: Duration) -> Timestamp {
    wall.checked_sub(boot).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    const START: Timestamp = Timestamp::constant(1_800_000_000, 0);

    /// A wall clock that is off by `shift` seconds, `after` this many seconds.
    fn at(after: u64, shift: i64) -> Reading {
        let boot = Duration::from_secs(1000 + after);
        Reading { wall: START + Duration::from_secs(after) + shift.seconds(), boot }
    }

    fn steady() -> Timekeeper {
        Timekeeper::new(Some(START), false, at(0, 0))
    }

    #[test]
    fn a_clock_that_advances_with_the_time_since_boot_is_trusted() {
        let mut time = steady();
        // Suspended for a month, and slewed by a second at a time.
        for (after, shift) in [(1, 0), (2_678_400, 0), (2_678_401, 1), (2_678_402, 4), (2_678_403, 0), (2_678_404, -4)]
        {
            assert_eq!(time.observe(at(after, shift), false), None, "{after} {shift}");
            assert_eq!(time.now(at(after, shift)), at(after, shift).wall);
        }
    }

    #[test]
    fn a_jump_ahead_is_held_for_five_minutes_of_time_since_boot() {
        let mut time = steady();
        let day = 86_400;
        let jump = Change::Ahead { from: at(10, 0).wall, to: at(10, day).wall };
        assert_eq!(time.observe(at(10, day), false), Some(jump));
        for after in [11, 100, 309] {
            assert_eq!(time.observe(at(after, day), false), None);
            assert_eq!(time.now(at(after, day)), at(after, 0).wall, "the time that it would be");
        }
        let by = SignedDuration::from_secs(day);
        let accepted = Change::AheadForGood { noticed: at(10, 0).wall, by, to: at(310, day).wall };
        assert_eq!(time.observe(at(310, day), false), Some(accepted));
        assert!(time.observe(at(311, day), false).is_some(), "proposed until it is confirmed");
        time.accept(at(311, day));
        assert_eq!(time.now(at(311, day)), at(311, day).wall);
        assert_eq!(time.observe(at(312, day), false), None);
    }

    #[test]
    fn a_clock_that_comes_back_has_done_nothing() {
        let mut time = steady();
        assert!(time.observe(at(10, 86_400), false).is_some());
        assert_eq!(time.observe(at(13, 0), false), Some(Change::Returned));
        assert_eq!(time.observe(at(400, 0), false), None);
    }

    #[test]
    fn a_synchronised_clock_is_held_no_longer_than_until_the_system_says_so() {
        let mut time = steady();
        assert!(matches!(time.observe(at(10, 86_400), true), Some(Change::Ahead { .. })));
        assert!(matches!(time.observe(at(11, 86_400), true), Some(Change::AheadForGood { .. })));
    }

    #[test]
    fn another_jump_begins_the_five_minutes_anew() {
        let mut time = steady();
        assert!(matches!(time.observe(at(10, 86_400), false), Some(Change::Ahead { .. })));
        assert!(matches!(time.observe(at(200, 2 * 86_400), false), Some(Change::Ahead { .. })));
        assert_eq!(time.observe(at(499, 2 * 86_400), false), None);
        assert!(matches!(time.observe(at(500, -3600), false), Some(Change::Behind { .. })), "now it is the other way");
        assert_eq!(time.observe(at(799, -3600), false), None);
        assert!(time.observe(at(800, -3600), false).is_some());
    }

    #[test]
    fn a_clock_that_was_set_back_is_gone_by_and_accepted_after_five_minutes() {
        let mut time = steady();
        let hour = -3600;
        let change = time.observe(at(10, hour), false);
        assert_eq!(change, Some(Change::Behind { from: at(10, 0).wall, to: at(10, hour).wall }));
        assert_eq!(time.now(at(11, hour)), at(11, hour).wall, "nothing may run before its due time");
        let accepted = Change::BehindForGood { from: at(311, 0).wall, to: at(10, hour).wall };
        assert_eq!(time.observe(at(311, hour), false), Some(accepted), "what it was set back to then");
    }

    #[test]
    fn a_time_before_this_program_was_made_is_never_accepted() {
        let mut time = steady();
        let in_1970 = |after| Reading { wall: Timestamp::UNIX_EPOCH + Duration::from_secs(after), ..at(after, 0) };
        assert!(matches!(time.observe(in_1970(10), true), Some(Change::Behind { .. })));
        assert_eq!(time.observe(in_1970(100_000), true), None);
        assert_eq!(time.observe(at(100_010, 0), false), Some(Change::Returned));
    }

    #[test]
    fn a_restart_does_not_accept_a_jump() {
        let hour = START - 1.hour();
        assert_eq!(Timekeeper::new(Some(hour), false, at(0, 0)).observe(at(0, 0), false), None);
        assert!(matches!(
            Timekeeper::new(Some(hour), true, at(0, 0)).observe(at(0, 0), false),
            Some(Change::Ahead { .. })
        ));
    }

    #[test]
    fn a_start_is_compared_with_the_latest_time_that_was_seen() {
        let start =
            |highest: i64| Timekeeper::new(Some(START + highest.seconds()), false, at(0, 0)).observe(at(0, 0), false);
        assert_eq!(start(-36 * 3600), None, "the daemon was down for a day and a half");
        assert!(matches!(start(-36 * 3600 - 1), Some(Change::Ahead { .. })));
        assert_eq!(start(5), None);
        assert!(matches!(start(6), Some(Change::Behind { .. })));
        assert!(matches!(start(400 * 86_400), Some(Change::Behind { .. })));
        assert_eq!(Timekeeper::new(None, false, at(0, 0)).observe(at(0, 0), false), None, "the first start of all");
    }
}
