//! The catalogue: which exports exist, which columns they have, and which of them leave the house by default.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::value::{ColumnType, Scale};
use crate::words::Words;

/// The names of the catalogues that come with the program.
pub const BUILTIN: [&str; 1] = ["contact-centre"];

/// The exports that jobs can name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The exports, in the order in which the catalogue lists them.
    pub exports: Vec<Export>,
}

/// One dataset: a table, view or query, and the columns that may be taken from it.
#[derive(Clone, Debug)]
pub struct Export {
    /// The name that jobs use, and `export_name` in file names.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// Where the rows come from.
    pub source: Source,
    /// Whether a period applies unless a job says otherwise.
    pub mode: Mode,
    /// The time columns that a period can filter on, by the word used in `filter_by` (`created`, `updated`, …).
    pub times: Vec<TimeColumn>,
    /// SQL columns that fix the order of rows, so that equal data gives equal files.
    pub order: Vec<String>,
    /// All columns that can be exported, in the order of the file.
    pub columns: Vec<Column>,
}

/// Where an export's rows come from. It is stored under the words of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A table or view, `name` or `schema.name`, exactly as the database spells it.
    #[serde(rename = "from")]
    Table(String),
    /// A single statement that yields rows.
    #[serde(rename = "query")]
    Query(String),
}

/// Whether an export covers a period or everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only the rows whose time falls into the run's period.
    Period,
    /// Always everything.
    Full,
}

impl Words for Mode {
    const WORDS: &'static [(&'static str, Mode)] = &[("period", Mode::Period), ("full", Mode::Full)];
}

/// A time column that a period can filter on.
#[derive(Clone, Debug)]
pub struct TimeColumn {
    /// The word used in `filter_by`.
    pub name: String,
    /// The column filtered on. Its type is `date` or `datetime`.
    pub column: Column,
}

/// One column of an export.
#[derive(Clone, Debug)]
pub struct Column {
    /// The name in the file's header and in `fields` and `add`.
    pub name: String,
    /// The column's name in the database.
    pub sql_name: String,
    /// What its cells are.
    pub kind: ColumnType,
    /// Left out unless a job names it: it tells about a person.
    pub sensitive: bool,
    /// Left out unless a job names it: it is filled for some rows only.
    pub additional: bool,
    /// The pattern that it is a member of (`question_{n}`), for columns that stand for a repeated group.
    pub group: Option<String>,
    /// The zone of date-times that the database stores without one. UTC if absent.
    pub zone: Option<TimeZone>,
    /// What a number means where a datetime is expected. Seconds if absent, unless a number looks like a Julian day.
    pub epoch: Option<EpochUnit>,
    /// The digits after the point of a decimal. [`Scale::AsNeeded`] is left to what the database declares.
    pub scale: Scale,
    /// What becomes of a cell that can't be read as `kind`.
    pub unreadable: Unreadable,
}

impl Column {
    /// A plain column whose name in the file is its name in the database.
    pub fn new(name: &str, kind: ColumnType) -> Column {
        Column {
            name: name.to_owned(),
            sql_name: name.to_owned(),
            kind,
            sensitive: false,
            additional: false,
            group: None,
            zone: None,
            epoch: None,
            scale: Scale::AsNeeded,
            unreadable: Unreadable::Fail,
        }
    }

    /// Whether the column is in a file when the job names no columns.
    pub fn is_default(&self) -> bool {
        !self.sensitive && !self.additional
    }
}

/// What a number means where a datetime is expected: what it counts, and from when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochUnit {
    /// Seconds since 1970-01-01T00:00:00 UTC.
    Seconds,
    /// Milliseconds since then.
    Milliseconds,
    /// Microseconds since then.
    Microseconds,
    /// Days since noon UTC of 4714-11-24 BC (proleptic Gregorian), as SQLite's `julianday()` counts them.
    Julian,
}

impl Words for EpochUnit {
    const WORDS: &'static [(&'static str, EpochUnit)] = &[
        ("s", EpochUnit::Seconds),
        ("ms", EpochUnit::Milliseconds),
        ("us", EpochUnit::Microseconds),
        ("julian", EpochUnit::Julian),
    ];
}

/// What becomes of a cell that can't be read as its column's type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unreadable {
    /// The run fails.
    #[default]
    Fail,
    /// It is NULL in the file, and counted.
    Null,
}

impl Words for Unreadable {
    const WORDS: &'static [(&'static str, Unreadable)] = &[("fail", Unreadable::Fail), ("null", Unreadable::Null)];
}

impl Catalogue {
    /// The export called `name`.
    pub fn export(&self, name: &str) -> Option<&Export> {
        self.exports.iter().find(|export| export.name == name)
    }
}

impl Export {
    /// The column called `name` in the file.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of a file when the job names none: neither sensitive nor additional.
    pub fn default_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.is_default())
    }

    /// The time column that `filter_by` names.
    pub fn time(&self, filter_by: &str) -> Option<&TimeColumn> {
        self.times.iter().find(|time| time.name == filter_by)
    }
}
