//! The partner's part of a new configuration: the server and which of its keys are trusted, our key, and whether the
//! login works.

use std::path::{Path, PathBuf};

use super::answers::{self, Fingerprint};
use super::ask::{Asker, Known, Next, Question, tell};
use super::{Failed, Part};
use crate::cli::args::InitArguments;
use crate::cli::failure::Failure;
use crate::cli::keys;
use crate::deliver::{self, DeliverError, HostKey, PublicKeyLine, ServerFacts, Session};
use crate::job::SftpDestination;

/// Where files go, as answered.
pub struct Partner {
    /// The server, as typed: a host, perhaps with a port.
    pub server: String,
    /// The server's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The fingerprints to pin.
    pub host_keys: Vec<String>,
    /// Whether the server has answered.
    pub is_reached: bool,
    /// The user to log in as.
    pub user: String,
    /// The directory there.
    pub directory: String,
}

/// Asks for the server, compares its keys, and asks for the login. An earlier answer is the default; its host keys are
/// kept if the server is the same and `keeps_keys`.
pub async fn settle(
    options: &InitArguments,
    asker: &Asker,
    earlier: Option<&Partner>,
    keeps_keys: bool,
) -> Result<Partner, Failure> {
    let question = Question { flag: "host", text: "The partner's SFTP server, HOST or HOST:PORT", default: None };
    let known = match earlier {
        None => Known::Flag(options.host.as_deref()),
        Some(earlier) => Known::Answer(&earlier.server),
    };
    let mut server = asker.value(&question, known, answers::host)?;
    let (host, port, host_keys, is_reached) = loop {
        let (host, port) = keys::address(&server)?;
        if let Some(earlier) = earlier.filter(|earlier| keeps_keys && (&earlier.host, earlier.port) == (&host, port)) {
            break (host, port, earlier.host_keys.clone(), earlier.is_reached);
        }
        match scan(&host, port).await {
            Ok(keys) => {
                let pins = trusted(&host, &keys, &options.host_keys, asker)?;
                break (host, port, pins, true);
            }
            Err(failure) => {
                let onward = Some("go on without having reached it; you need the fingerprint of its host key");
                match asker.next(failure, Some(Part::Server.concerned()), onward)? {
                    Next::Again => {}
                    Next::Change => server = asker.value(&question, Known::Answer(&server), answers::host)?,
                    Next::GoOn => break (host, port, told(&options.host_keys, asker)?, false),
                }
            }
        }
    };
    let user = Question { flag: "user", text: "The user to log in as", default: None };
    let directory = Question { flag: "directory", text: "The directory there; it must exist", default: Some(".") };
    let (known_user, known_directory) = match earlier {
        None => (Known::Flag(options.user.as_deref()), Known::Flag(options.directory.as_deref())),
        Some(earlier) => (Known::Answer(&earlier.user), Known::Answer(&earlier.directory)),
    };
    let user = asker.value(&user, known_user, answers::of_job("user"))?;
    let directory = asker.value(&directory, known_directory, answers::of_job("directory"))?;
    Ok(Partner { server, host, port, host_keys, is_reached, user, directory })
}

async fn scan(host: &str, port: u16) -> Result<Vec<HostKey>, Failure> {
    tell(&format!("asking {host} for its host keys …"))?;
    deliver::scan_host_keys(host, port).await.map_err(Failure::work)
}

/// The fingerprints to pin: only what somebody has compared. Nothing is trusted because it was seen.
fn trusted(host: &str, keys: &[HostKey], given: &[String], asker: &Asker) -> Result<Vec<String>, Failure> {
    if !given.is_empty() {
        match confirmed(host, keys, given) {
            Err(failure) if asker.is_present() && failure.code == 1 => tell(&format!("\n  {}", failure.text))?,
            confirmed => return confirmed,
        }
    }
    if !asker.is_present() {
        return Err(Failure::usage(format!(
            "--host-key is missing. {host} presents {}. Have its operators tell you the fingerprint by another way, \
             and give the one that is equal: --host-key SHA256:…",
            listed(keys)
        )));
    }
    tell(&format!("\n{host} presents:\n"))?;
    for key in keys {
        tell(&format!("  {}\n    {}\n    {}", key.algorithm, key.fingerprint, key.md5))?;
    }
    tell(
        "\nNothing here proves that it was the partner who answered. Compare with what they told you by another way\n\
         (telephone, letter, a signed mail); one key that is equal is enough. A fingerprint alone is understood, and so\n\
         is a line that `ssh-keygen -lf` prints, or one of a public key.\n",
    )?;
    loop {
        let answer = asker.line("Type or paste their fingerprint, or `yes` if you have compared all of these", None)?;
        if answer.eq_ignore_ascii_case("yes") {
            return Ok(keys.iter().map(|key| key.fingerprint.clone()).collect());
        }
        let Some(typed) = answers::fingerprint(&answer) else {
            tell(&format!("  {NOT_UNDERSTOOD}"))?;
            continue;
        };
        if let Some(key) = keys.iter().find(|key| is_of(key, &typed)) {
            tell(&format!("  it is equal to that of the {} key", key.algorithm))?;
            return Ok(vec![key.fingerprint.clone()]);
        }
        tell(&format!(
            "  that is a fingerprint, and {host} presents no key with it. If it is what the partner told you, do not \
             go on:\n  either they have a new key, or somebody is in between. Ask them"
        ))?;
    }
}

/// What is said of an answer without a fingerprint in it.
const NOT_UNDERSTOOD: &str = "there is no fingerprint in this; it looks like SHA256: and 43 characters, or MD5: and 16 \
                              pairs of digits";

fn confirmed(host: &str, keys: &[HostKey], given: &[String]) -> Result<Vec<String>, Failure> {
    let typed = |text: &String| {
        answers::fingerprint(text).ok_or_else(|| Failure::usage(format!("--host-key {text:?}: {NOT_UNDERSTOOD}")))
    };
    let typed = given.iter().map(typed).collect::<Result<Vec<Fingerprint>, Failure>>()?;
    let found: Vec<String> = keys
        .iter()
        .filter(|key| typed.iter().any(|typed| is_of(key, typed)))
        .map(|key| key.fingerprint.clone())
        .collect();
    if found.is_empty() {
        return Err(Failure::work(format!(
            "{host} presents {}, and none of them is {}: if its operators confirm the one above, give that, \
             and if not, somebody is in between",
            listed(keys),
            given.join(", ")
        )));
    }
    Ok(found)
}

/// The fingerprints to pin of a server that has not been reached: those that its operators have told.
fn told(given: &[String], asker: &Asker) -> Result<Vec<String>, Failure> {
    let pin = |text: &str| match answers::fingerprint(text) {
        Some(Fingerprint::Sha256(pin)) => Ok(pin),
        Some(Fingerprint::Md5(_)) => {
            Err("an MD5 fingerprint can only be compared with a key that is seen; ask for SHA256:…".to_owned())
        }
        None => Err(NOT_UNDERSTOOD.to_owned()),
    };
    let known: Result<Vec<String>, String> = given.iter().map(|text| pin(text)).collect();
    if let Some(known) = known.ok().filter(|known| !known.is_empty()) {
        return Ok(known);
    }
    let question = Question {
        flag: "host-key",
        text: "The fingerprint of its host key, as its operators told you",
        default: None,
    };
    Ok(vec![asker.value(&question, Known::Flag(None), pin)?])
}

fn is_of(key: &HostKey, typed: &Fingerprint) -> bool {
    match typed {
        Fingerprint::Sha256(pin) => key.fingerprint == *pin,
        Fingerprint::Md5(digits) => key.md5 == *digits,
    }
}

fn listed(keys: &[HostKey]) -> String {
    keys.iter().map(|key| format!("{} ({})", key.fingerprint, key.algorithm)).collect::<Vec<_>>().join(", ")
}

/// Our key pair.
pub struct OurKey {
    /// The private key's file.
    pub path: PathBuf,
    /// The public key.
    pub public: PublicKeyLine,
    /// Whether it was made just now.
    pub is_new: bool,
}

/// Our key: the one at `path`, which is made if it is not there, or at another place if that can't be used.
pub fn own_key(mut path: PathBuf, asker: &Asker) -> Result<OurKey, Failure> {
    let question = Question { flag: "key", text: "Our private key, made if it is missing", default: None };
    loop {
        let failure = match read_or_make(&path) {
            Ok((public, is_new)) => return Ok(OurKey { path, public, is_new }),
            Err(failure) => failure,
        };
        if asker.next(failure, Some("where our key is"), None)? == Next::Change {
            let typed = asker.value(&question, Known::Answer(&path.display().to_string()), answers::of_job("key"))?;
            path = std::path::absolute(typed)?;
        }
    }
}

fn read_or_make(path: &Path) -> Result<(PublicKeyLine, bool), Failure> {
    if path.exists() {
        return Ok((deliver::read_public_key(path, None).map_err(Failure::usage)?, false));
    }
    let made = keys::make(path)?;
    tell(&format!("made a key pair: {} and {}.pub", path.display(), path.display()))?;
    Ok((made, true))
}

/// How the login went.
pub enum Welcome {
    /// We can put files there.
    In(ServerFacts),
    /// The server does not know our key yet.
    NotYet,
    /// The login was not tried, or failed for another reason that is left for later.
    Untried,
}

/// Logs in and tries the directory.
pub async fn log_in(destination: &SftpDestination) -> Result<Welcome, Failed> {
    tell(&format!("logging in as {} …", destination.user))?;
    let session = Session::open(destination).await.map_err(failed)?;
    session.check("init").await.map_err(failed)?;
    let facts = session.server().clone();
    session.close().await;
    tell(&format!("  {} can be read and written", destination.directory))?;
    Ok(Welcome::In(facts))
}

fn failed(error: DeliverError) -> Failed {
    let part = match &error {
        DeliverError::LoginRefused { .. } => Part::Login,
        DeliverError::LoginIncomplete { .. } => Part::Server,
        error if error.is_refusal() => Part::HostKey,
        _ => Part::Server,
    };
    Failed { failure: Failure::work(error), part }
}
