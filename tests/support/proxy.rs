//! A TCP proxy in front of a server, for a connection that breaks or falls silent in the middle.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of the first connection when enough has gone to the server. Later connections are left alone.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// It ends.
    Cut,
    /// Nothing passes any more, in both directions, and nobody is told.
    Silence,
}

/// Starts a proxy to `server` on this machine, and returns its port. The fate strikes after `bytes` bytes.
pub async fn start(server: u16, bytes: usize, fate: Fate) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut doomed = Some(bytes);
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
            }
            tokio::spawn(pass(client, server, doomed.take(), fate));
        }
    });
    port
}

async fn pass(mut client: TcpStream, mut server: TcpStream, bytes: Option<usize>, fate: Fate) {
    let Some(mut left) = bytes else {
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        return;
    };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.split(), server.split());
    let upwards = async {
        let mut buffer = vec![0; 16 * 1024];
        while left > 0 {
            let read = from_client.read(&mut buffer).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            let sent = to_server.write_all(&buffer[..read]).await;
            left = if sent.is_ok() { left.saturating_sub(read) } else { 0 };
        }
    };
    let downwards = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! {
        () = upwards => {}
        _ = downwards => return,
    }
    if matches!(fate, Fate::Silence) {
        std::future::pending::<()>().await;
    }
}
