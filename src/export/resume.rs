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
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::publish::AT_ONCE;
use super::review::Supply;
use super::upload::LARGE;
use super::{Context, RunError, Work};
use crate::clearance::{Cleared, Location, Recipient};
use crate::deliver::{DeliverError, PublishOutcome, Session};
use crate::fastpath::{self, FastPath};
use crate::run::{FileRecord, RunId, Stage};
use crate::spool::SpoolError;
use crate::state::{StoredFile, Temporary};

/// Files of so many bytes together are hashed in the time that a login takes over a distance.
const EARLY: u64 = 256 * 1024 * 1024;

/// What state knows of a run.
pub(super) struct Known {
    pub(super) stage: Option<Stage>,
    pub(super) files: Vec<StoredFile>,
    /// For whom the files were made; none if that was not recorded.
    pub(super) recipient: Option<Recipient>,
}

impl Known {
    pub(super) async fn of(context: &Context, run: &RunId) -> Result<Known, RunError> {
        let detail = context.state.detail(run).await?;
        Ok(detail.map_or(Known::nothing(), |detail| Known {
            stage: detail.stage,
            files: detail.files,
            recipient: detail.recipient,
        }))
    }

    /// A run that has no files.
    pub(super) fn nothing() -> Known {
        Known { stage: None, files: Vec::new(), recipient: None }
    }

    /// The same files as if none of them had ever been sent.
    fn unsent(self) -> Known {
        let files = self.files.into_iter().map(|mut file| {
            (file.file.published, file.temp_name) = (false, None);
            file
        });
        Known { stage: Some(Stage::Spooled), files: files.collect(), ..self }
    }

    pub(super) fn is_spooled(&self) -> bool {
        self.stage.is_some_and(|stage| stage >= Stage::Spooled) && !self.files.is_empty()
    }

    /// Takes a file for not uploaded that is up under a name that is of no use.
    fn forget_upload(&mut self, temporary: &Temporary) {
        let files = self.files.iter_mut().filter(|file| file.temp_name.as_ref() == Some(&temporary.name));
        files.for_each(|file| file.temp_name = None);
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
    /// Removes what earlier attempts, and earlier runs of the job, could not remove. A server that does not let it go
    /// now is asked again by the next run. What lies at another recipient stays on record, and of this run it is told.
    pub(super) async fn remove_leftovers(&self, session: &Session, known: &mut Known) -> Result<(), RunError> {
        let (state, present) = (&self.context.state, self.location());
        let mut leftovers = state.temporaries(self.id(), &self.run.job).await?;
        // What is up in another directory than the present one is of no use there.
        let is_away = |leftover: &&Temporary| leftover.location.as_ref().is_some_and(|location| *location != present);
        leftovers.iter().filter(is_away).for_each(|leftover| known.forget_upload(leftover));
        // The probes of this attempt are on record as well; whoever makes them takes them away.
        let probes = self.probes();
        let is_in_use = |name: &str| probes.iter().any(|probe| probe == name) || known.uploaded().any(|up| up == name);
        leftovers.retain(|leftover| leftover.run != *self.id() || !is_in_use(&leftover.name));
        let is_here = |location: &Location| location.recipient == present.recipient;
        let (leftovers, elsewhere): (Vec<Temporary>, Vec<Temporary>) =
            leftovers.into_iter().partition(|leftover| leftover.location.as_ref().is_none_or(is_here));
        self.tell_of(&elsewhere);
        let removals = leftovers.into_iter().map(async |leftover| match remove(session, &leftover).await {
            Ok(()) => Some(leftover),
            Err(_) => None,
        });
        let gone: Vec<Temporary> =
            stream::iter(removals).buffer_unordered(AT_ONCE).filter_map(future::ready).collect().await;
        Ok(state.forget_temporaries(&gone).await?)
    }

    /// Says what this run may have left where its job does not deliver any more.
    fn tell_of(&self, elsewhere: &[Temporary]) {
        let own = elsewhere.iter().filter(|leftover| leftover.run == *self.id());
        let mut places: Vec<(&Location, Vec<&str>)> = Vec::new();
        for (location, name) in own.filter_map(|leftover| Some((leftover.location.as_ref()?, leftover.name.as_str()))) {
            match places.iter_mut().find(|(place, _)| *place == location) {
                Some((_, names)) => names.push(name),
                None => places.push((location, vec![name])),
            }
        }
        for (Location { recipient, directory }, names) in places {
            tracing::warn!(
                run = %self.id(), directory, files = names.join(", "),
                "hidden files of the run may be left at {recipient}, where its job does not deliver any more; they are \
                 removed when it delivers there again, or have them removed there"
            );
        }
    }

    /// Goes on with a run whose files are in the spool and may be sent. When it returns without an error, all of them
    /// are up.
    ///
    /// Files are compared with their records while they go up, and where the server is known to bear it the directory
    /// is tried meanwhile, too: a file is held short of its end until both have come out well.
    pub(super) async fn go_on(&self, known: Known, cleared: Cleared) -> Result<(Session, Vec<Parcel>), RunError> {
        // At another recipient nothing of the run is there yet, whatever the one before has.
        let mut known = if cleared.is_new_recipient() { known.unsent() } else { known };
        let mut digests = Digests::begin(self, &known);
        let (session, is_proven) = self.approach(known.is_large()).await?;
        self.remove_leftovers(&session, &mut known).await?;
        if cleared.is_new_recipient() {
            let recipient = Recipient::of(&self.job.destination);
            self.context.state.hand_over(self.id(), &recipient, Timestamp::now()).await?;
        }
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
        self.context.state.forget_temporaries(&[self.temporary_here(temporary)]).await?;
        Ok(Standing::Local)
    }

    /// What to do about a spool that no longer holds what is to be sent: the store is read again, unless that is an
    /// error.
    fn make_again(&self, published: usize, of: usize, error: SpoolError) -> Result<(), RunError> {
        if published > 0 {
            // Made again, the rest would come from another state of the store than what the partner has.
            return Err(RunError::Torn { published, of, cause: error });
        }
        if self.supply != Supply::Store {
            return Err(error.into());
        }
        tracing::warn!(run = %self.id(), %error, "the files are made again");
        Ok(())
    }
}

/// Removes a file of ours, also from a directory that the job has delivered to before.
async fn remove(session: &Session, leftover: &Temporary) -> Result<(), DeliverError> {
    match &leftover.location {
        Some(location) => session.remove_in(&location.directory, &leftover.name).await,
        None => session.remove(&leftover.name).await,
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
