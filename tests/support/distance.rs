//! A long way to a server: a proxy that delays what passes, and counts the round trips that a client waits for.
//!
//! Counted are turns, not time: what a client sends belongs to the turn after the last one that it has heard the answer
//! to. A client that asks two things at once, before either answer can have come, takes one turn for both.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// The proxy. It ends with the runtime that it was started in.
pub struct Distance {
    port: u16,
    connections: Arc<Mutex<Vec<Arc<Mutex<Turns>>>>>,
}

/// What is known of one connection.
#[derive(Default)]
struct Turns {
    /// The last turn that has come to the server.
    asked: usize,
    /// The last turn whose answer, or a part of it, has come to the client.
    answered: usize,
}

impl Turns {
    /// The turn of what the client sends now.
    fn next(&self) -> usize {
        self.answered + 1
    }
}

impl Distance {
    /// Starts a proxy to `server` on this machine, half of `round_trip` away from it.
    pub async fn start(server: u16, round_trip: Duration) -> Distance {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let distance = Distance { port: listener.local_addr().unwrap().port(), connections: Arc::default() };
        let connections = Arc::clone(&distance.connections);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let turns: Arc<Mutex<Turns>> = Arc::default();
                connections.lock().unwrap().push(Arc::clone(&turns));
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                let (up, down) = (Arc::clone(&turns), turns);
                tokio::spawn(pass(
                    (from_client, to_server),
                    round_trip / 2,
                    Arc::clone(&up),
                    |turns| turns.next(),
                    |turns, turn| turns.asked = turns.asked.max(turn),
                ));
                tokio::spawn(pass(
                    (from_server, to_client),
                    round_trip / 2,
                    down,
                    |turns| turns.asked,
                    |turns, turn| turns.answered = turns.answered.max(turn),
                ));
            }
        });
        distance
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many answers the client of the latest connection waited for.
    pub fn round_trips(&self) -> usize {
        let connections = self.connections.lock().unwrap();
        let turns = connections.last().expect("somebody has connected").lock().unwrap();
        turns.asked - 1
    }
}

/// Carries bytes one way. `leave` tells to which turn those belong that set out, `arrive` notes that they are there.
async fn pass(
    (mut from, to): (OwnedReadHalf, OwnedWriteHalf),
    delay: Duration,
    turns: Arc<Mutex<Turns>>,
    leave: fn(&Turns) -> usize,
    arrive: fn(&mut Turns, usize),
) {
    let (under_way, arriving) = mpsc::unbounded_channel();
    tokio::spawn(deliver(arriving, to, Arc::clone(&turns), arrive));
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let turn = leave(&turns.lock().unwrap());
        let _ = under_way.send((Instant::now() + delay, turn, buffer[..read].to_vec()));
    }
}

async fn deliver(
    mut arriving: mpsc::UnboundedReceiver<(Instant, usize, Vec<u8>)>,
    mut to: OwnedWriteHalf,
    turns: Arc<Mutex<Turns>>,
    arrive: fn(&mut Turns, usize),
) {
    while let Some((at, turn, bytes)) = arriving.recv().await {
        sleep_until(at).await;
        arrive(&mut turns.lock().unwrap(), turn);
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
