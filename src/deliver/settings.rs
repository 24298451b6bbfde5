//! How long a session waits, and how it sends.

use std::num::NonZeroU64;
use std::time::Duration;

use super::limits::HostLimits;
use super::sftp;
use super::ssh::Deadlines;
use crate::job::{Channels, Publish, SftpDestination, Verify};
use crate::tuning::Tuning;

/// How long a session waits, and how it sends.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The limit for resolving the host's name, and for connecting to each of its addresses.
    pub address: Duration,
    /// The limit for the SSH handshake and the login together.
    pub handshake: Duration,
    /// How long requests may be in flight with nothing moving.
    pub stall: Duration,
    /// Requests in flight at most, on each channel; some servers take only 1.
    pub requests: usize,
    /// How files get their final names.
    pub publish: Publish,
    /// How uploaded files are compared with what was sent.
    pub verify: Verify,
    /// How many channels a large file may use.
    pub channels: Channels,
    /// Bytes a second that are sent to the host at most.
    pub max_rate: Option<NonZeroU64>,
    /// How often a silent server is asked whether it is there. After four questions without an answer the connection has
    /// ended.
    pub keepalive: Duration,
    /// Sizes and thresholds.
    pub tuning: Tuning,
    /// The limits of hosts.
    pub limits: HostLimits,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            address: Duration::from_secs(10),
            handshake: Duration::from_secs(15),
            stall: Duration::from_secs(60),
            requests: usize::from(SftpDestination::REQUESTS),
            publish: Publish::Replace,
            verify: Verify::Size,
            channels: Channels::Auto,
            max_rate: None,
            keepalive: Duration::from_secs(15),
            tuning: Tuning::DEFAULT,
            limits: HostLimits::default(),
        }
    }
}

impl Settings {
    /// The defaults, with what a job says about its destination.
    pub fn of(destination: &SftpDestination) -> Settings {
        let SftpDestination { requests, publish, verify, channels, max_rate, .. } = *destination;
        Settings { requests: usize::from(requests), publish, verify, channels, max_rate, ..Settings::default() }
    }

    pub(super) fn sftp(&self) -> sftp::ClientSettings {
        sftp::ClientSettings { outstanding: self.requests, stall: self.stall }
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        Deadlines { address: self.address, handshake: self.handshake, keepalive: self.keepalive }
    }
}

/// Whether a server of this version is known to keep one file that is written through several handles.
pub(super) fn keeps_files_whole(version: &str) -> bool {
    version.starts_with("SSH-2.0-OpenSSH")
}
