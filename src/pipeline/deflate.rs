//! Deflate on all cores: a stream of bytes in, one raw deflate stream out.
//!
//! The bytes are cut into pieces of a fixed size. Each is compressed by itself, knows the 32 KiB before it as its
//! dictionary, and ends at a whole byte, so that the compressed pieces joined are one stream. It depends on the bytes
//! alone: not on the blocks they came in, the number of threads, or which of them compressed what.
//!
//! Memory is bounded by the pieces in flight: who appends waits for the oldest when there are too many.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress, Status};

use super::archive::Content;

/// The level whose size is that of Info-ZIP's level 6, in less time than zlib-rs's own level 6.
const LEVEL: u32 = 5;

/// Bytes of input that are compressed at once.
const PIECE: usize = 512 * 1024;

/// How far back a deflate stream can refer.
const WINDOW: usize = 32 * 1024;

/// More threads than this compress faster than one thread can read and encode.
const MAX_THREADS: usize = 8;

/// Compresses one member after the other, on threads that live as long as it does.
#[derive(Debug)]
pub(super) struct Deflater {
    workers: Workers,
    /// The bytes that are not on their way yet.
    filling: Piece,
    /// The pieces on their way, oldest first.
    in_flight: VecDeque<Receiver<Piece>>,
    spare: Vec<Piece>,
    crc: Hasher,
    size: u64,
}

/// A stretch of a member, with all that compressing it needs and yields.
#[derive(Debug, Default)]
struct Piece {
    /// The bytes before the piece that it may refer to, then its own.
    input: Vec<u8>,
    /// How many of them come before the piece.
    window: usize,
    /// Whether the member ends with it.
    is_last: bool,
    output: Vec<u8>,
    crc: Hasher,
}

impl Deflater {
    /// A compressor on as many threads as there are cores for.
    pub(super) fn on_all_cores() -> Deflater {
        Deflater::new(thread::available_parallelism().map_or(1, |cores| cores.get().min(MAX_THREADS)))
    }

    fn new(threads: usize) -> Deflater {
        Deflater {
            workers: Workers::new(threads),
            filling: Piece::default(),
            in_flight: VecDeque::new(),
            spare: Vec::new(),
            crc: Hasher::new(),
            size: 0,
        }
    }

    /// Takes the next bytes of the member; compressed ones, perhaps, go to `out`.
    pub(super) fn append<E>(&mut self, mut bytes: &[u8], mut out: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        while !bytes.is_empty() {
            if self.filling.room() == 0 {
                let next = self.filling.successor(self.spare.pop().unwrap_or_default());
                self.send(next, &mut out)?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(self.filling.room()));
            self.filling.input.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Ends the member: all that is left of it goes to `out`. The next bytes belong to the next member.
    pub(super) fn end<E>(&mut self, mut out: impl FnMut(&[u8]) -> Result<(), E>) -> Result<Content, E> {
        self.filling.is_last = true;
        self.send(Piece::default(), &mut out)?;
        while !self.in_flight.is_empty() {
            self.receive(&mut out)?;
        }
        let crc = std::mem::take(&mut self.crc).finalize();
        Ok(Content { crc, size: std::mem::take(&mut self.size) })
    }

    /// Sends the filled piece to be compressed; `next` is filled from now on.
    fn send<E>(&mut self, next: Piece, out: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        // While a thread compresses one piece, the next waits for it already.
        if self.in_flight.len() >= 2 * self.workers.most {
            self.receive(out)?;
        }
        let piece = std::mem::replace(&mut self.filling, next);
        self.workers.grow(self.in_flight.len() + 1);
        self.in_flight.push_back(self.workers.compress(piece));
        Ok(())
    }

    /// Waits for the oldest piece on its way.
    fn receive<E>(&mut self, out: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let Some(oldest) = self.in_flight.pop_front() else { return Ok(()) };
        let piece = oldest.recv().expect("a compressing thread that did not panic answers");
        out(&piece.output)?;
        self.crc.combine(&piece.crc);
        self.size += (piece.input.len() - piece.window) as u64;
        self.spare.push(piece);
        Ok(())
    }
}

impl Piece {
    fn room(&self) -> usize {
        PIECE - (self.input.len() - self.window)
    }

    /// The piece after this one, in the buffers of a `spare` one.
    fn successor(&self, mut spare: Piece) -> Piece {
        spare.input.clear();
        spare.input.reserve(WINDOW + PIECE);
        spare.input.extend_from_slice(&self.input[self.input.len().saturating_sub(WINDOW)..]);
        Piece { window: spare.input.len(), is_last: false, ..spare }
    }

    fn compress(&mut self) {
        // Not one that is reset: zlib-rs lets what a compressor did before shine through where it looks a few bytes
        // beyond the end of its input, and the stream would depend on who compressed what.
        let mut compress = Compress::new(Compression::new(LEVEL), false);
        let (window, input) = self.input.split_at(self.window);
        self.crc = Hasher::new();
        self.crc.update(input);
        if !window.is_empty() {
            compress.set_dictionary(window).expect("a raw stream takes a dictionary before its first byte");
        }
        let start = compress.total_in();
        let flush = if self.is_last { FlushCompress::Finish } else { FlushCompress::Sync };
        self.output.clear();
        // Room for what can't be compressed, so that once round is enough.
        self.output.reserve(input.len() + input.len() / 16 + 1024);
        loop {
            let taken = (compress.total_in() - start) as usize;
            let status = compress.compress_vec(&input[taken..], &mut self.output, flush);
            let status = status.expect("bytes in memory can be compressed, whatever they are");
            let is_flushed = !self.is_last && self.output.len() < self.output.capacity();
            if is_flushed || status == Status::StreamEnd {
                return;
            }
            self.output.reserve(PIECE);
        }
    }
}

/// The compressing threads. There are no more of them than there was work for at once.
#[derive(Debug)]
struct Workers {
    most: usize,
    threads: Vec<JoinHandle<()>>,
    /// None when there is no more work to come.
    tasks: Option<Sender<Task>>,
    queue: Arc<Mutex<Receiver<Task>>>,
}

/// A piece to compress, and the way back.
type Task = (Piece, SyncSender<Piece>);

impl Workers {
    fn new(most: usize) -> Workers {
        let (tasks, queue) = channel();
        Workers { most, threads: Vec::new(), tasks: Some(tasks), queue: Arc::new(Mutex::new(queue)) }
    }

    /// Makes sure that `tasks` can be worked on at once, if so many threads are allowed.
    fn grow(&mut self, tasks: usize) {
        if self.threads.len() < tasks.min(self.most) {
            let queue = Arc::clone(&self.queue);
            self.threads.push(thread::spawn(move || work(&queue)));
        }
    }

    fn compress(&self, piece: Piece) -> Receiver<Piece> {
        let (back, compressed) = sync_channel(1);
        if let Some(tasks) = &self.tasks {
            tasks.send((piece, back)).expect("the queue lives as long as its workers");
        }
        compressed
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.tasks = None;
        for thread in self.threads.drain(..) {
            // A thread that has panicked has been missed where its piece was waited for.
            let _ = thread.join();
        }
    }
}

fn work(queue: &Mutex<Receiver<Task>>) {
    while let Some((mut piece, back)) = queue.lock().ok().and_then(|queue| queue.recv().ok()) {
        piece.compress();
        // Nobody waits for it any more when the zip was abandoned.
        let _ = back.send(piece);
    }
}

#[cfg(test)]
mod tests;
