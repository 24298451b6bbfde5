//! The end of a run: what is up under temporary names gets its final ones, or is taken away again.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, future, stream};

use super::resume::{Parcel, Standing};
use super::{RunError, Work};
use crate::deliver::{DeliverError, PublishOutcome, Session};
use crate::failpoint::{self, Side};
use crate::fastpath::{self, FastPath};
use crate::run::Stage;
use crate::state::Temporary;

/// How often a rename whose reply was lost is settled before the run is left for later.
const SETTLEMENTS: usize = 3;

/// How long taking our files away again may take after a failure.
const CLEANING: Duration = Duration::from_secs(30);

/// Renames, and removals, on their way at once.
pub(super) const AT_ONCE: usize = 256;

impl Work<'_> {
    /// Gives what is up its final names, in the order of the files, the manifest last.
    pub(super) async fn publish(&self, mut session: Session, mut parcels: Vec<Parcel>) -> Result<(), RunError> {
        self.revive(&mut session).await?;
        self.enter(Stage::Publishing).await?;
        if let Err(error) = self.publish_all(&mut session, &mut parcels).await {
            self.clean(session, &parcels, &error).await;
            return Err(error);
        }
        self.enter(Stage::Published).await?;
        self.turn.leave(session).await;
        Ok(())
    }

    async fn publish_all(&self, session: &mut Session, parcels: &mut [Parcel]) -> Result<(), RunError> {
        // The manifest says that all files are there.
        let files = parcels.iter().position(|parcel| parcel.file.is_manifest).unwrap_or(parcels.len());
        let (files, manifest) = parcels.split_at_mut(files);
        let at_once = match fastpath::is_taken(FastPath::Together, true) {
            true => usize::from(self.job.destination.requests).min(AT_ONCE),
            false => 1,
        };
        for group in files.chunks_mut(at_once).chain(manifest.chunks_mut(1)) {
            self.revive(session).await?;
            self.publish_group(session, group).await?;
        }
        Ok(())
    }

    /// Renames files at once, in their order, and records those whose rename is confirmed. One that is refused keeps
    /// none of the others from being recorded.
    async fn publish_group(&self, session: &mut Session, parcels: &mut [Parcel]) -> Result<(), RunError> {
        let outcomes = future::join_all(parcels.iter().map(|parcel| rename(self, session, parcel))).await;
        let (mut published, mut failed) = (Vec::new(), None);
        for (parcel, outcome) in parcels.iter_mut().zip(outcomes) {
            let Some(outcome) = outcome else { continue };
            match self.settle(session, parcel, outcome).await {
                Ok(()) => {
                    parcel.standing = Standing::Published;
                    published.push(parcel.position);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if !published.is_empty() {
            self.context.state.published(self.id(), &published).await?;
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// What came of a rename. When its reply is lost, a new connection looks what has happened.
    async fn settle(
        &self,
        session: &mut Session,
        parcel: &Parcel,
        mut outcome: Result<(), DeliverError>,
    ) -> Result<(), DeliverError> {
        let Standing::Up(temporary) = &parcel.standing else { return outcome };
        let (destination, file) = (&self.job.destination, &parcel.file.file);
        let publish = destination.publish;
        for _ in 0..SETTLEMENTS {
            // A connection can also have ended before the rename was asked for, while the server looked for the name.
            let Err(DeliverError::PublishUnknown { .. } | DeliverError::Lost { .. }) = &outcome else { return outcome };
            self.revive(session).await?;
            outcome = match session.settle_publish(temporary, &file.name, file.bytes, publish).await? {
                PublishOutcome::Published => Ok(()),
                PublishOutcome::NotPublished | PublishOutcome::Conflict => {
                    session.publish(temporary, &file.name, publish, destination.allow_gap).await
                }
                PublishOutcome::Gone => return outcome,
            };
        }
        outcome
    }

    /// Takes away what is there under temporary names. What can't be reached stays on record, and so do files that
    /// may be published without our knowing. The error that led here is the one to report.
    pub(super) async fn clean(&self, session: Session, parcels: &[Parcel], error: &RunError) {
        self.within_limits(error, self.remove_unpublished(session, parcels)).await;
    }

    /// Takes away what may be there under `names`, before anything is recorded that could be published.
    pub(super) async fn clean_names(&self, mut session: Session, names: &[String], error: &RunError) {
        let removing = async {
            self.revive(&mut session).await?;
            self.remove_names(&session, names.to_vec()).await
        };
        self.within_limits(error, removing).await;
    }

    async fn within_limits(&self, error: &RunError, removing: impl Future<Output = Result<(), RunError>>) {
        if matches!(error, RunError::State(_)) {
            // Nothing may be done that can't be recorded; the next attempt looks.
            return;
        }
        failpoint::reach("destination:clean", Side::Before).await;
        match tokio::time::timeout(CLEANING, removing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(run = %self.id(), %error, "temporary files are not removed yet"),
            Err(_) => tracing::debug!(run = %self.id(), "removing temporary files takes too long"),
        }
        failpoint::reach("destination:clean", Side::After).await;
    }

    async fn remove_unpublished(&self, mut session: Session, parcels: &[Parcel]) -> Result<(), RunError> {
        self.revive(&mut session).await?;
        let is_publishing = self.progress.stage() >= Stage::Publishing;
        let mut names = Vec::new();
        for parcel in parcels {
            let Standing::Up(temporary) = &parcel.standing else { continue };
            let file = &parcel.file.file;
            if is_publishing {
                let publish = self.job.destination.publish;
                match session.settle_publish(temporary, &file.name, file.bytes, publish).await? {
                    PublishOutcome::Published => {
                        self.context.state.published(self.id(), &[parcel.position]).await?;
                        continue;
                    }
                    PublishOutcome::Gone => continue,
                    PublishOutcome::NotPublished | PublishOutcome::Conflict => {}
                }
            }
            names.push(temporary.clone());
        }
        self.remove_names(&session, names).await
    }

    /// Removes files and forgets their names.
    pub(super) async fn remove_names(&self, session: &Session, names: Vec<String>) -> Result<(), RunError> {
        let removals = stream::iter(names.into_iter().map(async |name| session.remove(&name).await.map(|()| name)));
        let gone: Vec<String> = removals.buffer_unordered(AT_ONCE).try_collect().await?;
        let gone: Vec<Temporary> = gone.into_iter().map(|name| self.temporary_here(name)).collect();
        Ok(self.context.state.forget_temporaries(&gone).await?)
    }

    /// Connects again if the connection has ended.
    pub(super) async fn revive(&self, session: &mut Session) -> Result<(), DeliverError> {
        if !session.is_alive() {
            *session = self.connect().await?;
        }
        Ok(())
    }
}

/// None if there is nothing to rename.
async fn rename(work: &Work<'_>, session: &Session, parcel: &Parcel) -> Option<Result<(), DeliverError>> {
    let Standing::Up(temporary) = &parcel.standing else { return None };
    let destination = &work.job.destination;
    failpoint::reach("destination:rename", Side::Before).await;
    let renamed = session.publish(temporary, &parcel.file.file.name, destination.publish, destination.allow_gap).await;
    failpoint::reach("destination:rename", Side::After).await;
    Some(renamed)
}
