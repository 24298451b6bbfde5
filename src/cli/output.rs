//! What is printed: aligned tables without frames for people, pretty JSON for programs, a line for either.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table};
use jiff::{Timestamp, ZonedDateTime};
use serde::Serialize;

pub use crate::wording::{count, plural};

/// What `publish = "direct"` means for readers.
pub const IN_PLACE: &str = "written in place: a reader may see half of a file";

/// Nothing is wrapped for a terminal that is narrower than this: it would be cut to shreds.
const NARROWEST: usize = 40;

/// How many blanks stand between two columns.
const GAP: u16 = 2;

/// Prints `value` as pretty JSON.
pub fn json(value: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)
}

/// How many characters fit into a line of the terminal; 100 where there is none.
pub fn width() -> usize {
    terminal_width().unwrap_or(100)
}

/// How many characters fit into a line of the terminal, if there is one that says so. Some say 0 until they are shown.
pub fn terminal_width() -> Option<usize> {
    Table::new().width().map(usize::from).filter(|width| *width >= NARROWEST)
}

/// Prints a line.
pub fn line(text: impl AsRef<str>) -> io::Result<()> {
    writeln!(anstream::stdout().lock(), "{}", text.as_ref())
}

/// Says something on standard error. That it can't be written changes nothing: nobody is left to be told.
pub fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// A listing: a bold header and aligned columns, wrapped to the terminal, unwrapped in a pipe.
pub struct Listing {
    table: Table,
    /// Of each row, the lines that stand below it.
    below: Vec<Vec<String>>,
}

impl Listing {
    /// A listing with these headings.
    pub fn new(headings: &[&str]) -> Listing {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        if io::stdout().is_terminal() {
            let fits = terminal_width().is_some();
            table.set_content_arrangement(if fits {
                ContentArrangement::Dynamic
            } else {
                ContentArrangement::Disabled
            });
            table.style_text_only();
            table.set_header(headings.iter().map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)));
        } else {
            table.set_content_arrangement(ContentArrangement::Disabled);
            table.set_header(headings.iter().map(Cell::new));
        }
        let last = headings.len().saturating_sub(1);
        for (position, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if position == last { 0 } else { GAP }));
        }
        Listing { table, below: Vec::new() }
    }

    /// A listing whose rows are one line each, however wide, so that lines of their own can stand below them.
    pub fn unwrapped(headings: &[&str]) -> Listing {
        let mut listing = Listing::new(headings);
        listing.table.set_content_arrangement(ContentArrangement::Disabled);
        listing
    }

    /// Aligns the columns at these positions to the right, and never wraps them.
    pub fn numbers(mut self, positions: &[usize]) -> Listing {
        for position in positions {
            if let Some(column) = self.table.column_mut(*position) {
                column.set_cell_alignment(CellAlignment::Right);
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        self
    }

    /// Adds a row.
    pub fn row<T: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.table.add_row(cells.into_iter().map(Into::into).collect::<Vec<Cell>>());
        self.below.push(Vec::new());
    }

    /// Puts lines below the last row of an unwrapped listing.
    pub fn below(&mut self, lines: Vec<String>) {
        if let Some(last) = self.below.last_mut() {
            *last = lines;
        }
    }

    /// Prints it, indented by `indent` blanks, without blanks at the ends of lines.
    pub fn print(&self, indent: usize) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        for (position, line) in self.table.lines().enumerate() {
            writeln!(out, "{:indent$}{}", "", line.trim_end())?;
            // The first line is the header.
            let below = position.checked_sub(1).and_then(|row| self.below.get(row));
            below.into_iter().flatten().try_for_each(|line| writeln!(out, "{:indent$}{line}", ""))?;
        }
        Ok(())
    }
}

/// A size for people: `917 B`, `12.3 KB`, `430 MB` (powers of 1000).
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 999.5 && unit < UNITS.len() - 1 {
        amount /= 1000.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ if amount < 99.95 => format!("{amount:.1} {}", UNITS[unit]),
        _ => format!("{amount:.0} {}", UNITS[unit]),
    }
}

/// A time of a zone for people: `2026-11-21 04:00 CET`.
pub fn time(zoned: &ZonedDateTime) -> String {
    zoned.strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// A period `[from, to)` by its days, for people: `2026-11-20`, or `2026-11-16 to 2026-11-22` with the last day in it.
pub fn period(from: &ZonedDateTime, to: &ZonedDateTime) -> String {
    let (first, last) = (from.date(), to.saturating_sub(jiff::Span::new().nanoseconds(1)).date());
    if first == last { first.to_string() } else { format!("{first} to {last}") }
}

/// A moment in this machine's zone: `2026-11-21 04:00:09`.
pub fn local_time(at: Timestamp) -> String {
    at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The time between two instants for people: `0.4 s`, `3 min 20 s`.
pub fn elapsed(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs_f64().max(0.0);
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {} s", seconds as u64 / 60, seconds as u64 % 60)
    }
}

/// A length of time for people, in its greatest whole unit: `15 days`, `90 minutes`.
pub fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let fitting = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (unit, name) = fitting.unwrap_or((1, "second"));
    plural((seconds / unit) as usize, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_come_in_whole_units() {
        let lengths = [1, 90, 5400, 3600, 86_400, 1_296_000].map(|seconds| length(Duration::from_secs(seconds)));
        assert_eq!(lengths, ["1 second", "90 seconds", "90 minutes", "1 hour", "1 day", "15 days"]);
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!([size(0), size(999), size(1000), size(430_000_000)], ["0 B", "999 B", "1.0 KB", "430 MB"]);
        assert_eq!(size(999_950), "1.0 MB");
    }
}
