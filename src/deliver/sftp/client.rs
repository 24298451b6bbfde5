//! The connection of an SFTP client: numbered requests out, replies back to whoever waits, many in flight at once.
//!
//! One task owns the stream. It ends the session, and with it every request in flight, when the stream ends, when the
//! server breaks the protocol, or when requests are in flight and nothing has moved for the stall limit: neither a
//! reply came in nor a byte could be sent. A slow link that still moves is never cut off.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::reply::{self, Code, MAX_PACKET, Malformed, Reply, Status};
use super::request::{self, Encoded, Request};
use super::wire::{Incoming, Outgoing, Stream, Wire};

const CLOSED: &str = "the session was closed";

/// How much is sent before it counts as a movement.
const PIECE: usize = 32 * 1024;

/// Replies that are read at once, in bytes: most are short, and the content of a file goes past this buffer.
const REPLIES: usize = 4 * 1024;

/// How long the end of a session may take to be said.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a client behaves.
#[derive(Clone, Copy, Debug)]
pub struct ClientSettings {
    /// Requests in flight at most; 1 for servers that can take only one.
    pub outstanding: usize,
    /// How long requests may be in flight without anything moving.
    pub stall: Duration,
}

/// Why a request has no useful answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The server refused it.
    Status(Status),
    /// The connection ended, for the reason given.
    Lost(String),
    /// Nothing moved for this long.
    Stalled(Duration),
    /// The server does not follow the protocol.
    Protocol(&'static str),
}

impl From<Malformed> for ClientError {
    fn from(malformed: Malformed) -> ClientError {
        ClientError::Protocol(malformed.0)
    }
}

/// An SFTP session. Clones share it; it ends when the last one is dropped.
#[derive(Clone)]
pub struct Client {
    outgoing: mpsc::UnboundedSender<Encoded>,
    shared: Arc<Shared>,
    extensions: Arc<Vec<String>>,
}

/// A request in flight.
pub struct Ticket(oneshot::Receiver<Result<Reply, ClientError>>);

struct Shared {
    slots: Arc<Semaphore>,
    stall: Duration,
    state: Mutex<State>,
}

struct State {
    waiting: HashMap<u32, Waiting>,
    next_id: u32,
    moved: Instant,
    end: Option<ClientError>,
}

struct Waiting {
    answer: oneshot::Sender<Result<Reply, ClientError>>,
    patience: Duration,
    // Held until the reply is here, even if nobody waits for it any more: the server is still busy with it.
    _slot: OwnedSemaphorePermit,
}

impl Client {
    /// Greets the server at the other end of `stream` and learns its extensions.
    pub async fn start<S>(mut stream: S, settings: ClientSettings) -> Result<Client, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let greeting = async {
            stream.write_all(&Client::greeting()).await?;
            stream.flush().await
        };
        let greeted = tokio::time::timeout(settings.stall, greeting).await;
        greeted.map_err(|_| ClientError::Stalled(settings.stall))?.map_err(lost)?;
        Client::start_greeted(Stream(stream), settings).await
    }

    /// What [`Client::start`] says first, for those who say it themselves.
    pub fn greeting() -> Bytes {
        request::encode_init()
    }

    /// Starts on a wire on which the greeting has been sent.
    pub async fn start_greeted<W: Wire>(wire: W, settings: ClientSettings) -> Result<Client, ClientError> {
        let (mut incoming, mut outgoing) = wire.split();
        let (queue, requests) = mpsc::unbounded_channel();
        let state = State { waiting: HashMap::new(), next_id: 0, moved: Instant::now(), end: None };
        let shared = Arc::new(Shared {
            slots: Arc::new(Semaphore::new(settings.outstanding.max(1))),
            stall: settings.stall,
            state: Mutex::new(state),
        });
        let (welcome, welcomed) = oneshot::channel();
        let worker = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut reader = BufReader::with_capacity(REPLIES, incoming.reader());
            let answer = read_version(&mut reader, settings.stall).await;
            let is_welcome = answer.is_ok();
            // Without a receiver nobody holds a client either, and what follows ends at once.
            let _ = welcome.send(answer);
            if is_welcome {
                let end = tokio::select! {
                    end = write_requests(requests, &mut outgoing, &worker) => end,
                    end = read_replies(reader, &worker) => end,
                    end = watch(&worker) => end,
                };
                worker.finish(&end);
            }
            // However it ended, the server is told; what it still has to say interests nobody.
            let _ = tokio::time::timeout(FAREWELL, outgoing.end()).await;
        });
        let extensions = welcomed.await.unwrap_or_else(|_| Err(ClientError::Lost(CLOSED.to_owned())))?;
        Ok(Client { outgoing: queue, shared, extensions: Arc::new(extensions) })
    }

    /// Whether the server offers an extension.
    pub fn offers(&self, extension: &str) -> bool {
        self.extensions.iter().any(|offered| offered == extension)
    }

    /// Whether requests can still be sent.
    pub fn is_open(&self) -> bool {
        self.shared.lock().end.is_none()
    }

    /// Sends a request as soon as fewer than the permitted number are in flight; replies may be awaited in any order.
    /// Requests of one task leave in the order in which it sends them.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Ticket, ClientError> {
        let Ok(slot) = Arc::clone(&self.shared.slots).acquire_owned().await else {
            return Err(self.shared.cause());
        };
        let (answer, ticket) = oneshot::channel();
        let patience = match request {
            // A server may spend minutes on bringing gigabytes to a slow disk; a dead one is found by the transport.
            Request::Sync(_) | Request::Close(_) => self.shared.stall * 10,
            _ => self.shared.stall,
        };
        let id = self.shared.register(Waiting { answer, patience, _slot: slot })?;
        // A queue without a reader means that the session ended after the registration, which answered the ticket.
        let _ = self.outgoing.send(request.encode(id));
        Ok(Ticket(ticket))
    }

    /// Sends a request and waits for its reply; a status other than `Ok` is an error.
    pub(super) async fn call(&self, request: Request<'_>) -> Result<Reply, ClientError> {
        self.send(request).await?.reply().await
    }
}

impl Ticket {
    /// Waits for the reply; a status other than `Ok` is an error.
    pub(super) async fn reply(mut self) -> Result<Reply, ClientError> {
        self.arrival().await
    }

    /// The same, but can be dropped and asked again as long as no reply has come.
    async fn arrival(&mut self) -> Result<Reply, ClientError> {
        match (&mut self.0).await {
            Ok(Ok(Reply::Status(status))) if status.code != Code::Ok => Err(ClientError::Status(status)),
            Ok(answer) => answer,
            Err(_) => Err(ClientError::Lost(CLOSED.to_owned())),
        }
    }

    /// Waits until the server says that it is done.
    pub async fn done(mut self) -> Result<(), ClientError> {
        self.settled().await
    }

    /// The same, but can be dropped and asked again as long as no reply has come.
    pub async fn settled(&mut self) -> Result<(), ClientError> {
        match self.arrival().await? {
            Reply::Status(_) => Ok(()),
            _ => Err(ClientError::Protocol("an answer of the wrong type")),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    fn register(&self, waiting: Waiting) -> Result<u32, ClientError> {
        let mut state = self.lock();
        if let Some(end) = &state.end {
            return Err(end.clone());
        }
        if state.waiting.is_empty() {
            state.moved = Instant::now();
        }
        while state.waiting.contains_key(&state.next_id) {
            state.next_id = state.next_id.wrapping_add(1);
        }
        let id = state.next_id;
        state.next_id = id.wrapping_add(1);
        state.waiting.insert(id, waiting);
        Ok(id)
    }

    fn note_movement(&self) {
        self.lock().moved = Instant::now();
    }

    fn answer(&self, id: u32, reply: Reply) -> Result<(), Malformed> {
        let mut state = self.lock();
        state.moved = Instant::now();
        let waiting = state.waiting.remove(&id).ok_or(Malformed("a reply to an unknown request"))?;
        // The caller may be gone.
        let _ = waiting.answer.send(Ok(reply));
        Ok(())
    }

    fn stalled(&self) -> Option<Duration> {
        let state = self.lock();
        let patience = state.waiting.values().map(|waiting| waiting.patience).max()?;
        (state.moved.elapsed() >= patience).then_some(patience)
    }

    fn finish(&self, end: &ClientError) {
        let mut state = self.lock();
        state.end = Some(end.clone());
        for (_, waiting) in state.waiting.drain() {
            let _ = waiting.answer.send(Err(end.clone()));
        }
        drop(state);
        self.slots.close();
    }

    fn cause(&self) -> ClientError {
        self.lock().end.clone().unwrap_or_else(|| ClientError::Lost(CLOSED.to_owned()))
    }
}

fn lost(error: std::io::Error) -> ClientError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => ClientError::Lost("the server closed the session".to_owned()),
        _ => ClientError::Lost(error.to_string()),
    }
}

async fn write_requests(
    mut requests: mpsc::UnboundedReceiver<Encoded>,
    outgoing: &mut impl Outgoing,
    shared: &Shared,
) -> ClientError {
    while let Some(Encoded { head, mut data }) = requests.recv().await {
        // What fits one packet of a channel goes in one: ProFTPD mixes up packets of several channels that come in parts.
        let is_short = head.len() + data.len() <= PIECE;
        let mut next = if is_short { [head, std::mem::take(&mut data)].concat().into() } else { head };
        while !next.is_empty() {
            if let Err(error) = outgoing.put(next).await {
                return lost(error);
            }
            shared.note_movement();
            next = data.split_to(data.len().min(PIECE));
        }
        if requests.is_empty()
            && let Err(error) = outgoing.flush().await
        {
            return lost(error);
        }
    }
    ClientError::Lost(CLOSED.to_owned())
}

async fn read_version<R: AsyncRead + Unpin>(reader: &mut R, limit: Duration) -> Result<Vec<String>, ClientError> {
    let answer = tokio::time::timeout(limit, read_packet(reader)).await;
    Ok(reply::decode_version(&answer.unwrap_or(Err(ClientError::Stalled(limit)))?)?)
}

async fn read_replies<R: AsyncRead + Unpin>(mut reader: R, shared: &Shared) -> ClientError {
    loop {
        let packet = match read_packet(&mut reader).await {
            Ok(packet) => packet,
            Err(end) => return end,
        };
        if let Err(malformed) = reply::decode_reply(&packet).and_then(|(id, reply)| shared.answer(id, reply)) {
            return malformed.into();
        }
    }
}

async fn read_packet<R: AsyncRead + Unpin>(reader: &mut R) -> Result<Vec<u8>, ClientError> {
    let length = reader.read_u32().await.map_err(lost)? as usize;
    if length == 0 || length > MAX_PACKET {
        return Err(ClientError::Protocol("a packet of an impossible length"));
    }
    let mut packet = vec![0; length];
    reader.read_exact(&mut packet).await.map_err(lost)?;
    Ok(packet)
}

async fn watch(shared: &Shared) -> ClientError {
    let pause = (shared.stall / 8).clamp(Duration::from_millis(5), Duration::from_secs(1));
    loop {
        tokio::time::sleep(pause).await;
        if let Some(patience) = shared.stalled() {
            return ClientError::Stalled(patience);
        }
    }
}
