//! A bare OpenSSH `sftp-server` at the end of a pipe, with somebody in between who can spoil chosen requests.
//!
//! The interposer sees every request in plain and decides what becomes of it. Handles can be made to hold bytes that
//! are no text, as some servers' do.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::process::{Child, Command};

/// Bytes put in front of every handle: not UTF-8, and with a zero.
const STRANGE: [u8; 4] = [0xff, 0x00, 0x80, 0xc3];

const SERVER: &str = "/usr/lib/openssh/sftp-server";

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server gets it.
    Pass,
    /// The server does not get it, and this status comes back.
    Answer(u32),
    /// The connection ends before the server gets it.
    CutBefore,
    /// The server gets it and does it, and the connection ends before its reply.
    CutAfter,
    /// Nothing comes back, ever.
    Silence,
}

/// Decides the fate of a request from its name (`OPEN`, `WRITE`, `posix-rename@openssh.com`, …) and the number of
/// requests before it.
pub type Judge = Box<dyn FnMut(&str, usize) -> Fate + Send>;

/// A stream on which a plain `sftp-server` answers, which must be kept while the stream is used.
pub fn plain(folder: &Path, arguments: &[&str]) -> (Child, impl AsyncRead + AsyncWrite + Send + Unpin + use<>) {
    program(folder, SERVER, arguments)
}

/// A stream on which the SFTP server answers that `program` becomes.
pub fn program(
    folder: &Path,
    program: &str,
    arguments: &[&str],
) -> (Child, impl AsyncRead + AsyncWrite + Send + Unpin + use<>) {
    let mut child = spawn(folder, program, arguments);
    let stream = tokio::io::join(child.stdout.take().unwrap(), child.stdin.take().unwrap());
    (child, stream)
}

/// A stream on which a server answers behind an interposer; `strange` makes its handles binary.
pub fn spoiled(folder: &Path, arguments: &[&str], strange: bool, judge: Judge) -> DuplexStream {
    let child = spawn(folder, SERVER, arguments);
    let (ours, theirs) = tokio::io::duplex(1024 * 1024);
    tokio::spawn(interpose(child, theirs, strange, judge));
    ours
}

/// Answers `client` as a plain server behind an interposer, until either ends.
pub async fn serve(client: impl AsyncRead + AsyncWrite, judge: Judge) {
    interpose(spawn(Path::new("/"), SERVER, &[]), client, false, judge).await;
}

/// A judge for one kind of request: the `nth` of that name (from 0) meets `fate`.
pub fn spoil(name: &'static str, nth: usize, fate: Fate) -> Judge {
    let mut seen = 0;
    Box::new(move |request, _| {
        let hit = request == name && seen == nth;
        seen += usize::from(request == name);
        if hit { fate } else { Fate::Pass }
    })
}

fn spawn(folder: &Path, program: &str, arguments: &[&str]) -> Child {
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("this test needs {program}: {error}"))
}

async fn interpose(mut child: Child, client: impl AsyncRead + AsyncWrite, strange: bool, mut judge: Judge) {
    let (mut from_server, mut to_server) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let (mut from_client, to_client) = tokio::io::split(client);
    let to_client = Arc::new(tokio::sync::Mutex::new(to_client));
    let awaited: Arc<Mutex<Option<u32>>> = Arc::default();
    let replies = {
        let (to_client, awaited) = (Arc::clone(&to_client), Arc::clone(&awaited));
        async move {
            while let Some(mut packet) = read_packet(&mut from_server).await {
                if packet[0] == 102 && strange {
                    add_to_handle(&mut packet);
                }
                // The reply to the request after which the connection ends: the server has done it.
                if packet.len() > 4 && *awaited.lock().unwrap() == Some(number(&packet)) {
                    return;
                }
                if write_packet(&mut *to_client.lock().await, &packet).await.is_none() {
                    return;
                }
            }
        }
    };
    let requests = async move {
        let mut count = 0;
        while let Some(mut packet) = read_packet(&mut from_client).await {
            let name = name_of(&packet);
            let fate = if name == "INIT" { Fate::Pass } else { judge(&name, count) };
            count += usize::from(name != "INIT");
            if strange {
                take_from_handle(&name, &mut packet);
            }
            match fate {
                Fate::Silence => continue,
                Fate::CutBefore => return,
                Fate::Answer(code) => {
                    let mut reply = vec![101];
                    for number in [number(&packet), code, 7] {
                        reply.extend(number.to_be_bytes());
                    }
                    reply.extend(b"spoiled\0\0\0\0");
                    write_packet(&mut *to_client.lock().await, &reply).await;
                    continue;
                }
                Fate::CutAfter => *awaited.lock().unwrap() = Some(number(&packet)),
                Fate::Pass => {}
            }
            write_packet(&mut to_server, &packet).await;
            if fate == Fate::CutAfter {
                // The other half ends both when the reply is here.
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = replies => {}
        () = requests => {}
    }
    let _ = child.kill().await;
}

async fn read_packet<R: AsyncRead + Unpin>(stream: &mut R) -> Option<Vec<u8>> {
    let length = stream.read_u32().await.ok()?;
    let mut packet = vec![0; length as usize];
    stream.read_exact(&mut packet).await.ok()?;
    Some(packet)
}

async fn write_packet<W: AsyncWrite + Unpin>(stream: &mut W, packet: &[u8]) -> Option<()> {
    stream.write_u32(packet.len() as u32).await.ok()?;
    stream.write_all(packet).await.ok()?;
    stream.flush().await.ok()
}

fn number(packet: &[u8]) -> u32 {
    u32::from_be_bytes(packet[1..5].try_into().unwrap())
}

fn name_of(packet: &[u8]) -> String {
    let names = [
        (1, "INIT"),
        (3, "OPEN"),
        (4, "CLOSE"),
        (5, "READ"),
        (6, "WRITE"),
        (7, "LSTAT"),
        (8, "FSTAT"),
        (11, "OPENDIR"),
        (12, "READDIR"),
        (13, "REMOVE"),
        (16, "REALPATH"),
        (17, "STAT"),
        (18, "RENAME"),
    ];
    match names.iter().find(|(kind, _)| *kind == packet[0]) {
        Some((_, name)) => (*name).to_owned(),
        None => {
            let length = u32::from_be_bytes(packet[5..9].try_into().unwrap()) as usize;
            String::from_utf8(packet[9..9 + length].to_vec()).unwrap()
        }
    }
}

fn add_to_handle(reply: &mut Vec<u8>) {
    let length = u32::from_be_bytes(reply[5..9].try_into().unwrap()) + 4;
    reply[5..9].copy_from_slice(&length.to_be_bytes());
    reply.splice(9..9, STRANGE);
}

fn take_from_handle(name: &str, request: &mut Vec<u8>) {
    let at = match name {
        "CLOSE" | "READ" | "WRITE" | "FSTAT" | "READDIR" => 5,
        "fsync@openssh.com" => 9 + "fsync@openssh.com".len(),
        _ => return,
    };
    assert_eq!(request[at + 4..at + 8], STRANGE, "the handle of {name} comes back as it was given");
    let length = u32::from_be_bytes(request[at..at + 4].try_into().unwrap()) - 4;
    request[at..at + 4].copy_from_slice(&length.to_be_bytes());
    request.drain(at + 4..at + 8);
}
