//! Going on with a run: what state knows of it, compared with what the spool holds and the destination shows.
//!
//! | a run that came to     | goes on by                                                                         |
//! | ---------------------- | ---------------------------------------------------------------------------------- |
//! | nothing, or `querying` | reading the store                                                                  |
//! | `spooled`, `uploading` | checking the spool, then uploading under new names                                 |
//! | `uploaded`             | looking for each temporary file; what is not there whole is uploaded again         |
//! | `publishing`           | looking at both names of each file whose rename was not confirmed                  |
//! | `published`            | nothing is left to do                                                              |

use super::{RunError, Work};
use crate::deliver::{PublishOutcome, Session};
use crate::run::Stage;
use crate::spool::SpoolError;
use crate::state::{StoredFile, Temporary};

/// What state knows of a run.
pub(super) struct Known {
    pub(super) stage: Option<Stage>,
    pub(super) files: Vec<StoredFile>,
}

impl Known {
    pub(super) fn is_spooled(&self) -> bool {
        self.stage.is_some_and(|stage| stage >= Stage::Spooled) && !self.files.is_empty()
    }

    /// The temporary names under which files are up and whole, as far as state knows.
    fn uploaded(&self) -> impl Iterator<Item = &str> {
        let are_up = self.stage.is_some_and(|stage| stage >= Stage::Uploaded);
        let waiting = self.files.iter().filter(move |file| are_up && !file.file.published);
        waiting.filter_map(|file| file.temp_name.as_deref())
    }
}

/// A file of a run on its way.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Its place among the run's files, from 0.
    pub(super) position: usize,
    pub(super) file: StoredFile,
    pub(super) standing: Standing,
    /// It has been tried in this attempt already, under another name.
    pub(super) is_second_try: bool,
}

/// How far a file has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is in the spool and nowhere else.
    Local,
    /// It is at the destination, whole, under this temporary name.
    Up(String),
    /// It has its final name.
    Published,
}

impl Parcel {
    /// A file that is at the destination under `temporary`.
    pub(super) fn up(position: usize, file: StoredFile, temporary: String) -> Parcel {
        Parcel { position, file, standing: Standing::Up(temporary), is_second_try: false }
    }
}

impl Work<'_> {
    pub(super) async fn known(&self) -> Result<Known, RunError> {
        let detail = self.context.state.detail(self.id()).await?;
        Ok(detail.map_or(Known { stage: None, files: Vec::new() }, |detail| Known {
            stage: detail.stage,
            files: detail.files,
        }))
    }

    /// Removes what earlier attempts, and earlier runs of the job, could not remove. A server that does not let it go
    /// now is asked again by the next run.
    pub(super) async fn remove_leftovers(&self, session: &Session, known: &Known) -> Result<(), RunError> {
        let state = &self.context.state;
        let mut gone = Vec::new();
        for leftover in state.temporaries(self.id(), &self.run.job).await? {
            let is_in_use = leftover.run == *self.id() && known.uploaded().any(|name| name == leftover.name);
            if !is_in_use && session.remove(&leftover.name).await.is_ok() {
                gone.push(leftover);
            }
        }
        Ok(state.forget_temporaries(&gone).await?)
    }

    /// Finds out where each file of a spooled run is. None if the files have to be made, for the first time or again.
    pub(super) async fn take_up(&self, session: &Session, known: Known) -> Result<Option<Vec<Parcel>>, RunError> {
        if !known.is_spooled() {
            return Ok(None);
        }
        let stage = known.stage.unwrap_or(Stage::Spooled);
        let mut parcels = Vec::with_capacity(known.files.len());
        for (position, file) in known.files.into_iter().enumerate() {
            let standing = match file.temp_name.clone() {
                _ if file.file.published => Standing::Published,
                Some(temporary) if stage >= Stage::Uploaded => {
                    self.look(session, stage, position, &file, temporary).await?
                }
                _ => Standing::Local,
            };
            parcels.push(Parcel { position, file, standing, is_second_try: false });
        }
        match self.verify(&parcels).await {
            Ok(()) => {
                tracing::info!(run = %self.id(), stage = %stage, "goes on with the files in the spool");
                Ok(Some(parcels))
            }
            Err(RunError::Spool(error @ SpoolError::Changed { .. })) => self.make_again(&parcels, error),
            Err(error) => Err(error),
        }
    }

    /// Where a file is that was up under `temporary`.
    async fn look(
        &self,
        session: &Session,
        stage: Stage,
        position: usize,
        file: &StoredFile,
        temporary: String,
    ) -> Result<Standing, RunError> {
        let (name, bytes) = (&file.file.name, file.file.bytes);
        if stage >= Stage::Publishing {
            match session.settle_publish(&temporary, name, bytes, self.job.destination.publish).await? {
                PublishOutcome::Published => {
                    self.context.state.published(self.id(), &[position]).await?;
                    return Ok(Standing::Published);
                }
                PublishOutcome::Gone => {
                    tracing::warn!(
                        run = %self.id(), file = name,
                        "neither the file nor its temporary one is at the destination, and its rename was never \
                         confirmed: somebody took it, or it is lost; it is sent again"
                    );
                    return Ok(Standing::Local);
                }
                PublishOutcome::NotPublished | PublishOutcome::Conflict => {}
            }
        }
        if session.is_uploaded(&temporary, &file.file).await? {
            return Ok(Standing::Up(temporary));
        }
        session.remove(&temporary).await?;
        let gone = Temporary { run: self.id().clone(), name: temporary };
        self.context.state.forget_temporaries(&[gone]).await?;
        Ok(Standing::Local)
    }

    /// Compares what is to be uploaded with what was recorded of it.
    async fn verify(&self, parcels: &[Parcel]) -> Result<(), RunError> {
        let (spool, run) = (self.context.spool.clone(), self.id().clone());
        let local = parcels.iter().filter(|parcel| parcel.standing == Standing::Local);
        let records: Vec<_> = local.map(|parcel| parcel.file.file.clone()).collect();
        // Hashing gigabytes takes seconds.
        let verifying = tokio::task::spawn_blocking(move || {
            records.iter().try_for_each(|record| spool.find(&run, record, Vec::new()).map(|_| ()))
        });
        let verified = verifying.await.map_err(|_| RunError::Defect("a panic while checking files".to_owned()))?;
        Ok(verified?)
    }

    /// What to do about a spool that no longer holds what is to be sent.
    fn make_again(&self, parcels: &[Parcel], error: SpoolError) -> Result<Option<Vec<Parcel>>, RunError> {
        let published = parcels.iter().filter(|parcel| parcel.standing == Standing::Published).count();
        if published > 0 {
            // Made again, the rest would come from another state of the store than what the partner has.
            return Err(RunError::Torn { published, of: parcels.len(), cause: error });
        }
        if !self.may_query {
            return Err(error.into());
        }
        tracing::warn!(run = %self.id(), %error, "the files are made again");
        Ok(None)
    }
}
