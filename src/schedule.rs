//! Due times: when a job is due, as a pure function of its schedule.
//!
//! Every calendar day, week or month has exactly one occurrence, and it belongs to a date of its own. A time of day
//! that the clock leaps over is due at the first instant after the leap; one that comes twice is due the first time.
//! A day that a zone leaves out altogether (Apia had no 30 December 2011) has no occurrence of a daily job; a week or
//! month that would begin on it begins, as the clock does, right after it.
//! Nothing here reads a clock: the same schedule gives the same due times from wherever one starts to look.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp, ToSpan, ZonedDateTime};

use crate::job::{Cadence, Schedule};

impl Schedule {
    /// The due times in `(after, until]`, oldest first.
    pub fn occurrences(&self, after: Timestamp, until: Timestamp) -> impl Iterator<Item = ZonedDateTime> + '_ {
        // Two days earlier than needed: an instant's date and the date whose occurrence it is can differ by a leap.
        let start = date_of(after, &self.zone).saturating_sub(2.days());
        let dates = std::iter::successors(Some(self.date_on_or_before(start)), |&date| self.next_date(date));
        dates
            .filter_map(|date| self.due_on(date))
            .skip_while(move |due| due.timestamp() <= after)
            .take_while(move |due| due.timestamp() <= until)
    }

    /// The first due time after `after`, which lies before the year 9999.
    pub fn next_due(&self, after: Timestamp) -> ZonedDateTime {
        self.occurrences(after, Timestamp::MAX).next().expect("the calendar goes on for a month after any real time")
    }

    /// The last due time at or before `until`, which lies after the year -9999.
    pub fn latest_due(&self, until: Timestamp) -> ZonedDateTime {
        let reach: Span = match self.cadence {
            Cadence::Daily => 4.days(),
            Cadence::Weekly => 15.days(),
            Cadence::Monthly => 63.days(),
        };
        let after = start_of(date_of(until, &self.zone).saturating_sub(reach), &self.zone).timestamp();
        self.occurrences(after, until).last().expect("every stretch of that length holds an occurrence")
    }

    /// The date that a due time belongs to: the one that names and periods are made from.
    ///
    /// It is the due time's own date, but for the day whose time of day is lost in a leap over midnight: that day's
    /// occurrence is due in the first instant of the next day and still belongs to the day before.
    pub fn date(&self, due: &ZonedDateTime) -> Date {
        let date = due.with_time_zone(self.zone.clone()).date();
        match date.yesterday() {
            Ok(before) if self.begins(before) && self.due_on(before).as_ref() == Some(due) => before,
            _ => date,
        }
    }

    /// The time that file names show for a due time: itself, or the last second before a leap over midnight, so that
    /// the name of every occurrence has its own [`date`](Schedule::date).
    pub fn name_time(&self, due: &ZonedDateTime) -> ZonedDateTime {
        let before = due.saturating_sub(1.second());
        if before.date() < due.date() && before.date() == self.date(due) { before } else { due.clone() }
    }

    /// The due time of the occurrence that belongs to `date`; none of a day that the zone leaves out, which can't be
    /// a daily job's.
    fn due_on(&self, date: Date) -> Option<ZonedDateTime> {
        let due = first_instant(date.to_datetime(self.at), &self.zone);
        let is_real = self.cadence != Cadence::Daily || due.date() == date || start_of(date, &self.zone).date() == date;
        is_real.then_some(due)
    }

    /// Whether a day, week or month of the cadence begins on `date`.
    fn begins(&self, date: Date) -> bool {
        self.date_on_or_before(date) == date
    }

    /// The latest first day of a day, week or month that is not after `date`.
    fn date_on_or_before(&self, date: Date) -> Date {
        match self.cadence {
            Cadence::Daily => date,
            Cadence::Weekly => date.saturating_sub(i64::from(date.weekday().since(self.week_starts)).days()),
            Cadence::Monthly => date.first_of_month(),
        }
    }

    /// The first day of the day, week or month after the one that begins on `date`; none at the end of the calendar.
    fn next_date(&self, date: Date) -> Option<Date> {
        let step = match self.cadence {
            Cadence::Daily => 1.day(),
            Cadence::Weekly => 7.days(),
            Cadence::Monthly => 1.month(),
        };
        date.checked_add(step).ok()
    }
}

/// The first instant of `date` in `zone`; of a date that the zone leaves out, the first instant after it.
pub(crate) fn start_of(date: Date, zone: &TimeZone) -> ZonedDateTime {
    first_instant(date.to_datetime(Time::midnight()), zone)
}

/// The date that the clock of `zone` shows at `instant`.
fn date_of(instant: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(instant).date()
}

/// The first instant at which the clock of `zone` shows `time` or, where it leaps over it, anything later.
pub fn first_instant(time: DateTime, zone: &TimeZone) -> ZonedDateTime {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let leap = match ambiguous.offset() {
        AmbiguousOffset::Gap { before, .. } => before.to_timestamp(time).ok().and_then(|read_before| {
            // Read with the offset before the leap, a lost time lies at or after the moment of the leap itself.
            let end = read_before.checked_add(1.second()).unwrap_or(Timestamp::MAX);
            zone.preceding(end)
                .map(|transition| transition.timestamp())
                .find(|&moment| before.to_datetime(moment) <= time && zone.to_datetime(moment) > time)
        }),
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => None,
    };
    let instant = leap.or_else(|| ambiguous.compatible().ok());
    // Only the last hours of the year 9999 have no timestamp.
    ZonedDateTime::new(instant.unwrap_or(Timestamp::MAX), zone.clone())
}
