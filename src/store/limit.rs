//! The size from which on a cell is refused: one that is larger than anybody expects should not cost all memory.

use crate::value::{RowSink, Stop, Value};

/// Hands rows on, without the contents of cells that are too large.
pub(super) struct Limited<'a, S> {
    pub(super) sink: &'a mut S,
    /// The most bytes that a cell may have.
    pub(super) limit: u64,
}

impl<S: RowSink> RowSink for Limited<'_, S> {
    #[inline]
    fn cell(&mut self, value: Value<'_>) -> Result<(), Stop> {
        match value {
            Value::Text(bytes) | Value::Bytes(bytes) | Value::Elements(bytes, _) if bytes.len() as u64 > self.limit => {
                self.sink.cell(Value::TooLarge { bytes: bytes.len() as u64, limit: self.limit })
            }
            value => self.sink.cell(value),
        }
    }

    #[inline]
    fn end_row(&mut self) -> Result<(), Stop> {
        self.sink.end_row()
    }

    fn end_rows(&mut self) -> Result<(), Stop> {
        self.sink.end_rows()
    }
}
