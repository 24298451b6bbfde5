//! Which host keys are trusted, and the verdict on the one that a server presents.

use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use russh::keys::{HashAlg, PublicKey};

use super::known_hosts::{self, Entry};
use super::policy::KeyClass;
use crate::access::{self, Denied};
use crate::deliver::error::{DeliverError, Place, UntrustedKey};
use crate::job::Trust;
use crate::wording::io_error;

/// A server's key, as people compare and record it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    /// The type, such as `ssh-ed25519`.
    pub algorithm: String,
    /// The SHA-256 fingerprint in OpenSSH's notation (`SHA256:…`).
    pub fingerprint: String,
    /// The fingerprint in the older notation (`MD5:16:27:…`), for partners who only know that one.
    pub md5: String,
    /// The line for a known_hosts file.
    pub openssh_line: String,
}

impl HostKey {
    pub(super) fn new(key: &PublicKey, host: &str, port: u16) -> HostKey {
        let algorithm = key.algorithm().to_string();
        let name = if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") };
        let mut bare = key.clone();
        bare.set_comment("");
        let text = bare.to_openssh().unwrap_or_default();
        HostKey {
            algorithm,
            fingerprint: fingerprint(key),
            md5: md5(key),
            openssh_line: format!("{name} {}", text.trim()),
        }
    }
}

/// The keys trusted for one host.
pub enum TrustedKeys {
    /// SHA-256 fingerprints.
    Pinned(Vec<String>),
    /// The lines of a known_hosts file that speak of the host.
    Recorded {
        /// The file.
        path: PathBuf,
        /// The lines.
        entries: Vec<Entry>,
        /// The line that trusts a certificate authority for it, which is not supported.
        authority: Option<usize>,
    },
}

impl TrustedKeys {
    /// Finds out which keys are trusted for a host.
    pub fn load(trust: &Trust, place: &Place) -> Result<TrustedKeys, DeliverError> {
        match trust {
            Trust::Pinned(fingerprints) => Ok(TrustedKeys::Pinned(fingerprints.clone())),
            Trust::KnownHosts(path) => {
                let (text, entries) = read_known_hosts(path)?;
                let authority = known_hosts::authority(&text, &place.host, place.port);
                let entries = entries.into_iter().filter(|entry| entry.covers(&place.host, place.port)).collect();
                Ok(TrustedKeys::Recorded { path: path.clone(), entries, authority })
            }
        }
    }

    /// The classes of keys to ask the server for, recorded ones first.
    pub fn classes(&self) -> Vec<KeyClass> {
        let mut classes = Vec::new();
        if let TrustedKeys::Recorded { entries, .. } = self {
            classes.extend(
                entries.iter().filter(|entry| !entry.revoked).filter_map(|entry| KeyClass::of(&entry.key.algorithm())),
            );
        }
        classes.extend(KeyClass::ALL);
        let mut seen = Vec::new();
        classes.retain(|class| {
            !seen.contains(class) && {
                seen.push(*class);
                true
            }
        });
        classes
    }

    /// Whether `key` proves that the server is the right one.
    pub fn judge(&self, key: &PublicKey, place: &Place) -> Result<(), DeliverError> {
        match self {
            TrustedKeys::Pinned(pins) => {
                let presented = fingerprint(key);
                if pins.iter().any(|pin| pin.trim_end_matches('=') == presented) {
                    return Ok(());
                }
                let untrusted = describe(key, place, pins.clone(), "host_keys".to_owned());
                Err(DeliverError::HostKeyChanged(untrusted))
            }
            TrustedKeys::Recorded { path, entries, authority } => judge_recorded(key, place, path, entries, *authority),
        }
    }
}

fn judge_recorded(
    key: &PublicKey,
    place: &Place,
    path: &Path,
    entries: &[Entry],
    authority: Option<usize>,
) -> Result<(), DeliverError> {
    let same = |entry: &&Entry| entry.key.key_data() == key.key_data();
    if let Some(entry) = entries.iter().filter(|entry| entry.revoked).find(same) {
        let source = format!("line {} of {}", entry.line, path.display());
        return Err(DeliverError::HostKeyRevoked(describe(key, place, Vec::new(), source)));
    }
    let trusted: Vec<&Entry> = entries.iter().filter(|entry| !entry.revoked).collect();
    if trusted.iter().copied().any(|entry| same(&entry)) {
        return Ok(());
    }
    let expected: Vec<String> = trusted.iter().map(|entry| fingerprint_and_type(&entry.key)).collect();
    let source = match authority.filter(|_| trusted.is_empty()) {
        Some(line) => format!("line {line} of {}", path.display()),
        None => path.display().to_string(),
    };
    let untrusted = describe(key, place, expected, source);
    Err(match (trusted.is_empty(), authority) {
        (false, _) => DeliverError::HostKeyChanged(untrusted),
        (true, None) => DeliverError::HostKeyUnknown(untrusted),
        (true, Some(_)) => DeliverError::HostKeyOfAuthority(untrusted),
    })
}

fn describe(key: &PublicKey, place: &Place, expected: Vec<String>, source: String) -> Box<UntrustedKey> {
    Box::new(UntrustedKey {
        server: place.server(),
        presented: fingerprint_and_type(key),
        expected,
        source,
        line: HostKey::new(key, &place.host, place.port).openssh_line,
    })
}

/// The text of a file, and its entries.
fn read_known_hosts(path: &Path) -> Result<(String, Vec<Entry>), DeliverError> {
    let broken = |problem: String| DeliverError::KnownHosts { path: path.to_owned(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| broken(words(path, &error)))?;
    let entries = known_hosts::parse(&text);
    let entries = entries.map_err(|error| broken(format!("line {}: {}", error.line, error.problem)))?;
    Ok((text, entries))
}

pub(super) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The fingerprint in the notation that OpenSSH used before version 6.8. It is shown to be compared, never trusted.
pub(super) fn md5(key: &PublicKey) -> String {
    let digest = Md5::digest(key.to_bytes().unwrap_or_default());
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("MD5:{}", pairs.join(":"))
}

/// Makes sure that the known_hosts file at `path` can be read and trusts some key of a host.
///
/// # Errors
/// `KnownHosts` if it can't be read, or has nothing for the host.
pub fn check_known_hosts(path: &Path, host: &str, port: u16) -> Result<(), DeliverError> {
    let (text, entries) = read_known_hosts(path)?;
    if entries.iter().any(|entry| !entry.revoked && entry.covers(host, port)) {
        return Ok(());
    }
    let name = if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") };
    let problem = match known_hosts::authority(&text, host, port) {
        Some(line) => format!(
            "line {line} trusts a certificate authority for {name}, and certificates of hosts are not supported yet; add \
             the host's own key"
        ),
        None => format!("it has no key of {name}"),
    };
    Err(DeliverError::KnownHosts { path: path.to_owned(), problem })
}

fn fingerprint_and_type(key: &PublicKey) -> String {
    format!("{} ({})", fingerprint(key), key.algorithm())
}

fn words(path: &Path, error: &std::io::Error) -> String {
    if access::is_denied(error) { Denied::at(path).to_string() } else { io_error(error) }
}
