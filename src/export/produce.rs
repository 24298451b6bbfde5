//! The first half of a run: one snapshot of the store, every export of the job, finished files in the spool.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::{Cancel, RunError};
use crate::encode::Encoder;
use crate::growth::Follower;
use crate::instant;
use crate::job::{Job, JobExport};
use crate::pipeline::{self, PipelineError, Watch, Zip};
use crate::plan::{Plan, PlannedExport, PlannedFile};
use crate::progress::{FileProgress, Progress};
use crate::spool::{Artifact, FileWriter, RunFolder};
use crate::store::{Interrupt, Prepared, ReadError, ReaderFault, ReaderThread, Snapshot, StoreError, StoreSettings};
use crate::value::{BadCells, RowSink, Stop};
use crate::wording::io_error;

/// How long opening the store and checking every export's columns may take. The store itself limits each statement
/// that reads rows.
const OPENING: Duration = Duration::from_secs(300);

const CLOSING: Duration = Duration::from_secs(10);

/// What a production needs. It owns all of it, because it is moved to a thread of its own.
#[derive(Clone, Debug)]
pub struct Production {
    /// Where rows come from.
    pub store: StoreSettings,
    /// The job.
    pub job: Arc<Job>,
    /// Its files.
    pub plan: Arc<Plan>,
    /// Where they are written.
    pub folder: Arc<RunFolder>,
    /// Counts what is written.
    pub progress: Progress,
    /// Ends it early.
    pub cancel: Cancel,
    /// Receives each file when it is started, in the order of the plan.
    pub begun: Option<UnboundedSender<(PathBuf, Follower)>>,
}

/// Reads every export of the job in one snapshot and returns the finished files, in the order of the plan.
///
/// The work is done on a thread that may block: rows are encoded where they are read, and the reading waits when the
/// disk is slow.
pub async fn produce(production: Production) -> Result<Vec<Artifact>, RunError> {
    match ReaderThread::run(async move |thread| production.read_unless_cancelled(thread).await).await {
        Ok(files) => files,
        Err(ReaderFault::NoRuntime(error)) => {
            Err(StoreError::Unreachable { place: "of [store]".to_owned(), cause: io_error(&error) }.into())
        }
        Err(ReaderFault::Panicked) => Err(RunError::Defect("a panic while reading".to_owned())),
        Err(ReaderFault::Stopped) => Err(RunError::Cancelled),
    }
}

impl Production {
    async fn read_unless_cancelled(&self, thread: &ReaderThread) -> Result<Vec<Artifact>, RunError> {
        let interrupt = OnceCell::new();
        let files = self.cancel.unless(self.read_all(thread, &interrupt)).await.flatten();
        if let (Err(RunError::Cancelled), Some(interrupt)) = (&files, interrupt.get()) {
            interrupt.send().await;
        }
        files
    }

    async fn read_all(
        &self,
        thread: &ReaderThread,
        interrupt: &OnceCell<Interrupt>,
    ) -> Result<Vec<Artifact>, RunError> {
        let opening = tokio::time::timeout(OPENING, self.open(interrupt)).await;
        let (mut snapshot, prepared) =
            opening.map_err(|_| RunError::TooLong { phase: "opening the store", limit: OPENING })??;
        self.check_times(&mut snapshot, &prepared).await?;
        let mut files = Vec::with_capacity(self.plan.files.len());
        for (file, progress) in self.plan.files.iter().zip(self.progress.files.iter()) {
            let artifact = match &file.parts[..] {
                [part] if !self.job.zip => self.plain(thread, &mut snapshot, &prepared, file, part, progress).await?,
                _ => self.zip(thread, &mut snapshot, &prepared, file, progress).await?,
            };
            if let Some(warning) = artifact.record().unreadable_words() {
                tracing::warn!(job = %self.job.label, file = %artifact.name, "{warning}");
            }
            progress.size.store(artifact.bytes, Ordering::Relaxed);
            files.push(artifact);
        }
        // All rows are here; a server that does not close its side need not be waited for.
        let _ = tokio::time::timeout(CLOSING, snapshot.close()).await;
        Ok(files)
    }

    async fn open(&self, interrupt: &OnceCell<Interrupt>) -> Result<(Snapshot, Vec<Prepared>), RunError> {
        let mut snapshot = Snapshot::open(&self.store).await?;
        if let Some(way) = snapshot.interrupt(&self.store) {
            interrupt.get_or_init(|| way);
        }
        for warning in snapshot.remarks().await?.warnings {
            tracing::warn!(job = %self.job.label, "{warning}");
            self.progress.warn(None, &warning);
        }
        // A column missing in the last export must not cost the reading of all before it.
        let mut prepared = Vec::with_capacity(self.job.exports.len());
        for export in &self.job.exports {
            let ready = snapshot.prepare(export).await;
            let ready = ready.map_err(|cause| RunError::Export { export: export.name.clone(), cause })?;
            ready.warnings.iter().for_each(|warning| self.warn(export, warning));
            prepared.push(ready);
        }
        Ok((snapshot, prepared))
    }

    /// Makes sure that no export loses rows to a period, before any is read. It may read all rows, so it has the store's
    /// own limit of time for each.
    async fn check_times(&self, snapshot: &mut Snapshot, prepared: &[Prepared]) -> Result<(), RunError> {
        for (export, prepared) in self.job.exports.iter().zip(prepared) {
            let checked = snapshot.check_times(prepared).await;
            let warning = checked.map_err(|cause| RunError::Export { export: export.name.clone(), cause })?;
            warning.iter().for_each(|warning| self.warn(export, warning));
        }
        Ok(())
    }

    /// Every run says it: nobody looks at a run that succeeds, and files that hold less than expected do not look so.
    fn warn(&self, export: &JobExport, warning: &str) {
        tracing::warn!(job = %self.job.label, export = %export.name, "{warning}");
        self.progress.warn(Some(&export.name), warning);
    }

    async fn plain(
        &self,
        thread: &ReaderThread,
        snapshot: &mut Snapshot,
        prepared: &[Prepared],
        file: &PlannedFile,
        part: &PlannedExport,
        progress: &FileProgress,
    ) -> Result<Artifact, RunError> {
        let export = &self.job.exports[part.index];
        let writer = self.begin(file)?;
        let mut sink =
            pipeline::plain(&export.name, self.encoder(export, &prepared[part.index]), writer, self.watch(progress));
        let read = self.read(thread, snapshot, prepared, part, &mut sink).await;
        settle(export, read, sink.finish())
    }

    async fn zip(
        &self,
        thread: &ReaderThread,
        snapshot: &mut Snapshot,
        prepared: &[Prepared],
        file: &PlannedFile,
        progress: &FileProgress,
    ) -> Result<Artifact, RunError> {
        let writer = self.begin(file)?;
        let mut zip = Zip::new(writer, &self.plan.due);
        for part in &file.parts {
            let export = &self.job.exports[part.index];
            let mut member =
                zip.member(&export.name, self.encoder(export, &prepared[part.index]), self.watch(progress));
            let read = self.read(thread, snapshot, prepared, part, &mut member).await;
            match read.and_then(|()| Ok(member.finish()?)) {
                Ok(_) => {}
                Err(ReadError::Stop(Stop::Closed)) => return Ok(zip.finish()?),
                Err(error) => return Err(failed(export, error)),
            }
        }
        Ok(zip.finish()?)
    }

    async fn read<S: RowSink>(
        &self,
        thread: &ReaderThread,
        snapshot: &mut Snapshot,
        prepared: &[Prepared],
        part: &PlannedExport,
        sink: &mut S,
    ) -> Result<(), ReadError> {
        let read = snapshot.read(&prepared[part.index], part.period.as_ref(), sink, Some(thread)).await;
        snapshot.take_warnings().iter().for_each(|warning| self.warn(&self.job.exports[part.index], warning));
        read
    }

    fn begin(&self, file: &PlannedFile) -> Result<FileWriter, RunError> {
        let writer = self.folder.writer(&file.name)?;
        if let Some(begun) = &self.begun {
            // The receiver may be gone.
            let _ = begun.send((writer.path().to_owned(), writer.follower()));
        }
        Ok(writer)
    }

    fn encoder(&self, export: &JobExport, prepared: &Prepared) -> Encoder {
        Encoder::new(&self.job.format, &export.columns, &self.job.schedule.zone).with_scales(prepared.scales())
    }

    fn watch(&self, progress: &FileProgress) -> Watch {
        Watch { progress: progress.clone(), cancel: self.cancel.flag() }
    }
}

/// What came of a file: its reader and its writer each know half of it.
fn settle(
    export: &JobExport,
    read: Result<(), ReadError>,
    written: Result<Artifact, PipelineError>,
) -> Result<Artifact, RunError> {
    match read {
        // The writer stopped the reader and knows why.
        Ok(()) | Err(ReadError::Stop(Stop::Closed)) => Ok(written?),
        Err(error) => Err(failed(export, error)),
    }
}

fn failed(export: &JobExport, error: ReadError) -> RunError {
    let export = export.name.clone();
    match error {
        ReadError::Store(cause) => RunError::Export { export, cause },
        ReadError::Stop(Stop::Cells(cells)) => RunError::Cells { export, remedy: remedy(&cells), cells },
        ReadError::Stop(Stop::Closed) => RunError::Cancelled,
    }
}

/// What to do about cells that can't be written; of which columns, where they need different things.
fn remedy(cells: &BadCells) -> String {
    const USUAL: &str = "correct the data, or the column's type in the catalogue, or give the column \
        unreadable = \"null\" there";
    let mut remedies: Vec<(&str, Vec<&str>)> = Vec::new();
    for (column, found) in cells.found() {
        let remedy = instant::remedy(found).unwrap_or(USUAL);
        match remedies.iter_mut().find(|(known, _)| *known == remedy) {
            Some((_, columns)) => columns.push(column),
            None => remedies.push((remedy, vec![column])),
        }
    }
    match &remedies[..] {
        [(remedy, _)] => (*remedy).to_owned(),
        several => {
            let of_columns = several.iter().map(|(remedy, columns)| format!("for {}: {remedy}", columns.join(", ")));
            of_columns.collect::<Vec<_>>().join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{CellFault, ColumnType};

    #[test]
    fn what_helps_is_told_for_the_columns_that_it_helps() {
        let fault = |found: &str| CellFault { declared: ColumnType::Decimal, found: found.to_owned() };
        let mut cells = BadCells::first(1, "amount", fault("NaN"));
        cells.add(1, "price", fault("NaN"));
        assert!(remedy(&cells).starts_with("correct the data, or "), "{}", remedy(&cells));
        cells.add(1, "ended", fault("infinity"));
        let told = remedy(&cells);
        assert!(told.starts_with("for amount, price: correct the data, or "), "{told}");
        assert!(told.contains("; for ended: write NULL in the store or a view instead, or "), "{told}");
    }
}
