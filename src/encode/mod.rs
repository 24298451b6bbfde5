//! Encoding: cells in, the bytes of a file out.
//!
//! What a cell means is decided by the column's declared type and by nothing else, least of all by the database's own
//! type, so that the same data gives the same bytes from every store. A cell that can't be read as declared is a
//! [`CellFault`], never a guess. Writing a cell allocates nothing once the buffers have grown.
//!
//! Deliberately absent: files, threads and progress. An encoder appends to a buffer; who empties it is not its matter.

mod array;
mod boolean;
mod datetime;
mod decimal;
mod dialect;
mod number;
mod quote;
mod scan;
mod text;

use jiff::tz::TimeZone;

use self::datetime::Clock;
use self::dialect::Dialect;
use crate::catalogue::Column;
use crate::instant;
use crate::job::Format;
use crate::value::{CellFault, ColumnType, Value};

/// A cell was written, or what was found in it that does not fit its declared type.
type Written = Result<(), &'static str>;

/// Turns rows into the bytes of one file, cell by cell.
///
/// What each declared type accepts, and how it is written:
///
/// | type | accepts | written as |
/// | --- | --- | --- |
/// | `id` `string` `text` | UTF-8 text or bytes, numbers | as it is |
/// | `integer` | whole numbers of any size, as numbers or text; `5.000` and `5e2` are whole | `-5`, no plus, no leading zeros, no `-0` |
/// | `float` | numbers, as numbers or text | the fewest digits that read back to the same number: `1.0` `0.1` `1e21`; `-0.0` as `0.0` |
/// | `decimal` | numbers, as numbers or text | exact, without exponent, trailing zeros and `-0`; with `scale`, exactly so many digits |
/// | `boolean` | booleans, 0 and 1, `t` `f` `true` `false` in any case, one bit | the format's two words |
/// | `date` | dates, `YYYY-MM-DD`, datetimes at midnight | `2026-11-21` |
/// | `datetime` | see [`instant::read`] | the format's style; a fraction only when it is not zero |
/// | `array` | a JSON array of texts, numbers, booleans and nulls | elements joined by `, ` |
///
/// NULL is the format's text for it (empty in `bi`), never quoted; the empty string is always `""`. A file of a single
/// column therefore shows NULL as an empty line.
#[derive(Debug)]
pub struct Encoder {
    columns: Vec<Column>,
    dialect: Dialect,
    clock: Clock,
    /// The column that the next cell belongs to.
    next: usize,
    /// Text that is made before it is quoted.
    scratch: Vec<u8>,
}

impl Encoder {
    /// An encoder for a file of `columns`, written in `format`, its datetimes in `zone`.
    pub fn new(format: &Format, columns: &[Column], zone: &TimeZone) -> Encoder {
        let dialect = Dialect::new(format);
        let clock = Clock::new(dialect.datetime, zone.clone());
        Encoder { columns: columns.to_vec(), dialect, clock, next: 0, scratch: Vec::new() }
    }

    /// Appends what comes before the first row: a byte order mark and the row of column names, where the format has
    /// them.
    pub fn header(&self, out: &mut Vec<u8>) {
        if self.dialect.bom {
            out.extend_from_slice("\u{feff}".as_bytes());
        }
        if !self.dialect.header {
            return;
        }
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                out.push(self.dialect.delimiter);
            }
            self.dialect.text(column.name.as_bytes(), out);
        }
        out.extend_from_slice(self.dialect.line_ending);
    }

    /// Appends the next cell of the row, with the delimiter before it.
    ///
    /// After a fault the buffer ends in the middle of a row and is of no use any more.
    ///
    /// # Panics
    ///
    /// When a row is given more cells than the file has columns.
    pub fn cell(&mut self, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), CellFault> {
        if self.next > 0 {
            out.push(self.dialect.delimiter);
        }
        let column = &self.columns[self.next];
        let dialect = &self.dialect;
        let written = match (value, column.kind) {
            (Value::Null, _) => {
                out.extend_from_slice(&dialect.null);
                Ok(())
            }
            (_, ColumnType::Id | ColumnType::String | ColumnType::Text) => {
                text::write(value, dialect, &mut self.scratch, out)
            }
            (_, ColumnType::Integer) => number::write_integer(value, dialect, out),
            (_, ColumnType::Float) => number::write_float(value, dialect, out),
            (_, ColumnType::Decimal) => number::write_decimal(value, column.scale, dialect, out),
            (_, ColumnType::Boolean) => boolean::write(value, dialect, out),
            (_, ColumnType::Date) => datetime::write_date(value, dialect, out),
            (_, ColumnType::Datetime) => match instant::read(value, column)? {
                Some(instant) => self.clock.write(instant, dialect, out),
                None => Ok(()),
            },
            (_, ColumnType::Array) => array::write(value, dialect, &mut self.scratch, out),
        };
        written.map_err(|found| CellFault { declared: column.kind, found: found.to_owned() })?;
        self.next += 1;
        Ok(())
    }

    /// Ends the row.
    ///
    /// # Panics
    ///
    /// When the row was given fewer cells than the file has columns: the rows after it would be shifted.
    pub fn end_row(&mut self, out: &mut Vec<u8>) {
        assert_eq!(self.next, self.columns.len(), "a row ended before its last column");
        self.next = 0;
        out.extend_from_slice(self.dialect.line_ending);
    }

    /// Whether all rows that were begun have ended.
    pub fn is_between_rows(&self) -> bool {
        self.next == 0
    }

    /// The name of the column that the next cell belongs to; after a fault, of the cell that has it.
    pub fn column_name(&self) -> &str {
        self.columns.get(self.next).map_or("", |column| &column.name)
    }

    /// The names of the file's columns, in order.
    pub fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

/// What `value` is, in words, for a fault.
fn name_of(value: Value<'_>) -> &'static str {
    match value {
        Value::Null => "NULL",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::Uint(_) => "a whole number",
        Value::Float32(_) | Value::Float(_) => "a floating-point number",
        Value::Text(_) => "text",
        Value::Bytes(_) => "binary data",
        Value::Date(_) => "a date",
        Value::Instant(_) | Value::Civil(_) => "a datetime",
    }
}

#[cfg(test)]
mod tests;
