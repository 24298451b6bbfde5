//! Jobs, places and files for tests that never reach a store or a server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use exportd::clearance::Location;
use exportd::job::{Cadence, Destination, Format, Job, Missed, Overlap, Retry, Schedule, SftpDestination};
use exportd::name::NameTemplate;
use exportd::run::FileRecord;
use exportd::state::StoredFile;
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
        destination: Arc::new(Destination::Sftp(SftpDestination {
            host: format!("{label}.example"),
            user: "drop".to_owned(),
            key: PathBuf::from("key"),
            ..destination()
        })),
        filename: NameTemplate::parse("{{label}}").expect("a valid template"),
        extension: "csv".to_owned(),
        zip: false,
        missed: Missed::All,
        overlap: Overlap::Queue,
        retry: Retry::default(),
        manifest: false,
    }
}

/// The server that a job delivers to.
pub fn sftp(job: &mut Job) -> &mut SftpDestination {
    match Arc::make_mut(&mut job.destination) {
        Destination::Sftp(sftp) => sftp,
        Destination::Folder(folder) => panic!("it delivers to the folder {}", folder.path.display()),
    }
}

/// Lets a job deliver to another host.
pub fn on_host(job: &mut Job, host: &str) {
    sftp(job).host = host.to_owned();
}

/// A place that files might be delivered to.
pub fn here() -> Location {
    Location::of(&Destination::Sftp(destination()))
}

/// A finished file as state knows it.
pub fn spooled_file(name: &str) -> StoredFile {
    let (export, sha256, unreadable) = ("agents".to_owned(), "ab".repeat(32), BTreeMap::from([("note".to_owned(), 2)]));
    StoredFile {
        file: FileRecord { name: name.to_owned(), export, rows: 3, bytes: 120, sha256, published: false, unreadable },
        is_manifest: false,
        spool: Some(format!("/spool/x/{name}").into()),
        temp_name: None,
        columns: Vec::new(),
        sensitive: Vec::new(),
        contents: Some(Vec::new()),
    }
}
