//! Damaged replies of SFTP servers.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

use super::client::{Client, ClientError, ClientSettings};
use super::reply::{decode_limits, decode_reply, decode_space, decode_version};
use super::request::Access;
use crate::fuzz::{attack, folder};

const SETTINGS: ClientSettings = ClientSettings { outstanding: 8, stall: Duration::from_secs(5) };

const WORDS: &[&str] =
    &["fsync@openssh.com", "limits@openssh.com", "statvfs@openssh.com", "\0\0\0\x05\x65", "\0\0\0\x05\x68"];

#[test]
fn sftp_replies() {
    attack("sftp_replies", WORDS, |input| {
        let kind =
            decode_reply(input).map(|(_, reply)| std::mem::discriminant(&reply)).map_err(|malformed| malformed.0);
        let version = decode_version(input).map(|extensions| extensions.len()).map_err(|malformed| malformed.0);
        (kind, version, decode_limits(input).is_ok(), decode_space(input).is_ok())
    });
}

/// The input is all that a server says, one packet for each request.
#[test]
fn sftp_sessions() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    attack("sftp_sessions", WORDS, |input| {
        runtime.block_on(async {
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            let (told, ()) = tokio::join!(converse(ours), answer(theirs, input));
            told.iter().map(kind_of).collect::<Vec<_>>()
        })
    });
}

#[tokio::test]
async fn the_seeds_are_what_a_server_says() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("old"), "old").unwrap();
    let mut server = tokio::process::Command::new("/usr/lib/openssh/sftp-server")
        .current_dir(root.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("this test needs /usr/lib/openssh/sftp-server");
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let behind = tokio::io::join(server.stdout.take().unwrap(), server.stdin.take().unwrap());
    let (told, said) = tokio::join!(converse(ours), record(theirs, behind));
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    let replies = folder("sftp_replies");
    if std::env::var_os("EXPORTD_WRITE_SEEDS").is_some() {
        std::fs::create_dir_all(folder("sftp_sessions")).unwrap();
        std::fs::create_dir_all(&replies).unwrap();
        std::fs::write(folder("sftp_sessions").join("openssh"), said.concat()).unwrap();
        for (number, packet) in said.iter().enumerate() {
            std::fs::write(replies.join(format!("openssh-{number:02}")), &packet[4..]).unwrap();
        }
    }
    let kinds = |packets: Vec<u8>| packets.first().copied();
    for (number, packet) in said.iter().enumerate() {
        let seed = std::fs::read(replies.join(format!("openssh-{number:02}"))).unwrap();
        assert_eq!(kinds(seed), kinds(packet[4..].to_vec()), "packet {number}");
    }
}

/// How a request has ended, without a server's own words.
fn kind_of(end: &Result<(), ClientError>) -> &'static str {
    match end {
        Ok(()) => "done",
        Err(ClientError::Status(_)) => "refused",
        Err(ClientError::Lost(_)) => "lost",
        Err(ClientError::Stalled(_)) => "stalled",
        Err(ClientError::Protocol(fault)) => fault,
    }
}

/// Asks for everything that a client can ask for; how each request has ended.
async fn converse(stream: DuplexStream) -> Vec<Result<(), ClientError>> {
    let client = match Client::start(stream, SETTINGS).await {
        Ok(client) => client,
        Err(error) => return vec![Err(error)],
    };
    let mut told = vec![client.limits().await.map(drop), client.space(".").await.map(drop)];
    told.push(client.stat("old").await.map(drop));
    told.push(client.link_stat("old").await.map(drop));
    told.push(list(&client).await);
    told.push(upload(&client).await);
    told.push(read_back(&client).await);
    told.push(client.rename("new", "newer").await);
    told.push(client.posix_rename("newer", "newest").await);
    told.push(client.remove("newest").await);
    told
}

async fn list(client: &Client) -> Result<(), ClientError> {
    let directory = client.open_directory(".").await?;
    while !client.read_directory(&directory).await?.is_empty() {}
    client.close(&directory).await
}

async fn upload(client: &Client) -> Result<(), ClientError> {
    let file = client.open("new", Access::CreateNew).await?;
    client.write(&file, 0, Bytes::from_static(b"content")).await?.done().await?;
    client.handle_stat(&file).await?;
    client.finish(file, true, true).await?.outcome().await.map(drop)
}

async fn read_back(client: &Client) -> Result<(), ClientError> {
    let file = client.open("new", Access::Read).await?;
    let mut at = 0;
    loop {
        let data = client.read(&file, at, 1024).await?;
        if data.is_empty() {
            return client.close(&file).await;
        }
        at += data.len() as u64;
    }
}

/// Answers each request with the next packet of `said`, however long it says that it is.
async fn answer(mut stream: DuplexStream, mut said: &[u8]) {
    while !said.is_empty() && read_packet(&mut stream).await.is_some() {
        let length = said.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize);
        let (packet, rest) = said.split_at(length.saturating_add(4).min(said.len()));
        said = rest;
        if stream.write_all(packet).await.is_err() {
            return;
        }
    }
}

/// Carries packets to and fro; returns those of the server, with their lengths.
async fn record(mut client: DuplexStream, mut server: impl AsyncRead + AsyncWrite + Unpin) -> Vec<Vec<u8>> {
    let mut said = Vec::new();
    while let Some(request) = read_packet(&mut client).await {
        server.write_all(&request).await.unwrap();
        said.push(read_packet(&mut server).await.unwrap());
        client.write_all(&said[said.len() - 1]).await.unwrap();
    }
    said
}

async fn read_packet(stream: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let length = stream.read_u32().await.ok()?;
    let mut packet = length.to_be_bytes().to_vec();
    packet.resize(4 + length as usize, 0);
    stream.read_exact(&mut packet[4..]).await.ok()?;
    Some(packet)
}
