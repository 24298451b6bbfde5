//! Which algorithms are accepted, and in which order they are preferred.
//!
//! Nothing with SHA-1, no CBC, no compression; only ciphers that authenticate, or MACs over the encrypted text.
//! AES-GCM comes first: it is the fastest where the processor helps, and not open to truncation of the handshake.

use std::borrow::Cow;
use std::time::Duration;

use russh::client::Config;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Names, Preferred, cipher, kex, mac};

const KEX: [kex::Name; 5] =
    [kex::MLKEM768X25519_SHA256, kex::CURVE25519, kex::CURVE25519_PRE_RFC_8731, kex::DH_G16_SHA512, kex::DH_G18_SHA512];

const CIPHERS: [cipher::Name; 6] = [
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

const MACS: [mac::Name; 2] = [mac::HMAC_SHA256_ETM, mac::HMAC_SHA512_ETM];

/// A family of host keys; a server has at most one key of each in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyClass {
    /// Ed25519.
    Ed25519,
    /// ECDSA over a NIST curve.
    Ecdsa,
    /// RSA, signing with SHA-2.
    Rsa,
}

impl KeyClass {
    /// All of them, most preferred first.
    pub const ALL: [KeyClass; 3] = [KeyClass::Ed25519, KeyClass::Ecdsa, KeyClass::Rsa];

    /// The class of a key's algorithm; none for what is not accepted.
    pub fn of(algorithm: &Algorithm) -> Option<KeyClass> {
        match algorithm {
            Algorithm::Ed25519 => Some(KeyClass::Ed25519),
            Algorithm::Ecdsa { .. } => Some(KeyClass::Ecdsa),
            Algorithm::Rsa { .. } => Some(KeyClass::Rsa),
            _ => None,
        }
    }

    fn algorithms(self) -> Vec<Algorithm> {
        match self {
            KeyClass::Ed25519 => vec![Algorithm::Ed25519],
            KeyClass::Ecdsa => [EcdsaCurve::NistP256, EcdsaCurve::NistP384, EcdsaCurve::NistP521]
                .map(|curve| Algorithm::Ecdsa { curve })
                .to_vec(),
            KeyClass::Rsa => {
                [HashAlg::Sha512, HashAlg::Sha256].map(|hash| Algorithm::Rsa { hash: Some(hash) }).to_vec()
            }
        }
    }
}

/// Questions without an answer after which a server is taken for dead, when the next one is due.
const UNANSWERED: usize = 3;

/// The configuration of an SSH client that asks for host keys of `classes` in that order, and after every `keepalive`
/// without traffic whether the server is there.
pub fn client_config(classes: &[KeyClass], keepalive: Duration) -> Config {
    let mut preferred = Preferred::DEFAULT;
    // The names that announce strict key exchange live in this list too; losing them would lose the protection.
    let announced = preferred.kex.iter().filter(|name| is_announcement(name)).copied();
    preferred.kex = Cow::Owned(KEX.into_iter().chain(announced).collect());
    preferred.key = Cow::Owned(classes.iter().flat_map(|class| class.algorithms()).collect());
    preferred.cipher = Cow::Borrowed(&CIPHERS);
    preferred.mac = Cow::Borrowed(&MACS);
    preferred.compression = Cow::Borrowed(&[russh::compression::NONE]);
    Config {
        client_id: russh::SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-exportd_", env!("CARGO_PKG_VERSION")))),
        preferred,
        nodelay: true,
        keepalive_interval: Some(keepalive),
        keepalive_max: UNANSWERED,
        // For when sending itself is stuck, so that no question gets out.
        inactivity_timeout: Some(keepalive * 4 + keepalive / 2),
        ..Config::default()
    }
}

/// The cipher of a connection whose handshake could have been truncated unnoticed; none if it is safe.
pub fn open_to_truncation(names: &Names) -> Option<String> {
    let immune = names.cipher == cipher::AES_128_GCM || names.cipher == cipher::AES_256_GCM;
    (!immune && !names.strict_kex()).then(|| names.cipher.as_ref().to_owned())
}

fn is_announcement(name: &kex::Name) -> bool {
    [
        kex::EXTENSION_SUPPORT_AS_CLIENT,
        kex::EXTENSION_SUPPORT_AS_SERVER,
        kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
        kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
    ]
    .contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_weak_is_offered() {
        let preferred = client_config(&KeyClass::ALL, Duration::from_secs(15)).preferred;
        let mut offered: Vec<String> = Vec::new();
        offered.extend(preferred.kex.iter().map(|name| name.as_ref().to_owned()));
        offered.extend(preferred.key.iter().map(ToString::to_string));
        offered.extend(preferred.cipher.iter().map(|name| name.as_ref().to_owned()));
        offered.extend(preferred.mac.iter().map(|name| name.as_ref().to_owned()));
        offered.extend(preferred.compression.iter().map(|name| name.as_ref().to_owned()));
        for name in &offered {
            let weak = ["sha1", "ssh-rsa", "ssh-dss", "cbc", "zlib", "3des", "group1-", "group14"];
            assert!(weak.iter().all(|weak| !name.contains(weak)), "{name} is offered");
        }
        assert!(offered.iter().any(|name| name == "kex-strict-c-v00@openssh.com"));
    }
}
