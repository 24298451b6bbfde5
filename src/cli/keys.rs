//! `exportd keygen` and `exportd hostkey`: the two steps that make an SFTP login work and safe.

use std::path::Path;

use serde_json::json;

use crate::deliver::{self, HostKey, PublicKeyLine};

use super::args::{HostkeyArguments, KeygenArguments};
use super::failure::Failure;
use super::output;

/// Makes a key pair and prints the line that the partner adds to `authorized_keys`.
pub fn keygen(options: &KeygenArguments) -> Result<(), Failure> {
    let made = make(&options.path)?;
    output::line(format!("The private key is {}: keep it, nobody else needs it.", options.path.display()))?;
    output::line(format!("The public key is {}.pub.\n", options.path.display()))?;
    Ok(instruct(&made)?)
}

/// Makes a key pair that says in its comment whose it is.
pub fn make(path: &Path) -> Result<PublicKeyLine, Failure> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    deliver::generate_key(path, &format!("exportd@{host}")).map_err(Failure::work)
}

/// What to send to the partner, and what they can compare it with.
pub fn instruct(key: &PublicKeyLine) -> std::io::Result<()> {
    output::line(
        "Send this line to the partner, who adds it to ~/.ssh/authorized_keys of the user that you log in as:\n",
    )?;
    output::line(key.line.trim_end())?;
    output::line("\nOn the telephone they can compare what `ssh-keygen -lf` shows them of it:\n")?;
    output::line(format!("  {}\n  {}", key.fingerprint, key.md5))
}

/// Shows the keys that a server presents, without trusting any.
pub async fn hostkey(options: &HostkeyArguments) -> Result<(), Failure> {
    let (host, port) = address(&options.host)?;
    let keys = deliver::scan_host_keys(&host, port).await.map_err(Failure::work)?;
    if options.json {
        let shown: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "algorithm": key.algorithm,
                    "fingerprint": key.fingerprint,
                    "md5": key.md5,
                    "line": key.openssh_line,
                })
            })
            .collect();
        return Ok(output::json(&shown)?);
    }
    Ok(print(&options.host, &keys)?)
}

fn print(host: &str, keys: &[HostKey]) -> std::io::Result<()> {
    output::line(format!("{host} has {}:\n", output::plural(keys.len(), "host key")))?;
    show(keys)?;
    output::line(
        "\nNothing here proves that it was the partner who answered. Have them tell you the fingerprint by another way\n\
         (telephone, letter, a signed mail) and compare every character; one key that is equal is enough. They read it\n\
         on the server with `ssh-keygen -lf FILE` (with `-E md5` for the older notation), where FILE is one of\n\
         /etc/ssh/ssh_host_*_key.pub. Then pin it in jobs.toml; keep only those that you have compared:\n",
    )?;
    let pins: Vec<String> = keys.iter().map(|key| format!("{:?}", key.fingerprint)).collect();
    output::line(format!("host_keys = [{}]", pins.join(", ")))?;
    output::line("\nor, with known_hosts = \"FILE\" in jobs.toml, put into that file:\n")?;
    keys.iter().try_for_each(|key| output::line(&key.openssh_line))
}

/// Each key's type, and below it the fingerprint in both notations.
pub fn show(keys: &[HostKey]) -> std::io::Result<()> {
    for key in keys {
        output::line(format!("  {}\n    {}\n    {}", key.algorithm, key.fingerprint, key.md5))?;
    }
    Ok(())
}

/// Reads `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`; an IPv6 address may stand without brackets and port.
pub fn address(text: &str) -> Result<(String, u16), Failure> {
    let wrong = || Failure::usage(format!("can't read the port in {text:?}; write HOST or HOST:PORT"));
    if text.contains("://") || text.contains('/') || text.contains('@') || text.trim().is_empty() {
        return Err(Failure::usage(format!("{text:?} is no host; write HOST or HOST:PORT, without user and folder")));
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, Some(port)),
            _ => (text, None),
        },
    };
    let port = port.map_or(Ok(22), |port| port.parse().map_err(|_| wrong()))?;
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_form() {
        let read = |text| address(text).map_err(|failure| failure.text);
        assert_eq!(read("sftp.example"), Ok(("sftp.example".to_owned(), 22)));
        assert_eq!(read("sftp.example:2222"), Ok(("sftp.example".to_owned(), 2222)));
        assert_eq!(read("[::1]:2222"), Ok(("::1".to_owned(), 2222)));
        assert_eq!(read("::1"), Ok(("::1".to_owned(), 22)));
        for text in ["sftp.example:http", "sftp.example:99999", "sftp://sftp.example", "drop@sftp.example", ""] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
