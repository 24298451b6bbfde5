//! One zip for all exports of a job.

use std::sync::atomic::Ordering::Relaxed;

use jiff::ZonedDateTime;

use super::archive::{Archive, DosTime};
use super::output::{Output, Writer};
use super::rows::Rows;
use super::{PipelineError, Watch};
use crate::encode::Encoder;
use crate::spool::{Artifact, FileWriter};
use crate::value::{RowSink, Stop, Value};

/// A zip being written, one member after the other.
///
/// Members are called by their export and the format's extension (`agents.csv`), in the order in which they are begun.
/// The zip is written as a stream, without going back, and compressed on all cores. Time stamps are the due time's, so
/// that equal data gives an equal zip.
#[derive(Debug)]
pub struct Zip {
    writer: Writer,
    /// Of the last member.
    watch: Watch,
}

/// Takes the rows of one export and makes a member of a zip of them.
#[derive(Debug)]
pub struct Member {
    rows: Rows,
}

impl Zip {
    /// Starts a zip of the run that was due at `due`.
    pub fn new(file: FileWriter, due: &ZonedDateTime) -> Zip {
        let output = Output::zip(Archive::new(file, time_stamp(due)));
        Zip { writer: Writer::start(output), watch: Watch::default() }
    }

    /// Begins the member of `export`. The member before must have been finished.
    pub fn member(&mut self, export: &str, encoder: Encoder, watch: Watch) -> Member {
        self.watch = watch.clone();
        Member { rows: Rows::begin(export, encoder, self.writer.messages().clone(), watch) }
    }

    /// Writes the rest, checks the directory and brings the zip to disk. A member that was not finished makes no zip.
    pub fn finish(self) -> Result<Artifact, PipelineError> {
        match self.writer.finish() {
            Err(PipelineError::Unfinished { .. }) if self.watch.cancel.load(Relaxed) => Err(PipelineError::Cancelled),
            result => result,
        }
    }
}

impl Member {
    /// Ends the member and says how many rows it has. After an error, [`Zip::finish`] says what stopped it.
    pub fn finish(mut self) -> Result<u64, Stop> {
        self.rows.end()
    }
}

impl RowSink for Member {
    fn cell(&mut self, value: Value<'_>) -> Result<(), Stop> {
        self.rows.cell(value)
    }

    fn end_row(&mut self) -> Result<(), Stop> {
        self.rows.end_row()
    }

    fn end_rows(&mut self) -> Result<(), Stop> {
        self.rows.end_rows()
    }
}

/// The due time on the clock of its zone, moved into the years that a zip knows.
fn time_stamp(due: &ZonedDateTime) -> DosTime {
    let local = due.datetime();
    let date = |year: i16, month: i8, day: i8| ((year - 1980) as u16) << 9 | (month as u16) << 5 | day as u16;
    let time = |hour: i8, minute: i8, second: i8| (hour as u16) << 11 | (minute as u16) << 5 | (second as u16 / 2);
    let (date, time) = match local.year() {
        year if year < 1980 => (date(1980, 1, 1), 0),
        year if year > 2107 => (date(2107, 12, 31), time(23, 59, 58)),
        year => (date(year, local.month(), local.day()), time(local.hour(), local.minute(), local.second())),
    };
    DosTime { date, time }
}
