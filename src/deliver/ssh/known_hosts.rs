//! Files in OpenSSH's known_hosts format: which keys they record, and revoke, for a host.
//!
//! Understood: plain names, lists, `*` and `?`, negation, `[host]:port`, hashed names, several keys for a host,
//! `@revoked`. Lines for certificate authorities trust nobody, because host certificates are not supported. A line
//! that can't be read is an error and never skipped: it might be the one that was meant to protect.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::PublicKey;
use sha1::Sha1;

/// A readable line.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it stands, counted from 1.
    pub line: usize,
    /// Whether the key is revoked rather than trusted.
    pub revoked: bool,
    /// The key.
    pub key: PublicKey,
    hosts: Hosts,
}

#[derive(Clone, Debug)]
enum Hosts {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// A line that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenLine {
    /// Where it stands, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Entry {
    /// Whether the line speaks of this host.
    pub fn covers(&self, host: &str, port: u16) -> bool {
        self.hosts.cover(host, port)
    }
}

impl Hosts {
    fn cover(&self, host: &str, port: u16) -> bool {
        let host = host.to_lowercase();
        let name = if port == 22 { host } else { format!("[{host}]:{port}") };
        match self {
            Hosts::Patterns(patterns) => {
                let hit = |pattern: &str| matches_pattern(pattern.to_lowercase().as_bytes(), name.as_bytes());
                let denied = patterns.iter().any(|pattern| pattern.strip_prefix('!').is_some_and(hit));
                !denied && patterns.iter().any(|pattern| !pattern.starts_with('!') && hit(pattern))
            }
            Hosts::Hashed { salt, hash } => {
                let mut mac = Hmac::<Sha1>::new_from_slice(salt).expect("HMAC takes keys of any length");
                mac.update(name.as_bytes());
                mac.verify_slice(hash).is_ok()
            }
        }
    }
}

/// Reads a whole file.
pub fn parse(text: &str) -> Result<Vec<Entry>, BrokenLine> {
    let mut entries = Vec::new();
    for (index, content) in text.lines().enumerate() {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let line = index + 1;
        match parse_line(content) {
            Ok(Some((revoked, hosts, key))) => entries.push(Entry { line, revoked, key, hosts }),
            Ok(None) => {}
            Err(problem) => return Err(BrokenLine { line, problem }),
        }
    }
    Ok(entries)
}

/// The line of a file that trusts a certificate authority for a host, counted from 1.
pub fn authority(text: &str, host: &str, port: u16) -> Option<usize> {
    let is_for_host = |content: &str| {
        let mut fields = content.split_whitespace();
        let hosts = fields.next().filter(|marker| *marker == "@cert-authority").and_then(|_| fields.next());
        hosts.and_then(|hosts| parse_hosts(hosts).ok()).is_some_and(|hosts| hosts.cover(host, port))
    };
    text.lines().position(is_for_host).map(|index| index + 1)
}

fn parse_line(content: &str) -> Result<Option<(bool, Hosts, PublicKey)>, &'static str> {
    let mut fields = content.split_whitespace().peekable();
    let marker = fields.next_if(|field| field.starts_with('@'));
    let revoked = match marker {
        None => false,
        Some("@revoked") => true,
        Some("@cert-authority") => return Ok(None),
        Some(_) => return Err("the marker is neither @revoked nor @cert-authority"),
    };
    let (Some(hosts), Some(kind), Some(blob)) = (fields.next(), fields.next(), fields.next()) else {
        return Err("a host, a key type and a key are expected");
    };
    let key = PublicKey::from_openssh(&format!("{kind} {blob}")).map_err(|_| "the key can't be read")?;
    Ok(Some((revoked, parse_hosts(hosts)?, key)))
}

fn parse_hosts(hosts: &str) -> Result<Hosts, &'static str> {
    let Some(hashed) = hosts.strip_prefix("|1|") else {
        return Ok(Hosts::Patterns(hosts.split(',').map(str::to_owned).collect()));
    };
    let decode = |text: &str| STANDARD.decode(text).ok();
    let parts = hashed.split_once('|').and_then(|(salt, hash)| Some((decode(salt)?, decode(hash)?)));
    let (salt, hash) = parts.ok_or("the hashed host name can't be read")?;
    Ok(Hosts::Hashed { salt, hash })
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for one.
fn matches_pattern(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
#[path = "known_hosts_tests.rs"]
mod tests;
