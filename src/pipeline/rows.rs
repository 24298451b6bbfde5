//! The reading side: rows in, blocks of encoded bytes out.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, channel};
use std::time::{Duration, Instant};

use super::Watch;
use super::output::Message;
use crate::encode::Encoder;
use crate::value::{BadCells, CellFault, RowSink, Stop, Value};

/// The size from which on a block is sent.
const BLOCK: usize = 256 * 1024;

/// A block that a huge row has made larger than this is given back to the system instead of being filled again.
const LARGE_BLOCK: usize = 2 * BLOCK;

/// Nothing is read until a block of this size is written. Else several of its kind would wait for the disk in memory.
const HUGE_BLOCK: usize = 16 * BLOCK;

/// How far rows are searched after the first cell that can't be written: naming all bad columns at once is worth a
/// moment, but not another hour of reading.
const SEARCH_ROWS: u64 = 1_000_000;
const SEARCH_TIME: Duration = Duration::from_secs(10);

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
    /// There is no file any more; all that is left to do is to find the other cells that can't be written.
    search: Option<Search>,
    is_broken: bool,
}

/// A look at the rows after a cell that can't be written.
#[derive(Debug)]
struct Search {
    found: BadCells,
    last_row: u64,
    deadline: Instant,
}

impl Rows {
    /// Begins an export, its rows turned into bytes by `encoder`.
    pub(super) fn begin(export: &str, encoder: Encoder, blocks: SyncSender<Message>, watch: Watch) -> Rows {
        let (empties, spare) = channel();
        // A thread that has died already says so when the file is finished.
        let _ = blocks.send(Message::Begin { export: export.to_owned(), extension: encoder.extension(), empties });
        let mut block = Vec::with_capacity(BLOCK + BLOCK / 4);
        encoder.start(&mut block);
        Rows { encoder, block, blocks, spare, watch, rows: 0, untold: 0, search: None, is_broken: false }
    }

    /// Sends what is left and says how many rows there were.
    pub(super) fn end(&mut self) -> Result<u64, Stop> {
        if self.is_broken || self.is_cancelled() || !self.encoder.is_between_rows() {
            return Err(Stop::Closed);
        }
        self.encoder.end(&mut self.block);
        self.send_block()?;
        let (rows, columns) = (self.rows, self.encoder.column_names());
        let nulled = self.encoder.nulled().map(|(column, cells)| (column.to_owned(), cells)).collect();
        self.blocks.send(Message::End { rows, columns, nulled }).map_err(|_| Stop::Closed)?;
        Ok(rows)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.watch.cancel.load(Relaxed)
    }

    fn send_block(&mut self) -> Result<(), Stop> {
        self.watch.progress.rows.fetch_add(std::mem::take(&mut self.untold), Relaxed);
        self.watch.progress.bytes.fetch_add(self.block.len() as u64, Relaxed);
        let is_huge = self.block.capacity() > HUGE_BLOCK;
        self.blocks.send(Message::Block(std::mem::take(&mut self.block))).map_err(|_| Stop::Closed)?;
        let mut next = self.spare.try_recv().unwrap_or_default();
        while is_huge && next.capacity() <= HUGE_BLOCK {
            next = self.spare.recv().map_err(|_| Stop::Closed)?;
        }
        if next.capacity() > LARGE_BLOCK {
            next = Vec::new();
        }
        next.clear();
        next.reserve(BLOCK + BLOCK / 4);
        self.block = next;
        Ok(())
    }

    fn closed(&mut self) -> Stop {
        self.is_broken = true;
        Stop::Closed
    }

    #[cold]
    fn note(&mut self, fault: CellFault) {
        let (row, column) = (self.rows + 1, self.encoder.column_name());
        match &mut self.search {
            Some(search) => search.found.add(row, column, fault),
            None => {
                let found = BadCells::first(row, column, fault);
                let (last_row, deadline) = (row.saturating_add(SEARCH_ROWS), Instant::now() + SEARCH_TIME);
                self.search = Some(Search { found, last_row, deadline });
                self.is_broken = true;
            }
        }
    }
}

impl RowSink for Rows {
    fn cell(&mut self, value: Value<'_>) -> Result<(), Stop> {
        if let Err(fault) = self.encoder.cell(value, &mut self.block) {
            self.note(fault);
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Stop> {
        self.encoder.end_row(&mut self.block);
        self.rows += 1;
        self.untold += 1;
        if self.is_cancelled() {
            return Err(self.closed());
        }
        if let Some(search) = &mut self.search {
            self.block.clear();
            if self.rows >= search.last_row || Instant::now() >= search.deadline {
                search.found.end_early(self.rows);
                return Err(Stop::Cells(search.found.clone()));
            }
        } else if self.block.len() >= BLOCK {
            self.send_block().map_err(|_| self.closed())?;
        }
        Ok(())
    }

    fn end_rows(&mut self) -> Result<(), Stop> {
        match &self.search {
            Some(search) => Err(Stop::Cells(search.found.clone())),
            None => Ok(()),
        }
    }
}
