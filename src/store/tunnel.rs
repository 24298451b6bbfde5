//! TLS outside the driver, to a server whose certificate the driver can't be told to trust.
//!
//! sqlx checks certificates as rustls does and takes no verifier of ours, and rustls refuses the usual self-signed
//! certificate even where it is the trusted one. So the driver talks without TLS to a socket of this process, and its
//! bytes are carried over a TLS connection that [`crate::tls`] verifies. The socket has no file and a name that can't be
//! guessed, and serves this process once.
//!
//! The tunnel is used only after the driver itself has refused the certificate, because it copies all rows once more.

use std::io::{self, ErrorKind};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener as StdListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use crate::wording::hex;

/// How long connecting may take, the login included, through a tunnel or without.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How the driver says that a server offers no TLS.
pub(super) const NO_TLS: &str = "server does not support TLS";

/// How much of the rows is carried at once.
const BUFFER: usize = 64 * 1024;

/// How long closing a connection may take.
const GOOD_BYE: Duration = Duration::from_secs(5);

/// PostgreSQL's request for TLS, which is answered with one byte.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The longest packet of MySQL before the login is done.
const LONGEST_PACKET: usize = 64 * 1024;
/// The part of a client's first packet that is sent before TLS begins.
const SSL_PART: usize = 32;
/// MySQL's flag of a side that can speak TLS, in the second byte of its flags.
const SSL_FLAG: u8 = 0x08;

/// How a server is asked for TLS.
#[derive(Clone, Copy, Debug)]
pub(super) enum Protocol {
    /// As PostgreSQL is.
    Postgres,
    /// As MySQL and MariaDB are.
    Mysql,
}

/// A server, and how it is verified.
pub(super) struct Target {
    pub(super) protocol: Protocol,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: ClientConfig,
}

/// A socket that leads to the server.
pub(super) struct Tunnel {
    /// The directory of the socket as PostgreSQL's clients see it, and for MySQL's the socket.
    pub(super) path: PathBuf,
    carrier: JoinHandle<Result<(), sqlx::Error>>,
}

impl Tunnel {
    /// Opens a socket; the server is connected to when the driver takes it.
    pub(super) fn open(target: Target) -> io::Result<Tunnel> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| io::Error::from(ErrorKind::Other))?;
        let name = hex(&random);
        let (directory, name) = match target.protocol {
            Protocol::Postgres => (format!("exportd-{name}"), format!("exportd-{name}/.s.PGSQL.{}", target.port)),
            Protocol::Mysql => (format!("exportd-{name}"), format!("exportd-{name}")),
        };
        let listener = StdListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        let path = PathBuf::from(format!("\0{directory}"));
        Ok(Tunnel { path, carrier: tokio::spawn(carry(listener, target)) })
    }

    /// The driver's connection through the tunnel, or what kept the tunnel from the server.
    pub(super) async fn connect<C>(
        mut self,
        connecting: impl Future<Output = Result<C, sqlx::Error>>,
    ) -> Result<(C, Tunnel), sqlx::Error> {
        match connecting.await {
            Ok(connection) => Ok((connection, self)),
            // The tunnel ends before the driver's connection does.
            Err(lost @ sqlx::Error::Io(_)) => Err((&mut self.carrier).await.ok().and_then(Result::err).unwrap_or(lost)),
            Err(error) => Err(error),
        }
    }

    /// Waits until the driver's last message has been carried.
    pub(super) async fn close(mut self) {
        // A server that no longer reads need not be told.
        let _ = tokio::time::timeout(GOOD_BYE, &mut self.carrier).await;
    }
}

/// Takes the driver's connection and carries it until either side ends it.
async fn carry(listener: UnixListener, target: Target) -> Result<(), sqlx::Error> {
    let introduced = tokio::time::timeout(CONNECT_TIMEOUT, introduce(&listener, target)).await;
    let (driver, server) = introduced.map_err(|_| io::Error::from(ErrorKind::TimedOut))??;
    drop(listener);
    let (mut from_driver, mut to_driver) = tokio::io::split(driver);
    let (from_server, mut to_server) = tokio::io::split(server);
    let mut from_server = BufReader::with_capacity(BUFFER, from_server);
    // When one side has ended the other need not be waited for: everything sent before has been carried by then.
    tokio::select! {
        sent = tokio::io::copy(&mut from_driver, &mut to_server) => { sent?; }
        read = tokio::io::copy_buf(&mut from_server, &mut to_driver) => { read?; }
    }
    // A server that is gone need not be told.
    let _ = tokio::time::timeout(GOOD_BYE, to_server.shutdown()).await;
    Ok(())
}

/// Both sides, once the server's certificate is verified.
async fn introduce(
    listener: &UnixListener,
    target: Target,
) -> Result<(UnixStream, tokio_rustls::client::TlsStream<TcpStream>), sqlx::Error> {
    let mut driver = accept(listener).await?;
    let host = target.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host.clone()).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
    let mut server = TcpStream::connect((host, target.port)).await?;
    server.set_nodelay(true)?;
    let login = match target.protocol {
        Protocol::Postgres => {
            server.write_all(&SSL_REQUEST).await?;
            match server.read_u8().await? {
                b'S' => Vec::new(),
                _ => return Err(sqlx::Error::Tls(NO_TLS.into())),
            }
        }
        Protocol::Mysql => greet(&mut server, &mut driver).await?,
    };
    let mut server = TlsConnector::from(Arc::new(target.tls)).connect(name, server).await?;
    server.write_all(&login).await?;
    server.flush().await?;
    Ok((driver, server))
}

/// The connection of this very process.
async fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
    let ourselves = i32::try_from(std::process::id()).ok();
    loop {
        let (stream, _) = listener.accept().await?;
        if ourselves.is_some() && stream.peer_cred()?.pid() == ourselves {
            return Ok(stream);
        }
    }
}

/// Shows the driver MySQL's greeting and tells the server that TLS begins. What is left is the driver's login, which
/// says that TLS is spoken and counts the packet that said so before.
async fn greet(server: &mut TcpStream, driver: &mut UnixStream) -> Result<Vec<u8>, sqlx::Error> {
    let greeting = packet(server).await?;
    driver.write_all(&greeting).await?;
    if !offers_tls(&greeting[4..]) {
        return Err(sqlx::Error::Tls(NO_TLS.into()));
    }
    let mut login = packet(driver).await?;
    if login.len() < 4 + SSL_PART {
        return Err(io::Error::from(ErrorKind::InvalidInput).into());
    }
    login[5] |= SSL_FLAG;
    let mut request = vec![SSL_PART as u8, 0, 0, login[3]];
    request.extend_from_slice(&login[4..4 + SSL_PART]);
    server.write_all(&request).await?;
    login[3] = login[3].wrapping_add(1);
    Ok(login)
}

/// Whether MySQL's greeting says that the server can speak TLS: behind its version, the connection's number, eight
/// bytes of a challenge and a zero stand its flags.
fn offers_tls(greeting: &[u8]) -> bool {
    let version = greeting.iter().position(|byte| *byte == 0);
    version.and_then(|end| greeting.get(end + 1 + 4 + 8 + 1 + 1)).is_some_and(|flags| flags & SSL_FLAG != 0)
}

/// One packet of MySQL's, its header included.
async fn packet(from: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; 4];
    from.read_exact(&mut packet).await?;
    let length = u32::from_le_bytes([packet[0], packet[1], packet[2], 0]) as usize;
    if length > LONGEST_PACKET {
        return Err(ErrorKind::InvalidInput.into());
    }
    packet.resize(4 + length, 0);
    from.read_exact(&mut packet[4..]).await?;
    Ok(packet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_tells_whether_tls_is_offered() {
        let mut greeting = b"\x0a11.4.3\0\x01\0\0\0challeng\0".to_vec();
        greeting.extend([0xfe, 0xf7, 0x2d]);
        assert!(!offers_tls(&greeting), "0xf7 lacks the flag");
        *greeting.last_mut().unwrap() = 0;
        let flags = greeting.len() - 2;
        greeting[flags] = 0xff;
        assert!(offers_tls(&greeting));
        assert!(!offers_tls(b"\x0a11") && !offers_tls(b"") && !offers_tls(b"\xff\x10\x04too many\0"));
    }
}
