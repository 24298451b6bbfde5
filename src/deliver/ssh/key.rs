//! Our own key: read from a file that nobody else can read, or made new.
//!
//! ed25519, ECDSA and RSA, in the formats that OpenSSH, OpenSSL and PuTTY write. Deliberately absent: agents, security
//! tokens and certificates.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::{self, Kdf, LineEnding};
use russh::keys::{PrivateKey, decode_secret_key};

use super::hostkey;
use crate::access::{self, Denied};
use crate::deliver::error::DeliverError;
use crate::secret::Secret;
use crate::wording::io_error;

/// No private key is bigger; it keeps a wrong path from filling memory.
const MAX_KEY_FILE: u64 = 64 * 1024;

/// The most work for making a key of a passphrase: rounds of bcrypt, KiB of memory for Argon2, and KiB times passes. The
/// file says how much it takes, and one that is damaged may ask for hours or terabytes. `ssh-keygen` takes 24 rounds,
/// PuTTYgen 8 MiB.
const MAX_ROUNDS: u32 = 4096;
const MAX_MEMORY: u64 = 1 << 16;
const MAX_MEMORY_PASSES: u64 = 1 << 22;

/// A public key in the form that `authorized_keys` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeyLine {
    /// Type, key and comment.
    pub line: String,
    /// The SHA-256 fingerprint (`SHA256:…`).
    pub fingerprint: String,
    /// The fingerprint in the older notation (`MD5:16:27:…`).
    pub md5: String,
}

/// The public half of the private key at `path`: whoever gets an answer could also log in with it.
///
/// # Errors
/// `Key` if the file can't be read, can be read by others, or holds no key; `PassphraseMissing` and `PassphraseWrong`.
pub fn read_public_key(path: &Path, passphrase: Option<&Secret>) -> Result<PublicKeyLine, DeliverError> {
    public_line(path, &load_key(path, passphrase)?)
}

fn public_line(path: &Path, key: &PrivateKey) -> Result<PublicKeyLine, DeliverError> {
    let public = key.public_key();
    let line = public.to_openssh().map_err(|error| problem(path, format!("can't be used: {error}")))?;
    Ok(PublicKeyLine { line, fingerprint: hostkey::fingerprint(public), md5: hostkey::md5(public) })
}

/// Reads a private key.
///
/// # Errors
/// `Key` if the file can't be read, can be read by others, or holds no key; `PassphraseMissing` and `PassphraseWrong`.
pub fn load_key(path: &Path, passphrase: Option<&Secret>) -> Result<PrivateKey, DeliverError> {
    decode(&read_private(path)?, path, passphrase)
}

fn decode(text: &str, path: &Path, passphrase: Option<&Secret>) -> Result<PrivateKey, DeliverError> {
    let openssh = openssh(text).map(|bytes| PrivateKey::from_bytes(&bytes));
    if passphrase.is_some() && (asks_much_of_bcrypt(&openssh) || asks_much_of_argon2(text)) {
        let problem = "would take more time or memory to decrypt than a key needs; set its passphrase anew with the usual \
                       cost: ssh-keygen -p, or PuTTYgen";
        return Err(DeliverError::Key { path: path.to_owned(), problem: problem.to_owned() });
    }
    let decoded = match (openssh, passphrase) {
        (None, _) => decode_secret_key(text, passphrase.map(Secret::expose)),
        (Some(Ok(key)), Some(passphrase)) if key.is_encrypted() => key.decrypt(passphrase.expose()).map_err(Into::into),
        (Some(Ok(key)), None) if key.is_encrypted() => Err(russh::keys::Error::KeyIsEncrypted),
        (Some(key), _) => key.map_err(Into::into),
    };
    let failure = match decoded {
        Ok(key) => return Ok(key),
        Err(failure) => failure,
    };
    let path = path.to_owned();
    Err(match (is_encrypted(text, &failure), passphrase) {
        (true, None) => DeliverError::PassphraseMissing { path },
        (true, Some(_)) => DeliverError::PassphraseWrong { path },
        (false, _) => {
            let problem = "holds no private key that can be used; expected is an OpenSSH, PEM or PPK file with an \
                           ed25519, ecdsa or rsa key (not the .pub file)";
            DeliverError::Key { path, problem: problem.to_owned() }
        }
    })
}

/// Makes an ed25519 key pair: the private key at `path`, readable by its owner only, the public one beside it with
/// `.pub` added.
///
/// # Errors
/// `Key` if either file exists already or can't be written.
pub fn generate_key(path: &Path, comment: &str) -> Result<PublicKeyLine, DeliverError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| problem(path, format!("can't be made: no randomness ({error})")))?;
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    seed.fill(0);
    key.set_comment(comment.replace(|c: char| c.is_control(), " "));
    let text = key.to_openssh(LineEnding::LF).map_err(|error| problem(path, format!("can't be made: {error}")))?;
    let made = public_line(path, &key)?;

    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let public = Path::new(&public);
    write_new(path, 0o600, text.as_bytes())?;
    if let Err(error) = write_new(public, 0o644, format!("{}\n", made.line).as_bytes()) {
        // A private key without its public half is of no use, and would be in the way of the next try.
        let _ = std::fs::remove_file(path);
        return Err(error);
    }
    Ok(made)
}

fn read_private(path: &Path) -> Result<String, DeliverError> {
    let unreadable = |error: std::io::Error| match access::is_denied(&error) {
        true => problem(path, format!("can't be read: {}", Denied::at(path))),
        false => problem(path, format!("can't be read ({}); correct the path or its rights", io_error(&error))),
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(problem(path, "is not a file; correct the path".to_owned()));
    }
    check_protection(path, metadata.uid(), metadata.mode(), rustix::process::geteuid().as_raw())?;
    let mut text = String::new();
    file.take(MAX_KEY_FILE).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// A key that others can read, or replace, proves nothing about us.
fn check_protection(path: &Path, owner: u32, mode: u32, we: u32) -> Result<(), DeliverError> {
    if owner != we && owner != 0 {
        return Err(problem(path, format!("is refused: {}", Denied::of(path))));
    }
    // Credentials from systemd and secrets from Kubernetes are root's, and lent to the service through the group bits.
    let lent = owner == 0 && we != 0;
    let forbidden = if lent { 0o037 } else { 0o077 };
    if mode & forbidden != 0 {
        let advice =
            format!("can be read or changed by others (mode {:04o}); run: chmod 600 {}", mode & 0o7777, path.display());
        return Err(problem(path, advice));
    }
    Ok(())
}

/// The bytes of a file in OpenSSH's format; none if it has another one. They are read here, so that the key whose cost is
/// looked at is the one that is decrypted.
fn openssh(text: &str) -> Option<Vec<u8>> {
    let mut lines = text.lines().skip_while(|line| *line != "-----BEGIN OPENSSH PRIVATE KEY-----");
    lines.next()?;
    let body: String = lines.take_while(|line| !line.starts_with("-----END ")).collect();
    Some(STANDARD.decode(body).unwrap_or_default())
}

fn asks_much_of_bcrypt(key: &Option<Result<PrivateKey, ssh_key::Error>>) -> bool {
    let Some(Ok(key)) = key else { return false };
    matches!(key.kdf(), Kdf::Bcrypt { rounds, .. } if *rounds > MAX_ROUNDS)
}

fn asks_much_of_argon2(text: &str) -> bool {
    // The biggest, if there are several: that one is enough to refuse the file.
    let number = |key: &str| text.lines().filter_map(|line| line.strip_prefix(key)?.parse::<u32>().ok()).max();
    let memory = number("Argon2-Memory: ").map_or(0, u64::from);
    memory > MAX_MEMORY || memory * number("Argon2-Passes: ").map_or(1, u64::from) > MAX_MEMORY_PASSES
}

fn is_encrypted(text: &str, failure: &russh::keys::Error) -> bool {
    if matches!(failure, russh::keys::Error::KeyIsEncrypted) {
        return true;
    }
    let by_label = text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED");
    let by_putty = text.starts_with("PuTTY-User-Key-File-") && !text.contains("Encryption: none");
    by_label || by_putty || PrivateKey::from_openssh(text).is_ok_and(|key| key.is_encrypted())
}

fn write_new(path: &Path, mode: u32, content: &[u8]) -> Result<(), DeliverError> {
    let unwritable =
        |error: std::io::Error| problem(path, format!("can't be written ({}); choose another path", io_error(&error)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(unwritable)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = std::fs::remove_file(path);
        unwritable(error)
    })
}

fn problem(path: &Path, problem: String) -> DeliverError {
    DeliverError::Key { path: path.to_owned(), problem }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(owner: u32, mode: u32, we: u32) -> bool {
        check_protection(Path::new("key"), owner, 0o100_000 | mode, we).is_ok()
    }

    #[test]
    fn only_private_files_are_keys() {
        assert!(allowed(1000, 0o600, 1000));
        assert!(allowed(1000, 0o400, 1000));
        assert!(!allowed(1000, 0o640, 1000));
        assert!(!allowed(1000, 0o604, 1000));
        assert!(!allowed(1001, 0o600, 1000), "another user could replace it");
        assert!(!allowed(0, 0o640, 0));
    }

    #[test]
    fn a_file_that_asks_for_hours_or_terabytes_is_refused() {
        let corpus = crate::fuzz::folder("private_keys");
        let end = |file: &str| {
            let text = std::fs::read_to_string(corpus.join(file)).unwrap();
            decode(&text, Path::new("key"), Some(&Secret::new("secret"))).map_err(|error| error.to_string())
        };
        assert!(end("openssh_encrypted").is_ok());
        for file in ["openssh_rounds", "openssh_second_armour", "putty_memory", "putty_passes"] {
            let error = end(file).expect_err(file);
            assert!(error.contains("more time or memory"), "{file}: {error}");
        }
    }

    #[test]
    fn credentials_lent_by_root_are_keys() {
        assert!(allowed(0, 0o440, 1000));
        assert!(allowed(0, 0o400, 1000));
        assert!(!allowed(0, 0o444, 1000));
        assert!(!allowed(0, 0o460, 1000));
    }

    #[test]
    fn a_new_key_can_be_loaded_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id");
        let made = generate_key(&path, "exportd on\nmars").unwrap();
        assert!(made.line.starts_with("ssh-ed25519 ") && made.line.ends_with(" exportd on mars"), "{}", made.line);
        assert_eq!(std::fs::read_to_string(folder.path().join("id.pub")).unwrap(), format!("{}\n", made.line));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let loaded = load_key(&path, None).unwrap();
        assert_eq!(super::super::hostkey::fingerprint(loaded.public_key()), made.fingerprint);
        assert!(generate_key(&path, "again").unwrap_err().to_string().contains("can't be written"));
        std::fs::remove_file(&path).unwrap();
        assert!(generate_key(&path, "beside an old .pub").is_err());
        assert!(!path.exists());
    }
}
