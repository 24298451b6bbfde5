//! The demo's SSH server: one user, one accepted key, the SFTP subsystem and nothing else, on a loopback port.
//!
//! It exists so that the whole path can be seen with nothing installed. It is no server for production: it answers
//! one request at a time and trusts that only the demo's own client knows the key.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::folder::SftpFolder;

/// A running server. It stops when this is dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The fingerprint of its host key, as a client pins it.
    pub fingerprint: String,
    _connections: JoinSet<()>,
}

impl Server {
    /// Starts a server on a free loopback port. It lets in whoever holds `client_key` and shows them `folder`.
    pub async fn start(folder: PathBuf, client_key: PublicKey) -> io::Result<Server> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        let host_key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
        let fingerprint = host_key.public_key().fingerprint(HashAlg::Sha256).to_string();
        let config = Arc::new(Config { keys: vec![host_key], nodelay: true, ..Config::default() });

        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, config, folder, client_key));
        Ok(Server { address, fingerprint, _connections: connections })
    }
}

async fn accept(listener: TcpListener, config: Arc<Config>, folder: PathBuf, client_key: PublicKey) {
    let mut sessions = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let guest = Guest { folder: folder.clone(), client_key: client_key.clone(), channels: Vec::new() };
        let config = config.clone();
        sessions.spawn(async move {
            if let Ok(session) = russh::server::run_stream(config, stream, guest).await {
                // How a guest leaves is no concern of the demo's.
                let _ = session.await;
            }
        });
    }
}

/// One connected client.
struct Guest {
    folder: PathBuf,
    client_key: PublicKey,
    channels: Vec<Channel<Msg>>,
}

impl Handler for Guest {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        if key.public_key.key_data() == self.client_key.key_data() { Ok(Auth::Accept) } else { Ok(Auth::reject()) }
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.push(channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let position = self.channels.iter().position(|channel| channel.id() == id);
        match (name, position) {
            ("sftp", Some(position)) => {
                let channel = self.channels.swap_remove(position);
                session.channel_success(id)?;
                russh_sftp::server::run(channel.into_stream(), SftpFolder::new(self.folder.clone())).await;
                Ok(())
            }
            _ => session.channel_failure(id),
        }
    }

    async fn channel_eof(&mut self, id: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        session.close(id)
    }
}
