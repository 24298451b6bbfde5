//! The formats `bi` and `csv`: rows are lines, cells are text between delimiters.
//!
//! NULL is the format's text for it (nothing in `bi`) and never quoted; the empty string is always `""`. A file of a
//! single column therefore shows NULL as an empty line.

mod dialect;
mod quote;
mod scan;

use jiff::tz::TimeZone;

use self::dialect::Dialect;
use super::RowFormat;
use super::cell::{Cell, Element, Elements, Fault, Integer};
use super::datetime::{Clock, date_text};
use super::number::{push_integer, push_shortest};
use crate::catalogue::Column;
use crate::job::{CsvOptions, LineEnding};

/// Writes CSV.
#[derive(Debug)]
pub(super) struct Csv {
    dialect: Dialect,
    clock: Clock,
    /// The text of an array before it is quoted.
    joined: Vec<u8>,
}

impl Csv {
    /// The format `csv` with its choices.
    pub(super) fn new(options: &CsvOptions, zone: &TimeZone) -> Csv {
        let clock = Clock::new(options.datetime, zone.clone());
        Csv { dialect: Dialect::new(options), clock, joined: Vec::new() }
    }

    /// The format `bi`, which is `csv` with fixed choices.
    pub(super) fn bi(zone: &TimeZone) -> Csv {
        let options = CsvOptions {
            line_ending: LineEnding::Lf,
            boolean: ("1".to_owned(), "0".to_owned()),
            ..CsvOptions::default()
        };
        Csv::new(&options, zone)
    }

    /// Appends the elements, joined by a comma and a blank.
    fn array(&mut self, mut elements: Elements<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        let mut is_first = true;
        while let Some(element) = elements.next()? {
            if !std::mem::take(&mut is_first) {
                joined.extend_from_slice(b", ");
            }
            match element {
                Element::Number(digits) => joined.extend_from_slice(digits.as_bytes()),
                Element::Cell(cell) => self.unquoted(cell, &mut joined)?,
            }
        }
        self.dialect.guarded_text(&joined, out);
        self.joined = joined;
        Ok(())
    }

    /// Appends a cell without the quotes that it may need. NULL, which only arrays show so, is nothing.
    #[inline(always)]
    fn unquoted(&mut self, cell: Cell<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let start = out.len();
        match cell {
            Cell::Null => {}
            Cell::Text(text) => out.extend_from_slice(text.checked()?.as_bytes()),
            Cell::Boolean(truth) => out.extend_from_slice(&self.dialect.boolean_words[usize::from(truth)]),
            Cell::Integer(Integer::Small(number)) => push_integer(number, out),
            Cell::Integer(Integer::Digits(digits)) => out.extend_from_slice(digits),
            Cell::Float(number) => {
                push_shortest(number, out);
                self.dialect.replace_point(out, start);
            }
            Cell::Decimal(digits) => {
                out.extend_from_slice(digits);
                self.dialect.replace_point(out, start);
            }
            Cell::Date(days) => out.extend_from_slice(&date_text(days)),
            Cell::Datetime(instant) => self.clock.write(instant, out)?,
            Cell::Array(_) => return Err("an array within an array"),
        }
        Ok(())
    }
}

impl RowFormat for Csv {
    fn start(&self, columns: &[Column], out: &mut Vec<u8>) {
        if self.dialect.bom {
            out.extend_from_slice("\u{feff}".as_bytes());
        }
        if !self.dialect.header {
            return;
        }
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push(self.dialect.delimiter);
            }
            self.dialect.text(column.name.as_bytes(), out);
        }
        self.end_row(out);
    }

    #[inline(always)]
    fn before_cell(&self, index: usize, out: &mut Vec<u8>) {
        if index > 0 {
            out.push(self.dialect.delimiter);
        }
    }

    #[inline(always)]
    fn cell(&mut self, cell: Cell<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        match cell {
            Cell::Null => out.extend_from_slice(&self.dialect.null),
            Cell::Text(text) => self.dialect.unchecked_text(text, out)?,
            Cell::Boolean(truth) => out.extend_from_slice(&self.dialect.boolean_cells[usize::from(truth)]),
            Cell::Array(elements) => self.array(elements, out)?,
            number_or_time => {
                let start = out.len();
                self.unquoted(number_or_time, out)?;
                self.dialect.fence(out, start);
            }
        }
        Ok(())
    }

    fn end_row(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.dialect.line_ending);
    }
}
