//! Going on with a run: what state knows of it, compared with what the spool holds and the destination shows.
//!
//! | a run that came to     | goes on by                                                                         |
//! | ---------------------- | ---------------------------------------------------------------------------------- |
//! | nothing, or `querying` | reading the store                                                                  |
//! | `spooled`, `uploading` | checking the spool, then uploading under new names                                 |
//! | `uploaded`             | looking for each temporary file; what is not there whole is uploaded again         |
//! | `publishing`           | looking at both names of each file whose rename was not confirmed                  |
//! | `published`            | nothing is left to do                                                              |

use futures_util::{StreamExt, future, stream};
use tokio::task::JoinHandle;

use super::publish::AT_ONCE;
use super::upload::LARGE;
use super::{RunError, Work};
use crate::deliver::{PublishOutcome, Session};
use crate::fastpath::{self, FastPath};
use crate::run::{FileRecord, Stage};
use crate::spool::SpoolError;
use crate::state::{StoredFile, Temporary};

/// Files of so many bytes together are hashed in the time that a login takes over a distance.
const EARLY: u64 = 256 * 1024 * 1024;

/// What state knows of a run.
pub(super) struct Known {
    pub(super) stage: Option<Stage>,
    pub(super) files: Vec<StoredFile>,
}

impl Known {
    pub(super) fn is_spooled(&self) -> bool {
        self.stage.is_some_and(|stage| stage >= Stage::Spooled) && !self.files.is_empty()
    }

    /// Whether a file that is to go up may use several channels.
    fn is_large(&self) -> bool {
        let large = fastpath::from_size(FastPath::Channels, LARGE);
        self.files.iter().any(|file| !file.file.published && file.file.bytes >= large)
    }

    /// The temporary names under which files are up and whole, as far as state knows.
    fn uploaded(&self) -> impl Iterator<Item = &str> {
        let are_up = self.stage.is_some_and(|stage| stage >= Stage::Uploaded);
        let waiting = self.files.iter().filter(move |file| are_up && !file.file.published);
        waiting.filter_map(|file| file.temp_name.as_deref())
    }
}

/// A file of a run on its way.
#[derive(Clone, Debug)]
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

    /// The same file, to go up under another name if it is not there yet.
    fn try_again(self) -> Parcel {
        Parcel { is_second_try: self.standing == Standing::Local, ..self }
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
        let mut leftovers = state.temporaries(self.id(), &self.run.job).await?;
        // The probes of this attempt are on record as well; whoever makes them takes them away.
        let probes = self.probes();
        let is_in_use = |name: &str| probes.iter().any(|probe| probe == name) || known.uploaded().any(|up| up == name);
        leftovers.retain(|leftover| leftover.run != *self.id() || !is_in_use(&leftover.name));
        let removals = leftovers.into_iter().map(async |leftover| match session.remove(&leftover.name).await {
            Ok(()) => Some(leftover),
            Err(_) => None,
        });
        let gone: Vec<Temporary> =
            stream::iter(removals).buffer_unordered(AT_ONCE).filter_map(future::ready).collect().await;
        Ok(state.forget_temporaries(&gone).await?)
    }

    /// Goes on with a run whose files are in the spool. When it returns without an error, all of them are up.
    ///
    /// Files are compared with their records while they go up, and where the server is known to bear it the directory
    /// is tried meanwhile, too: a file is held short of its end until both have come out well.
    pub(super) async fn go_on(&self, known: Known) -> Result<(Session, Vec<Parcel>), RunError> {
        let mut digests = Digests::begin(self, &known);
        let (session, is_proven) = self.approach(known.is_large()).await?;
        self.remove_leftovers(&session, &known).await?;
        let parcels = self.take_up(&session, known).await?;
        digests.begin_with(self, &parcels);
        let published = parcels.iter().filter(|parcel| parcel.standing == Standing::Published).count();
        let of = parcels.len();
        let outcome = match is_proven || !session.works_in_parallel() {
            true => {
                if !is_proven {
                    self.prove(&session).await?;
                }
                self.upload_held(session, parcels, &mut digests, false).await
            }
            false => match self.upload_held(session, parcels.clone(), &mut digests, true).await {
                Err(RunError::Deliver(error)) if error.is_refused_step() => {
                    tracing::debug!(run = %self.id(), %error, "the directory is tried again, and nothing beside it");
                    let parcels = parcels.into_iter().map(Parcel::try_again).collect();
                    self.upload_held(self.reach().await?, parcels, &mut digests, false).await
                }
                outcome => outcome,
            },
        };
        match outcome {
            Err(RunError::Spool(error @ SpoolError::Changed { .. })) => {
                self.make_again(published, of, error)?;
                self.read_and_upload(self.reach().await?).await
            }
            outcome => outcome,
        }
    }

    /// Finds out where each file of a spooled run is.
    async fn take_up(&self, session: &Session, known: Known) -> Result<Vec<Parcel>, RunError> {
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
        tracing::info!(run = %self.id(), stage = %stage, "goes on with the files in the spool");
        Ok(parcels)
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

    /// What to do about a spool that no longer holds what is to be sent: the store is read again, unless that is an
    /// error.
    fn make_again(&self, published: usize, of: usize, error: SpoolError) -> Result<(), RunError> {
        if published > 0 {
            // Made again, the rest would come from another state of the store than what the partner has.
            return Err(RunError::Torn { published, of, cause: error });
        }
        if !self.may_query {
            return Err(error.into());
        }
        tracing::warn!(run = %self.id(), %error, "the files are made again");
        Ok(())
    }
}

/// The comparison of what is to be uploaded with what was recorded of it, on a thread of its own.
pub(super) struct Digests {
    comparing: Option<JoinHandle<Result<(), SpoolError>>>,
}

impl Digests {
    /// Begins while the connection is made, unless that could be for nothing: what may be up already need not be read
    /// here, and what takes long should not be done each time that a partner is away.
    fn begin(work: &Work<'_>, known: &Known) -> Digests {
        let mut digests = Digests { comparing: None };
        let local: Vec<FileRecord> =
            known.files.iter().map(|file| &file.file).filter(|file| !file.published).cloned().collect();
        let bytes: u64 = local.iter().map(|file| file.bytes).sum();
        let is_early = fastpath::is_taken(FastPath::Held, bytes <= EARLY);
        if known.stage.is_some_and(|stage| stage < Stage::Uploaded) && is_early {
            digests.compare(work, local);
        }
        digests
    }

    /// Begins now, if that has not been done.
    fn begin_with(&mut self, work: &Work<'_>, parcels: &[Parcel]) {
        if self.comparing.is_none() {
            let local = parcels.iter().filter(|parcel| parcel.standing == Standing::Local);
            self.compare(work, local.map(|parcel| parcel.file.file.clone()).collect());
        }
    }

    fn compare(&mut self, work: &Work<'_>, records: Vec<FileRecord>) {
        let (spool, run) = (work.context.spool.clone(), work.id().clone());
        self.comparing = Some(tokio::task::spawn_blocking(move || {
            records.iter().try_for_each(|record| spool.find(&run, record, Vec::new()).map(|_| ()))
        }));
    }

    /// Waits until all are found to be as they were recorded. Dropped before, it can be asked again.
    pub(super) async fn agree(&mut self) -> Result<(), RunError> {
        let Some(comparing) = &mut self.comparing else { return Ok(()) };
        let compared = comparing.await.map_err(|_| RunError::Defect("a panic while checking files".to_owned()))?;
        self.comparing = None;
        Ok(compared?)
    }
}
