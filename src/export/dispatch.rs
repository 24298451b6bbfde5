//! The second half of a run: all files go up under temporary names, and only then get their final ones.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::resume::{Parcel, Standing};
use super::{RunError, Work};
use crate::deliver::{DeliverError, PublishOutcome, Session};
use crate::failpoint::{self, Side};
use crate::run::{FileRecord, Stage};
use crate::state::Temporary;

/// How often a rename whose reply was lost is settled before the run is left for later.
const SETTLEMENTS: usize = 3;

/// How long taking our files away again may take after a failure.
const CLEANING: Duration = Duration::from_secs(30);

impl Work<'_> {
    /// Puts up what is not up yet, then publishes what is not published yet, in the order of the files.
    pub(super) async fn deliver(&self, mut session: Session, mut parcels: Vec<Parcel>) -> Result<(), RunError> {
        // A server may have dropped a connection that was idle while the store was read.
        self.revive(&mut session).await?;
        if parcels.iter().any(|parcel| parcel.standing == Standing::Local) {
            if let Err(error) = self.upload(&mut session, &mut parcels).await {
                self.clean(session, &parcels, &error).await;
                return Err(error);
            }
            self.enter(Stage::Uploaded).await?;
        }
        self.enter(Stage::Publishing).await?;
        if let Err(error) = self.publish_all(&mut session, &mut parcels).await {
            self.clean(session, &parcels, &error).await;
            return Err(error);
        }
        self.enter(Stage::Published).await?;
        session.close().await;
        Ok(())
    }

    /// The hidden name of a file on its way up: unique to the run and the attempt, so that two never share one.
    fn temporary(&self, name: &str) -> String {
        match self.run.attempts {
            0 | 1 => format!(".{name}.{}.part", self.id()),
            attempt => format!(".{name}.{}.{attempt}.part", self.id()),
        }
    }

    async fn upload(&self, session: &mut Session, parcels: &mut [Parcel]) -> Result<(), RunError> {
        let local = |parcel: &&mut Parcel| parcel.standing == Standing::Local;
        let mut names = Vec::new();
        for parcel in parcels.iter_mut().filter(local) {
            names.push((parcel.position, self.temporary(&parcel.file.file.name)));
        }
        self.context.state.uploading(self.id(), &names, Timestamp::now()).await?;
        self.progress.enter(Stage::Uploading);
        let unseen = AtomicU64::new(0);
        for (position, name) in names {
            let parcel = &mut parcels[position];
            parcel.standing = Standing::Up(name.clone());
            // The manifest, which comes after the files, has no bar.
            let sent = self.progress.files.get(position).map_or(&unseen, |progress| &*progress.sent);
            sent.store(0, Ordering::Relaxed);
            let path = parcel.file.spool.as_deref().ok_or_else(|| RunError::NotSpooled { run: self.id().clone() })?;
            failpoint::reach("destination:upload", Side::Before).await;
            tokio::select! {
                uploaded = self.put_up(session, path, &name, &parcel.file.file, sent) => uploaded?,
                () = self.cancel.cancelled() => return Err(RunError::Cancelled),
            }
            failpoint::reach("destination:upload", Side::After).await;
        }
        Ok(())
    }

    /// Uploads one file and compares it with its record, as closely as the job asks for. That a server has ended the
    /// connection since the file before is no failure.
    async fn put_up(
        &self,
        session: &mut Session,
        path: &Path,
        temporary: &str,
        record: &FileRecord,
        sent: &AtomicU64,
    ) -> Result<(), DeliverError> {
        self.revive(session).await?;
        match session.upload(path, temporary, sent).await {
            Err(DeliverError::Lost { .. }) if sent.load(Ordering::Relaxed) == 0 => {
                self.revive(session).await?;
                session.upload(path, temporary, sent).await?;
            }
            uploaded => uploaded?,
        }
        session.read_back(temporary, record).await
    }

    /// Connects again if the connection has ended.
    async fn revive(&self, session: &mut Session) -> Result<(), DeliverError> {
        if !session.is_alive() {
            *session = Session::open(&self.job.destination).await?;
        }
        Ok(())
    }

    async fn publish_all(&self, session: &mut Session, parcels: &mut [Parcel]) -> Result<(), RunError> {
        for parcel in parcels {
            let Standing::Up(temporary) = &parcel.standing else { continue };
            failpoint::reach("destination:rename", Side::Before).await;
            self.revive(session).await?;
            self.publish(session, temporary, parcel).await?;
            failpoint::reach("destination:rename", Side::After).await;
            self.context.state.published(self.id(), parcel.position).await?;
            parcel.standing = Standing::Published;
        }
        Ok(())
    }

    /// Gives one file its final name. When the reply to the rename is lost, a new connection looks what has happened.
    async fn publish(&self, session: &mut Session, temporary: &str, parcel: &Parcel) -> Result<(), DeliverError> {
        let destination = &self.job.destination;
        let (file, publish) = (&parcel.file.file, destination.publish);
        let mut result = session.publish(temporary, &file.name, publish, destination.allow_gap).await;
        for _ in 0..SETTLEMENTS {
            let Err(DeliverError::PublishUnknown { .. }) = &result else { return result };
            *session = Session::open(destination).await?;
            result = match session.settle_publish(temporary, &file.name, file.bytes, publish).await? {
                PublishOutcome::Published => Ok(()),
                PublishOutcome::NotPublished | PublishOutcome::Conflict => {
                    session.publish(temporary, &file.name, publish, destination.allow_gap).await
                }
                PublishOutcome::Gone => return result,
            };
        }
        result
    }

    /// Takes away what is there under temporary names. What can't be reached stays on record, and so do files that
    /// may be published without our knowing. The error that led here is the one to report.
    async fn clean(&self, session: Session, parcels: &[Parcel], error: &RunError) {
        if matches!(error, RunError::State(_)) {
            // Nothing may be done that can't be recorded; the next attempt looks.
            return;
        }
        failpoint::reach("destination:clean", Side::Before).await;
        let cleaning = tokio::time::timeout(CLEANING, self.remove_unpublished(session, parcels));
        match cleaning.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(run = %self.id(), %error, "temporary files are not removed yet"),
            Err(_) => tracing::debug!(run = %self.id(), "removing temporary files takes too long"),
        }
        failpoint::reach("destination:clean", Side::After).await;
    }

    async fn remove_unpublished(&self, mut session: Session, parcels: &[Parcel]) -> Result<(), RunError> {
        let (destination, state) = (&self.job.destination, &self.context.state);
        self.revive(&mut session).await?;
        let is_publishing = self.progress.stage() >= Stage::Publishing;
        for parcel in parcels {
            let Standing::Up(temporary) = &parcel.standing else { continue };
            let file = &parcel.file.file;
            if is_publishing {
                match session.settle_publish(temporary, &file.name, file.bytes, destination.publish).await? {
                    PublishOutcome::Published => {
                        state.published(self.id(), parcel.position).await?;
                        continue;
                    }
                    PublishOutcome::Gone => continue,
                    PublishOutcome::NotPublished | PublishOutcome::Conflict => {}
                }
            }
            session.remove(temporary).await?;
            let gone = Temporary { run: self.id().clone(), name: temporary.clone() };
            state.forget_temporaries(&[gone]).await?;
        }
        Ok(())
    }
}
