//! Periods: which calendar window of data belongs to a due time.
//!
//! A period is made of whole days of the job's zone, so one of a day with a change to or from summer time lasts 23
//! or 25 hours. It depends on the due time alone, never on when the work is done. A day that a zone leaves out
//! altogether (Apia had no 30 December 2011) has no period: the one of the day after it is the day before.
//! So each period of a job's cadence begins where the one of the occurrence before ended.

use jiff::civil::Date;
use jiff::{ToSpan, ZonedDateTime};

use crate::job::{Cadence, PeriodRule, Schedule};
use crate::schedule::start_of;

/// The half-open window `[from, to)` of data that a run covers. Both ends are midnights in the job's zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    /// The first instant that belongs to it.
    pub from: ZonedDateTime,
    /// The first instant that no longer does.
    pub to: ZonedDateTime,
}

impl PeriodRule {
    /// The rule of a job that names none: a daily job covers a day, a weekly one a week, a monthly one a month.
    pub fn of(cadence: Cadence) -> PeriodRule {
        match cadence {
            Cadence::Daily => PeriodRule::Day,
            Cadence::Weekly => PeriodRule::Week,
            Cadence::Monthly => PeriodRule::Month,
        }
    }
}

impl Period {
    /// The previous whole day, week, month, year or pair of years before the date of `due`. None if the rule is
    /// [`PeriodRule::All`], which has no bounds.
    pub fn before(rule: PeriodRule, due: &ZonedDateTime, schedule: &Schedule) -> Option<Period> {
        let date = schedule.date(due);
        let (to, length) = match rule {
            PeriodRule::Day => (date, 1.day()),
            PeriodRule::Week => (first_of_week(date, schedule), 7.days()),
            PeriodRule::Month => (date.first_of_month(), 1.month()),
            PeriodRule::Year => (date.first_of_year(), 1.year()),
            PeriodRule::TwoYears => (date.first_of_year(), 2.years()),
            PeriodRule::All => return None,
        };
        let start = |date| start_of(date, &schedule.zone);
        let (mut from, end) = (start(to.saturating_sub(length)), start(to));
        if from == end {
            // The zone leaves that day out. The day before it is the last one that no period covers yet.
            from = start(to.saturating_sub(length).saturating_sub(length));
        }
        Some(Period { from, to: end })
    }

    /// The period of the job's cadence: what history shows of a run as a whole.
    pub fn of_cadence(due: &ZonedDateTime, schedule: &Schedule) -> Period {
        Period::before(PeriodRule::of(schedule.cadence), due, schedule).expect("every cadence has a bounded period")
    }
}

/// The first day of the week that `date` lies in.
fn first_of_week(date: Date, schedule: &Schedule) -> Date {
    date.saturating_sub(i64::from(date.weekday().since(schedule.week_starts)).days())
}

#[cfg(test)]
mod tests;
