//! The second half of a run: all files go up under temporary names, and only then get their final ones.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Cancel, Context, RunError, enter};
use crate::deliver::{DeliverError, Manifest, ManifestExport, ManifestFile, ManifestPeriod, PublishOutcome, Session};
use crate::job::Job;
use crate::plan::{Plan, PlannedExport};
use crate::progress::Progress;
use crate::run::{RunRecord, Stage};
use crate::spool::{Artifact, Contents, RunFolder};
use crate::state::StoredFile;

/// How often a rename whose reply was lost is settled before the run is left for later.
const SETTLEMENTS: usize = 3;

/// A run whose files are finished.
pub struct Dispatch<'a> {
    pub context: &'a Context,
    pub job: &'a Job,
    pub run: &'a RunRecord,
    pub plan: &'a Plan,
    pub progress: &'a Progress,
    pub cancel: &'a Cancel,
}

impl Dispatch<'_> {
    /// Puts `files` up and publishes them, the manifest last.
    pub async fn deliver(
        &self,
        session: Session,
        folder: &RunFolder,
        mut files: Vec<Artifact>,
    ) -> Result<(), RunError> {
        self.record(&files).await?;
        if let Some(name) = &self.plan.manifest {
            files.push(self.write_manifest(folder, name, &files)?);
        }
        enter(self.context, self.run, self.progress, Stage::Spooled).await?;

        // A server may have dropped a connection that was idle while the store was read.
        let mut session = if session.is_alive() { session } else { Session::open(&self.job.destination).await? };
        enter(self.context, self.run, self.progress, Stage::Uploading).await?;
        let uploaded = tokio::select! {
            uploaded = self.upload(&session, &files) => uploaded,
            () = self.cancel.cancelled() => Err(RunError::Cancelled),
        };
        if let Err(error) = uploaded {
            self.remove_temporaries(&session, &files).await;
            return Err(error);
        }
        enter(self.context, self.run, self.progress, Stage::Uploaded).await?;
        enter(self.context, self.run, self.progress, Stage::Publishing).await?;
        for file in &files {
            if let Err(error) = self.publish(&mut session, file).await {
                self.remove_temporaries(&session, &files).await;
                return Err(error.into());
            }
        }
        enter(self.context, self.run, self.progress, Stage::Published).await?;
        session.close().await;
        Ok(())
    }

    async fn record(&self, files: &[Artifact]) -> Result<(), RunError> {
        let stored: Vec<StoredFile> = files
            .iter()
            .map(|file| StoredFile {
                file: file.record(),
                spool: Some(file.path.clone()),
                temp_name: Some(self.temporary(file)),
            })
            .collect();
        Ok(self.context.state.record_files(&self.run.id, &stored).await?)
    }

    /// The hidden name of a file on its way up. It is unique to the run, so that two runs never share one.
    fn temporary(&self, file: &Artifact) -> String {
        format!(".{}.{}.part", file.name, self.run.id)
    }

    async fn upload(&self, session: &Session, files: &[Artifact]) -> Result<(), RunError> {
        let unseen = AtomicU64::new(0);
        for (position, file) in files.iter().enumerate() {
            // The manifest, which comes after the files, has no bar.
            let sent = self.progress.files.get(position).map_or(&unseen, |progress| &*progress.sent);
            sent.store(0, Ordering::Relaxed);
            session.upload(&file.path, &self.temporary(file), sent).await?;
        }
        Ok(())
    }

    /// Gives one file its final name. When the reply to the rename is lost, a new connection looks what has happened.
    async fn publish(&self, session: &mut Session, file: &Artifact) -> Result<(), DeliverError> {
        let destination = &self.job.destination;
        let (temporary, publish) = (self.temporary(file), destination.publish);
        let mut result = session.publish(&temporary, &file.name, publish, destination.allow_gap).await;
        for _ in 0..SETTLEMENTS {
            let Err(DeliverError::PublishUnknown { .. }) = &result else { return result };
            *session = Session::open(destination).await?;
            result = match session.settle_publish(&temporary, &file.name, file.bytes, publish).await? {
                PublishOutcome::Published => Ok(()),
                PublishOutcome::NotPublished | PublishOutcome::Conflict => {
                    session.publish(&temporary, &file.name, publish, destination.allow_gap).await
                }
                PublishOutcome::Gone => return result,
            };
        }
        result
    }

    /// Takes away what is still there under temporary names. The error that led here is the one to report.
    async fn remove_temporaries(&self, session: &Session, files: &[Artifact]) {
        let reconnected = if session.is_alive() { None } else { Session::open(&self.job.destination).await.ok() };
        let session = reconnected.as_ref().unwrap_or(session);
        for file in files {
            let temporary = self.temporary(file);
            if let Err(error) = session.remove(&temporary).await {
                tracing::debug!(run = %self.run.id, file = temporary, %error, "temporary file not removed");
            }
        }
    }

    fn write_manifest(&self, folder: &RunFolder, name: &str, files: &[Artifact]) -> Result<Artifact, RunError> {
        let manifest = Manifest {
            run: self.run.id.to_string(),
            job: self.job.label.clone(),
            due: self.plan.due.clone(),
            files: files
                .iter()
                .zip(&self.plan.files)
                .map(|(file, plan)| self.manifest_file(file, &plan.parts))
                .collect(),
        };
        let mut writer = folder.writer(name)?;
        writer.append(&manifest.to_bytes())?;
        Ok(writer.finish(Contents { export: String::new(), rows: 0, columns: Vec::new() })?)
    }

    fn manifest_file(&self, file: &Artifact, parts: &[PlannedExport]) -> ManifestFile {
        let mut members: Vec<ManifestExport> = parts.iter().map(|part| self.manifest_export(part)).collect();
        let export = if self.job.zip { None } else { members.pop() };
        ManifestFile {
            name: file.name.clone(),
            bytes: file.bytes,
            rows: file.rows,
            sha256: file.sha256.clone(),
            export,
            members,
        }
    }

    fn manifest_export(&self, part: &PlannedExport) -> ManifestExport {
        let export = &self.job.exports[part.index];
        let period = part.period.as_ref();
        ManifestExport {
            export: export.name.clone(),
            columns: export.columns.iter().map(|column| column.name.clone()).collect(),
            period: period.map(|period| ManifestPeriod { from: period.from.clone(), to: period.to.clone() }),
        }
    }
}
