//! Connections that a run has left open for the next run to the same server.
//!
//! With 200 runs due at once to one partner they halve the time: logging in takes longer than a small delivery. A
//! connection is reused only by a run that would have opened an identical one: the same server and user, the same key and
//! trusted host keys, and neither file changed since. One on which anything has failed is not kept.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::session::Session;
use super::settings::Settings;
use crate::job::{SftpDestination, Trust};
use crate::secret::Secret;

/// How long a connection is kept that no run reuses.
pub(super) const KEPT: Duration = Duration::from_secs(5);

/// A connection that no run uses.
pub(super) struct Idle {
    pub(super) identity: Identity,
    pub(super) session: Session,
    pub(super) since: Instant,
}

/// All that decides which server a connection leads to and as which user, and what can't be changed about it later.
#[derive(Clone, PartialEq)]
pub(super) struct Identity {
    host: String,
    port: u16,
    user: String,
    key: (PathBuf, Option<Stamp>),
    passphrase: Option<Secret>,
    trust: (Trust, Option<Stamp>),
    requests: usize,
    stall: Duration,
}

/// What changes with a file's content: device, inode, size, and the last changes of its content and its metadata.
type Stamp = (u64, u64, u64, [i64; 4]);

impl Identity {
    /// The host, in lower case.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn of(destination: &SftpDestination, settings: &Settings) -> Identity {
        let known_hosts = match &destination.trust {
            Trust::KnownHosts(path) => stamp(path),
            Trust::Pinned(_) => None,
        };
        Identity {
            host: destination.host.to_lowercase(),
            port: destination.port,
            user: destination.user.clone(),
            key: (destination.key.clone(), stamp(&destination.key)),
            passphrase: destination.passphrase.clone(),
            trust: (destination.trust.clone(), known_hosts),
            requests: settings.requests,
            stall: settings.stall,
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.len(), [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()]))
}
