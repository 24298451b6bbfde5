//! What is odd about an occurrence: clocks that are changed, times that do not exist or come twice, ends of months.

use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, ToSpan, ZonedDateTime};

use crate::job::Job;
use crate::plan::Plan;
use crate::wording::plural;

/// In a longer period every change of the clocks is commonplace.
const LONGEST: i32 = 31;

/// Sentences about the due time and the period, for people who wonder about an hour or a day.
pub fn of(job: &Job, plan: &Plan) -> Vec<String> {
    let days = days(plan);
    let mut notes: Vec<String> = due_note(job, plan).into_iter().collect();
    if days <= LONGEST {
        notes.extend(clock_notes(plan));
    }
    notes.extend(month_note(plan, days));
    notes
}

fn days(plan: &Plan) -> i32 {
    plan.period.from.date().until(plan.period.to.date()).map_or(0, |span| span.get_days())
}

fn last_day(plan: &Plan) -> jiff::civil::Date {
    plan.period.to.saturating_sub(1.nanosecond()).date()
}

/// A time of day that the clocks leap over, or show twice.
fn due_note(job: &Job, plan: &Plan) -> Option<String> {
    let schedule = &job.schedule;
    let date = schedule.date(&plan.due);
    let wanted = schedule.at.strftime("%H:%M");
    match schedule.zone.to_ambiguous_timestamp(date.to_datetime(schedule.at)).offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { .. } => {
            let due = plan.due.strftime("%H:%M");
            Some(format!("the clocks leap over {wanted} on {date}: due right after the leap, at {due}"))
        }
        AmbiguousOffset::Fold { .. } => Some(format!("the clocks show {wanted} twice on {date}: due the first time")),
    }
}

/// Days of the period that have more or fewer than 24 hours.
fn clock_notes(plan: &Plan) -> Vec<String> {
    let period = &plan.period;
    let zone = period.from.time_zone();
    let changes =
        zone.following(period.from.timestamp()).take_while(|change| change.timestamp() < period.to.timestamp());
    let note = |at: jiff::Timestamp| {
        let before = (at - SignedDuration::from_nanos(1)).to_zoned_datetime(zone.clone());
        let after = at.to_zoned_datetime(zone.clone());
        let gained = after.offset().seconds() - before.offset().seconds();
        let direction = if gained > 0 { "forward" } else { "back" };
        (gained != 0)
            .then(|| format!("the clocks go {direction} on {}: that day has {}", before.date(), hours(&before)))
    };
    changes.filter_map(|change| note(change.timestamp())).collect()
}

/// How long the day of `time` is.
fn hours(time: &ZonedDateTime) -> String {
    let start = time.start_of_day();
    let end = time.tomorrow().and_then(|next| next.start_of_day());
    let length = match (start, end) {
        (Ok(start), Ok(end)) => end.timestamp().duration_since(start.timestamp()),
        _ => SignedDuration::from_hours(24),
    };
    match (length.as_hours(), length.as_mins() % 60) {
        (hours, 0) => plural(hours as usize, "hour"),
        (hours, minutes) => format!("{} {}", plural(hours as usize, "hour"), plural(minutes as usize, "minute")),
    }
}

/// A day that ends a month, or a week that lies in two.
fn month_note(plan: &Plan, days: i32) -> Option<String> {
    let (first, last) = (plan.period.from.date(), last_day(plan));
    if days == 1 && last == last.last_of_month() {
        return Some(format!("the last day of {}", last.strftime("%B")));
    }
    let is_split = days == 7 && first.month() != last.month();
    is_split.then(|| format!("a week of {} and {}", first.strftime("%B"), last.strftime("%B")))
}
