//! Jobs for tests that never reach a store or a server.

use std::path::PathBuf;

use exportd::job::{
    Cadence, Channels, Destination, Format, Job, Missed, Overlap, Publish, Retry, Schedule, Trust, Verify,
};
use exportd::name::NameTemplate;
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;

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
        destination: Destination {
            host: format!("{label}.example"),
            port: 22,
            user: "drop".to_owned(),
            directory: ".".to_owned(),
            key: PathBuf::from("key"),
            passphrase: None,
            trust: Trust::Pinned(Vec::new()),
            publish: Publish::Replace,
            allow_gap: false,
            verify: Verify::Size,
            requests: Destination::REQUESTS,
            channels: Channels::Auto,
            max_rate: None,
        },
        filename: NameTemplate::parse("{{label}}").expect("a valid template"),
        extension: "csv".to_owned(),
        zip: false,
        missed: Missed::All,
        overlap: Overlap::Queue,
        retry: Retry::default(),
        manifest: false,
    }
}
