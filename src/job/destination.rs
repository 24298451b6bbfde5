//! The place where a job's files are delivered, and how.

use std::num::NonZeroU64;
use std::path::PathBuf;

use crate::name::NameTemplate;
use crate::secret::Secret;
use crate::words::Words;

/// The place where a job's files are delivered.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    /// A directory on an SFTP server.
    Sftp(SftpDestination),
    /// A folder on this machine.
    Folder(FolderDestination),
}

impl Destination {
    /// What happens when the final name already exists.
    pub fn publish(&self) -> Publish {
        match self {
            Destination::Sftp(sftp) => sftp.publish,
            Destination::Folder(folder) => folder.publish,
        }
    }

    /// Whether files have their final names from the start, so that a reader may see half of one.
    pub fn is_direct(&self) -> bool {
        self.publish() == Publish::Direct
    }

    /// How a delivered file is compared with what was sent, before it is published.
    pub fn verify(&self) -> Verify {
        match self {
            Destination::Sftp(sftp) => sftp.verify,
            Destination::Folder(folder) => folder.verify,
        }
    }

    /// Requests that may be in flight.
    pub fn requests(&self) -> usize {
        match self {
            Destination::Sftp(sftp) => usize::from(sftp.requests),
            // Each takes a thread while it waits for the disk.
            Destination::Folder(_) => 8,
        }
    }

    /// The destination for people: `drop@sftp.partner.example:incoming/bi`, with the port if it is not 22, or the
    /// folder's path.
    pub fn address(&self) -> String {
        match self {
            Destination::Sftp(sftp) => sftp.address(),
            Destination::Folder(folder) => folder.path.display().to_string(),
        }
    }
}

/// A folder on this machine, or one that is mounted here.
#[derive(Clone, Debug, PartialEq)]
pub struct FolderDestination {
    /// The folder's absolute path; it must exist.
    pub path: PathBuf,
    /// What happens when the final name already exists.
    pub publish: Publish,
    /// How a written file is compared with what was sent, before it is published.
    pub verify: Verify,
}

/// An SFTP server and a directory on it.
#[derive(Clone, Debug, PartialEq)]
pub struct SftpDestination {
    /// Host name or address.
    pub host: String,
    /// SSH port.
    pub port: u16,
    /// SSH user.
    pub user: String,
    /// The directory files are put into, as it is configured; it must exist.
    pub directory: String,
    /// The same where it has variables, so that each occurrence has a directory of its own.
    pub template: Option<NameTemplate>,
    /// The private key file to authenticate with.
    pub key: PathBuf,
    /// The passphrase of an encrypted key.
    pub passphrase: Option<Secret>,
    /// The host keys that identify the server.
    pub trust: Trust,
    /// What happens when the final name already exists.
    pub publish: Publish,
    /// Accept a moment without any file where the server can't replace one atomically.
    pub allow_gap: bool,
    /// How an uploaded file is compared with what was sent, before it is published.
    pub verify: Verify,
    /// Requests in flight at most, on each channel: 1 to 1024.
    pub requests: u16,
    /// How many channels one large file may be uploaded over.
    pub channels: Channels,
    /// Bytes a second that are sent to the host at most, over all runs; none: no limit.
    pub max_rate: Option<NonZeroU64>,
}

impl SftpDestination {
    /// As many requests as common servers accept, and enough for a distant one.
    pub const REQUESTS: u16 = 128;

    fn address(&self) -> String {
        let SftpDestination { user, host, port, directory, .. } = self;
        match port {
            22 => format!("{user}@{host}:{directory}"),
            port => format!("{user}@{host}:{port}:{directory}"),
        }
    }
}

/// How an uploaded file is compared with what was sent, before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// By its size.
    Size,
    /// By its content, which is read back.
    Readback,
    /// Not at all: for directories that may be written and not read.
    None,
}

impl Words for Verify {
    const WORDS: &'static [(&'static str, Verify)] =
        &[("size", Verify::Size), ("readback", Verify::Readback), ("none", Verify::None)];
}

/// How many channels of one connection a large file may be uploaded over.
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

/// How files get their final names, and what happens when one exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    /// The new file takes its place in one step.
    Replace,
    /// The run fails and the old file stays.
    Refuse,
    /// Files are written under their final names from the start: for servers that take uploads and refuse all else.
    Direct,
}

impl Words for Publish {
    const WORDS: &'static [(&'static str, Publish)] =
        &[("replace", Publish::Replace), ("refuse", Publish::Refuse), ("direct", Publish::Direct)];
}
