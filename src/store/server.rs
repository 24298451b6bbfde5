//! What stores behind a network have in common: names for people, the default of TLS, limits on waiting.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::time::Sleep;

use super::StoreSettings;
use super::error::StoreError;
use super::reader::ReaderThread;
use super::tunnel::{CONNECT_TIMEOUT, NO_TLS, Protocol, Target, Tunnel};
use crate::tls::{self, Identity, TlsFault, Trusted, connection_error};

/// How much longer than its limit a statement is waited for: the server is asked to keep the limit itself, and ours
/// is for a server that has fallen silent.
const GRACE: Duration = Duration::from_secs(30);

/// Whether the URL has one of `keys` among its parameters.
pub(super) fn has_parameter(url: &str, keys: &[&str]) -> bool {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    parameters.split('&').any(|parameter| keys.contains(&parameter.split('=').next().unwrap_or_default()))
}

/// The value of one of `keys` among the parameters of the URL.
fn parameter(url: &str, keys: &[&str]) -> Option<String> {
    let parameters = url.split_once('?')?.1.split('#').next()?;
    let mut pairs = parameters.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| keys.contains(key)).map(|(_, value)| decoded(value))
}

/// A parameter's value without percent-encoding.
fn decoded(value: &str) -> String {
    let (bytes, mut at, mut decoded) = (value.as_bytes(), 0, Vec::new());
    while let Some(&byte) = bytes.get(at) {
        let digits = value.get(at + 1..at + 3).filter(|_| byte == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(if byte == b'+' { b' ' } else { byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The certificates to trust, which the driver would read late and without naming the file.
pub(super) fn trusted(settings: &StoreSettings) -> Result<Option<(PathBuf, Trusted)>, StoreError> {
    let in_url = || parameter(settings.url.expose(), &["sslrootcert", "ssl-root-cert", "ssl-ca", "sslca"]);
    let Some(path) = settings.ca.clone().or_else(|| in_url().map(PathBuf::from)) else { return Ok(None) };
    match Trusted::read(&path) {
        Ok(trusted) => Ok(Some((path, trusted))),
        Err(cause) => Err(StoreError::Authority { path, cause }),
    }
}

/// How to reach a server whose certificate the driver has refused with `refusal`: over TLS that trusts what is in
/// `ca` also as a server's own certificate. None where that could change nothing.
pub(super) fn detour(
    settings: &StoreSettings,
    refusal: &StoreError,
    checks_name: bool,
    (protocol, host, port): (Protocol, &str, u16),
) -> Result<Option<Target>, StoreError> {
    let StoreError::Insecure { fault, .. } = refusal else { return Ok(None) };
    let Some((path, trusted)) = trusted(settings)?.filter(|_| fault.is_of_certificate()) else { return Ok(None) };
    let unusable = |cause: String| StoreError::Authority { path, cause };
    let file = |keys| parameter(settings.url.expose(), keys).map(PathBuf::from);
    let identity = match (file(&["sslcert", "ssl-cert"]), file(&["sslkey", "ssl-key"])) {
        (Some(chain), Some(key)) => match Identity::read(&chain, &key) {
            Ok(identity) => Some(identity),
            Err(cause) => return Err(unusable(cause)),
        },
        _ => None,
    };
    let tls = match tls::client(trusted, checks_name, identity) {
        Ok(tls) => tls,
        Err(error) => return Err(unusable(TlsFault::of(&error).to_string())),
    };
    Ok(Some(Target { protocol, host: host.to_owned(), port, tls }))
}

/// Waits for a connection, but not for ever. `refusal` tells what an answer of the server means.
pub(super) async fn connect<C>(
    place: &str,
    connecting: impl Future<Output = Result<C, sqlx::Error>>,
    refusal: impl FnOnce(&str, Box<dyn sqlx::error::DatabaseError>) -> StoreError,
) -> Result<C, StoreError> {
    let Ok(connected) = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await else {
        let cause = format!("no answer within {} seconds", CONNECT_TIMEOUT.as_secs());
        return Err(StoreError::Unreachable { place: place.to_owned(), cause });
    };
    connected.map_err(|error| match error {
        sqlx::Error::Database(error) => refusal(place, error),
        sqlx::Error::Tls(cause) => {
            let told = || if cause.to_string() == NO_TLS { TlsFault::NoTls } else { TlsFault::Other };
            let fault = cause.downcast_ref::<rustls::Error>().map_or_else(told, TlsFault::of);
            StoreError::Insecure { place: place.to_owned(), fault }
        }
        sqlx::Error::Io(error) => match TlsFault::of_io(&error) {
            Some(fault) => StoreError::Insecure { place: place.to_owned(), fault },
            None => StoreError::Unreachable { place: place.to_owned(), cause: connection_error(&error) },
        },
        sqlx::Error::Configuration(cause) => StoreError::Url(cause.to_string()),
        other => StoreError::Refused { place: place.to_owned(), cause: other.to_string() },
    })
}

/// An error of the driver while a connection was used. `rejection` tells what an answer of the server means.
pub(super) fn broken(
    error: sqlx::Error,
    rejection: impl FnOnce(Box<dyn sqlx::error::DatabaseError>) -> StoreError,
) -> StoreError {
    match error {
        sqlx::Error::Database(error) => rejection(error),
        sqlx::Error::Io(error) => StoreError::Interrupted {
            code: "connection".to_owned(),
            cause: format!("the connection was lost: {}", connection_error(&error)),
        },
        // The driver's own texts may quote what it received.
        _ => StoreError::Protocol("the driver could not read the store's answer".to_owned()),
    }
}

/// A connection to a server, in one transaction, and what it goes through.
pub(super) struct ServerConnection<C> {
    /// Gone after a read that ended early.
    db: Option<C>,
    /// The TLS that the driver can't do, if the server needs it.
    tunnel: Option<Tunnel>,
}

impl<C: sqlx::Connection> ServerConnection<C> {
    /// A connection of the driver's own.
    pub(super) fn direct(db: C) -> ServerConnection<C> {
        ServerConnection { db: Some(db), tunnel: None }
    }

    /// A connection through `tunnel`.
    pub(super) fn tunnelled(db: C, tunnel: Tunnel) -> ServerConnection<C> {
        ServerConnection { db: Some(db), tunnel: Some(tunnel) }
    }

    /// The connection, unless it was dropped.
    pub(super) fn db(&mut self) -> Result<&mut C, StoreError> {
        self.db.as_mut().ok_or_else(|| StoreError::Interrupted {
            code: "connection".to_owned(),
            cause: "it was closed when an earlier export ended before its last row".to_owned(),
        })
    }

    /// Whether statements can still be sent.
    pub(super) fn is_open(&self) -> bool {
        self.db.is_some()
    }

    /// Ends the connection where rows are still to come.
    ///
    /// Both ways in which the driver closes would wait: the polite one for the rest of the rows, the hard one, over TLS,
    /// for another message of the server.
    pub(super) fn abandon(&mut self) {
        self.db = None;
    }

    /// Ends the connection in an orderly way. The server ends the transaction in any case.
    pub(super) async fn close(self) {
        if let Some(db) = self.db {
            let _ = db.close().await;
        }
        if let Some(tunnel) = self.tunnel {
            tunnel.close().await;
        }
    }
}

/// The moment after which a statement is no longer waited for.
pub(super) struct Deadline {
    sleep: Pin<Box<Sleep>>,
    limit: Duration,
}

impl Deadline {
    /// The deadline of a statement that starts now.
    pub(super) fn start(limit: Duration) -> Deadline {
        Deadline { sleep: Box::pin(tokio::time::sleep(limit.saturating_add(GRACE))), limit }
    }

    /// The next item of `stream`, unless time is up. Where none is there yet, a `thread` that only reads takes a nap
    /// before it waits.
    pub(super) async fn next<S: Stream + Unpin>(
        &mut self,
        stream: &mut S,
        thread: Option<&ReaderThread>,
    ) -> Result<Option<S::Item>, StoreError> {
        if let Poll::Ready(item) = futures_util::poll!(stream.next()) {
            return Ok(item);
        }
        if let Some(thread) = thread {
            thread.nap();
        }
        tokio::select! {
            biased;
            item = stream.next() => Ok(item),
            () = &mut self.sleep => Err(StoreError::Timeout(self.limit)),
        }
    }

    /// What `work` yields, unless time is up.
    pub(super) async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = &mut self.sleep => Err(StoreError::Timeout(self.limit)),
        }
    }
}

/// Refuses a URL in which a part of the password would be taken for something that messages show.
///
/// A `/`, `?` or `#` that is not percent-encoded ends the part of the URL that holds user and password; an `@` behind
/// it tells that this was not meant.
pub fn check_url(url: &str) -> Result<(), StoreError> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if rest[end..].contains('@') {
        let remedy = "in user and password, and behind the host, write `/` as %2F, `?` as %3F, `#` as %23, `@` as %40";
        return Err(StoreError::Url(remedy.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_parameters_as_the_driver_does() {
        let url = "postgres://u@h/d?sslrootcert=%2Fetc%2Fmy+ca%2.pem&sslmode=verify-full#x";
        assert_eq!(parameter(url, &["ssl-ca", "sslrootcert"]).as_deref(), Some("/etc/my ca%2.pem"));
        assert_eq!(parameter(url, &["sslmode"]).as_deref(), Some("verify-full"));
        assert_eq!(parameter("postgres://u@h/d", &["sslmode"]), None);
    }

    #[test]
    fn finds_parameters_by_their_whole_name() {
        let url = "postgres://a:b@c/d?x=sslmode&sslmode=require";
        assert!(has_parameter(url, &["ssl-mode", "sslmode"]));
        assert!(!has_parameter("postgres://a:sslmode@c/sslmode?xsslmode=require", &["sslmode"]));
    }
}
