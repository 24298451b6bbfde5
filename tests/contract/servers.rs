//! The delivery contract, kept by every kind of destination: a folder, real SFTP servers, and OpenSSH's with one odd
//! habit each.
//!
//! A behaviour is a function of [`behaviours`]; [`keep_the_contract`] goes through all of them. What a server can't do, and what its
//! job has to say for that, is its [`Case`].

mod behaviours;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use exportd::job::{Destination, FolderDestination, Publish, SftpDestination, Verify};

use crate::support::servers::{Kind, Server};

/// A kind of server, and what is to be expected of it.
struct Case {
    kind: Kind,
    /// Whether it replaces a file in one step, syncs, and tells the room on its disk.
    offers: [bool; 3],
    /// What its jobs say besides the usual.
    job: &'static str,
    /// How its files get their names.
    publish: Publish,
    /// Whether several channels may write to one file.
    shares_files: bool,
}

const OPENSSH: Case =
    Case { kind: Kind::OpenSsh, offers: [true; 3], job: "", publish: Publish::Replace, shares_files: true };

impl Case {
    fn odd(habit: &'static [&'static str]) -> Case {
        Case { kind: Kind::Odd(habit), ..OPENSSH }
    }

    fn says(&self, setting: &str) -> bool {
        self.job.contains(setting)
    }

    /// Whether files have their final names from the start.
    fn is_direct(&self) -> bool {
        self.publish == Publish::Direct
    }

    /// The name that a file is uploaded under.
    fn upload_name(&self, name: &str) -> String {
        if self.is_direct() { name.to_owned() } else { format!(".{name}.run1.part") }
    }

    /// The destination, as a job with the case's settings would have it.
    fn destination(&self, server: &Server) -> Destination {
        match self.sftp(server) {
            Some(sftp) => Destination::Sftp(sftp),
            None => self.folder(&server.directory()),
        }
    }

    /// The same in another directory.
    fn destination_in(&self, server: &Server, directory: &Path) -> Destination {
        match self.sftp(server) {
            Some(sftp) => Destination::Sftp(SftpDestination { directory: directory.display().to_string(), ..sftp }),
            None => self.folder(directory),
        }
    }

    /// The destination of a server; none for a folder.
    fn sftp(&self, server: &Server) -> Option<SftpDestination> {
        let verify = if self.says("verify = \"none\"") { Verify::None } else { Verify::Readback };
        let requests = if self.says("requests = 1") { 1 } else { SftpDestination::REQUESTS };
        let allow_gap = self.says("allow_gap = true");
        Some(SftpDestination { publish: self.publish, allow_gap, verify, requests, ..server.sftp()? })
    }

    fn folder(&self, path: &Path) -> Destination {
        let (publish, verify) = (self.publish, Verify::Readback);
        Destination::Folder(FolderDestination { path: path.to_owned(), publish, verify })
    }

    /// Where a file is that was published.
    fn place(&self, server: &Server, name: &str) -> PathBuf {
        let is_taken = self.kind == Kind::Odd(&["takes-renamed"]) && !self.is_direct();
        if is_taken { server.taken().join(name) } else { server.directory().join(name) }
    }

    /// Its content.
    fn published(&self, server: &Server, name: &str) -> Vec<u8> {
        std::fs::read(self.place(server, name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// When it came there, in nanoseconds.
    fn changed(&self, server: &Server, name: &str) -> i64 {
        let metadata = std::fs::metadata(self.place(server, name)).unwrap();
        metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec()
    }
}

macro_rules! contract {
    ($($behaviour:ident),+ $(,)?) => {
        async fn keep_the_contract(case: Case) {
            let server = Server::start(case.kind);
            let folder = tempfile::tempdir().unwrap();
            $(
                // Shown if it fails, so that one knows where.
                eprintln!("{:?} {}", case.kind, stringify!($behaviour));
                behaviours::$behaviour(&case, &server, folder.path()).await;
                server.clear();
            )+
        }
    };
}

contract! {
    it_says_what_it_can_do,
    a_stranger_is_not_let_in,
    another_host_key_is_refused,
    the_directory_is_checked_and_stays_as_it_was,
    a_missing_directory_is_not_made,
    files_of_every_size_and_name_arrive,
    a_directory_may_have_any_name,
    a_file_that_is_there_is_replaced,
    a_file_that_is_there_is_kept,
    a_link_is_not_followed,
    one_connection_carries_many_files,
    nothing_stays_behind_after_a_failure,
    a_cut_upload_is_made_again,
    a_lost_reply_is_settled,
    what_is_removed_is_gone_and_may_be_removed_again,
    several_channels_write_one_file,
    a_job_delivers_its_files_and_the_manifest_last,
}

/// Each kind of server, with files that are renamed to their names, and with files that are written in place.
macro_rules! servers {
    ($($name:ident: $case:expr,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                keep_the_contract($case).await;
            }
        )+

        mod in_place {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    keep_the_contract(Case { publish: Publish::Direct, ..$case }).await;
                }
            )+
        }
    };
}

servers! {
    openssh: OPENSSH,
    folder: Case { kind: Kind::Folder, shares_files: false, ..OPENSSH },
    proftpd: Case { kind: Kind::ProFtpd, ..OPENSSH },
    asyncssh: Case { kind: Kind::AsyncSsh, ..OPENSSH },
    paramiko: Case { kind: Kind::Paramiko, offers: [false; 3], job: "allow_gap = true", ..OPENSSH },
    without_extensions: {
        let habits = &["--", "-P", "posix-rename,fsync,limits,statvfs"];
        Case { offers: [false; 3], job: "allow_gap = true", ..Case::odd(habits) }
    },
    one_open_handle: Case::odd(&["one-handle"]),
    one_request_at_a_time: Case { job: "requests = 1", ..Case::odd(&["one-request"]) },
    small_packets: Case::odd(&["small-packets"]),
    write_only: Case { job: "verify = \"none\"", ..Case::odd(&["write-only"]) },
    files_are_taken_at_once: Case::odd(&["takes-renamed"]),
    handles_that_are_no_text: Case::odd(&["strange-handles"]),
}
