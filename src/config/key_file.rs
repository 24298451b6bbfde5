//! Key files and known_hosts files, looked at when somebody asks whether a configuration works on this machine.
//!
//! The faults are those that a run would meet hours later, at the key or the path in the file.

use std::path::Path;

use super::fault::Fault;
use super::job_keys::JobKeys;
use crate::deliver::{self, DeliverError};
use crate::job::{SftpDestination, Trust};

/// Where systemd puts the credentials of a running unit.
const CREDENTIALS: &str = "/run/credentials/";

/// Reports what keeps a job from using its key, or from knowing its server.
pub(super) fn check(keys: &JobKeys<'_>, to: &SftpDestination) {
    if let (Some("pub"), Some(item)) = (to.key.extension().and_then(|ending| ending.to_str()), keys.get("key")) {
        let fault = match to.key.to_string_lossy().ends_with("-cert.pub") {
            true => Fault::new(format!("{} is a certificate of a user, which is not supported yet", to.key.display()))
                .label("name the private key")
                .help("ask the partner to put its public key into authorized_keys"),
            false => Fault::new(format!("{} is a public key", to.key.display()))
                .label("name the private one, which has no `.pub`"),
        };
        item.fault(fault);
    } else if let Err(error) = deliver::read_public_key(&to.key, to.passphrase.as_ref()) {
        let secret =
            matches!(error, DeliverError::PassphraseWrong { .. }).then(|| keys.get("key_passphrase")).flatten();
        if let Some(item) = secret.or_else(|| keys.get("key")) {
            item.fault(advise(told(&error), &to.key));
        }
    }
    if let Trust::KnownHosts(path) = &to.trust
        && let Err(error) = deliver::check_known_hosts(path, &to.host, to.port)
        && let Some(item) = keys.get("known_hosts")
    {
        let help = "`exportd hostkey HOST` shows a server's keys; compare them with what its owner tells you";
        item.fault(Fault::new(error.to_string()).label("looked for here").help(help));
    }
}

/// The sentence of an error, its remedy beside the underlined text.
fn told(error: &DeliverError) -> Fault {
    let text = error.to_string();
    match text.split_once("; ") {
        Some((what, remedy)) => Fault::new(what).label(remedy),
        None => Fault::new(text),
    }
}

fn advise(fault: Fault, path: &Path) -> Fault {
    // One that may not be looked at may be there.
    if !matches!(path.try_exists(), Ok(false)) {
        return fault;
    }
    if path.starts_with(CREDENTIALS) {
        return fault.help("systemd shows credentials to the running unit only; see docs/operations.md");
    }
    fault.help(format!("`exportd keygen {}` makes a new pair", path.display()))
}
