//! A job as configured and checked: what is exported, when, in which format, to which destination.
//!
//! Everything here is valid by construction: `config` is the only maker, and it refuses what can't work.

mod destination;

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use crate::catalogue::{Column, Source, TimeColumn};
use crate::name::NameTemplate;
use crate::words::Words;

pub use self::destination::{Channels, Destination, FolderDestination, Publish, SftpDestination, Trust, Verify};

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
    /// What it exports, each with its columns already chosen; one copy for all jobs that choose the same.
    pub exports: Vec<Arc<JobExport>>,
    /// How the files are written.
    pub format: Format,
    /// Where they are delivered; shared by all jobs that deliver to the same place in the same way.
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

impl Job {
    /// What history calls a column of one of the job's files: in a zip, each with its export before it (`agents.id`).
    pub fn column_in_file(&self, export: &JobExport, column: &Column) -> String {
        match self.zip {
            true => format!("{}.{}", export.name, column.name),
            false => column.name.clone(),
        }
    }
}

/// What tells jobs apart: labels are unique without regard to case.
pub fn job_key(label: &str) -> String {
    label.to_lowercase()
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
        format!("{}{day} at {} {zone}", self.cadence.word(), self.at.strftime("%H:%M"))
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

impl Words for Cadence {
    const WORDS: &'static [(&'static str, Cadence)] =
        &[("daily", Cadence::Daily), ("weekly", Cadence::Weekly), ("monthly", Cadence::Monthly)];
}

impl Words for Weekday {
    const WORDS: &'static [(&'static str, Weekday)] = &[
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
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
    /// What of the data a run covers, for people: a period such as `day` or `two years`, or `all rows`.
    pub fn window(&self) -> &'static str {
        match (&self.filter, self.period) {
            (None, _) | (_, PeriodRule::All) => "all rows",
            (_, PeriodRule::TwoYears) => "two years",
            (_, period) => period.word(),
        }
    }

    /// The columns of its file that tell about persons.
    pub fn sensitive(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.sensitive)
    }
}

/// Which previous whole calendar period a run covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

impl Words for PeriodRule {
    const WORDS: &'static [(&'static str, PeriodRule)] = &[
        ("day", PeriodRule::Day),
        ("week", PeriodRule::Week),
        ("month", PeriodRule::Month),
        ("year", PeriodRule::Year),
        ("two-years", PeriodRule::TwoYears),
        ("all", PeriodRule::All),
    ];
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

/// A format without its choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatName {
    /// [`Format::Bi`].
    Bi,
    /// [`Format::Csv`].
    Csv,
    /// [`Format::Ndjson`].
    Ndjson,
}

impl Words for FormatName {
    const WORDS: &'static [(&'static str, FormatName)] =
        &[("bi", FormatName::Bi), ("csv", FormatName::Csv), ("ndjson", FormatName::Ndjson)];
}

impl Format {
    /// Which format it is.
    pub fn name(&self) -> FormatName {
        match self {
            Format::Bi => FormatName::Bi,
            Format::Csv(_) => FormatName::Csv,
            Format::Ndjson => FormatName::Ndjson,
        }
    }

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

impl CsvOptions {
    /// The usual pairs of words for true and false.
    pub const BOOLEANS: [&'static str; 4] = ["true/false", "1/0", "yes/no", "t/f"];
    /// The decimal separators, each with its byte.
    pub const DECIMAL_SEPARATORS: [(&'static str, u8); 2] = [(".", b'.'), (",", b',')];
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

impl Words for LineEnding {
    const WORDS: &'static [(&'static str, LineEnding)] = &[("crlf", LineEnding::CrLf), ("lf", LineEnding::Lf)];
}

/// Which cells are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// Those that would be misread without.
    Minimal,
    /// All but NULL.
    All,
}

impl Words for Quote {
    const WORDS: &'static [(&'static str, Quote)] = &[("minimal", Quote::Minimal), ("all", Quote::All)];
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

impl Words for DatetimeStyle {
    const WORDS: &'static [(&'static str, DatetimeStyle)] =
        &[("rfc3339", DatetimeStyle::Rfc3339), ("local", DatetimeStyle::Local), ("utc", DatetimeStyle::Utc)];
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

impl Words for Missed {
    const WORDS: &'static [(&'static str, Missed)] =
        &[("all", Missed::All), ("latest", Missed::Latest), ("none", Missed::None)];
}

/// What happens to an occurrence that falls due while the job still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// It waits its turn.
    Queue,
}

impl Words for Overlap {
    const WORDS: &'static [(&'static str, Overlap)] = &[("queue", Overlap::Queue)];
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
