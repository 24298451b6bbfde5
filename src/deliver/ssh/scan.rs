//! Looks at a server's host keys without trusting them and without logging in.

use std::sync::Arc;

use russh::client;
use tokio::time::timeout;

use super::connect::{Deadlines, dial};
use super::hostkey::HostKey;
use super::policy::{KeyClass, client_config};
use super::verifier::{HostKeyVerifier, Seen, handshake_failure};
use crate::deliver::error::{DeliverError, Place};

/// The host keys of a server, one of each type that it has, most preferred type first.
///
/// One connection is made for each type; each ends with the handshake.
///
/// # Errors
/// If the server can't be reached, or has no key of an accepted type.
pub async fn scan_host_keys(host: &str, port: u16, deadlines: Deadlines) -> Result<Vec<HostKey>, DeliverError> {
    let place = Place { host: host.to_owned(), port, user: String::new(), directory: String::new() };
    let at = Arc::new(place);
    let mut keys = Vec::new();
    let mut failure = None;
    for class in KeyClass::ALL {
        match look(&at, class, deadlines).await {
            Ok(key) => keys.push(key),
            Err(error @ DeliverError::NoCommonAlgorithm { .. }) => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    match failure {
        Some(error) if keys.is_empty() => Err(error),
        _ => Ok(keys),
    }
}

async fn look(at: &Arc<Place>, class: KeyClass, deadlines: Deadlines) -> Result<HostKey, DeliverError> {
    let stream = dial(at, deadlines.address).await?;
    let seen = Arc::new(Seen::default());
    let onlooker = HostKeyVerifier { at: Arc::clone(at), seen: Arc::clone(&seen), trusted: None };
    let handshake = client::connect_stream(Arc::new(client_config(&[class], deadlines.keepalive)), stream, onlooker);
    let limit = deadlines.handshake;
    let outcome = timeout(limit, handshake).await.map_err(|_| DeliverError::Silent { server: at.server(), limit })?;
    let key = seen.lock().key.clone();
    match (key, outcome) {
        (Some(key), _) => Ok(HostKey::new(&key, &at.host, at.port)),
        (None, Err(error)) => Err(handshake_failure(at, &seen, &error)),
        (None, Ok(_)) => unreachable!("a handshake does not succeed when no key is good enough"),
    }
}
