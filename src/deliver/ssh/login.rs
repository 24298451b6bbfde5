//! Proves to a server who we are, with one key and one try.
//!
//! A refusal is final: repeating it gets addresses banned. RSA keys sign with SHA-2 or not at all.

use std::sync::Arc;

use russh::client::{self, AuthResult};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg};

use super::hostkey::fingerprint;
use super::verifier::{HostKeyVerifier, Seen, cause};
use crate::deliver::error::{DeliverError, Place};

/// Logs the place's user in.
pub(super) async fn log_in(
    handle: &mut client::Handle<HostKeyVerifier>,
    at: &Place,
    key: &PrivateKey,
    seen: &Seen,
) -> Result<(), DeliverError> {
    let broke_off = |error: russh::Error| {
        let cause = seen.lock().farewell.clone().unwrap_or_else(|| cause(&error));
        DeliverError::Handshake { server: at.server(), cause }
    };
    let (server, user) = (at.server(), at.user.clone());
    let shown = format!("{} ({})", fingerprint(key.public_key()), key.algorithm());
    let refused = |methods: String| {
        let (server, user, key) = (server.clone(), user.clone(), shown.clone());
        DeliverError::LoginRefused { server, user, key, methods }
    };
    let incomplete = |methods: &[&str]| {
        let methods: Vec<&str> = methods.iter().map(|method| proof(method)).collect();
        let (server, user, key) = (server.clone(), user.clone(), shown.clone());
        DeliverError::LoginIncomplete { server, user, key, methods: methods.join(" or ") }
    };
    let hash = match key.algorithm().is_rsa() {
        false => None,
        true => match handle.best_supported_rsa_hash().await.map_err(broke_off)? {
            Some(Some(hash)) => Some(hash),
            Some(None) => return Err(refused("it accepts RSA keys with SHA-1 only, which is unsafe".to_owned())),
            // Servers that do not say are tried with what all of today's understand.
            None => Some(HashAlg::Sha256),
        },
    };
    let key = PrivateKeyWithHashAlg::new(Arc::new(key.clone()), hash);
    match handle.authenticate_publickey(&at.user, key).await.map_err(broke_off)? {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { remaining_methods, partial_success } if !remaining_methods.is_empty() => {
            let names: Vec<&str> = remaining_methods.iter().map(Into::into).collect();
            if partial_success {
                return Err(incomplete(&names));
            }
            Err(refused(format!("it offers: {}", names.join(", "))))
        }
        AuthResult::Failure { .. } => {
            // Either a refusal without any other way in, or the end of the connection.
            let farewell = seen.lock().farewell.clone();
            match farewell {
                Some(words) if !words.to_lowercase().contains("authentication fail") => {
                    Err(DeliverError::Handshake { server: at.server(), cause: words })
                }
                Some(words) => Err(refused(format!("it says: {words}"))),
                None => Err(refused("it offers no other way".to_owned())),
            }
        }
    }
}

/// What a server wants that asks for another method after the key.
fn proof(method: &str) -> &str {
    match method {
        "password" => "a password",
        "keyboard-interactive" => "answers to questions (keyboard-interactive)",
        "publickey" => "a second key",
        other => other,
    }
}
