//! Choosing jobs by label, runs by identifier, and due times by what a person types.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp, ZonedDateTime};

use crate::config::{self, Config};
use crate::job::Job;
use crate::plan::Plan;
use crate::run::RunRecord;
use crate::schedule::first_instant;
use crate::state::State;

use super::failure::Failure;
use super::output;

/// How many names are listed to somebody who mistyped one.
const SHOWN: usize = 20;

/// The jobs with these labels, in this order, compared without case; all jobs if there are no labels.
pub fn jobs<'a>(config: &'a Config, labels: &[String]) -> Result<Vec<&'a Job>, Failure> {
    if labels.is_empty() {
        return Ok(config.jobs.iter().collect());
    }
    labels.iter().map(|label| job(config, label)).collect()
}

/// The job with this label.
pub fn job<'a>(config: &'a Config, label: &str) -> Result<&'a Job, Failure> {
    config.job(label).ok_or_else(|| {
        let known = config.jobs.iter().map(|job| job.label.as_str());
        Failure::usage(format!("there is no job {label:?}; {}", choices("the jobs are", label, known)))
    })
}

/// The nearest of the known names, or if none is near, some of them.
pub fn choices<'n>(these_are: &str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> String {
    if let Some(near) = config::nearest(name, known.clone()) {
        return format!("did you mean {near:?}?");
    }
    let count = known.clone().count();
    let more = if count > SHOWN { format!(" and {} more", count - SHOWN) } else { String::new() };
    format!("{these_are} {}{more}", known.take(SHOWN).collect::<Vec<_>>().join(", "))
}

/// The run whose identifier starts with `prefix`.
pub async fn run(state: &State, prefix: &str) -> Result<RunRecord, Failure> {
    let mut found = state.find(prefix).await.map_err(Failure::unreachable)?;
    match found.len() {
        0 => Err(Failure::usage(format!("there is no run {prefix:?}; exportd history lists them"))),
        1 => Ok(found.remove(0)),
        _ => {
            let candidates: Vec<&str> = found.iter().map(|run| run.id.as_str()).collect();
            Err(Failure::usage(format!("{prefix:?} is the start of several runs: {}", candidates.join(", "))))
        }
    }
}

/// The moment that `text` means: a date or a time of this machine's zone, RFC 3339, or how long before `now`.
pub fn since(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let day = SpanRelativeTo::days_are_24_hours();
    let ago = text.parse::<Span>().ok().and_then(|span| span.to_duration(day).ok());
    if let Some(moment) = ago.and_then(|ago| now.checked_sub(ago).ok()) {
        return Ok(moment);
    }
    let civil = match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => Ok(date.to_datetime(Time::midnight())),
        _ => text.parse::<DateTime>(),
    };
    let civil = civil.map_err(|_| {
        Failure::usage(format!(
            "can't read the time {text:?}; write 2026-11-21, 2026-11-21T04:00, or 90m, 12h, 7d for so long ago"
        ))
    })?;
    Ok(first_instant(civil, &TimeZone::system()).timestamp())
}

/// The due time that `text` means for `job`: a date (at the job's time of day), a date and time in the job's zone,
/// or RFC 3339.
pub fn due(job: &Job, text: &str) -> Result<ZonedDateTime, Failure> {
    let zone = &job.schedule.zone;
    instant(text, job.schedule.at, zone).map(|at| at.to_zoned_datetime(zone.clone())).ok_or_else(|| unreadable(text))
}

/// The point in time that `text` means: a date (its midnight) or a date and time in `zone`, or RFC 3339.
pub fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, Failure> {
    instant(text, Time::midnight(), zone).ok_or_else(|| unreadable(text))
}

/// Refuses a due time whose period is not over: its files would lack what is still to come, and look complete.
pub fn require_past(job: &Job, due: &ZonedDateTime, now: Timestamp) -> Result<(), Failure> {
    let plan = Plan::new(job, due, "");
    let own = plan.files.iter().flat_map(|file| &file.parts).filter_map(|part| part.period.as_ref());
    let Some(open) = own.chain([&plan.period]).find(|period| period.to.timestamp() > now) else { return Ok(()) };
    let (label, period) = (&job.label, output::period(&open.from, &open.to));
    let latest = job.schedule.latest_due(now);
    Err(Failure::usage(format!(
        "job {label}: a run due {} covers {period}, which is not over yet; \
         give --at a time that has come, such as {}, the job's latest",
        output::time(due),
        latest.strftime("%Y-%m-%dT%H:%M"),
    )))
}

fn instant(text: &str, at: Time, zone: &TimeZone) -> Option<Timestamp> {
    let civil = |civil| first_instant(civil, zone).timestamp();
    let has_offset = text.get(10..).is_some_and(|time| time.contains(['Z', 'z', '+', '-']));
    let found = match text.as_bytes().get(10) {
        _ if text.contains('[') => None,
        None => text.parse::<Date>().ok().filter(|_| text.len() == 10).map(|date| civil(date.to_datetime(at))),
        Some(_) if has_offset => text.parse::<Timestamp>().ok(),
        Some(b'T' | b't' | b' ') => text.parse::<DateTime>().ok().map(civil),
        Some(_) => None,
    };
    // File names show years of four digits.
    found.filter(|at| (1000..=9999).contains(&at.to_zoned_datetime(zone.clone()).year()))
}

fn unreadable(text: &str) -> Failure {
    let forms = "2026-11-21, 2026-11-21T04:00 or 2026-11-21T04:00:00+01:00";
    Failure::usage(format!("can't read the time {text:?}; write it as {forms}, in the years 1000 to 9999"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        instant(text, Time::constant(4, 0, 0, 0), &zone).map(|at| at.to_string())
    }

    #[test]
    fn times_are_read_in_three_forms() {
        for text in
            ["2026-11-21", "2026-11-21T04:00", "2026-11-21 04:00:00", "2026-11-21T03:00:00Z", "2026-11-21T04:00+01:00"]
        {
            assert_eq!(read(text).as_deref(), Some("2026-11-21T03:00:00Z"), "{text}");
        }
    }

    #[test]
    fn whatever_else_looks_like_a_time_is_refused() {
        for text in [
            "",
            "now",
            "20261121",
            "2026-11-31",
            "2026-1-1",
            "21.11.2026",
            "2026-11-21T25:00",
            "2026-W47-6",
            "11/21/2026",
            "2026-11-21T04:00[UTC]",
            "0000-01-01",
            "0001-01-01",
            "-009999-01-01",
            "+002026-11-21",
            "10000-01-01",
            "P1D",
            "2026-11-21é04:00",
            "1795215600",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
