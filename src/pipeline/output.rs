//! The writing side: a thread that takes blocks and makes a file of them.

use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::{io, panic, thread};

use ::zip::ZipWriter;
use ::zip::result::ZipError;
use ::zip::write::{SimpleFileOptions, StreamWriter};

use super::PipelineError;
use crate::spool::{Artifact, Contents, FileWriter};

/// Blocks that may wait for the writer.
const WAITING_BLOCKS: usize = 4;

/// What the writing thread is told.
#[derive(Debug)]
pub(super) enum Message {
    /// An export begins; emptied blocks go to `empties`.
    Begin { export: String, empties: Sender<Vec<u8>> },
    /// The next bytes of the export.
    Block(Vec<u8>),
    /// The export ends.
    End { rows: u64, columns: Vec<String> },
    /// All exports have ended.
    Finish,
    /// There is to be no file.
    Abandon,
}

/// What the blocks are written to.
pub(super) enum Output {
    /// A file of one export.
    Plain(FileWriter),
    /// A zip with a member for each export.
    Zip { name: String, zip: Box<ZipWriter<StreamWriter<FileWriter>>>, options: SimpleFileOptions },
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
            (Ok(Message::Begin { export, empties }), None) => {
                output.begin(&export)?;
                current = Some((export, empties));
            }
            (Ok(Message::Block(block)), Some((export, empties))) => {
                output.append(&block)?;
                // The reading side may be gone already; then nobody needs the block.
                let _ = empties.send(block);
                current = Some((export, empties));
            }
            (Ok(Message::End { rows, columns }), Some((export, _))) => {
                output.describe(&mut contents, &export, rows, columns)
            }
            (Ok(Message::Finish), None) => return output.finish(contents),
            _ => return Err(PipelineError::Unfinished { name: output.name().to_owned() }),
        }
    }
}

impl Output {
    fn name(&self) -> &str {
        match self {
            Output::Plain(file) => file.name(),
            Output::Zip { name, .. } => name,
        }
    }

    fn begin(&mut self, export: &str) -> Result<(), PipelineError> {
        match self {
            Output::Plain(_) => Ok(()),
            Output::Zip { name, zip, options } => {
                zip.start_file(format!("{export}.csv"), *options).map_err(|error| zip_error(name, error))
            }
        }
    }

    fn append(&mut self, block: &[u8]) -> Result<(), PipelineError> {
        match self {
            Output::Plain(file) => Ok(file.append(block)?),
            Output::Zip { name, zip, .. } => {
                io::Write::write_all(zip, block).map_err(|error| zip_error(name, ZipError::Io(error)))
            }
        }
    }

    fn describe(&self, contents: &mut Contents, export: &str, rows: u64, columns: Vec<String>) {
        contents.rows += rows;
        match self {
            Output::Plain(_) => {
                contents.export = export.to_owned();
                contents.columns = columns;
            }
            Output::Zip { .. } => {
                if !contents.export.is_empty() {
                    contents.export.push(',');
                }
                contents.export.push_str(export);
                contents.columns.extend(columns.iter().map(|column| format!("{export}.{column}")));
            }
        }
    }

    fn finish(self, contents: Contents) -> Result<Artifact, PipelineError> {
        match self {
            Output::Plain(file) => Ok(file.finish(contents)?),
            Output::Zip { name, zip, .. } => {
                let stream = zip.finish().map_err(|error| zip_error(&name, error))?;
                Ok(stream.into_inner().finish(contents)?)
            }
        }
    }
}

/// The spool's own error where it is the cause, else what the zip's writer says.
fn zip_error(name: &str, error: ZipError) -> PipelineError {
    let reason = match error {
        ZipError::Io(error) => match error.downcast() {
            Ok(cause) => return PipelineError::Spool(cause),
            Err(error) => error.to_string(),
        },
        error => error.to_string(),
    };
    PipelineError::Zip { name: name.to_owned(), reason }
}
