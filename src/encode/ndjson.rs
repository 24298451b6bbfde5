//! The format `ndjson`: rows are lines, each a JSON object with the columns' names as its keys.

use jiff::tz::TimeZone;

use super::RowFormat;
use super::cell::{Cell, Element, Elements, Fault, Integer};
use super::datetime::{Clock, date_text};
use super::number::{push_integer, push_shortest};
use crate::catalogue::Column;
use crate::job::DatetimeStyle;

/// Writes newline-delimited JSON.
#[derive(Debug)]
pub(super) struct Ndjson {
    /// What comes before the value of each column: `{"id":`, and `,"name":` from the second on.
    keys: Vec<Vec<u8>>,
    clock: Clock,
}

impl Ndjson {
    pub(super) fn new(columns: &[Column], zone: &TimeZone) -> Ndjson {
        let key = |(index, column): (usize, &Column)| {
            let mut key = if index == 0 { b"{".to_vec() } else { b",".to_vec() };
            push_string(&column.name, &mut key);
            key.push(b':');
            key
        };
        let keys = columns.iter().enumerate().map(key).collect();
        Ndjson { keys, clock: Clock::new(DatetimeStyle::Rfc3339, zone.clone()) }
    }

    fn array(&mut self, mut elements: Elements<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        out.push(b'[');
        let mut is_first = true;
        while let Some(element) = elements.next()? {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            match element {
                Element::Number(digits) => out.extend_from_slice(digits.as_bytes()),
                Element::Cell(cell) => self.cell(cell, out)?,
            }
        }
        out.push(b']');
        Ok(())
    }
}

impl RowFormat for Ndjson {
    #[inline(always)]
    fn before_cell(&self, index: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.keys[index]);
    }

    #[inline(always)]
    fn cell(&mut self, cell: Cell<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        match cell {
            Cell::Null => out.extend_from_slice(b"null"),
            Cell::Text(text) => push_string(text.checked()?, out),
            Cell::Integer(Integer::Small(number)) => push_integer(number, out),
            Cell::Integer(Integer::Digits(digits)) => out.extend_from_slice(digits),
            Cell::Float(number) => push_shortest(number, out),
            Cell::Boolean(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
            Cell::Decimal(digits) => push_plain(digits, out),
            Cell::Date(days) => push_plain(&date_text(days), out),
            Cell::Datetime(instant) => {
                out.push(b'"');
                self.clock.write(instant, out)?;
                out.push(b'"');
            }
            Cell::Array(elements) => self.array(elements, out)?,
        }
        Ok(())
    }

    fn end_row(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"}\n");
    }
}

fn push_string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a buffer takes any text");
}

/// Appends a string that needs no escapes.
fn push_plain(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}
