//! Encoding: cells in, the bytes of a file out.
//!
//! There are two steps, and a `Cell` between them. Reading decides what a value of a database means as the column's
//! declared type, and by nothing else, least of all the database's own type, so that the same data gives the same
//! bytes from every store. A value that can't be read as declared is a [`CellFault`], never a guess. Writing decides
//! how the cell looks in the format. Neither allocates once the buffers have grown.
//!
//! Deliberately absent: files, threads and progress. An encoder appends to a buffer; who empties it is not its matter.

mod cell;
mod csv;
mod datetime;
mod ndjson;
mod number;

use jiff::tz::TimeZone;

use self::cell::{Cell, Fault, Scratch};
use self::csv::Csv;
use self::ndjson::Ndjson;
use crate::catalogue::{Column, Unreadable};
use crate::instant;
use crate::job::Format;
use crate::value::{CellFault, ColumnType, Scale, Value};
use crate::wording::count;

/// What every format has to decide. Its rows are written one after the other, each cell by cell.
trait RowFormat {
    /// Appends what comes before the first row.
    fn start(&self, _columns: &[Column], _out: &mut Vec<u8>) {}

    /// Appends what stands before the cell of the column at `index`.
    fn before_cell(&self, index: usize, out: &mut Vec<u8>);

    /// Appends a cell.
    fn cell(&mut self, cell: Cell<'_>, out: &mut Vec<u8>) -> Result<(), Fault>;

    /// Appends what comes after the last cell of a row.
    fn end_row(&self, out: &mut Vec<u8>);

    /// Appends what comes after the last row.
    fn end(&mut self, _out: &mut Vec<u8>) {}
}

/// The formats. Not a trait object: reading a value and writing its cell are compiled together, in `write`.
#[derive(Debug)]
enum Writer {
    Csv(Csv),
    Ndjson(Ndjson),
}

/// Turns rows into the bytes of one file, cell by cell.
///
/// What each declared type accepts:
///
/// | type | accepts |
/// | --- | --- |
/// | `id` `string` `text` | UTF-8 text or bytes without NUL, numbers, arrays as their JSON |
/// | `integer` | whole numbers of any size, as numbers or text; `5.000` and `5e2` are whole |
/// | `float` | finite numbers, as numbers or text |
/// | `decimal` | finite numbers, as numbers or text, with no more digits after the point than the catalogue allows |
/// | `boolean` | booleans, 0 and 1, `t` `f` `true` `false` in any case, one bit |
/// | `date` | dates, `YYYY-MM-DD`, datetimes at midnight |
/// | `datetime` | see [`instant::read`] |
/// | `array` | a JSON array of texts, numbers, booleans and nulls; arrays of a database that has them |
///
/// How it is written is told to the byte in `docs/formats.md`.
#[derive(Debug)]
pub struct Encoder {
    columns: Vec<Column>,
    writer: Writer,
    extension: &'static str,
    /// The column that the next cell belongs to.
    next: usize,
    scratch: Scratch,
    /// For each column, the cells that could not be read and are NULL instead.
    nulled: Vec<u64>,
}

impl Encoder {
    /// An encoder for a file of `columns`, written in `format`, its datetimes in `zone`.
    pub fn new(format: &Format, columns: &[Column], zone: &TimeZone) -> Encoder {
        let writer = match format {
            Format::Bi => Writer::Csv(Csv::bi(zone)),
            Format::Csv(options) => Writer::Csv(Csv::new(options, zone)),
            Format::Ndjson => Writer::Ndjson(Ndjson::new(columns, zone)),
        };
        let extension = format.extension();
        let (columns, nulled) = (columns.to_vec(), vec![0; columns.len()]);
        Encoder { columns, writer, extension, next: 0, scratch: Scratch::default(), nulled }
    }

    /// The same encoder for columns whose scales the database declares. A scale of the catalogue goes before it.
    pub fn with_scales(mut self, declared: &[Scale]) -> Encoder {
        for (column, declared) in self.columns.iter_mut().zip(declared) {
            if column.scale == Scale::AsNeeded {
                column.scale = *declared;
            }
        }
        self
    }

    /// Appends what comes before the first row: a byte order mark and the row of column names, where the format has
    /// them.
    pub fn start(&self, out: &mut Vec<u8>) {
        match &self.writer {
            Writer::Csv(csv) => csv.start(&self.columns, out),
            Writer::Ndjson(ndjson) => ndjson.start(&self.columns, out),
        }
    }

    /// Appends the next cell of the row, with what stands between it and the cell before.
    ///
    /// A cell that can't be read as its column's type is written as NULL. Unless the column allows that, it is a fault
    /// as well: the bytes are of no use any more, but further cells can be looked at.
    ///
    /// # Panics
    ///
    /// When a row is given more cells than the file has columns.
    pub fn cell(&mut self, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), CellFault> {
        let (index, start) = (self.next, out.len());
        self.next += 1;
        self.write(index, value, out).or_else(|fault| self.put_null(index, fault, start, out))
    }

    #[inline(always)]
    fn write(&mut self, index: usize, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), CellFault> {
        let column = &self.columns[index];
        match &mut self.writer {
            Writer::Csv(csv) => write(csv, index, value, column, &mut self.scratch, out),
            Writer::Ndjson(ndjson) => write(ndjson, index, value, column, &mut self.scratch, out),
        }
    }

    /// Puts NULL where a cell that can't be read has begun at `start`.
    #[cold]
    fn put_null(&mut self, index: usize, fault: CellFault, start: usize, out: &mut Vec<u8>) -> Result<(), CellFault> {
        out.truncate(start);
        self.write(index, Value::Null, out)?;
        match self.columns[index].unreadable {
            Unreadable::Fail => Err(fault),
            Unreadable::Null => {
                self.nulled[index] += 1;
                Ok(())
            }
        }
    }

    /// Ends the row.
    ///
    /// # Panics
    ///
    /// When the row was given fewer cells than the file has columns: the rows after it would be shifted.
    pub fn end_row(&mut self, out: &mut Vec<u8>) {
        assert_eq!(self.next, self.columns.len(), "a row ended before its last column");
        self.next = 0;
        match &self.writer {
            Writer::Csv(csv) => csv.end_row(out),
            Writer::Ndjson(ndjson) => ndjson.end_row(out),
        }
    }

    /// Appends what comes after the last row, where the format has anything there.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        match &mut self.writer {
            Writer::Csv(csv) => csv.end(out),
            Writer::Ndjson(ndjson) => ndjson.end(out),
        }
    }

    /// Whether all rows that were begun have ended.
    pub fn is_between_rows(&self) -> bool {
        self.next == 0
    }

    /// The usual ending of the format's files, without the dot.
    pub fn extension(&self) -> &'static str {
        self.extension
    }

    /// The name of the column that the last cell of the current row belongs to.
    pub fn column_name(&self) -> &str {
        self.next.checked_sub(1).map_or("", |last| &self.columns[last].name)
    }

    /// The columns with cells that could not be read and are NULL instead, in order, and how many they are.
    pub fn nulled(&self) -> impl Iterator<Item = (&str, u64)> {
        let names = self.columns.iter().map(|column| column.name.as_str());
        names.zip(self.nulled.iter().copied()).filter(|(_, cells)| *cells > 0)
    }

    /// The names of the file's columns, in order.
    pub fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

/// Reads a value as its declared type and writes it as a cell.
///
/// This is one compiled function for each format, with the format's code in each branch, where it is known which cell
/// it gets. Reading in one function and writing in another costs a tenth of a row's time; both formats in one function,
/// a twentieth.
#[inline(never)]
fn write(
    format: &mut impl RowFormat,
    index: usize,
    value: Value<'_>,
    column: &Column,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), CellFault> {
    format.before_cell(index, out);
    let written = match (value, column.kind) {
        (Value::Null, _) => format.cell(Cell::Null, out),
        (Value::TooLarge { bytes, limit }, declared) => return Err(too_large(bytes, limit, declared)),
        (_, ColumnType::Id | ColumnType::String | ColumnType::Text) => {
            cell::text(value, &mut itoa::Buffer::new(), scratch).and_then(|text| format.cell(Cell::Text(text), out))
        }
        (_, ColumnType::Integer) => {
            cell::integer(value, &mut scratch.digits).and_then(|number| format.cell(Cell::Integer(number), out))
        }
        (_, ColumnType::Float) => cell::float(value).and_then(|number| format.cell(Cell::Float(number), out)),
        (_, ColumnType::Decimal) => cell::decimal(value, column.scale, &mut scratch.digits)
            .and_then(|digits| format.cell(Cell::Decimal(digits), out)),
        (_, ColumnType::Boolean) => cell::boolean(value).and_then(|truth| format.cell(Cell::Boolean(truth), out)),
        (_, ColumnType::Date) => cell::date(value).and_then(|days| format.cell(Cell::Date(days), out)),
        (_, ColumnType::Datetime) => match instant::read(value, column)? {
            Some(instant) => format.cell(Cell::Datetime(instant), out),
            None => format.cell(Cell::Null, out),
        },
        (_, ColumnType::Array) => {
            cell::array(value, column.scale, scratch).and_then(|elements| format.cell(Cell::Array(elements), out))
        }
    };
    written.map_err(|found| CellFault { declared: column.kind, found: found.to_owned() })
}

fn too_large(bytes: u64, limit: u64, declared: ColumnType) -> CellFault {
    let found = format!("a cell of {} bytes (`max_cell` of [store] allows {})", count(bytes), count(limit));
    CellFault { declared, found }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
