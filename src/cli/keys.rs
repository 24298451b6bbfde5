//! `exportd keygen` and `exportd hostkey`: the two steps that make an SFTP login work and safe.

use serde_json::json;

use crate::deliver;

use super::args::{HostkeyArguments, KeygenArguments};
use super::failure::Failure;
use super::output;

/// Makes a key pair and prints the line that the partner adds to `authorized_keys`.
pub fn keygen(options: &KeygenArguments) -> Result<(), Failure> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let line = deliver::generate_key(&options.path, &format!("exportd@{host}")).map_err(Failure::work)?;
    output::line(format!("private key: {} (keep it; nobody else needs it)", options.path.display()))?;
    output::line("Send this line to the partner, who adds it to ~/.ssh/authorized_keys of the user:\n")?;
    Ok(output::line(line.line.trim_end())?)
}

/// Shows the keys that a server presents, without trusting any.
pub async fn hostkey(options: &HostkeyArguments) -> Result<(), Failure> {
    let (host, port) = address(&options.host)?;
    let keys = deliver::scan_host_keys(&host, port).await.map_err(Failure::work)?;
    if options.json {
        let shown: Vec<_> = keys
            .iter()
            .map(|key| json!({ "algorithm": key.algorithm, "fingerprint": key.fingerprint, "line": key.openssh_line }))
            .collect();
        return Ok(output::json(&shown)?);
    }
    for key in &keys {
        output::line(format!("{:<20} {}", key.algorithm, key.fingerprint))?;
    }
    let pins: Vec<String> = keys.iter().map(|key| format!("{:?}", key.fingerprint)).collect();
    output::line("\nCompare these with what the partner gives you by another way (telephone, letter, a signed mail):")?;
    output::line("nothing here proves that it was the partner who answered. Then pin them in jobs.toml:\n")?;
    Ok(output::line(format!("host_keys = [{}]", pins.join(", ")))?)
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`; an IPv6 address may stand without brackets and port.
fn address(text: &str) -> Result<(String, u16), Failure> {
    let wrong = || Failure::usage(format!("can't read the port in {text:?}; write HOST or HOST:PORT"));
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
        assert!(read("sftp.example:http").is_err());
    }
}
