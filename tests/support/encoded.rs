//! Rows as the bytes of a file, in memory.

use exportd::encode::Encoder;
use exportd::value::{BadCells, RowSink, Stop, Value};

/// The file that rows become.
pub struct Encoded {
    pub encoder: Encoder,
    pub bytes: Vec<u8>,
}

impl RowSink for Encoded {
    fn cell(&mut self, value: Value<'_>) -> Result<(), Stop> {
        let written = self.encoder.cell(value, &mut self.bytes);
        written.map_err(|fault| Stop::Cells(BadCells::first(0, self.encoder.column_name(), fault)))
    }

    fn end_row(&mut self) -> Result<(), Stop> {
        self.encoder.end_row(&mut self.bytes);
        Ok(())
    }
}
