//! What a client sees of a server while it connects: its key, which is verified here, and what it says.

use std::sync::{Arc, Mutex, MutexGuard};

use russh::client::{self, DisconnectReason};
use russh::keys::{PublicKey, PublicKeyOrCertificate};

use super::hostkey::TrustedKeys;
use super::policy::open_to_truncation;
use crate::deliver::error::{DeliverError, Place, plain};
use crate::wording::io_error;

/// What the handler of a connection has seen, for the code that reports it.
#[derive(Default)]
pub(super) struct Seen(Mutex<Observations>);

#[derive(Default)]
pub(super) struct Observations {
    pub key: Option<PublicKey>,
    pub refusal: Option<DeliverError>,
    pub version: String,
    pub banner: String,
    pub farewell: Option<String>,
}

impl Seen {
    pub(super) fn lock(&self) -> MutexGuard<'_, Observations> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

/// The handler of a connection: verifies the server's key, and remembers what the server says.
pub(super) struct HostKeyVerifier {
    pub at: Arc<Place>,
    pub seen: Arc<Seen>,
    /// None: every key is refused, so that it is only looked at.
    pub trusted: Option<Arc<TrustedKeys>>,
}

impl client::Handler for HostKeyVerifier {
    type Error = russh::Error;

    async fn check_server_key(&mut self, presented: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = presented else { return Ok(false) };
        let mut seen = self.seen.lock();
        seen.key = Some(key.clone());
        let Some(trusted) = &self.trusted else { return Ok(false) };
        seen.refusal = trusted.judge(key, &self.at).err();
        Ok(seen.refusal.is_none())
    }

    async fn kex_done(
        &mut self,
        _secret: Option<&[u8]>,
        names: &russh::Names,
        session: &mut client::Session,
    ) -> Result<(), russh::Error> {
        let mut seen = self.seen.lock();
        seen.version = plain(&String::from_utf8_lossy(session.remote_sshid()));
        if let Some(cipher) = open_to_truncation(names) {
            seen.refusal = Some(DeliverError::Terrapin { server: self.at.server(), cipher });
            return Err(russh::Error::Kex);
        }
        Ok(())
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut client::Session) -> Result<(), russh::Error> {
        self.seen.lock().banner = plain(banner);
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<russh::Error>) -> Result<(), russh::Error> {
        let farewell = match &reason {
            DisconnectReason::ReceivedDisconnect(info) => plain(&info.message),
            DisconnectReason::Error(error) => cause(error),
        };
        self.seen.lock().farewell = Some(farewell);
        Ok(())
    }
}

/// What to report when the handshake ended with `error`.
pub(super) fn handshake_failure(at: &Place, seen: &Seen, error: &russh::Error) -> DeliverError {
    let mut seen = seen.lock();
    if let Some(refusal) = seen.refusal.take() {
        return refusal;
    }
    let server = at.server();
    match error {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => {
            let kind = match kind {
                russh::AlgorithmKind::Kex => "key exchange",
                russh::AlgorithmKind::Key => "type of host key",
                russh::AlgorithmKind::Cipher => "cipher",
                russh::AlgorithmKind::Compression => "compression",
                russh::AlgorithmKind::Mac => "MAC",
            };
            DeliverError::NoCommonAlgorithm { server, kind, theirs: plain(&theirs.join(", ")) }
        }
        error => {
            let cause = seen.farewell.clone().unwrap_or_else(|| cause(error));
            DeliverError::Handshake { server, cause }
        }
    }
}

/// An SSH error in plain words.
pub(super) fn cause(error: &russh::Error) -> String {
    match error {
        russh::Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the server closed the connection".to_owned()
        }
        russh::Error::IO(error) => io_error(error),
        russh::Error::HUP | russh::Error::Disconnect | russh::Error::SendError | russh::Error::RecvError => {
            "the server closed the connection".to_owned()
        }
        russh::Error::KeepaliveTimeout | russh::Error::InactivityTimeout => "the server does not answer".to_owned(),
        russh::Error::Version => "it does not speak SSH 2".to_owned(),
        other => plain(&other.to_string().to_lowercase()),
    }
}
