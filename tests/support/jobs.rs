//! Jobs for tests that never reach a store or a server.

use std::path::PathBuf;
use std::sync::Arc;

use exportd::job::{Cadence, Destination, Format, Job, Missed, Overlap, Retry, Schedule};
use exportd::name::NameTemplate;
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;

use super::sshd::destination;

/// A job that is due daily at `hour:minute` UTC, on a host of its own.
pub fn daily(label: &str, hour: i8, minute: i8) -> Job {
    Job {
        label: label.to_owned(),
        description: String::new(),
        reason: None,
        enabled: true,
        schedule: Schedule {
            cadence: Cadence::Daily,
            at: time(hour, minute, 0, 0),
            week_starts: Weekday::Monday,
            zone: TimeZone::UTC,
        },
        exports: Vec::new(),
        format: Format::Bi,
        destination: Arc::new(Destination {
            host: format!("{label}.example"),
            user: "drop".to_owned(),
            key: PathBuf::from("key"),
            ..destination()
        }),
        filename: NameTemplate::parse("{{label}}").expect("a valid template"),
        extension: "csv".to_owned(),
        zip: false,
        missed: Missed::All,
        overlap: Overlap::Queue,
        retry: Retry::default(),
        manifest: false,
    }
}
