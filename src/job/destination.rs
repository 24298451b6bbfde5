//! Where a job's files go, and how they are sent there.

use std::num::NonZeroU64;
use std::path::PathBuf;

use crate::secret::Secret;
use crate::words::Words;

/// An SFTP server and a directory on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// Host name or address.
    pub host: String,
    /// SSH port.
    pub port: u16,
    /// SSH user.
    pub user: String,
    /// The directory files are put into; it must exist.
    pub directory: String,
    /// The private key file that proves who we are.
    pub key: PathBuf,
    /// The passphrase of an encrypted key.
    pub passphrase: Option<Secret>,
    /// Which host keys prove who the server is.
    pub trust: Trust,
    /// What happens when the final name already exists.
    pub publish: Publish,
    /// Accept a moment without any file where the server can't replace one atomically.
    pub allow_gap: bool,
    /// How an uploaded file is compared with what was sent, before it is published.
    pub verify: Verify,
    /// Requests in flight at most, on each channel: 1 to 1024.
    pub requests: u16,
    /// How many channels one large file may travel over.
    pub channels: Channels,
    /// Bytes a second that go to the host at most, over all runs; none: as fast as it takes them.
    pub max_rate: Option<NonZeroU64>,
}

impl Destination {
    /// Requests in flight unless a job says otherwise: usual servers take them, and they fill a distant connection.
    pub const REQUESTS: u16 = 128;

    /// Who receives: `drop@sftp.partner.example:incoming/bi`, with the port where it is not the usual one.
    pub fn address(&self) -> String {
        let Destination { user, host, port, directory, .. } = self;
        match port {
            22 => format!("{user}@{host}:{directory}"),
            port => format!("{user}@{host}:{port}:{directory}"),
        }
    }
}

/// How an uploaded file is compared with what was sent, before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// By its size, which the server tells.
    Size,
    /// By its content, which is read back.
    Readback,
    /// Not at all, and nothing is looked at: for directories that may only be written.
    None,
}

impl Words for Verify {
    const WORDS: &'static [(&'static str, Verify)] =
        &[("size", Verify::Size), ("readback", Verify::Readback), ("none", Verify::None)];
}

/// How many channels of one connection a large file may travel over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// As server and distance suggest.
    Auto,
    /// This many at most, the first included; at least 1.
    AtMost(u8),
}

/// Which host keys are trusted. There is no third choice: an unknown key is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// SHA-256 fingerprints in OpenSSH's notation (`SHA256:…`).
    Pinned(Vec<String>),
    /// A file in OpenSSH's known_hosts format.
    KnownHosts(PathBuf),
}

/// What happens when the final name already exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    /// The new file takes its place in one step.
    Replace,
    /// The run fails and the old file stays.
    Refuse,
}

impl Words for Publish {
    const WORDS: &'static [(&'static str, Publish)] = &[("replace", Publish::Replace), ("refuse", Publish::Refuse)];
}
