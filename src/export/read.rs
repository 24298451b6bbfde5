//! Reading the store into finished files, while what is written of them goes up.
//!
//! Neither waits for the other: the reading writes to the spool as fast as the store gives, the upload follows as fast
//! as the partner takes. Should the upload fail, the reading goes on, for what it makes is sent without another query;
//! should the reading fail, nothing of the run stays, here or there.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::resume::{Parcel, Standing};
use super::review::Supply;
use super::upload::{Outgoing, Sent};
use super::{Production, RunError, Work, manifest, produce};
use crate::clearance::{Content, Recipient};
use crate::deliver::Session;
use crate::fastpath::{self, FastPath};
use crate::growth::Follower;
use crate::plan::{Plan, PlannedFile};
use crate::run::Stage;
use crate::state::StoredFile;

impl Work<'_> {
    /// Reads the store and puts its files up. When it returns without an error, all of them are finished and recorded,
    /// and all are up.
    pub(super) async fn read_and_upload(&self, session: Session) -> Result<(Session, Vec<Parcel>), RunError> {
        if self.supply != Supply::Store {
            return Err(RunError::NotSpooled { run: self.id().clone() });
        }
        let plan = Arc::new(Plan::new(self.job, &self.run.due, self.id().as_str()));
        let names: Vec<String> = plan.names().map(|name| self.temporary(name, false)).collect();
        self.context.state.expect_temporaries(self.id(), &names).await?;
        let (files, outgoing) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let reading = async {
            let read = self.read(plan, &names, files).await;
            if read.is_err() {
                stop.cancel();
            }
            read
        };
        let (read, sent) = fastpath::beside(FastPath::Overlap, reading, self.send(session, outgoing, &stop)).await;
        let Sent { mut session, up, error } = sent;
        let parcel = |(position, file)| Parcel::up(position, file, names[position].clone());
        let parcels: Vec<Parcel> = match read {
            Ok(files) => files.into_iter().enumerate().map(parcel).collect(),
            Err(error) => {
                self.clean_names(session, &names, &error).await;
                return Err(error);
            }
        };
        match error {
            None => self.compare(session, parcels).await,
            Some(error) if error.is_passing() && !self.cancel.is_cancelled() => {
                tracing::warn!(run = %self.id(), %error, "the upload beside the reading failed; the rest is sent again");
                self.revive(&mut session).await?;
                let failed = names.into_iter().enumerate().filter(|(position, _)| !up.contains(position));
                // What can't be removed now stays on record.
                let _ = self.remove_names(&session, failed.map(|(_, name)| name).collect()).await;
                self.upload(session, parcels.into_iter().map(|parcel| try_again(parcel, &up)).collect()).await
            }
            Some(error) => {
                self.clean(session, &parcels, &error).await;
                Err(error)
            }
        }
    }

    /// Reads the store into finished files, the manifest last, and records them. On an error nothing of files that are
    /// not recorded stays in the spool.
    async fn read(
        &self,
        plan: Arc<Plan>,
        names: &[String],
        outgoing: mpsc::UnboundedSender<Outgoing>,
    ) -> Result<Vec<StoredFile>, RunError> {
        let turn = self.cancel.unless(self.context.readers.acquire()).await?.expect("the semaphore is never closed");
        self.enter(Stage::Querying).await?;
        let filled = self.fill_spool(plan, names, outgoing).await;
        drop(turn);
        let files = match filled {
            Ok(files) => {
                let recipient = Recipient::of(&self.job.destination);
                let recorded = self.context.state.spooled(self.id(), &recipient, &files, Timestamp::now()).await;
                recorded.map(|()| files).map_err(RunError::State)
            }
            Err(error) => Err(error),
        };
        let files = match files {
            Ok(files) => files,
            Err(error) => {
                self.context.spool.remove(self.id())?;
                return Err(error);
            }
        };
        self.progress.enter(Stage::Spooled);
        let names: Vec<(usize, String)> = names.iter().cloned().enumerate().collect();
        self.context.state.uploading(self.id(), &names, Timestamp::now()).await?;
        self.progress.enter(Stage::Uploading);
        Ok(files)
    }

    async fn fill_spool(
        &self,
        plan: Arc<Plan>,
        names: &[String],
        outgoing: mpsc::UnboundedSender<Outgoing>,
    ) -> Result<Vec<StoredFile>, RunError> {
        let folder = Arc::new(self.context.spool.run(self.id())?);
        let send = |position: usize, path, follower| {
            let (temporary, sent) = (names[position].clone(), self.sent(position));
            // An upload that has failed is heard of when the reading is over.
            let _ = outgoing.send(Outgoing { position, temporary, path, follower, sent });
        };
        let (begun, mut beginning) = mpsc::unbounded_channel();
        let production = Production {
            store: self.context.store.clone(),
            job: self.job.clone(),
            plan: plan.clone(),
            folder: folder.clone(),
            progress: self.progress.clone(),
            cancel: self.cancel.clone(),
            begun: Some(begun),
        };
        let begin = async {
            let mut position = 0;
            while let Some((path, follower)) = beginning.recv().await {
                send(position, path, follower);
                position += 1;
            }
        };
        let (files, ()) = tokio::join!(produce(production), begin);
        let files = files?;
        let manifest = match &plan.manifest {
            Some(name) => Some(manifest::write(self.job, self.id(), &plan, &folder, name, &files)?),
            None => None,
        };
        if let Some(manifest) = &manifest {
            send(files.len(), manifest.path.clone(), Follower::of_whole(manifest.bytes));
        }
        let described = plan.files.iter().map(|file| (self.sensitive(file), self.contents(file)));
        // The manifest has no columns of its own.
        let described = described.chain([(Vec::new(), Vec::new())]);
        let files = files.into_iter().map(|file| (file, false)).chain(manifest.map(|file| (file, true)));
        let stored = files.zip(described).map(|((file, is_manifest), (sensitive, contents))| StoredFile {
            file: file.record(),
            is_manifest,
            spool: Some(file.path),
            temp_name: None,
            columns: file.columns,
            sensitive,
            contents: Some(contents),
        });
        Ok(stored.collect())
    }

    /// What a file contains, as it is compared with the job before the file is sent at a later attempt.
    fn contents(&self, file: &PlannedFile) -> Vec<Content> {
        file.parts.iter().map(|part| Content::of(&self.job.exports[part.index])).collect()
    }

    /// The sensitive columns of a file, named as its artifact names columns.
    fn sensitive(&self, file: &PlannedFile) -> Vec<String> {
        let exports = file.parts.iter().map(|part| &self.job.exports[part.index]);
        let names = exports.flat_map(|export| {
            export.sensitive().map(|column| match self.job.zip {
                true => format!("{}.{}", export.name, column.name),
                false => column.name.clone(),
            })
        });
        names.collect()
    }
}

/// A parcel that is not among those that are up is to go up once more.
fn try_again(parcel: Parcel, up: &HashSet<usize>) -> Parcel {
    match up.contains(&parcel.position) {
        true => parcel,
        false => Parcel { standing: Standing::Local, is_second_try: true, ..parcel },
    }
}
