//! When a job is due: `run`, `at`, `week_starts`, `timezone`.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::fault::Fault;
use super::job_keys::JobKeys;
use super::table::Item;
use super::zone;
use crate::job::{Cadence, Schedule};
use crate::words::Words;

/// Reads a job's schedule.
pub(super) fn read(keys: &JobKeys<'_>) -> Option<Schedule> {
    let cadence = keys.require("run", "run = \"daily\"").and_then(|item| read_cadence(&item));
    let at = keys.get("at").map_or(Some(Time::constant(4, 0, 0, 0)), |item| read_time(&item));
    let week_starts = keys.get("week_starts").map_or(Some(Weekday::Monday), |item| item.word(Weekday::WORDS));
    let zone = keys.get("timezone").map_or(Some(TimeZone::UTC), |item| zone::read(&item));
    Some(Schedule { cadence: cadence?, at: at?, week_starts: week_starts?, zone: zone? })
}

fn read_cadence(item: &Item<'_>) -> Option<Cadence> {
    // `0 4 * * *`, `@daily`, and systemd's `*-*-* 04:00:00`.
    let is_cron = |text: &str| text.starts_with('@') || text.contains('*');
    if item.as_text().is_some_and(is_cron) {
        let fault = Fault::new("`run` takes a word, and no cron expression")
            .label("write \"daily\", \"weekly\" or \"monthly\"");
        item.fault(fault.help("the time of day is `at = \"04:00\"`"));
        return None;
    }
    item.word(Cadence::WORDS)
}

/// A time of day, `"04:00"`, or TOML's own `04:00`.
fn read_time(item: &Item<'_>) -> Option<Time> {
    let time = match item.as_time() {
        Some(time) if time.second.unwrap_or(0) == 0 && time.nanosecond.unwrap_or(0) == 0 => {
            Time::new(time.hour as i8, time.minute as i8, 0, 0).ok()
        }
        Some(_) => None,
        None if item.as_text().is_none() => {
            item.refuse("a time of day such as \"04:00\"");
            return None;
        }
        None => parse_time(item.text()?),
    };
    if time.is_none() {
        let fault = Fault::new(format!("`{}` is not a time of day", item.key));
        item.fault(fault.label("write hours and minutes from \"00:00\" to \"23:59\""));
    }
    time
}

fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| match digits.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => digits.parse().ok(),
        _ => None,
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hours_and_minutes_only() {
        assert_eq!(parse_time("04:00"), Some(Time::constant(4, 0, 0, 0)));
        assert_eq!(parse_time("23:59"), Some(Time::constant(23, 59, 0, 0)));
        for text in ["4:00", "24:00", "04:60", "04:00:00", "+4:00", "", "noon", "４４:00"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
