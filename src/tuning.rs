//! Tuning: sizes and thresholds that change how fast a run is, and never what it delivers.
//!
//! Every build can run with every tuning. [`Tuning::DEFAULT`] is what is shipped. The two others exist for tests:
//! [`Tuning::PLAIN`] does one thing after the other, and [`Tuning::EAGER`] takes every shortcut for the smallest file
//! too, so that a file of a few rows passes through the code that is otherwise only used for large ones.

use std::time::Duration;

/// The environment variable that names a tuning: `default`, `plain` or `eager`.
pub const VARIABLE: &str = "EXPORTD_TUNING";

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Sizes in bytes, and how much is done at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// A file that is still being written is uploaded behind its writer once it has this many bytes. `u64::MAX` waits
    /// until it is finished.
    pub upload_growing_from: u64,
    /// Processors that are left to the threads that read, encode and write; the others serve connections. On two
    /// processors a single thread for connections is faster than two, which spend their time waking each other.
    pub reserved_processors: usize,
    /// A directory is checked with requests that are sent together.
    pub check_together: bool,
    /// Small files that are uploaded, or renamed, at the same time.
    pub files_at_once: usize,
    /// A file of at least this many bytes is uploaded over several channels.
    pub channels_from: u64,
    /// Channels beside the first that such a file uses if the server is far. A channel carries no more than the server's
    /// window (2 MiB for OpenSSH) in one round trip. OpenSSH grants nine channels beside the first as it is installed.
    pub channels: usize,
    /// The round trip from which on a server is far. To a near one a single channel is as fast as several.
    pub far: Duration,
    /// Bytes that an upload reads at once.
    pub upload_block: usize,
    /// Bytes of a file that may be sent before they are acknowledged, on each channel.
    pub upload_ahead: usize,
    /// The largest write, where the server says that it takes this much; 32 KiB fit every server.
    pub largest_write: usize,
    /// The spool is written past the page cache (`O_DIRECT`), where the file system supports that.
    pub direct_io: bool,
    /// Bytes that are written to the spool at once: a multiple of 4096.
    pub spool_block: usize,
    /// The most recent bytes of a growing file that are kept in memory for its upload.
    pub recent: usize,
}

impl Tuning {
    /// What is shipped.
    pub const DEFAULT: Tuning = Tuning {
        reserved_processors: 1,
        check_together: true,
        upload_growing_from: 4 * MIB as u64,
        files_at_once: 128,
        channels_from: 4 * MIB as u64,
        channels: 9,
        far: Duration::from_millis(5),
        upload_block: 256 * KIB,
        upload_ahead: 2 * MIB,
        largest_write: 64 * KIB,
        direct_io: true,
        spool_block: 512 * KIB,
        recent: 12 * MIB,
    };

    /// One thing after the other, and nothing special.
    pub const PLAIN: Tuning = Tuning {
        reserved_processors: 0,
        check_together: false,
        upload_growing_from: u64::MAX,
        files_at_once: 1,
        channels_from: u64::MAX,
        channels: 0,
        largest_write: 32 * KIB,
        direct_io: false,
        recent: 0,
        ..Tuning::DEFAULT
    };

    /// Every shortcut for every file.
    pub const EAGER: Tuning = Tuning {
        upload_growing_from: 0,
        channels_from: 0,
        far: Duration::ZERO,
        upload_block: 512,
        spool_block: 4 * KIB,
        ..Tuning::DEFAULT
    };

    /// The tuning that the environment names.
    ///
    /// # Errors
    /// A sentence for people, if there is no tuning of that name.
    pub fn of_environment() -> Result<Tuning, String> {
        match std::env::var(VARIABLE) {
            Ok(name) => Tuning::named(&name).ok_or_else(|| {
                format!("{VARIABLE} is {name:?}, which is no tuning; unset it, or set it to default, plain or eager")
            }),
            Err(_) => Ok(Tuning::DEFAULT),
        }
    }

    fn named(name: &str) -> Option<Tuning> {
        match name {
            "" | "default" => Some(Tuning::DEFAULT),
            "plain" => Some(Tuning::PLAIN),
            "eager" => Some(Tuning::EAGER),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuning_is_chosen_by_its_name() {
        assert_eq!(Tuning::named(""), Some(Tuning::DEFAULT));
        assert_eq!(Tuning::named("plain"), Some(Tuning::PLAIN));
        assert_eq!(Tuning::named("eager"), Some(Tuning::EAGER));
        assert_eq!(Tuning::named("Plain"), None);
    }
}
