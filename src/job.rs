//! A job as configured and checked: what is exported, when, in which format, to which destination.
//!
//! Everything here is valid by construction: `config` is the only maker, and it refuses what can't work.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use crate::catalogue::{Column, Source, TimeColumn};
use crate::name::NameTemplate;
use crate::secret::Secret;

/// A configured `[[job]]`.
#[derive(Clone, Debug)]
pub struct Job {
    /// The job's name, unique without regard to case; 1 to 100 characters.
    pub label: String,
    /// What it is for, up to 250 characters.
    pub description: String,
    /// Why its sensitive columns may leave; never absent where there are some.
    pub reason: Option<String>,
    /// A job that is switched off is shown but never due.
    pub enabled: bool,
    /// When it is due.
    pub schedule: Schedule,
    /// What it exports, each with its columns already chosen; shared by all jobs that make the same choice.
    pub exports: Vec<Arc<JobExport>>,
    /// How the files are written.
    pub format: Format,
    /// Where they go; shared by all jobs that go to the same place in the same way.
    pub destination: Arc<Destination>,
    /// How they are named.
    pub filename: NameTemplate,
    /// The ending of file names, without the dot; empty for none.
    pub extension: String,
    /// One zip for all exports instead of a file for each.
    pub zip: bool,
    /// What happens to occurrences that fell due while the daemon was down.
    pub missed: Missed,
    /// What happens to an occurrence that falls due while the job still runs.
    pub overlap: Overlap,
    /// How a delivery that failed is tried again.
    pub retry: Retry,
    /// Whether a manifest is published last.
    pub manifest: bool,
}

/// When a job is due: once in every day, week or month.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// How often.
    pub cadence: Cadence,
    /// The time of day in `zone`; seconds are zero.
    pub at: Time,
    /// The first day of a week, for weekly jobs and weekly periods.
    pub week_starts: Weekday,
    /// The time zone of due times, periods and written datetimes.
    pub zone: TimeZone,
}

impl Schedule {
    /// When it is due, for people: `weekly on Monday at 05:30 Europe/Paris`.
    pub fn words(&self) -> String {
        let day = match self.cadence {
            Cadence::Daily => String::new(),
            Cadence::Weekly => format!(" on {:?}", self.week_starts),
            Cadence::Monthly => " on the 1st".to_owned(),
        };
        let zone = self.zone.iana_name().unwrap_or("UTC");
        format!("{}{day} at {} {zone}", self.cadence.name(), self.at.strftime("%H:%M"))
    }
}

/// How often a job is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// Every day.
    Daily,
    /// On the first day of every week.
    Weekly,
    /// On the 1st of every month.
    Monthly,
}

impl Cadence {
    /// The word that stands for it in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Cadence::Daily => "daily",
            Cadence::Weekly => "weekly",
            Cadence::Monthly => "monthly",
        }
    }
}

/// One export of a job, with everything that reading and writing it needs.
#[derive(Clone, Debug)]
pub struct JobExport {
    /// The export's name in the catalogue.
    pub name: String,
    /// Where its rows come from.
    pub source: Source,
    /// The columns of the file, in order.
    pub columns: Arc<[Column]>,
    /// SQL columns that fix the order of rows.
    pub order: Vec<String>,
    /// The calendar period that a run covers.
    pub period: PeriodRule,
    /// The column that the period filters on; none for a full listing.
    pub filter: Option<TimeColumn>,
}

impl JobExport {
    /// The columns of its file that tell about persons.
    pub fn sensitive(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.sensitive)
    }
}

/// Which previous whole calendar period a run covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodRule {
    /// The previous day.
    Day,
    /// The previous week.
    Week,
    /// The previous month.
    Month,
    /// The previous year.
    Year,
    /// The two previous years.
    TwoYears,
    /// Everything.
    All,
}

impl PeriodRule {
    /// The word that stands for it in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            PeriodRule::Day => "day",
            PeriodRule::Week => "week",
            PeriodRule::Month => "month",
            PeriodRule::Year => "year",
            PeriodRule::TwoYears => "two-years",
            PeriodRule::All => "all",
        }
    }
}

/// How files are written.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// For BI tools and loaders; no choices.
    Bi,
    /// RFC 4180 with choices.
    Csv(CsvOptions),
    /// A JSON object per line; no choices.
    Ndjson,
}

impl Format {
    /// The usual ending of the format's files, without the dot.
    pub fn extension(&self) -> &'static str {
        match self {
            Format::Bi | Format::Csv(_) => "csv",
            Format::Ndjson => "ndjson",
        }
    }
}

/// The choices of the `csv` format (`[job.csv]`).
#[derive(Clone, Debug, PartialEq)]
pub struct CsvOptions {
    /// Between cells: one ASCII character other than a quote or a line break.
    pub delimiter: u8,
    /// After every row.
    pub line_ending: LineEnding,
    /// Start the file with U+FEFF.
    pub bom: bool,
    /// Write a first row of column names.
    pub header: bool,
    /// What stands for NULL; a text cell of the same content is quoted.
    pub null: String,
    /// Which cells are quoted.
    pub quote: Quote,
    /// The words for true and false.
    pub boolean: (String, String),
    /// How datetimes are written.
    pub datetime: DatetimeStyle,
    /// `.` or `,`, in floats and decimals.
    pub decimal_separator: u8,
    /// Disarm text that a spreadsheet would run as a formula.
    pub formula_guard: bool,
}

impl Default for CsvOptions {
    fn default() -> CsvOptions {
        CsvOptions {
            delimiter: b',',
            line_ending: LineEnding::CrLf,
            bom: false,
            header: true,
            null: String::new(),
            quote: Quote::Minimal,
            boolean: ("true".to_owned(), "false".to_owned()),
            datetime: DatetimeStyle::Rfc3339,
            decimal_separator: b'.',
            formula_guard: false,
        }
    }
}

/// The end of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnding {
    /// Carriage return and line feed, as RFC 4180 has it.
    CrLf,
    /// Line feed alone.
    Lf,
}

/// Which cells are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// Those that would be misread without.
    Minimal,
    /// All but NULL.
    All,
}

/// How datetimes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatetimeStyle {
    /// `2026-11-21T04:00:00+01:00`, in the job's zone.
    Rfc3339,
    /// `2026-11-21 04:00:00`, in the job's zone, without an offset.
    Local,
    /// `2026-11-21T03:00:00Z`.
    Utc,
}

/// An SFTP server and a directory on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// Host name or address.
    pub host: String,
    /// SSH port.
    pub port: u16,
    /// SSH user.
    pub user: String,
    /// The directory files are put into; it must exist.
    pub directory: String,
    /// The private key file that proves who we are.
    pub key: PathBuf,
    /// The passphrase of an encrypted key.
    pub passphrase: Option<Secret>,
    /// Which host keys prove who the server is.
    pub trust: Trust,
    /// What happens when the final name already exists.
    pub publish: Publish,
    /// Accept a moment without any file where the server can't replace one atomically.
    pub allow_gap: bool,
    /// How an uploaded file is compared with what was sent, before it is published.
    pub verify: Verify,
    /// Requests in flight at most, on each channel: 1 to 1024.
    pub requests: u16,
    /// How many channels one large file may travel over.
    pub channels: Channels,
    /// Bytes a second that go to the host at most, over all runs; none: as fast as it takes them.
    pub max_rate: Option<NonZeroU64>,
}

impl Destination {
    /// As many requests as no usual server minds, and enough for a long way.
    pub const REQUESTS: u16 = 128;
}

/// How an uploaded file is compared with what was sent, before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// By its size, which the server tells.
    Size,
    /// By its content, which is read back.
    Readback,
    /// Not at all, and nothing is looked at: for directories that may only be written.
    None,
}

/// How many channels of one connection a large file may travel over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// As server and distance suggest.
    Auto,
    /// So many at most, the first included; at least 1.
    AtMost(u8),
}

impl Destination {
    /// Who receives: `drop@sftp.partner.example:incoming/bi`, with the port where it is not the usual one.
    pub fn address(&self) -> String {
        let Destination { user, host, port, directory, .. } = self;
        match port {
            22 => format!("{user}@{host}:{directory}"),
            port => format!("{user}@{host}:{port}:{directory}"),
        }
    }
}

/// Which host keys are trusted. There is no third choice: an unknown key is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// SHA-256 fingerprints in OpenSSH's notation (`SHA256:…`).
    Pinned(Vec<String>),
    /// A file in OpenSSH's known_hosts format.
    KnownHosts(PathBuf),
}

/// What happens when the final name already exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    /// The new file takes its place in one step.
    Replace,
    /// The run fails and the old file stays.
    Refuse,
}

/// What happens to occurrences that fell due while the daemon was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// All are run, oldest first.
    All,
    /// Only the latest is run.
    Latest,
    /// None is run.
    None,
}

/// What happens to an occurrence that falls due while the job still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// It waits its turn.
    Queue,
}

/// How a run that failed for a passing reason is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
    /// How long after the first failure the run is given up.
    pub give_up: Duration,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry {
            first: Duration::from_secs(30),
            max: Duration::from_secs(3600),
            give_up: Duration::from_secs(2 * 24 * 3600),
        }
    }
}
