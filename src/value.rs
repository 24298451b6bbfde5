//! Values on their way from a store to a file: what a database hands over, and what a catalogue declares it to be.

use std::fmt;
use std::str::FromStr;

use crate::wording::{cells_of_columns, count};

/// What a catalogue declares a column to be. It fixes how a cell is written, whatever the database calls its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// An opaque identifier: text or a whole number, written as it is.
    Id,
    /// Text of one line.
    String,
    /// Text that may hold line breaks.
    Text,
    /// A whole number of any size.
    Integer,
    /// A binary floating-point number, written with the fewest digits that read back to the same number.
    Float,
    /// An exact number, written without loss and without needless zeros unless the column fixes its scale.
    Decimal,
    /// True or false.
    Boolean,
    /// A calendar date of the years 1 to 9999.
    Date,
    /// An instant, written in the job's time zone with its offset.
    Datetime,
    /// A list, its elements joined by a comma and a blank.
    Array,
}

impl ColumnType {
    /// All types, in the order in which the documentation lists them.
    pub const ALL: [ColumnType; 10] = [
        ColumnType::Id,
        ColumnType::String,
        ColumnType::Text,
        ColumnType::Integer,
        ColumnType::Float,
        ColumnType::Decimal,
        ColumnType::Boolean,
        ColumnType::Date,
        ColumnType::Datetime,
        ColumnType::Array,
    ];

    /// The word that stands for the type in a catalogue.
    pub fn name(self) -> &'static str {
        match self {
            ColumnType::Id => "id",
            ColumnType::String => "string",
            ColumnType::Text => "text",
            ColumnType::Integer => "integer",
            ColumnType::Float => "float",
            ColumnType::Decimal => "decimal",
            ColumnType::Boolean => "boolean",
            ColumnType::Date => "date",
            ColumnType::Datetime => "datetime",
            ColumnType::Array => "array",
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ColumnType {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        ColumnType::ALL.into_iter().find(|kind| kind.name() == word).ok_or(())
    }
}

/// How many digits a decimal has after the point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// As many as it needs.
    #[default]
    AsNeeded,
    /// As many as the database gives it, because the database declares their number and holds every value to it.
    AsStored,
    /// As many as it needs, and at least this many: SQLite lets a column declare their number, and does not enforce it.
    AtLeast(u16),
    /// This many. A number that needs more is a fault.
    Exactly(u8),
}

/// One cell as a database hands it over, borrowed from the driver's buffer.
///
/// Adapters translate their wire formats into these few shapes and decide nothing; what a shape means for a
/// declared [`ColumnType`] is decided once, in `encode`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// A boolean of a database that has them.
    Bool(bool),
    /// A signed whole number.
    Int(i64),
    /// An unsigned whole number.
    Uint(u64),
    /// A 32-bit floating-point number; kept apart because its shortest decimal form is its own.
    Float32(f32),
    /// A 64-bit floating-point number.
    Float(f64),
    /// Character data, and every exact number that the database renders as text. Not yet known to be UTF-8.
    Text(&'a [u8]),
    /// Binary data.
    Bytes(&'a [u8]),
    /// A date, in days since 1970-01-01.
    Date(i32),
    /// An instant.
    Instant(Instant),
    /// A date and time without a zone: seconds and nanoseconds since 1970-01-01T00:00:00 on that unnamed clock.
    Civil(Instant),
    /// An array of a database that gives its elements a type: a JSON array of texts, and what each of them is to be read
    /// as. Arrays that are JSON in the database are [`Value::Text`].
    Elements(&'a [u8], ColumnType),
    /// A value that is not handed over, because it has more bytes than the store's settings allow.
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The most that is allowed.
        limit: u64,
    },
}

impl Value<'_> {
    /// The number that a database has rendered as `text`: a whole one in full, any other as the nearest double.
    pub fn of_digits(text: &[u8]) -> Option<Value<'static>> {
        let text = std::str::from_utf8(text).ok()?;
        text.parse().map(Value::Int).or_else(|_| text.parse().map(Value::Float)).ok()
    }

    /// What it is, in words, for a fault.
    pub fn kind(self) -> &'static str {
        match self {
            Value::Null => "NULL",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Uint(_) => "a whole number",
            Value::Float32(_) | Value::Float(_) => "a floating-point number",
            Value::Text(_) => "text",
            Value::Bytes(_) => "binary data",
            Value::Date(_) => "a date",
            Value::Instant(_) | Value::Civil(_) => "a datetime",
            Value::Elements(..) => "an array",
            Value::TooLarge { .. } => "a cell that is too large",
        }
    }
}

/// A point in time: seconds since 1970-01-01T00:00:00 UTC and the nanoseconds after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// Nanoseconds after `seconds`, 0 to 999,999,999.
    pub nanos: u32,
}

impl Instant {
    /// The instant `micros` microseconds after the start of 1970, UTC.
    pub fn from_micros(micros: i64) -> Instant {
        Instant { seconds: micros.div_euclid(1_000_000), nanos: (micros.rem_euclid(1_000_000) * 1000) as u32 }
    }
}

/// Why a cell could not be written as its declared type. Says what was found, never the value itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} can't be read as {declared}")]
pub struct CellFault {
    /// What the catalogue declares.
    pub declared: ColumnType,
    /// What was found instead, in words, without the value (`text that is no number`).
    pub found: String,
}

/// The cells of an export that can't be written, counted for each column. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCells {
    /// In the order in which they were found.
    columns: Vec<BadColumn>,
    /// The last row that was looked at, if there are more.
    rows_read: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct BadColumn {
    name: String,
    cells: u64,
    /// The row of the first of them.
    row: u64,
    /// What is wrong with the first of them.
    fault: CellFault,
}

impl BadCells {
    /// Columns whose first fault is described.
    const DESCRIBED: usize = 4;

    /// The first one found: in a row, counted from 1 without the header, and a column, by its name in the file.
    pub fn first(row: u64, column: &str, fault: CellFault) -> BadCells {
        let column = BadColumn { name: column.to_owned(), cells: 1, row, fault };
        BadCells { columns: vec![column], rows_read: None }
    }

    /// Counts another one.
    pub fn add(&mut self, row: u64, column: &str, fault: CellFault) {
        match self.columns.iter_mut().find(|known| known.name == column) {
            Some(known) => known.cells += 1,
            None => self.columns.push(BadColumn { name: column.to_owned(), cells: 1, row, fault }),
        }
    }

    /// The columns that a text of these cells describes, by their names in the file, each with what was found in it.
    pub fn found(&self) -> impl Iterator<Item = (&str, &str)> {
        let described = self.columns.iter().take(BadCells::DESCRIBED);
        described.map(|column| (column.name.as_str(), column.fault.found.as_str()))
    }

    /// Notes that the rows after this one were not looked at.
    pub fn end_early(&mut self, rows_read: u64) {
        self.rows_read = Some(rows_read);
    }
}

impl fmt::Display for BadCells {
    /// Every column with the number of its cells; of the first few also the first row and fault. The text stays short
    /// however many columns there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (described, others) = self.columns.split_at(self.columns.len().min(BadCells::DESCRIBED));
        for (position, BadColumn { name, cells, row, fault }) in described.iter().enumerate() {
            let separator = if position > 0 { "; " } else { "" };
            write!(f, "{separator}row {row}, column {name}: {fault}")?;
            if *cells > 1 {
                write!(f, " (the first of {})", count(*cells))?;
            }
        }
        if !others.is_empty() {
            let others = others.iter().map(|column| (column.name.as_str(), column.cells));
            write!(f, "; also in {}", cells_of_columns(others))?;
        }
        match self.rows_read {
            Some(rows) => write!(f, "; the rows after row {} were not looked at", count(rows)),
            None => Ok(()),
        }
    }
}

/// Why a reader of rows is told to stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Cells can't be written.
    #[error("{0}")]
    Cells(BadCells),
    /// Nobody takes the rows any more: the run was cancelled, or writing them failed and says so itself.
    #[error("the run was stopped")]
    Closed,
}

/// Where a store's rows go, cell by cell, without being collected on the way.
pub trait RowSink {
    /// Takes the next cell of the current row, left to right in the order of the columns asked for.
    fn cell(&mut self, value: Value<'_>) -> Result<(), Stop>;

    /// Ends the row. May block while the writer behind it is busy, and so must run on a thread that may block.
    fn end_row(&mut self) -> Result<(), Stop>;

    /// Learns that no more rows come, after the last one or because the store has failed.
    fn end_rows(&mut self) -> Result<(), Stop> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_cells_stay_short_however_many_columns_have_them() {
        let fault = || CellFault { declared: ColumnType::Date, found: "binary data".to_owned() };
        let mut cells = BadCells::first(1, "c0", fault());
        for column in 1..300 {
            cells.add(2, &format!("c{column}"), fault());
        }
        (0..1233).for_each(|row| cells.add(row, "c5", fault()));
        cells.end_early(2_000_000);
        let text = cells.to_string();
        assert!(text.starts_with("row 1, column c0: binary data can't be read as date; row 2, column c1: "), "{text}");
        assert!(text.contains("; also in c4 (1), c5 (1,234), c6 (1)"), "{text}");
        let end = "c23 (1) and 276 other columns; the rows after row 2,000,000 were not looked at";
        assert!(text.ends_with(end), "{text}");
        assert!(text.len() < 800, "{text}");
    }
}
