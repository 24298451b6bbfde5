//! Opens SSH connections: TCP, a verified host key, authentication with our key, the sftp subsystem.
//!
//! Every phase has a deadline, and nothing but the handshake is sent before the host key is verified. A dead peer of an
//! open connection is found by keepalives, by the limit on inactivity, and by the kernel (`TCP_USER_TIMEOUT`).

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use russh::client;
use russh::keys::PrivateKey;
use russh::{Channel, ChannelMsg, Disconnect};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::hostkey::{HostKey, TrustedKeys};
use super::key::load_key;
use super::login::log_in;
use super::policy::{KeyClass, client_config};
use super::verifier::{HostKeyVerifier, Seen, handshake_failure};
use crate::deliver::error::{DeliverError, Place};
use crate::job::SftpDestination;
use crate::wording::io_error;

/// How long the phases of connecting may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// Looking up the name, and connecting to each of its addresses.
    pub address: Duration,
    /// Handshake and login together.
    pub handshake: Duration,
    /// Between two questions whether a silent server is still there.
    pub keepalive: Duration,
}

/// A connection to a verified server on which our user is logged in.
pub struct Connection {
    handle: client::Handle<HostKeyVerifier>,
    seen: Arc<Seen>,
    /// The key that the server has proven.
    pub host_key: HostKey,
    /// None before it was measured.
    round_trip: OnceLock<Duration>,
}

impl Connection {
    /// Connects and logs in as `destination` says.
    pub async fn open(
        destination: &SftpDestination,
        at: &Arc<Place>,
        deadlines: Deadlines,
    ) -> Result<Connection, DeliverError> {
        let (key, trusted) = load_files(destination, at).await?;
        let attempt = Attempt { at, key, trusted: Arc::new(trusted), deadlines };
        let opened = attempt.open().await;
        opened.map_err(|error| mention_certificate(error, &destination.key))
    }

    /// The server's name and version of its software, as it says.
    pub fn version(&self) -> String {
        self.seen.lock().version.clone()
    }

    /// What the server shows to users before they log in; often empty.
    pub fn banner(&self) -> String {
        self.seen.lock().banner.clone()
    }

    /// Whether the connection still stands.
    pub fn is_open(&self) -> bool {
        !self.handle.is_closed()
    }

    /// Why the connection ended, if it has.
    pub fn farewell(&self) -> Option<String> {
        self.seen.lock().farewell.clone()
    }

    /// The round trip to the server, as last measured; zero before that.
    pub fn round_trip(&self) -> Duration {
        self.round_trip.get().copied().unwrap_or_default()
    }

    /// Measures the round trip once, by a question that the server answers at once. Opening a channel is no such question:
    /// it includes what the server does after a login.
    pub async fn measure_round_trip(&self, limit: Duration) {
        let asked = Instant::now();
        if let Ok(Ok(())) = timeout(limit, self.handle.send_ping()).await {
            self.round_trip.get_or_init(|| asked.elapsed());
        }
    }

    /// Opens one more session channel.
    pub async fn open_channel(&self, at: &Place, limit: Duration) -> Result<Channel<client::Msg>, DeliverError> {
        self.within(at, limit, "no session channel is granted", self.handle.channel_open_session()).await
    }

    /// Starts the server's sftp subsystem on a channel and sends it `greeting`, without waiting for its consent first.
    pub async fn start_sftp(
        &self,
        mut channel: Channel<client::Msg>,
        at: &Place,
        greeting: &[u8],
        limit: Duration,
    ) -> Result<Channel<client::Msg>, DeliverError> {
        let starting = async {
            channel.request_subsystem(true, "sftp").await?;
            channel.data(greeting).await?;
            Ok(is_granted(&mut channel).await.then_some(channel))
        };
        match self.within(at, limit, "the subsystem is refused", starting).await? {
            Some(channel) => Ok(channel),
            None => Err(refused(at, "the subsystem is refused")),
        }
    }

    async fn within<T>(
        &self,
        at: &Place,
        limit: Duration,
        refusal: &str,
        asking: impl Future<Output = Result<T, russh::Error>>,
    ) -> Result<T, DeliverError> {
        match timeout(limit, asking).await {
            Ok(Ok(granted)) => Ok(granted),
            Ok(Err(russh::Error::ChannelOpenFailure(_))) => Err(refused(at, refusal)),
            Ok(Err(error)) => Err(handshake_failure(at, &self.seen, &error)),
            Err(_) => Err(DeliverError::Silent { server: at.server(), limit }),
        }
    }

    /// Sends the disconnect message and waits briefly for its transmission.
    pub async fn close(self) {
        let _ = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
        let _ = timeout(Duration::from_secs(2), self.handle).await;
    }
}

fn is_of_login(error: &DeliverError) -> bool {
    matches!(error, DeliverError::LoginRefused { .. } | DeliverError::LoginIncomplete { .. })
}

fn refused(at: &Place, cause: &str) -> DeliverError {
    DeliverError::SftpRefused { server: at.server(), user: at.user.clone(), cause: cause.to_owned() }
}

async fn is_granted(channel: &mut Channel<client::Msg>) -> bool {
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Success => return true,
            ChannelMsg::Failure | ChannelMsg::Eof | ChannelMsg::Close => return false,
            _ => {}
        }
    }
    false
}

struct Attempt<'a> {
    at: &'a Arc<Place>,
    key: PrivateKey,
    trusted: Arc<TrustedKeys>,
    deadlines: Deadlines,
}

struct Failure {
    error: DeliverError,
    presented: Option<KeyClass>,
}

impl Attempt<'_> {
    /// A pinned fingerprint does not tell the type of its key, so when the server presents a key that is not pinned it
    /// is asked for its keys of the other types, one connection each, before it counts as changed.
    async fn open(&self) -> Result<Connection, DeliverError> {
        let classes = self.trusted.classes();
        let changed = match self.run(&classes).await {
            Err(Failure { error: DeliverError::HostKeyChanged(key), presented: Some(presented) }) => (key, presented),
            Err(failure) => return Err(failure.error),
            Ok(connection) => return Ok(connection),
        };
        if matches!(*self.trusted, TrustedKeys::Pinned(_)) {
            for class in classes.into_iter().filter(|class| *class != changed.1) {
                match self.run(&[class]).await {
                    Ok(connection) => return Ok(connection),
                    // The server has proved who it is, and then refused us.
                    Err(Failure { error, .. }) if is_of_login(&error) => return Err(error),
                    // It has no key of that type, or another one than is trusted.
                    Err(_) => {}
                }
            }
        }
        Err(DeliverError::HostKeyChanged(changed.0))
    }

    async fn run(&self, classes: &[KeyClass]) -> Result<Connection, Failure> {
        let seen = Arc::new(Seen::default());
        let trusted = Some(Arc::clone(&self.trusted));
        let verifier = HostKeyVerifier { at: Arc::clone(self.at), seen: Arc::clone(&seen), trusted };
        let outcome = async {
            let stream = dial(self.at, self.deadlines.address).await?;
            let limit = self.deadlines.handshake;
            let entry = async {
                let config = Arc::new(client_config(classes, self.deadlines.keepalive));
                let handshake = client::connect_stream(config, stream, verifier).await;
                let mut handle = handshake.map_err(|error| handshake_failure(self.at, &seen, &error))?;
                log_in(&mut handle, self.at, &self.key, &seen).await?;
                Ok(handle)
            };
            let silent = DeliverError::Silent { server: self.at.server(), limit };
            timeout(limit, entry).await.unwrap_or(Err(silent))
        };
        let outcome = outcome.await;
        let key = seen.lock().key.clone();
        match (outcome, key) {
            (Ok(handle), Some(key)) => {
                let host_key = HostKey::new(&key, &self.at.host, self.at.port);
                Ok(Connection { handle, seen, host_key, round_trip: OnceLock::new() })
            }
            (Ok(_), None) => unreachable!("nobody is logged in before the host key was judged"),
            (Err(error), key) => Err(Failure { error, presented: key.and_then(|key| KeyClass::of(&key.algorithm())) }),
        }
    }
}

/// Adds to a refusal of our key that the certificate beside it, which OpenSSH would show, is not used.
fn mention_certificate(error: DeliverError, key: &Path) -> DeliverError {
    let DeliverError::LoginRefused { server, user, key: shown, methods } = error else { return error };
    let mut certificate = key.as_os_str().to_owned();
    certificate.push("-cert.pub");
    let methods = match Path::new(&certificate).exists() {
        true => {
            format!(
                "{methods}; {} is not used, because certificates of users are not supported yet",
                certificate.display()
            )
        }
        false => methods,
    };
    DeliverError::LoginRefused { server, user, key: shown, methods }
}

async fn load_files(destination: &SftpDestination, at: &Arc<Place>) -> Result<(PrivateKey, TrustedKeys), DeliverError> {
    let (path, passphrase) = (destination.key.clone(), destination.passphrase.clone());
    let (trust, at) = (destination.trust.clone(), Arc::clone(at));
    // Opening an encrypted key is meant to be slow, so it must not hold up the runtime.
    let loading = tokio::task::spawn_blocking(move || {
        Ok((load_key(&path, passphrase.as_ref())?, TrustedKeys::load(&trust, &at)?))
    });
    loading.await.expect("loading does not panic and is never cancelled")
}

/// Connects to the first address of a name that answers.
pub(super) async fn dial(at: &Place, limit: Duration) -> Result<TcpStream, DeliverError> {
    let not_found = |cause: String| DeliverError::HostNotFound { host: at.host.clone(), cause };
    let lookup = timeout(limit, tokio::net::lookup_host((at.host.as_str(), at.port))).await;
    let addresses = lookup
        .map_err(|_| not_found(format!("no answer within {} s", limit.as_secs_f32())))?
        .map_err(|error| not_found(io_error(&error)))?;
    let mut failure = "it has no address".to_owned();
    for address in addresses {
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                prepare(&stream);
                return Ok(stream);
            }
            Ok(Err(error)) => failure = io_error(&error),
            Err(_) => failure = format!("no answer within {} s", limit.as_secs_f32()),
        }
    }
    Err(DeliverError::Unreachable { server: at.server(), cause: failure })
}

/// Sets what makes a connection quick and its death noticed; one that lacks it still works.
fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(Duration::from_secs(60)));
}
