//! Periods: which calendar window of data belongs to a due time.

use jiff::Zoned;

/// The half-open window `[from, to)` of data that a run covers. Both ends are midnights in the job's zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    /// The first instant that belongs to it.
    pub from: Zoned,
    /// The first instant that no longer does.
    pub to: Zoned,
}
