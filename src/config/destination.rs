//! Where a job's files are delivered: a folder of this machine, or host, user, directory and keys of an SFTP server.
//!
//! Key files are opened only if the caller asks for it: a configuration can be read on a machine without them.

use std::num::NonZeroU64;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use super::context::Context;
use super::fault::{Fault, Kind};
use super::job_keys::JobKeys;
use super::key_file;
use super::keys::{CHANNELS, PORTS, REQUESTS};
use super::paths::normalized;
use super::secret;
use super::table::{Item, has_variable};
use super::template;
use crate::job::{Channels, Destination, FolderDestination, Publish, SftpDestination, Trust, Verify};
use crate::name::{DIRECTORY_VARIABLES, NameTemplate};
use crate::words::Words;

const KEY_TYPES: [&str; 5] =
    ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

/// Reads a job's destination.
pub(super) fn read(keys: &JobKeys<'_>, context: &Context<'_>) -> Option<Destination> {
    match chosen_folder(keys).filter(|_| context.from.overrides.host.is_none()) {
        Some(folder) => read_folder(keys, &folder, context).map(Destination::Folder),
        None => read_sftp(keys, context).map(Destination::Sftp),
    }
}

/// The folder that a job delivers to; none if it delivers to a server. What the job itself says comes before what the
/// defaults say.
fn chosen_folder<'a>(keys: &JobKeys<'a>) -> Option<Item<'a>> {
    match (keys.own.get("folder"), keys.own.get("host")) {
        (None, Some(_)) => None,
        (None, None) => keys.get("folder"),
        (own, _) => own,
    }
}

/// The keys that only a server has.
const SERVER_KEYS: [&str; 12] = [
    "host",
    "port",
    "user",
    "directory",
    "key",
    "key_passphrase",
    "host_keys",
    "known_hosts",
    "allow_gap",
    "requests",
    "channels",
    "max_rate",
];

fn read_folder(keys: &JobKeys<'_>, folder: &Item<'_>, context: &Context<'_>) -> Option<FolderDestination> {
    for item in SERVER_KEYS.iter().filter_map(|key| keys.own.get(key)) {
        let fault =
            Fault::new(format!("`{}` is a key of an SFTP server, and `folder` delivers to this machine", item.key));
        item.fault(fault.label("remove one of them"));
    }
    let path = folder.path(&context.from.base_dir);
    let (publish, verify) = (read_publish(keys), read_verify(keys));
    // The path says who receives the files, so it has one spelling.
    let path = PathBuf::from(normalized(&path?.to_string_lossy()));
    Some(FolderDestination { path, publish: publish?, verify: verify? })
}

fn read_publish(keys: &JobKeys<'_>) -> Option<Publish> {
    keys.get("publish").map_or(Some(Publish::Replace), |item| item.word(Publish::WORDS))
}

fn read_verify(keys: &JobKeys<'_>) -> Option<Verify> {
    keys.get("verify").map_or(Some(Verify::Size), |item| item.word(Verify::WORDS))
}

fn read_sftp(keys: &JobKeys<'_>, context: &Context<'_>) -> Option<SftpDestination> {
    let overrides = &context.from.overrides;
    let host = match &overrides.host {
        Some(host) => Some(host.clone()),
        None => keys.require("host", "host = \"sftp.partner.example\"").and_then(|item| read_host(&item)),
    };
    let user = match &overrides.user {
        Some(user) => Some(user.clone()),
        None => keys.require("user", "user = \"drop\"").and_then(|item| item.literal().map(str::to_owned)),
    };
    let key = match &overrides.key {
        Some(key) => Some(key.clone()),
        None => keys.require("key", "key = \"/etc/exportd/id_ed25519\"").and_then(|i| i.path(&context.from.base_dir)),
    };
    let port = match (overrides.port, keys.get("port")) {
        (Some(port), _) => Some(port),
        (None, Some(item)) => item.integer(PORTS).map(|port| port as u16),
        (None, None) => Some(22),
    };
    let directory = match (&overrides.directory, keys.get("directory")) {
        (Some(directory), _) => Some((directory.clone(), None)),
        (None, Some(item)) => read_directory(&item, context),
        (None, None) => Some((".".to_owned(), None)),
    };
    let passphrase = keys.get("key_passphrase").map_or(Some(None), |item| secret::read(&item, context).map(Some));
    let trust = match &overrides.host_keys {
        Some(pins) => Some(Trust::Pinned(pins.clone())),
        None => read_trust(keys, context),
    };
    let publish = read_publish(keys);
    let allow_gap = keys.flag("allow_gap");
    let verify = read_verify(keys);
    let requests = keys.get("requests").map_or(Some(SftpDestination::REQUESTS), |item| read_requests(&item));
    let channels = keys.get("channels").map_or(Some(Channels::Auto), |item| read_channels(&item));
    let max_rate = keys.get("max_rate").map_or(Some(None), |item| read_rate(&item).map(Some));
    let (directory, template) = directory?;
    let destination = SftpDestination {
        host: host?,
        port: port?,
        user: user?,
        directory,
        template,
        key: key?,
        passphrase: passphrase?,
        trust: trust?,
        publish: publish?,
        allow_gap: allow_gap?,
        verify: verify?,
        requests: requests?,
        channels: channels?,
        max_rate: max_rate?,
    };
    if context.from.looks_around {
        key_file::check(keys, &destination);
    }
    Some(destination)
}

/// A directory, and its template if it has variables.
fn read_directory(item: &Item<'_>, context: &Context<'_>) -> Option<(String, Option<NameTemplate>)> {
    let text = item.line()?;
    let refuse = |label: String| {
        item.fault(Fault::new("`directory` is not a path on the server").label(label));
        None
    };
    if text.trim() != text {
        return refuse("remove the blanks around it".to_owned());
    }
    if let Some(rest) = text.strip_prefix('~') {
        let rest = if rest.is_empty() { Some(".") } else { rest.strip_prefix('/') };
        return refuse(match rest.map(|rest| rest.trim_start_matches('/')) {
            Some(rest) => {
                let rest = if rest.is_empty() { "." } else { rest };
                format!("~ means nothing to SFTP; write \"{rest}\": paths begin in the folder of the login")
            }
            None => "~ means nothing to SFTP; write the whole path, from the root".to_owned(),
        });
    }
    if has_variable(text) {
        return refuse("variables are written {{year}}, and those of the environment are not substituted".to_owned());
    }
    if text.contains('\\') {
        return refuse("write / between folders, also for a server on Windows".to_owned());
    }
    if !text.contains("{{") {
        return Some((text.to_owned(), None));
    }
    let template =
        context.template(text).map_err(|faults| template::report(item, &faults.faults, &DIRECTORY_VARIABLES)).ok()?;
    for (is_used, name, reason) in [
        (template.uses_export_name(), "export_name", "all files of a run are put into one directory"),
        (template.uses_run_id(), "run_id", "it is new for every run, and the directory has to be there before"),
    ] {
        if is_used {
            let at = text.find(name).map_or(0..text.len(), |at| at..at + name.len());
            let fault = Fault::new(format!("`directory` can't have `{name}`: {reason}"));
            item.file.fault(item.part(at), fault.label("remove it"));
            return None;
        }
    }
    Some((text.to_owned(), Some(template)))
}

fn read_requests(item: &Item<'_>) -> Option<u16> {
    item.integer(REQUESTS).map(|requests| requests as u16)
}

fn read_channels(item: &Item<'_>) -> Option<Channels> {
    match item.as_text() {
        Some("auto") => Some(Channels::Auto),
        Some(text) => {
            let fault = Fault::new(format!("`channels` takes \"auto\" or a number, and not \"{text}\""));
            item.fault(fault.label("write \"auto\", or a number from 1 to 64 without quotes"));
            None
        }
        None => item.integer(CHANNELS).map(|channels| Channels::AtMost(channels as u8)),
    }
}

fn read_rate(item: &Item<'_>) -> Option<NonZeroU64> {
    let text = item.line()?;
    let rate = rate(text);
    if rate.is_none() {
        let fault = Fault::new("`max_rate` is not a rate").label("write a whole number and a unit");
        item.fault(fault.help("for instance \"10 MB/s\"; units are kB/s, MB/s, GB/s, kbit/s, Mbit/s and Gbit/s"));
    }
    rate
}

/// Bytes a second.
fn rate(text: &str) -> Option<NonZeroU64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let bits = match unit.trim_start() {
        "kB/s" => 8_000,
        "MB/s" => 8_000_000,
        "GB/s" => 8_000_000_000,
        "kbit/s" => 1_000,
        "Mbit/s" => 1_000_000,
        "Gbit/s" => 1_000_000_000,
        _ => return None,
    };
    NonZeroU64::new(number.parse::<u64>().ok()?.checked_mul(bits)? / 8)
}

fn read_host(item: &Item<'_>) -> Option<String> {
    let host = item.literal()?;
    let label = if host.contains("://") || host.contains('/') {
        "write the name alone, without scheme and path; the folder goes to `directory`"
    } else if host.contains('@') {
        "write the name alone; what stands before the @ goes to `user`"
    } else if host.contains(char::is_whitespace) || host.contains(['[', ']']) {
        "write a name or an address, without blanks and brackets"
    } else if host.matches(':').count() == 1 {
        "write the name alone; the number goes to `port`"
    } else {
        return Some(host.to_owned());
    };
    item.fault(Fault::new("`host` is not a host name").label(label));
    None
}

/// What the job itself says about host keys comes before what the defaults say in another way.
fn read_trust(keys: &JobKeys<'_>, context: &Context<'_>) -> Option<Trust> {
    let own = (keys.own.get("host_keys"), keys.own.get("known_hosts"));
    let given = match own {
        (None, None) => (keys.get("host_keys"), keys.get("known_hosts")),
        own => own,
    };
    match given {
        (Some(pins), None) => read_pins(&pins),
        (None, Some(file)) => file.path(&context.from.base_dir).map(Trust::KnownHosts),
        (Some(_), Some(file)) => {
            let fault = Fault::new("`host_keys` and `known_hosts` are both given");
            file.fault(fault.label("remove one of them"));
            None
        }
        (None, None) => {
            let fault = Fault::new(format!("{} trusts no host key", keys.own.title));
            let fault = fault.label("add `host_keys` or `known_hosts`");
            let help = "`exportd hostkey HOST` shows a server's keys; compare them with what its owner tells you";
            keys.own.file.fault(keys.own.span.clone(), fault.help(help).kind(Kind::Absence));
            None
        }
    }
}

fn read_pins(item: &Item<'_>) -> Option<Trust> {
    let texts = item.texts()?;
    let count = item.list()?.len();
    if count == 0 {
        item.fault(Fault::new("`host_keys` is empty, so no server would be trusted").label("add a key"));
        return None;
    }
    let pins: Vec<String> = texts.iter().filter_map(|(item, text)| read_pin(item, text)).collect();
    (pins.len() == count).then_some(Trust::Pinned(pins))
}

/// The SHA-256 fingerprint that one of `host_keys` pins: itself, or that of a public key line.
pub fn host_key_pin(text: &str) -> Option<String> {
    match text.strip_prefix("SHA256:") {
        Some(digest) => check_digest(digest),
        None => fingerprint(text),
    }
}

fn read_pin(item: &Item<'_>, text: &str) -> Option<String> {
    let pin = host_key_pin(text);
    if pin.is_none() {
        let label = "neither a SHA-256 fingerprint nor a public key";
        let help = "write \"SHA256:\" and 43 characters, or a whole line such as \"ssh-ed25519 AAAA…\"; \
                    `exportd hostkey HOST` prints both";
        item.fault(Fault::new("this can't be a host key").label(label).help(help));
    }
    pin
}

fn check_digest(digest: &str) -> Option<String> {
    let digest = digest.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(digest).ok()?;
    (bytes.len() == 32).then(|| format!("SHA256:{digest}"))
}

/// The fingerprint of a public key line: type, key in base64, and perhaps a comment.
fn fingerprint(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let (kind, key) = (words.next()?, words.next()?);
    let blob = STANDARD.decode(key).ok()?;
    let length = u32::from_be_bytes(*blob.first_chunk()?) as usize;
    let is_same_kind = blob.get(4..4 + length) == Some(kind.as_bytes());
    (KEY_TYPES.contains(&kind) && is_same_kind)
        .then(|| format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&blob))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_unit() {
        let bytes = |text| rate(text).map(NonZeroU64::get);
        assert_eq!(bytes("10 MB/s"), Some(10_000_000));
        assert_eq!(bytes("64kbit/s"), Some(8_000));
        assert_eq!(bytes("1 GB/s"), Some(1_000_000_000));
        for text in ["", "10", "0 MB/s", "MB/s", "-1 MB/s", "1.5 MB/s", "10 mb/s", "99999999999999 GB/s"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn a_public_key_is_pinned_by_its_fingerprint() {
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github.com";
        let pin = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";
        assert_eq!(fingerprint(line).as_deref(), Some(pin));
        assert_eq!(check_digest(&pin["SHA256:".len()..]).as_deref(), Some(pin));
        assert_eq!(fingerprint(&line.replace("ssh-ed25519", "ssh-rsa")), None);
        assert_eq!(fingerprint("ssh-ed25519"), None);
        assert_eq!(check_digest("abc"), None);
    }
}
