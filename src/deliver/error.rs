//! Why files could not be delivered: a variant for each decision that follows from it.
//!
//! Every message is one sentence that names server, directory or file and says what to do. Text that comes from a
//! server is shown only after [`plain`] has taken control characters and excess length out of it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::sftp::{ClientError, Code};
use crate::access;
use crate::clearance::Recipient;
use crate::job::SftpDestination;

/// What a [`Place`] on this machine has as its host.
const THIS_MACHINE: &str = "this machine";

/// The directory that a delivery goes to; every error names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Host name or address, or `this machine`.
    pub host: String,
    /// SSH port.
    pub port: u16,
    /// SSH user.
    pub user: String,
    /// The directory files are put into.
    pub directory: String,
}

impl Place {
    /// The directory of an SFTP destination.
    pub(super) fn of(destination: &SftpDestination) -> Place {
        let SftpDestination { host, port, user, directory, .. } = destination;
        Place { host: host.clone(), port: *port, user: user.clone(), directory: directory.clone() }
    }

    /// A folder on this machine, used as the user that this process runs as.
    pub(super) fn of_folder(path: &Path) -> Place {
        let (host, directory) = (THIS_MACHINE.to_owned(), path.display().to_string());
        Place { host, port: 22, user: access::name_of(rustix::process::geteuid().as_raw()), directory }
    }

    /// The account that receives files here.
    pub(super) fn recipient(&self) -> Recipient {
        Recipient::Sftp { user: self.user.clone(), host: self.host.to_lowercase(), port: self.port }
    }

    /// What helps where trying again does not.
    fn recourse(&self) -> &'static str {
        match self.host == THIS_MACHINE {
            true => "check the disk and its file system",
            false => "ask its operators",
        }
    }

    /// Host and port as people write them; the usual port goes unsaid.
    pub fn server(&self) -> String {
        match self.port {
            22 => self.host.clone(),
            port if self.host.contains(':') => format!("[{}]:{port}", self.host),
            port => format!("{}:{port}", self.host),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "directory {} on {}", self.directory, self.server())
    }
}

/// A host key that is not trusted, and what is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UntrustedKey {
    /// The server, as [`Place::server`] writes it.
    pub server: String,
    /// Fingerprint and type of the key that the server presents.
    pub presented: String,
    /// Fingerprints and types that are trusted for it.
    pub expected: Vec<String>,
    /// Where trust is configured: `host_keys`, or the file and line.
    pub source: String,
    /// The line for a known_hosts file that would make it trusted.
    pub line: String,
}

/// Why a delivery, or a check of a destination, failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of a variant says what its fields are")]
pub enum DeliverError {
    /// The name has no address.
    #[error("the host name {host} can't be resolved ({cause}); check its spelling and this machine's DNS")]
    HostNotFound { host: String, cause: String },
    /// No TCP connection.
    #[error("{server} can't be reached ({cause}); check host, port and the firewalls in between")]
    Unreachable { server: String, cause: String },
    /// A TCP connection, but no login in time.
    #[error(
        "{server} accepts connections but did not complete handshake and login within {} s; \
         check that it is an SSH server and not overloaded", limit.as_secs_f32()
    )]
    Silent { server: String, limit: Duration },
    /// The handshake broke off.
    #[error(
        "the SSH handshake with {server} broke off ({cause}); try again, and ask its operators if the problem persists"
    )]
    Handshake { server: String, cause: String },
    /// Nothing that both sides accept.
    #[error(
        "{server} offers no {kind} that is considered safe (it has {theirs}); \
         its operators have to update or reconfigure the SSH server"
    )]
    NoCommonAlgorithm { server: String, kind: &'static str, theirs: String },
    /// The negotiated cipher is open to manipulation with this server.
    #[error(
        "{server} can't keep a {cipher} connection safe from manipulation (CVE-2023-48795); \
         its operators have to update the SSH server or switch AES-GCM on"
    )]
    Terrapin { server: String, cipher: String },
    /// Another key than the trusted ones.
    #[error(
        "{} presents the host key {}, but {} trusts {}; nothing was sent: \
         if its operators confirm the new key, put it there, and if not, the connection may be intercepted",
        .0.server, .0.presented, .0.source, .0.expected.join(", ")
    )]
    HostKeyChanged(Box<UntrustedKey>),
    /// No key is on record.
    #[error(
        "{} is not in {}; it presents the host key {}: if its operators confirm that, add the line: {}",
        .0.server, .0.source, .0.presented, .0.line
    )]
    HostKeyUnknown(Box<UntrustedKey>),
    /// Only an authority is on record.
    #[error(
        "{} trusts only a certificate authority for {}, and certificates of hosts are not supported yet; \
         it presents the host key {}: if its operators confirm that, add the line: {}",
        .0.source, .0.server, .0.presented, .0.line
    )]
    HostKeyOfAuthority(Box<UntrustedKey>),
    /// The key is marked as revoked.
    #[error(
        "{} presents the host key {}, which {} revokes; nothing was sent: ask its operators for their new key",
        .0.server, .0.presented, .0.source
    )]
    HostKeyRevoked(Box<UntrustedKey>),
    /// The known_hosts file can't be used.
    #[error("the known_hosts file {} can't be used: {problem}", path.display())]
    KnownHosts { path: PathBuf, problem: String },
    /// Our key file can't be read or written.
    #[error("the key file {} {problem}", path.display())]
    Key { path: PathBuf, problem: String },
    /// Our key needs a passphrase.
    #[error("the key file {} is encrypted; configure its passphrase", path.display())]
    PassphraseMissing { path: PathBuf },
    /// The passphrase does not open our key.
    #[error("the configured passphrase does not open the key file {}; correct it", path.display())]
    PassphraseWrong { path: PathBuf },
    /// The server does not let our key in.
    #[error(
        "{server} refuses user {user} with the key {key} ({methods}); \
         have the public key added to that user's authorized_keys, or correct user or key"
    )]
    LoginRefused { server: String, user: String, key: String, methods: String },
    /// The server lets our key in only together with another proof.
    #[error(
        "{server} accepts the key {key} of user {user} and wants {methods} as well, which exportd can't give; \
         ask its operators to let this user in with the key alone"
    )]
    LoginIncomplete { server: String, user: String, key: String, methods: String },
    /// Logged in, but no SFTP.
    #[error(
        "{server} does not let user {user} use SFTP ({cause}); its operators have to enable the sftp subsystem for this user"
    )]
    SftpRefused { server: String, user: String, cause: String },
    /// The directory is not there.
    #[error(
        "the directory {} does not exist on {} for user {}; create it, or correct the job: it is never created here",
        at.directory, at.server(), at.user
    )]
    DirectoryMissing { at: Arc<Place> },
    /// The name is not a directory.
    #[error("{} on {} is not a directory; correct the job", at.directory, at.server())]
    NotADirectory { at: Arc<Place> },
    /// The directory can't be used for `action`.
    #[error(
        "the directory {} on {} does not allow user {} to {action} ({cause}); have its permissions corrected{otherwise}",
        at.directory, at.server(), at.user
    )]
    DirectoryDenied { at: Arc<Place>, action: &'static str, cause: String, otherwise: &'static str },
    /// New files disappear under their temporary names.
    #[error(
        "something takes new files out of {at} before they have their final name; \
         have it leave names alone that start with a dot or end in .part"
    )]
    TakenEarly { at: Arc<Place> },
    /// The spooled file can't be read.
    #[error("the spooled file {} can't be read ({cause}); run the job again", path.display())]
    LocalFile { path: PathBuf, cause: String },
    /// The server's disk is full.
    #[error("no space for {name} in {at}: it needs {needed} bytes and {free} are free; have space made there")]
    NoSpace { at: Arc<Place>, name: String, needed: u64, free: u64 },
    /// What arrived has another size.
    #[error("{name} has {found} bytes in {at} after {sent} were sent; try once more")]
    SizeDiffers { at: Arc<Place>, name: String, sent: u64, found: u64 },
    /// What arrived has other content.
    #[error(
        "{name} holds other bytes in {at} than were sent; try once more, \
         and {} if the problem persists", at.recourse()
    )]
    ContentDiffers { at: Arc<Place>, name: String },
    /// The final name exists and may not be replaced.
    #[error(
        "{name} exists already in {at} and publish = \"refuse\" keeps it; remove it there or change the job's filename"
    )]
    NameTaken { at: Arc<Place>, name: String },
    /// The server does not let the file be written under its final name.
    #[error(
        "{} does not let user {} write {name} in directory \"{}\" ({cause}); \
         if a file of that name is there, perhaps half of an earlier upload, have it removed, else have the rights corrected",
        at.server(), at.user, at.directory
    )]
    CannotWrite { at: Arc<Place>, name: String, cause: String },
    /// The server has no atomic replacement.
    #[error(
        "{} can't replace a file in one step (no posix-rename@openssh.com); \
         set publish = \"refuse\", or allow_gap = true to accept a moment without the file", at.server()
    )]
    CannotReplace { at: Arc<Place> },
    /// The uploaded file is no longer under its temporary name.
    #[error("{name} is gone from {at} before it was published; it has to be uploaded again")]
    TemporaryGone { at: Arc<Place>, name: String },
    /// The reply to a publish was lost, so it may have happened or not.
    #[error("{name} may or may not be published in {at}: the reply was lost ({cause}); look before trying again")]
    PublishUnknown { at: Arc<Place>, name: String, cause: String },
    /// The server refuses a step for good.
    #[error("{} refuses {step} in {} ({cause}); have the rights of user {} corrected", at.server(), at.directory, at.user)]
    Denied { at: Arc<Place>, step: String, cause: String },
    /// The server could not do a step this time.
    #[error(
        "{step} in directory \"{}\" on {} failed ({cause}); try again, and {} if the problem persists",
        at.directory, at.server(), at.recourse()
    )]
    Failed { at: Arc<Place>, step: String, cause: String },
    /// The connection ended.
    #[error(
        "the connection to {} was lost while {step} in directory \"{}\" ({cause}); try again", at.server(), at.directory
    )]
    Lost { at: Arc<Place>, step: String, cause: String },
    /// The server stopped answering.
    #[error(
        "{} did not respond for {} s while {step} in directory \"{}\"; try again",
        at.server(), limit.as_secs_f32(), at.directory
    )]
    Stalled { at: Arc<Place>, step: String, limit: Duration },
}

impl DeliverError {
    /// Whether trying again is useless until a person has changed something.
    pub fn is_permanent(&self) -> bool {
        use DeliverError::*;
        match self {
            HostNotFound { .. } | Unreachable { .. } | Silent { .. } | Handshake { .. } => false,
            SizeDiffers { .. } | ContentDiffers { .. } | TemporaryGone { .. } | PublishUnknown { .. } => false,
            Failed { .. } | Lost { .. } | Stalled { .. } => false,
            NoCommonAlgorithm { .. } | Terrapin { .. } => true,
            HostKeyChanged(_) | HostKeyUnknown(_) | HostKeyOfAuthority(_) | HostKeyRevoked(_) => true,
            KnownHosts { .. } => true,
            Key { .. } | PassphraseMissing { .. } | PassphraseWrong { .. } => true,
            LoginRefused { .. } | LoginIncomplete { .. } | SftpRefused { .. } => true,
            DirectoryMissing { .. } | NotADirectory { .. } | DirectoryDenied { .. } | TakenEarly { .. } => true,
            Denied { .. } | CannotWrite { .. } => true,
            LocalFile { .. } | NoSpace { .. } | NameTaken { .. } | CannotReplace { .. } => true,
        }
    }

    /// Whether the server does not let us in, or is not who it should be: trying often makes that worse.
    pub fn is_refusal(&self) -> bool {
        use DeliverError::*;
        let is_login = matches!(self, LoginRefused { .. } | LoginIncomplete { .. });
        is_login || matches!(self, HostKeyChanged(_) | HostKeyUnknown(_) | HostKeyOfAuthority(_) | HostKeyRevoked(_))
    }

    /// The error of a request that failed at `step` ("uploading agents.csv").
    pub(super) fn from_client(at: &Arc<Place>, step: &str, error: ClientError) -> DeliverError {
        let (at, step) = (Arc::clone(at), step.to_owned());
        match error {
            ClientError::Status(status) => {
                let cause = status_text(&status);
                match status.code {
                    Code::PermissionDenied | Code::WriteProtected => DeliverError::Denied { at, step, cause },
                    _ => DeliverError::Failed { at, step, cause },
                }
            }
            ClientError::Lost(cause) => DeliverError::Lost { at, step, cause: plain(&cause) },
            ClientError::Stalled(limit) => DeliverError::Stalled { at, step, limit },
            ClientError::Protocol(breach) => {
                DeliverError::Lost { at, step, cause: format!("the server sent {breach}") }
            }
        }
    }
}

/// A server's status in words: its kind, and its own text where that says more.
pub(super) fn status_text(status: &super::sftp::Status) -> String {
    let kind = match status.code {
        Code::Ok => "ok".to_owned(),
        Code::Eof => "end of file".to_owned(),
        Code::NoSuchFile => "no such file".to_owned(),
        Code::PermissionDenied => "permission denied".to_owned(),
        Code::Failure => "failure".to_owned(),
        Code::BadMessage => "bad message".to_owned(),
        Code::Unsupported => "not supported".to_owned(),
        Code::AlreadyExists => "already exists".to_owned(),
        Code::WriteProtected => "read-only file system".to_owned(),
        Code::NoSpace => "no space".to_owned(),
        Code::QuotaExceeded => "quota exceeded".to_owned(),
        Code::Other(number) => format!("status {number}"),
    };
    let said = plain(&status.message);
    if said.is_empty() || said.eq_ignore_ascii_case(&kind) { kind } else { format!("{kind}: {said}") }
}

/// Text from a server, fit for a log line: control characters become blanks, and 200 characters are enough.
pub(super) fn plain(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, port: u16) -> Place {
        Place { host: host.to_owned(), port, user: "drop".to_owned(), directory: "in".to_owned() }
    }

    #[test]
    fn servers_are_written_as_people_do() {
        assert_eq!(place("a.example", 22).server(), "a.example");
        assert_eq!(place("a.example", 2222).server(), "a.example:2222");
        assert_eq!(place("::1", 2222).server(), "[::1]:2222");
    }

    #[test]
    fn a_server_can_not_forge_log_lines() {
        assert_eq!(plain("no\r\nERROR forged\x1b[31m"), "no  ERROR forged [31m");
        assert_eq!(plain(&"x".repeat(5000)).len(), 200);
    }

    #[test]
    fn a_denial_is_permanent_and_a_failure_is_not() {
        let at = Arc::new(place("a.example", 22));
        let error = |code| {
            let status = super::super::sftp::Status { code, message: "Failure".to_owned() };
            DeliverError::from_client(&at, "uploading x.csv", ClientError::Status(status))
        };
        assert!(error(Code::PermissionDenied).is_permanent());
        assert!(!error(Code::Failure).is_permanent());
        assert_eq!(
            error(Code::Failure).to_string(),
            "uploading x.csv in directory \"in\" on a.example failed (failure); try again, and ask its operators if the \
             problem persists"
        );
    }
}
