//! Places where a test can make the program die, stop, fail or wait, as a crash, a full disk or a stuck peer would.
//!
//! `EXPORTD_FAILPOINT=POINT:SIDE=ACTION`, once per process, arms one side (`before`, `after`) of one of [`POINTS`];
//! `ACTION@N` acts the Nth time that the program comes by. Only builds with the Cargo feature `failpoints`
//! look at it, which the tests turn on: elsewhere every function here is empty.

use std::io;

/// Every point, named by the step that it surrounds.
pub const POINTS: &[&str] = &[
    "state:decide",
    "state:start",
    "state:reopen",
    "state:hand-over",
    "state:discard",
    "state:stage",
    "state:spooled",
    "state:uploading",
    "state:published",
    "state:released",
    "state:temporaries",
    "state:forget",
    "state:wait",
    "state:finish",
    "state:fall-back",
    "spool:folder",
    "spool:open",
    "spool:write",
    "spool:sync",
    "spool:entry",
    "spool:remove",
    "destination:reach",
    "destination:upload",
    "destination:rename",
    "destination:clean",
];

/// Which side of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It has not begun.
    Before,
    /// It has been done, and nobody has been told yet.
    After,
}

/// A local step that can fail. Actions: `kill` (as `kill -9`), `panic`, `error` (an I/O error), `full` (no space left), and
/// `slow` (a pause, every time).
#[inline]
pub fn io(point: &'static str, side: Side) -> io::Result<()> {
    #[cfg(feature = "failpoints")]
    return armed::io(point, side);
    #[cfg(not(feature = "failpoints"))]
    {
        let _ = (point, side);
        Ok(())
    }
}

/// A step of a task. Actions: those of [`io()`], and `hang` (the task never goes on).
#[inline]
pub async fn step(point: &'static str, side: Side) -> io::Result<()> {
    #[cfg(feature = "failpoints")]
    return armed::step(point, side).await;
    #[cfg(not(feature = "failpoints"))]
    {
        let _ = (point, side);
        Ok(())
    }
}

/// A step of a task that knows no errors. Actions: `kill`, `panic`, `hang`.
#[inline]
pub async fn reach(point: &'static str, side: Side) {
    let _ = step(point, side).await;
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::io;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    use super::{POINTS, Side};

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Action {
        Kill,
        Panic,
        Error,
        Full,
        Hang,
        Slow,
    }

    /// How long a slow step takes more.
    const PAUSE: Duration = Duration::from_millis(3);

    struct Armed {
        point: String,
        side: Side,
        action: Action,
        /// How often the point is still to be passed, the passage at which it acts included.
        left: AtomicUsize,
    }

    pub(super) fn io(point: &str, side: Side) -> io::Result<()> {
        action_at(point, side).map_or(Ok(()), act)
    }

    pub(super) async fn step(point: &str, side: Side) -> io::Result<()> {
        match action_at(point, side) {
            Some(Action::Hang) => std::future::pending().await,
            action => action.map_or(Ok(()), act),
        }
    }

    fn act(action: Action) -> io::Result<()> {
        match action {
            Action::Kill => {
                kill_process(getpid(), Signal::KILL)?;
                std::thread::park();
                Ok(())
            }
            Action::Panic => panic!("as EXPORTD_FAILPOINT wants it"),
            Action::Error => fail(5),
            Action::Full => fail(28),
            Action::Hang => Ok(()),
            Action::Slow => {
                std::thread::sleep(PAUSE);
                Ok(())
            }
        }
    }

    fn fail(errno: i32) -> io::Result<()> {
        tracing::warn!(errno, "a fail point acts");
        Err(io::Error::from_raw_os_error(errno))
    }

    fn action_at(point: &str, side: Side) -> Option<Action> {
        assert!(POINTS.contains(&point), "{point} is not in the list of fail points");
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        let armed = ARMED.get_or_init(|| std::env::var("EXPORTD_FAILPOINT").ok().map(|text| parse(&text)));
        let armed = armed.as_ref().filter(|armed| armed.point == point && armed.side == side)?;
        if armed.action == Action::Slow {
            return Some(Action::Slow);
        }
        let left = armed.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        // It acts once: the work that meets an error is to be seen going on.
        (left == Ok(1)).then_some(armed.action)
    }

    fn parse(text: &str) -> Armed {
        let (place, what) = text.split_once('=').expect("EXPORTD_FAILPOINT is POINT:SIDE=ACTION");
        let (point, side) = place.rsplit_once(':').expect("EXPORTD_FAILPOINT is POINT:SIDE=ACTION");
        let (action, nth) = what.split_once('@').unwrap_or((what, "1"));
        assert!(POINTS.contains(&point), "there is no fail point {point}");
        Armed {
            point: point.to_owned(),
            side: match side {
                "before" => Side::Before,
                "after" => Side::After,
                other => panic!("a fail point has the sides before and after, not {other}"),
            },
            action: match action {
                "kill" => Action::Kill,
                "panic" => Action::Panic,
                "error" => Action::Error,
                "full" => Action::Full,
                "hang" => Action::Hang,
                "slow" => Action::Slow,
                other => panic!("a fail point can kill, panic, error, full, hang or slow, not {other}"),
            },
            left: AtomicUsize::new(nth.parse::<usize>().expect("the number after @ counts from 1")),
        }
    }
}
