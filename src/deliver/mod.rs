//! Delivers finished files, each whole or not at all.
//!
//! [`Delivery`] is the contract of every kind of destination. A run checks the directory, uploads every file under a
//! temporary name, verifies it, and publishes all of them by renaming. Repeating any step ends in the same state, and when
//! the reply to a rename is lost, [`Delivery::settle`] looks instead of repeating. Where a server does not rename
//! (`publish = "direct"`), a file is uploaded under its final name, and nothing is left to publish.
//!
//! Deliberately absent: retries, which are the caller's policy ([`DeliverError::is_permanent`] tells whether they make
//! sense), and creating directories, which belong to the partner.

mod blocks;
mod channel_writer;
mod channels;
mod directory;
mod error;
mod folder;
mod hosts;
mod idle;
mod limits;
mod manifest;
mod opening;
mod pace;
mod probe;
mod publish;
mod session;
mod settings;
mod sftp;
mod ssh;
mod survey;
mod upload;
mod verify;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

pub use directory::RemoteFile;
pub use error::{DeliverError, Place, UntrustedKey};
pub use folder::Folder;
pub use hosts::Hosts;
pub use limits::{HostLimits, PER_HOST, Permit};
pub use manifest::{Manifest, ManifestExport, ManifestFile, ManifestPeriod};
pub use opening::{Opened, Opening};
pub use probe::{Probe, probe_names};
pub use publish::PublishOutcome;
pub use session::{ServerFacts, Session, scan_host_keys};
pub use settings::Settings;
pub use ssh::{HostKey, PublicKeyLine, check_known_hosts, generate_key, read_public_key};
pub use survey::Survey;

use idle::Identity;

use crate::growth::Follower;
use crate::job::{Destination, Publish, SftpDestination};
use crate::run::FileRecord;
use crate::tuning::Tuning;

/// What connecting needs besides the destination.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long requests may be in flight with nothing moving.
    pub stall: Duration,
    /// Sizes and thresholds.
    pub tuning: Tuning,
    /// What each host is granted.
    pub hosts: Hosts,
}

impl Default for Options {
    fn default() -> Options {
        Options { stall: Settings::default().stall, tuning: Tuning::DEFAULT, hosts: Hosts::default() }
    }
}

impl Options {
    fn settings(&self, destination: &SftpDestination) -> Settings {
        let limits = self.hosts.limits().clone();
        Settings { stall: self.stall, tuning: self.tuning, limits, ..Settings::of(destination) }
    }
}

/// An open connection to a destination. Dropping it ends the connection; [`Delivery::close`] sends a disconnect message first.
pub struct Delivery {
    kind: Kind,
    /// What a later run must be about to open in order to reuse the connection, as it was when this one was opened.
    identity: Option<Identity>,
    publish: Publish,
    allow_gap: bool,
}

enum Kind {
    Sftp(Box<Session>),
    Folder(Folder),
}

impl Delivery {
    /// Connects to a destination.
    pub async fn open(destination: &Destination, options: &Options) -> Result<Delivery, DeliverError> {
        match destination {
            Destination::Sftp(sftp) => {
                let settings = options.settings(sftp);
                // Before anything is read that may change meanwhile.
                let identity = Identity::of(sftp, &settings);
                options.hosts.make_room(identity.host()).await;
                let session = Session::open_with(sftp, settings).await?;
                Ok(Delivery::over(session, sftp, identity))
            }
            Destination::Folder(destination) => {
                let folder = Folder::open(destination, options.stall, options.tuning);
                let publish = destination.publish;
                Ok(Delivery { kind: Kind::Folder(folder), publish, allow_gap: false, identity: None })
            }
        }
    }

    fn over(session: Session, destination: &SftpDestination, identity: Identity) -> Delivery {
        let SftpDestination { publish, allow_gap, .. } = *destination;
        Delivery { kind: Kind::Sftp(Box::new(session)), publish, allow_gap, identity: Some(identity) }
    }

    /// A connection that an earlier run has left open. It may have died unnoticed: then its check fails.
    pub fn reuse(destination: &Destination, options: &Options) -> Option<Delivery> {
        let Destination::Sftp(sftp) = destination else { return None };
        let settings = options.settings(sftp);
        let identity = Identity::of(sftp, &settings);
        let session = options.hosts.take_idle(&identity)?;
        Some(Delivery::over(session.move_to(sftp, settings), sftp, identity))
    }

    /// Whether the connection still stands, as far as is known without asking.
    pub fn is_alive(&self) -> bool {
        match &self.kind {
            Kind::Sftp(session) => session.is_alive(),
            Kind::Folder(_) => true,
        }
    }

    /// The host key that the server has proven; a folder has none.
    pub fn host_key(&self) -> Option<&HostKey> {
        match &self.kind {
            Kind::Sftp(session) => session.server().host_key.as_ref(),
            Kind::Folder(_) => None,
        }
    }

    /// The directory that files are put into.
    pub fn place(&self) -> Arc<Place> {
        match &self.kind {
            Kind::Sftp(session) => session.place(),
            Kind::Folder(folder) => folder.place(),
        }
    }

    /// Makes sure that the directory exists and that files can be created and renamed in it, with an empty file that has
    /// the [`probe_names`] of `probe`. Leftovers of those names are removed. A server that refuses to remove files keeps
    /// one, which a later check with the same `probe` uses again.
    pub async fn check(&self, probe: &str) -> Result<Probe, DeliverError> {
        match &self.kind {
            Kind::Sftp(session) => session.check(probe).await,
            Kind::Folder(folder) => folder.check(probe).await,
        }
    }

    /// The same, with a probe that an earlier check may have left there.
    pub async fn check_again(&self, probe: &str) -> Result<Probe, DeliverError> {
        match &self.kind {
            Kind::Sftp(session) => session.check_step_by_step(probe).await,
            Kind::Folder(_) => self.check(probe).await,
        }
    }

    /// Uploads the file at `path` as `temporary` while it grows, until `follower` says that it is whole. `sent` counts
    /// acknowledged bytes, and `opening` notes whether the remote file was opened.
    ///
    /// The remote file is created exclusively. A leftover of the same name is removed first: names are unique to a run,
    /// so it is ours. With `publish = "direct"`, `temporary` is the final name, and a file of that name is emptied and
    /// written anew. When this returns without an error, the file is synced (where the server can) and has its size.
    /// After an error nothing stays behind, unless the connection is lost; a file that could not be opened is left alone.
    pub async fn upload(
        &self,
        path: &Path,
        follower: Follower,
        temporary: &str,
        sent: &AtomicU64,
        opening: &Opening,
    ) -> Result<(), DeliverError> {
        match &self.kind {
            Kind::Sftp(session) => session.upload_noting(path, follower, temporary, sent, opening).await,
            Kind::Folder(folder) => folder.upload(path, follower, temporary, sent, opening).await,
        }
    }

    /// Whether a file that was uploaded as `temporary` is there and whole, as closely as the job's `verify` looks.
    pub async fn verify(&self, temporary: &str, record: &FileRecord) -> Result<bool, DeliverError> {
        match &self.kind {
            Kind::Sftp(session) => session.verify(temporary, record).await,
            Kind::Folder(folder) => folder.verify(temporary, record).await,
        }
    }

    /// Reads an uploaded file back, for a job that asks for that.
    ///
    /// # Errors
    /// [`DeliverError::ContentDiffers`], or [`DeliverError::TemporaryGone`] if it is not there.
    pub async fn read_back(&self, name: &str, record: &FileRecord) -> Result<(), DeliverError> {
        if self.verify(name, record).await? {
            return Ok(());
        }
        let (at, is_there) = (self.place(), self.size(name).await?.is_some());
        Err(match is_there {
            true => DeliverError::ContentDiffers { at, name: record.name.clone() },
            false => DeliverError::TemporaryGone { at, name: name.to_owned() },
        })
    }

    /// Makes sure that the job may publish under this name, as far as the server lets us look: with `publish = "refuse"`
    /// there is no such file.
    pub async fn require_free(&self, name: &str) -> Result<(), DeliverError> {
        if self.publish != Publish::Refuse {
            return Ok(());
        }
        let is_taken = match &self.kind {
            Kind::Sftp(session) => session.is_taken(name).await?,
            Kind::Folder(folder) => folder.size(name).await?.is_some(),
        };
        if is_taken { Err(DeliverError::NameTaken { at: self.place(), name: name.to_owned() }) } else { Ok(()) }
    }

    /// Whether there is a file of this name that has no content, as far as the server tells.
    pub async fn is_empty(&self, name: &str) -> Result<bool, DeliverError> {
        match &self.kind {
            Kind::Sftp(session) => Ok(session.stat(name).await?.is_some_and(|file| file.size == Some(0))),
            Kind::Folder(folder) => Ok(folder.size(name).await? == Some(0)),
        }
    }

    async fn size(&self, name: &str) -> Result<Option<u64>, DeliverError> {
        match &self.kind {
            Kind::Sftp(session) => Ok(session.stat(name).await?.map(|file| file.size.unwrap_or_default())),
            Kind::Folder(folder) => folder.size(name).await,
        }
    }

    /// Renames an uploaded file to its final name, as the job's `publish` says. With `"direct"` it has that name already.
    ///
    /// # Errors
    /// [`DeliverError::PublishUnknown`] if the reply was lost: connect again and [settle](Delivery::settle) it.
    pub async fn publish(&self, temporary: &str, name: &str) -> Result<(), DeliverError> {
        match &self.kind {
            Kind::Sftp(session) => session.publish(temporary, name, self.publish, self.allow_gap).await,
            Kind::Folder(folder) => folder.publish(temporary, name, self.publish).await,
        }
    }

    /// Finds out, by looking at both names, whether a rename with a lost reply has happened. The file has `bytes` bytes.
    pub async fn settle(&self, temporary: &str, name: &str, bytes: u64) -> Result<PublishOutcome, DeliverError> {
        match &self.kind {
            Kind::Sftp(session) => session.settle(temporary, name, bytes, self.publish).await,
            Kind::Folder(folder) => folder.settle(temporary, name, bytes, self.publish).await,
        }
    }

    /// Removes a file of ours, from the destination's directory or from another `directory` of the same recipient. One
    /// that does not exist is no error.
    pub async fn remove(&self, directory: Option<&str>, name: &str) -> Result<(), DeliverError> {
        match &self.kind {
            Kind::Sftp(session) => session.remove(directory, name).await,
            Kind::Folder(folder) => folder.remove(directory, name).await,
        }
    }

    /// What the server can do, for people who set a job up; none for a folder. The directory must have passed
    /// [`Delivery::check`] with the same `probe`, of which `left` became.
    pub async fn survey(&self, probe: &str, left: &Probe) -> Result<Option<Survey>, DeliverError> {
        match &self.kind {
            Kind::Sftp(session) => session.survey(probe, left).await.map(Some),
            Kind::Folder(_) => Ok(None),
        }
    }

    /// Leaves the connection to the next run, or ends it if anything has failed on it.
    pub async fn leave(self, hosts: &Hosts) {
        match (self.kind, self.identity) {
            (Kind::Sftp(session), Some(identity)) if session.is_sound() => {
                session.close_further_channels().await;
                hosts.keep_idle(identity, *session);
            }
            (Kind::Sftp(session), _) => session.close().await,
            (Kind::Folder(_), _) => {}
        }
    }

    /// Ends the connection.
    pub async fn close(self) {
        match self.kind {
            Kind::Sftp(session) => session.close().await,
            Kind::Folder(_) => {}
        }
    }
}
