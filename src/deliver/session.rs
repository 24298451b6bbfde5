//! A session: one connection to one directory of one SFTP server, and what is known of that server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;

use super::channels::FurtherChannels;
use super::error::{DeliverError, Place};
use super::pace::Pace;
use super::settings::Settings;
use super::sftp::{Client, ClientError};
use super::ssh::{self, Connection, HostKey};
use crate::job::SftpDestination;

/// What a server is and can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// The key that it has proven; none for a session over a bare stream.
    pub host_key: Option<HostKey>,
    /// The name and version of its SSH software, as it says.
    pub version: String,
    /// What it shows to users before they log in.
    pub banner: String,
    /// It can replace a file in one step (`posix-rename@openssh.com`).
    pub posix_rename: bool,
    /// It can bring a file to its disk on request (`fsync@openssh.com`).
    pub fsync: bool,
    /// It tells the room on its disk (`statvfs@openssh.com`).
    pub statvfs: bool,
}

/// A connection to a destination's directory. Dropping it ends the connection; [`Session::close`] sends a disconnect message first.
pub struct Session {
    pub(super) client: Client,
    pub(super) at: Arc<Place>,
    pub(super) settings: Settings,
    pub(super) further: FurtherChannels,
    pub(super) pace: Option<Pace>,
    facts: ServerFacts,
    connection: Option<Arc<Connection>>,
    write_limit: OnceCell<Option<u64>>,
    /// Any request has failed.
    has_failed: AtomicBool,
}

impl Session {
    /// Connects to a destination, verifies its host key, logs in, and starts SFTP.
    pub async fn open(destination: &SftpDestination) -> Result<Session, DeliverError> {
        Session::open_with(destination, Settings::of(destination)).await
    }

    /// The same with other settings.
    pub async fn open_with(destination: &SftpDestination, settings: Settings) -> Result<Session, DeliverError> {
        let at = Arc::new(Place::of(destination));
        let connection = Arc::new(Connection::open(destination, &at, settings.deadlines()).await?);
        let channel = connection.open_channel(&at, settings.handshake).await?;
        let further = FurtherChannels::new(Some(Arc::clone(&connection)), Arc::clone(&at), settings.clone());
        let greeting = Client::greeting();
        let starting = connection.start_sftp(channel, &at, &greeting, settings.handshake);
        let ((), stream) = tokio::join!(connection.measure_round_trip(settings.handshake), starting);
        let stream = stream?;
        let refused = |error| match error {
            // Typical of accounts whose shell prints something before the server is started.
            ClientError::Protocol(breach) => DeliverError::SftpRefused {
                server: at.server(),
                user: at.user.clone(),
                cause: format!(
                    "the SFTP subsystem sent {breach}; a start-up file, a forced command or the shell of the account may print text"
                ),
            },
            ClientError::Lost(_) => DeliverError::SftpRefused {
                server: at.server(),
                user: at.user.clone(),
                cause: "the subsystem ends at once".to_owned(),
            },
            error => DeliverError::from_client(&at, "starting SFTP", error),
        };
        let client = Client::start_greeted(stream, settings.sftp()).await.map_err(refused)?;
        Ok(Session::assemble(client, at, settings, further, Some(connection)))
    }

    /// The same connection for another directory of the same server and user, with settings of its own. The requests in
    /// flight and their deadline stay what they are.
    pub(super) fn move_to(self, destination: &SftpDestination, settings: Settings) -> Session {
        let at = Arc::new(Place::of(destination));
        let further = FurtherChannels::new(self.connection.clone(), Arc::clone(&at), settings.clone());
        let pace = settings.max_rate.map(|rate| settings.limits.pace(&at.host.to_lowercase(), at.port, rate));
        Session { at, settings, further, pace, ..self }
    }

    /// Whether the next run can reuse the connection: it stands, and no request has failed on it.
    pub(super) fn is_sound(&self) -> bool {
        self.is_alive() && !self.has_failed.load(Ordering::Relaxed)
    }

    /// Closes the channels beside the first.
    pub(super) async fn close_further_channels(&self) {
        // One that is dropped half open would stay so at the server.
        self.further.close().await;
    }

    /// A session over any stream on which an SFTP server answers, such as the pipe of an `sftp-server` process.
    pub async fn over<S>(stream: S, directory: &str) -> Result<Session, DeliverError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Session::over_with(stream, directory, Settings::default()).await
    }

    /// The same with other settings.
    pub async fn over_with<S>(stream: S, directory: &str, settings: Settings) -> Result<Session, DeliverError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (host, user) = ("the SFTP server".to_owned(), "of the session".to_owned());
        let at = Arc::new(Place { host, port: 22, user, directory: directory.to_owned() });
        let client = Client::start(stream, settings.sftp()).await;
        let client = client.map_err(|error| DeliverError::from_client(&at, "starting SFTP", error))?;
        let further = FurtherChannels::new(None, Arc::clone(&at), settings.clone());
        Ok(Session::assemble(client, at, settings, further, None))
    }

    fn assemble(
        client: Client,
        at: Arc<Place>,
        settings: Settings,
        further: FurtherChannels,
        connection: Option<Arc<Connection>>,
    ) -> Session {
        let facts = ServerFacts {
            host_key: connection.as_ref().map(|connection| connection.host_key.clone()),
            version: connection.as_deref().map(Connection::version).unwrap_or_default(),
            banner: connection.as_deref().map(Connection::banner).unwrap_or_default(),
            posix_rename: client.offers("posix-rename@openssh.com"),
            fsync: client.offers("fsync@openssh.com"),
            statvfs: client.offers("statvfs@openssh.com"),
        };
        let pace = settings.max_rate.map(|rate| settings.limits.pace(&at.host.to_lowercase(), at.port, rate));
        Session {
            client,
            at,
            settings,
            further,
            pace,
            facts,
            connection,
            write_limit: OnceCell::new(),
            has_failed: AtomicBool::new(false),
        }
    }

    /// What the server is and can do.
    pub fn server(&self) -> &ServerFacts {
        &self.facts
    }

    /// The biggest write that the server takes, in bytes, where it says so (`limits@openssh.com`). Asked once.
    pub async fn write_limit(&self) -> Option<u64> {
        let ask = async {
            match self.client.offers("limits@openssh.com") {
                true => self.client.limits().await.ok().map(|limits| limits.write).filter(|&write| write > 0),
                false => None,
            }
        };
        *self.write_limit.get_or_init(|| ask).await
    }

    /// The directory that files are put into.
    pub fn place(&self) -> Arc<Place> {
        Arc::clone(&self.at)
    }

    /// Whether the connection still stands, as far as is known without asking.
    pub fn is_alive(&self) -> bool {
        self.client.is_open() && self.connection.as_deref().is_none_or(Connection::is_open)
    }

    /// Ends the session and the connection.
    pub async fn close(self) {
        self.further.cancel().await;
        drop((self.client, self.further));
        if let Some(connection) = self.connection.and_then(Arc::into_inner) {
            connection.close().await;
        }
    }

    /// The path of a name in the session's directory.
    pub(super) fn path(&self, name: &str) -> String {
        path_in(&self.at.directory, name)
    }

    /// The error of a request that failed at `step` ("uploading agents.csv").
    pub(super) fn error(&self, step: &str, error: ClientError) -> DeliverError {
        self.has_failed.store(true, Ordering::Relaxed);
        let farewell = self.connection.as_deref().and_then(Connection::farewell);
        let error = match (error, farewell) {
            (ClientError::Lost(_), Some(farewell)) => ClientError::Lost(farewell),
            (error, _) => error,
        };
        DeliverError::from_client(&self.at, step, error)
    }
}

/// The path of a name in a directory.
pub(super) fn path_in(directory: &str, name: &str) -> String {
    debug_assert!(!name.contains('/'), "{name} is not one name");
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// The host keys of a server, one of each type that it has, without trusting them and without logging in.
pub async fn scan_host_keys(host: &str, port: u16) -> Result<Vec<HostKey>, DeliverError> {
    ssh::scan_host_keys(host, port, Settings::default().deadlines()).await
}
