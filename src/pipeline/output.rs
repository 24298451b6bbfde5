//! The writing side: a thread that takes blocks and makes a file of them.

use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::{panic, thread};

use super::PipelineError;
use super::archive::Archive;
use super::deflate::Deflater;
use crate::spool::{Artifact, Contents, FileWriter};

/// Blocks that may wait for the writer.
const WAITING_BLOCKS: usize = 4;

/// What the writing thread is told.
#[derive(Debug)]
pub(super) enum Message {
    /// An export begins, in a format of this extension; emptied blocks go to `empties`.
    Begin { export: String, extension: &'static str, empties: Sender<Vec<u8>> },
    /// The next bytes of the export.
    Block(Vec<u8>),
    /// The export ends.
    End { rows: u64, columns: Vec<String>, nulled: Vec<(String, u64)> },
    /// All exports have ended.
    Finish,
    /// There is to be no file.
    Abandon,
}

/// What the blocks are written to.
pub(super) enum Output {
    /// A file of one export.
    Plain(Box<FileWriter>),
    /// A zip with a member for each export.
    Zip { archive: Box<Archive>, deflater: Box<Deflater> },
}

/// The writing thread. Dropped before it has finished, it is stopped and waited for, and its file is removed.
#[derive(Debug)]
pub(super) struct Writer {
    messages: SyncSender<Message>,
    /// None once it has been waited for.
    thread: Option<JoinHandle<Result<Artifact, PipelineError>>>,
}

impl Writer {
    pub(super) fn start(output: Output) -> Writer {
        let (messages, receiver) = sync_channel(WAITING_BLOCKS);
        let thread = thread::spawn(move || write(output, &receiver));
        Writer { messages, thread: Some(thread) }
    }

    /// The way to the thread.
    pub(super) fn messages(&self) -> &SyncSender<Message> {
        &self.messages
    }

    /// Tells the thread that this was all, and waits for the file.
    pub(super) fn finish(mut self) -> Result<Artifact, PipelineError> {
        // A thread that has ended already is asked for the reason below.
        let _ = self.messages.send(Message::Finish);
        let thread = self.thread.take().expect("only this and drop wait for the thread, and both end the writer");
        thread.join().unwrap_or_else(|cause| panic::resume_unwind(cause))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = self.messages.send(Message::Abandon);
            let _ = thread.join();
        }
    }
}

/// Writes until all is said. Every way out but the last drops `output` and with it the unfinished file.
fn write(mut output: Output, messages: &Receiver<Message>) -> Result<Artifact, PipelineError> {
    let mut contents = Contents::default();
    // The export that is being written, and where its emptied blocks go.
    let mut current: Option<(String, Sender<Vec<u8>>)> = None;
    loop {
        match (messages.recv(), current.take()) {
            (Ok(Message::Begin { export, extension, empties }), None) => {
                output.begin(&export, extension)?;
                current = Some((export, empties));
            }
            (Ok(Message::Block(block)), Some((export, empties))) => {
                output.append(&block)?;
                // The reading side may be gone already; then nobody needs the block.
                let _ = empties.send(block);
                current = Some((export, empties));
            }
            (Ok(Message::End { rows, columns, nulled }), Some((export, _))) => {
                output.end()?;
                output.describe(&mut contents, &export, rows, columns, nulled);
            }
            (Ok(Message::Finish), None) => return output.finish(contents),
            _ => return Err(PipelineError::Unfinished { name: output.name().to_owned() }),
        }
    }
}

impl Output {
    /// A zip, compressed on all cores.
    pub(super) fn zip(archive: Archive) -> Output {
        Output::Zip { archive: Box::new(archive), deflater: Box::new(Deflater::on_all_cores()) }
    }

    fn name(&self) -> &str {
        match self {
            Output::Plain(file) => file.name(),
            Output::Zip { archive, .. } => archive.name(),
        }
    }

    fn begin(&mut self, export: &str, extension: &str) -> Result<(), PipelineError> {
        match self {
            Output::Plain(_) => Ok(()),
            Output::Zip { archive, .. } => Ok(archive.begin(&format!("{export}.{extension}"))?),
        }
    }

    fn append(&mut self, block: &[u8]) -> Result<(), PipelineError> {
        match self {
            Output::Plain(file) => Ok(file.append(block)?),
            Output::Zip { archive, deflater } => Ok(deflater.append(block, |bytes| archive.append(bytes))?),
        }
    }

    fn end(&mut self) -> Result<(), PipelineError> {
        match self {
            Output::Plain(_) => Ok(()),
            Output::Zip { archive, deflater } => {
                let content = deflater.end(|bytes| archive.append(bytes))?;
                Ok(archive.end(content)?)
            }
        }
    }

    fn describe(
        &self,
        contents: &mut Contents,
        export: &str,
        rows: u64,
        columns: Vec<String>,
        nulled: Vec<(String, u64)>,
    ) {
        contents.rows += rows;
        match self {
            Output::Plain(_) => {
                contents.export = export.to_owned();
                contents.columns = columns;
                contents.unreadable = nulled.into_iter().collect();
            }
            Output::Zip { .. } => {
                if !contents.export.is_empty() {
                    contents.export.push(',');
                }
                contents.export.push_str(export);
                let full = |column: &str| format!("{export}.{column}");
                contents.columns.extend(columns.iter().map(|column| full(column)));
                contents.unreadable.extend(nulled.iter().map(|(column, cells)| (full(column), *cells)));
            }
        }
    }

    fn finish(self, contents: Contents) -> Result<Artifact, PipelineError> {
        match self {
            Output::Plain(file) => Ok(file.finish(contents)?),
            Output::Zip { archive, .. } => archive.finish()?.finish(contents),
        }
    }
}
