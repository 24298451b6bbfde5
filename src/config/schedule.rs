//! When a job is due: `run`, `at`, `week_starts`, `timezone`.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::fault::Fault;
use super::job_keys::JobKeys;
use super::table::{Item, nearest};
use crate::job::{Cadence, Schedule};
use crate::words::Words;

/// Reads a job's schedule.
pub(super) fn read(keys: &JobKeys<'_>) -> Option<Schedule> {
    let cadence = keys.require("run", "run = \"daily\"").and_then(|item| item.word(Cadence::WORDS));
    let at = keys.get("at").map_or(Some(Time::constant(4, 0, 0, 0)), |item| read_time(&item));
    let week_starts = keys.get("week_starts").map_or(Some(Weekday::Monday), |item| item.word(Weekday::WORDS));
    let zone = keys.get("timezone").map_or(Some(TimeZone::UTC), |item| read_zone(&item));
    Some(Schedule { cadence: cadence?, at: at?, week_starts: week_starts?, zone: zone? })
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

/// A time zone by its IANA name.
pub(super) fn read_zone(item: &Item<'_>) -> Option<TimeZone> {
    let name = item.text()?;
    if let Ok(zone) = TimeZone::get(name) {
        return Some(zone);
    }
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
    let label = match nearest_zone(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write an IANA name such as `Europe/Paris` or `UTC`".to_owned(),
    };
    item.fault(Fault::new(format!("there is no time zone `{name}`")).label(label));
    None
}

/// People leave out the continent more often than they misspell the city.
fn nearest_zone<'n>(name: &str, names: &'n [String]) -> Option<&'n str> {
    let city = |zone: &'n str| zone.rsplit('/').next().unwrap_or(zone);
    let wanted = name.replace(' ', "_");
    let same_city = names.iter().find(|zone| zone.contains('/') && city(zone).eq_ignore_ascii_case(&wanted));
    same_city.map(String::as_str).or_else(|| nearest(&wanted, names.iter().map(String::as_str)))
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

    #[test]
    fn finds_the_zone_of_a_city() {
        let names = ["America/Paris_Hill".to_owned(), "Europe/Paris".to_owned(), "UTC".to_owned()];
        assert_eq!(nearest_zone("paris", &names), Some("Europe/Paris"));
        assert_eq!(nearest_zone("Europe/Pariss", &names), Some("Europe/Paris"));
        assert_eq!(nearest_zone("Atlantis/Capital", &names), None);
    }
}
