//! One zip for all exports of a job.

use std::sync::atomic::Ordering::Relaxed;

use jiff::Zoned;

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, DateTime, ZipWriter};

use super::output::{Message, Output, Writer};
use super::rows::Rows;
use super::{PipelineError, Watch};
use crate::encode::Encoder;
use crate::spool::{Artifact, FileWriter};
use crate::value::{RowSink, Stop, Value};

/// What Info-ZIP and others use unless told otherwise.
const LEVEL: i64 = 6;

/// A zip being written, one member after the other.
///
/// Members are `EXPORT.csv`, in the order in which they are begun. It is written as a stream, without going back, with
/// zip64 sizes from the start, since nobody knows a member's size when it begins. Time stamps are the due time's, so
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
    pub fn new(file: FileWriter, due: &Zoned) -> Zip {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .large_file(true)
            .last_modified_time(time_stamp(due))
            .unix_permissions(0o640);
        let name = file.name().to_owned();
        let zip = Box::new(ZipWriter::new_stream(file));
        Zip { writer: Writer::start(Output::Zip { name, zip, options }), watch: Watch::default() }
    }

    /// Begins the member of `export`. The member before must have been finished.
    pub fn member(&mut self, export: &str, encoder: Encoder, watch: Watch) -> Member {
        self.watch = watch.clone();
        let (rows, empties) = Rows::new(encoder, self.writer.messages().clone(), watch);
        // A thread that has died already says so when the zip is finished.
        let _ = self.writer.messages().send(Message::Begin { export: export.to_owned(), empties });
        Member { rows }
    }

    /// Writes the rest and brings the zip to disk. A member that was not finished makes no zip.
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
}

/// The due time on the clock of its zone, moved into the years that a zip knows.
fn time_stamp(due: &Zoned) -> DateTime {
    let local = due.datetime();
    let date = |year: i16| (year as u16, local.month() as u8, local.day() as u8);
    let time = (local.hour() as u8, local.minute() as u8, local.second() as u8);
    let ((year, month, day), (hour, minute, second)) = match local.year() {
        year if year < 1980 => ((1980, 1, 1), (0, 0, 0)),
        year if year > 2107 => ((2107, 12, 31), (23, 59, 58)),
        year => (date(year), time),
    };
    DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default()
}
