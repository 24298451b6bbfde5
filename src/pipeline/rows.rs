//! The reading side: rows in, blocks of encoded bytes out.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, channel};

use super::Watch;
use super::output::Message;
use crate::encode::Encoder;
use crate::value::{RowSink, Stop, Value};

/// The size from which on a block is sent.
const BLOCK: usize = 256 * 1024;

/// A block that a huge row has made larger than this is given back to the system instead of being filled again.
const LARGE_BLOCK: usize = 2 * BLOCK;

/// Encodes rows and sends them away in blocks.
#[derive(Debug)]
pub(super) struct Rows {
    encoder: Encoder,
    block: Vec<u8>,
    blocks: SyncSender<Message>,
    spare: Receiver<Vec<u8>>,
    watch: Watch,
    rows: u64,
    /// Rows that `watch` has not been told of.
    untold: u64,
    is_broken: bool,
}

impl Rows {
    /// Begins an export, its rows turned into bytes by `encoder`.
    pub(super) fn begin(export: &str, encoder: Encoder, blocks: SyncSender<Message>, watch: Watch) -> Rows {
        let (empties, spare) = channel();
        // A thread that has died already says so when the file is finished.
        let _ = blocks.send(Message::Begin { export: export.to_owned(), extension: encoder.extension(), empties });
        let mut block = Vec::with_capacity(BLOCK + BLOCK / 4);
        encoder.start(&mut block);
        Rows { encoder, block, blocks, spare, watch, rows: 0, untold: 0, is_broken: false }
    }

    /// Sends what is left and says how many rows there were.
    pub(super) fn end(&mut self) -> Result<u64, Stop> {
        if self.is_broken || self.is_cancelled() || !self.encoder.is_between_rows() {
            return Err(Stop::Closed);
        }
        self.encoder.end(&mut self.block);
        self.send_block()?;
        let (rows, columns) = (self.rows, self.encoder.column_names());
        self.blocks.send(Message::End { rows, columns }).map_err(|_| Stop::Closed)?;
        Ok(rows)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.watch.cancel.load(Relaxed)
    }

    fn send_block(&mut self) -> Result<(), Stop> {
        self.watch.progress.rows.fetch_add(std::mem::take(&mut self.untold), Relaxed);
        self.watch.progress.bytes.fetch_add(self.block.len() as u64, Relaxed);
        let mut next = self.spare.try_recv().unwrap_or_default();
        next.clear();
        if next.capacity() > LARGE_BLOCK {
            next = Vec::new();
        }
        next.reserve(BLOCK + BLOCK / 4);
        self.blocks.send(Message::Block(std::mem::replace(&mut self.block, next))).map_err(|_| Stop::Closed)
    }

    fn closed(&mut self) -> Stop {
        self.is_broken = true;
        Stop::Closed
    }
}

impl RowSink for Rows {
    fn cell(&mut self, value: Value<'_>) -> Result<(), Stop> {
        self.encoder.cell(value, &mut self.block).map_err(|fault| {
            self.is_broken = true;
            Stop::Cell { row: self.rows + 1, column: self.encoder.column_name().to_owned(), fault }
        })
    }

    fn end_row(&mut self) -> Result<(), Stop> {
        self.encoder.end_row(&mut self.block);
        self.rows += 1;
        self.untold += 1;
        if self.is_cancelled() {
            return Err(self.closed());
        }
        if self.block.len() >= BLOCK {
            self.send_block().map_err(|_| self.closed())?;
        }
        Ok(())
    }
}
