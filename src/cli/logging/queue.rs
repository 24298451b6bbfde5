//! The log's queue: whoever logs never waits for standard error, and never fails because of it.
//!
//! Lines are kept in memory until one thread has written them. When there is no room they are dropped and counted, and
//! where they are missing a line says how many they were. A write that fails costs its line in the same way: it is not
//! tried again, since a disk that is full for a day would fill the memory next.
//!
//! The bound is in bytes, since memory is what it protects and a line may be as long as all faults of a configuration.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many bytes may wait. A line that is longer is taken when nothing else waits.
const ROOM: usize = 1024 * 1024;

/// How long it takes until lost lines are told of, if nothing else is logged meanwhile and that failed before.
const AGAIN: Duration = Duration::from_secs(5);

/// How long a sink that refuses to block is left alone when it has no room.
const PAUSE: Duration = Duration::from_millis(20);

/// Makes the line that says how many lines were lost.
pub(super) type Notice = fn(u64) -> String;

/// Lines on their way to a sink, in the order in which they came.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    /// Something waits.
    filled: Condvar,
    /// Nothing waits, and nothing is being written.
    drained: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// Lines are dropped until half of the room is free, so that they are missing in one place and not in many.
    is_full: bool,
    is_writing: bool,
}

#[derive(Debug)]
enum Entry {
    Line(Box<[u8]>),
    /// Lines were dropped here.
    Gap(u64),
}

impl Queue {
    /// A queue whose thread writes into `sink` as long as the process lives.
    pub(super) fn start(sink: impl Write + Send + 'static, notice: Notice) -> io::Result<Arc<Queue>> {
        let queue = Arc::new(Queue::default());
        let writer = Writer { sink, notice, lost: 0, is_torn: false };
        let own = Arc::clone(&queue);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || own.drain(writer))?;
        Ok(queue)
    }

    /// Adds a line with its line break, or counts it as lost. Never waits for the sink.
    pub fn add(&self, line: &[u8]) {
        let mut waiting = self.lock();
        let has_room = waiting.bytes == 0 || waiting.bytes + line.len() <= ROOM;
        waiting.is_full = !has_room || waiting.is_full && waiting.bytes > ROOM / 2;
        if !waiting.is_full {
            waiting.bytes += line.len();
            waiting.entries.push_back(Entry::Line(line.into()));
        } else if let Some(Entry::Gap(lost)) = waiting.entries.back_mut() {
            *lost += 1;
        } else {
            waiting.entries.push_back(Entry::Gap(1));
        }
        self.filled.notify_one();
    }

    /// Waits until everything is written or lost, at most this long.
    pub fn flush(&self, limit: Duration) {
        let is_busy = |waiting: &mut Waiting| waiting.is_writing || !waiting.entries.is_empty();
        // Whatever is not written by then stays unwritten: the process is about to end.
        drop(self.drained.wait_timeout_while(self.lock(), limit, is_busy));
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drain(&self, mut writer: Writer<impl Write>) {
        loop {
            match self.next(writer.lost > 0) {
                Some(Entry::Line(line)) => writer.put(&line),
                Some(Entry::Gap(lost)) => writer.skip(lost),
                None => writer.skip(0),
            }
        }
    }

    /// Waits for the next entry. None when it is time to tell again that lines were lost.
    fn next(&self, has_lost: bool) -> Option<Entry> {
        let mut waiting = self.lock();
        waiting.is_writing = false;
        if waiting.entries.is_empty() {
            self.drained.notify_all();
        }
        while waiting.entries.is_empty() {
            if !has_lost {
                waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (woken, wait) = self.filled.wait_timeout(waiting, AGAIN).unwrap_or_else(PoisonError::into_inner);
            waiting = woken;
            if wait.timed_out() {
                break;
            }
        }
        waiting.is_writing = true;
        let entry = waiting.entries.pop_front();
        if let Some(Entry::Line(line)) = &entry {
            waiting.bytes -= line.len();
        }
        entry
    }
}

/// What subscribers write into: a whole line at a time.
impl Write for &Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The thread's hold on the sink.
struct Writer<W> {
    sink: W,
    notice: Notice,
    /// How many lines are missing at this place of the log, and not told of yet.
    lost: u64,
    /// The last thing written is a part of a line.
    is_torn: bool,
}

impl<W: Write> Writer<W> {
    fn put(&mut self, line: &[u8]) {
        if !(self.tell() && self.write(line)) {
            self.lost += 1;
        }
    }

    fn skip(&mut self, lines: u64) {
        self.lost += lines;
        self.tell();
    }

    /// Says how many lines are missing, if any are. False if they still are not told of.
    fn tell(&mut self) -> bool {
        if self.lost > 0 && self.write((self.notice)(self.lost).as_bytes()) {
            self.lost = 0;
        }
        self.lost == 0
    }

    fn write(&mut self, line: &[u8]) -> bool {
        if self.is_torn && write_all(&mut self.sink, b"\n") == 0 {
            return false;
        }
        self.is_torn = false;
        let written = write_all(&mut self.sink, line);
        self.is_torn = (1..line.len()).contains(&written);
        written == line.len()
    }
}

/// Writes as much as the sink takes, and returns how much that was.
fn write_all(sink: &mut impl Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while written < bytes.len() {
        match sink.write(&bytes[written..]) {
            Ok(0) => break,
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(_) => break,
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::time::Instant;

    use super::*;

    fn notice(lost: u64) -> String {
        format!("lost {lost}\n")
    }

    #[test]
    fn lines_that_do_not_fit_are_dropped_in_one_place_and_counted() {
        let (reader, sink) = io::pipe().unwrap();
        let queue = Queue::start(sink, notice).unwrap();
        let all = 40_000;
        let line = |number: u64| format!("{number:099}\n");
        (0..all).for_each(|number| queue.add(line(number).as_bytes()));
        let begun = Instant::now();
        queue.flush(Duration::from_millis(50));
        assert!(begun.elapsed() < Duration::from_secs(10), "it waits for a reader that never comes");

        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(reader).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        let (mut next, mut gaps) = (0, 0);
        while next < all {
            let line = told.recv_timeout(Duration::from_secs(20)).expect("all lines are there, or told of");
            match line.strip_prefix("lost ") {
                Some(lost) => (next, gaps) = (next + lost.parse::<u64>().unwrap(), gaps + 1),
                None => {
                    assert_eq!(line.parse::<u64>().unwrap(), next, "in their order");
                    next += 1;
                }
            }
        }
        assert_eq!(gaps, 1);
        queue.add(b"after\n");
        assert_eq!(told.recv_timeout(Duration::from_secs(20)).unwrap(), "after");
    }

    #[test]
    fn a_line_longer_than_the_queue_is_taken_when_nothing_else_waits() {
        let (reader, sink) = io::pipe().unwrap();
        let queue = Queue::start(sink, notice).unwrap();
        let long = "x".repeat(3 * ROOM);
        queue.add(format!("{long}\n").as_bytes());
        assert_eq!(BufReader::new(reader).lines().next().unwrap().unwrap(), long);
    }

    #[test]
    fn what_is_written_is_written_before_the_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let queue = Queue::start(file.reopen().unwrap(), notice).unwrap();
        (0..1000).for_each(|number| queue.add(format!("{number}\n").as_bytes()));
        queue.flush(Duration::from_secs(20));
        assert_eq!(std::fs::read_to_string(file.path()).unwrap().lines().count(), 1000);
    }
}
