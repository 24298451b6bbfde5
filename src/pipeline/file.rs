//! A file of one export.

use super::output::{Output, Writer};
use super::rows::Rows;
use super::{PipelineError, Watch};
use crate::encode::Encoder;
use crate::spool::{Artifact, FileWriter};
use crate::value::{RowSink, Stop, Value};

/// Takes the rows of one export and makes a file of them.
///
/// After [`Stop::Closed`], [`FileSink::finish`] says what stopped it.
#[derive(Debug)]
pub struct FileSink {
    rows: Rows,
    writer: Writer,
}

/// Starts a plain file of `export`, its rows turned into bytes by `encoder`.
pub fn plain(export: &str, encoder: Encoder, file: FileWriter, watch: Watch) -> FileSink {
    let writer = Writer::start(Output::Plain(Box::new(file)));
    let rows = Rows::begin(export, encoder, writer.messages().clone(), watch);
    FileSink { rows, writer }
}

impl FileSink {
    /// Writes the rest and brings the file to disk; to be called when the store has said that these were all rows.
    /// Rows that were cancelled, had a fault or stopped in the middle make no file.
    pub fn finish(self) -> Result<Artifact, PipelineError> {
        let FileSink { mut rows, writer } = self;
        // Without an end the writer makes no file, and says why.
        let _ = rows.end();
        match writer.finish() {
            Err(PipelineError::Unfinished { .. }) if rows.is_cancelled() => Err(PipelineError::Cancelled),
            result => result,
        }
    }
}

impl RowSink for FileSink {
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
