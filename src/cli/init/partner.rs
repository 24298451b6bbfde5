//! The partner's part of a new configuration: which host keys are trusted, our key, and whether it opens the door.

use std::path::Path;

use super::ask::{Asker, tell};
use crate::cli::failure::Failure;
use crate::cli::keys;
use crate::deliver::{self, DeliverError, HostKey, PublicKeyLine, ServerFacts, Session};
use crate::job::Destination;

/// How often somebody may mistype a fingerprint.
const TRIES: usize = 3;

/// The fingerprints to pin: only what somebody has compared. Nothing is trusted because it was seen.
pub async fn trusted(host: &str, port: u16, given: &[String], asker: &Asker) -> Result<Vec<String>, Failure> {
    tell(&format!("asking {host} for its host keys …"))?;
    let keys = deliver::scan_host_keys(host, port).await.map_err(Failure::work)?;
    if !given.is_empty() {
        return confirmed(host, &keys, given);
    }
    if !asker.is_present() {
        return Err(Failure::usage(format!(
            "--host-key is missing. {host} presents {}. Have its operators tell you the fingerprint by another way, \
             and give the one that is equal: --host-key SHA256:…",
            listed(&keys)
        )));
    }
    tell(&format!("\n{host} presents:\n"))?;
    for key in &keys {
        tell(&format!("  {}\n    {}\n    {}", key.algorithm, key.fingerprint, key.md5))?;
    }
    tell(
        "\nNothing here proves that it was the partner who answered. Compare with what they told you by another way\n\
         (telephone, letter, a signed mail); one key that is equal is enough.\n",
    )?;
    for _ in 0..TRIES {
        let answer = asker.line("Type or paste their fingerprint, or `yes` if you have compared all of these", None)?;
        if answer == "yes" {
            return Ok(keys.into_iter().map(|key| key.fingerprint).collect());
        }
        if let Some(key) = keys.iter().find(|key| is_of(key, &answer)) {
            return Ok(vec![key.fingerprint.clone()]);
        }
        tell("  that is none of them: if it is what the partner told you, somebody may be in between; go no further")?;
    }
    Err(Failure::work("no host key is trusted; nothing was written"))
}

fn confirmed(host: &str, keys: &[HostKey], given: &[String]) -> Result<Vec<String>, Failure> {
    let found: Vec<String> = keys
        .iter()
        .filter(|key| given.iter().any(|given| is_of(key, given)))
        .map(|key| key.fingerprint.clone())
        .collect();
    if found.is_empty() {
        return Err(Failure::work(format!(
            "{host} presents {}, and none of them is {}; nothing was written: if its operators confirm the one above, \
             give that, and if not, somebody is in between",
            listed(keys),
            given.join(", ")
        )));
    }
    Ok(found)
}

fn is_of(key: &HostKey, text: &str) -> bool {
    let text = text.trim().trim_end_matches('=');
    key.fingerprint == text
        || key.md5.eq_ignore_ascii_case(text)
        || key.md5.strip_prefix("MD5:").is_some_and(|digits| digits.eq_ignore_ascii_case(text))
}

fn listed(keys: &[HostKey]) -> String {
    keys.iter().map(|key| format!("{} ({})", key.fingerprint, key.algorithm)).collect::<Vec<_>>().join(", ")
}

/// Our public key: that of the private key at `path`, which is made if it is not there. True if it is new.
pub fn own_key(path: &Path) -> Result<(PublicKeyLine, bool), Failure> {
    if path.exists() {
        return Ok((deliver::read_public_key(path, None).map_err(Failure::usage)?, false));
    }
    let made = keys::make(path)?;
    tell(&format!("made a key pair: {} and {}.pub", path.display(), path.display()))?;
    Ok((made, true))
}

/// Whether the door opens.
pub enum Welcome {
    /// We can put files there.
    In(ServerFacts),
    /// The server does not know our key yet.
    NotYet,
}

/// Logs in and tries the directory.
pub async fn knock(destination: &Destination) -> Result<Welcome, Failure> {
    tell(&format!("logging in as {} …", destination.user))?;
    let session = match Session::open(destination).await {
        Ok(session) => session,
        Err(DeliverError::LoginRefused { .. }) => return Ok(Welcome::NotYet),
        Err(error) => return Err(Failure::work(error)),
    };
    session.check_directory("init").await.map_err(Failure::work)?;
    let facts = session.server().clone();
    session.close().await;
    tell(&format!("  {} can be read and written", destination.directory))?;
    Ok(Welcome::In(facts))
}
