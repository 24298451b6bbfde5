//! Puts finished files on an SFTP server, each whole or not at all.
//!
//! A [`Session`] is one connection to one destination. A delivery checks the directory, uploads every file under a
//! temporary name, and publishes them by renaming once all are there. Repeating any step ends in the same state, and
//! when the reply to a rename is lost, [`Session::settle_publish`] looks instead of repeating.
//!
//! Deliberately absent: retries, which are the caller's policy ([`DeliverError::is_permanent`] tells whether they make
//! sense), and creating directories, which are the partner's.

mod blocks;
mod channels;
mod directory;
mod error;
mod lane;
mod manifest;
mod pace;
mod pool;
mod probe;
mod publish;
mod session;
mod sftp;
mod ssh;
mod survey;
mod upload;
mod verify;

pub use directory::RemoteFile;
pub use error::{DeliverError, Place, UntrustedKey};
pub use manifest::{Manifest, ManifestExport, ManifestFile, ManifestPeriod};
pub use pool::{PER_HOST, Pool, Turn};
pub use publish::PublishOutcome;
pub use session::{ServerFacts, Session, Settings, scan_host_keys};
pub use ssh::{HostKey, PublicKeyLine, check_known_hosts, generate_key, read_public_key};
pub use survey::Survey;
