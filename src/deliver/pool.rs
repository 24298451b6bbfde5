//! A pool of sessions: a run goes on with the connection that another has left, and no host gets too many of them.
//!
//! A connection is taken over only by who would have opened the same one: same server and user, same key and trusted host
//! keys, and neither file changed since. Only one that nothing went wrong on is left here, and only for seconds. Whoever
//! finds a host taken waits for a [`Turn`], first come first served; so does who would have to open a connection while
//! many are being opened. What is idle counts, and makes room for who can't use it.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::DeliverError;
use super::session::{Session, Settings};
use crate::fastpath::{self, FastPath};
use crate::job::{Destination, Trust};
use crate::secret::Secret;

/// Connections to one host at once, unless somebody says otherwise. Servers drop or refuse sessions beyond a few.
pub const PER_HOST: usize = 4;

/// Connections that are being opened at once: a key exchange keeps a core busy, and while one waits here, a connection
/// may be left that does as well.
const OPENING: usize = 32;

/// How long a connection is kept that nobody takes over.
const IDLE: Duration = Duration::from_secs(5);

/// Sessions, and the turns to have one. Clones are the same pool.
#[derive(Clone)]
pub struct Pool {
    gate: Arc<Gate>,
    shelf: Arc<Shelf>,
}

struct Gate {
    per_host: usize,
    places: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// How many turns at each host have a connection, or the right to open one.
    connections: Mutex<HashMap<String, usize>>,
    opening: Arc<Semaphore>,
}

/// Sessions that wait for somebody to take them over, the one left first in front.
#[derive(Default)]
struct Shelf(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    idle: Vec<Idle>,
    /// How many there have ever been.
    left: u64,
    is_closed: bool,
}

struct Idle {
    number: u64,
    proof: Proof,
    session: Session,
}

/// All that decides whom a connection leads to and as whom, and what can't be changed about it later.
#[derive(Clone, PartialEq)]
struct Proof {
    host: String,
    port: u16,
    user: String,
    key: (PathBuf, Option<Stamp>),
    passphrase: Option<Secret>,
    trust: (Trust, Option<Stamp>),
    requests: usize,
    stall: Duration,
}

/// What changes with a file's content: device, number, size, and last change of the file and of what is said about it.
type Stamp = (u64, u64, u64, [i64; 4]);

/// The right to one connection to a host. Dropping it gives the right, and what was left, to the next one.
pub struct Turn {
    destination: Destination,
    settings: Settings,
    proof: Proof,
    gate: Arc<Gate>,
    shelf: Arc<Shelf>,
    /// It counts among the connections to its host.
    has_connection: bool,
    held: Mutex<Held>,
    _place: OwnedSemaphorePermit,
}

#[derive(Default)]
struct Held {
    /// A connection that an earlier run has left.
    found: Option<Session>,
    /// The right to open a connection now.
    opening: Option<OwnedSemaphorePermit>,
    /// The connection that this run leaves.
    left: Option<Session>,
}

impl Pool {
    /// A pool that lets `per_host` connections go to a host at once.
    pub fn new(per_host: usize) -> Pool {
        let opening = Arc::new(Semaphore::new(OPENING));
        Pool {
            gate: Arc::new(Gate { per_host, places: Mutex::default(), connections: Mutex::default(), opening }),
            shelf: Arc::default(),
        }
    }

    /// Waits for a turn at a destination. It may be given up at any time.
    pub async fn turn(&self, destination: &Destination, settings: Settings) -> Turn {
        let host = destination.host.to_lowercase();
        let place = self.gate.places(&host).acquire_owned().await.expect("the semaphore is never closed");
        let mut turn = Turn {
            destination: destination.clone(),
            settings,
            proof: Proof::of(host, destination, &settings),
            gate: Arc::clone(&self.gate),
            shelf: Arc::clone(&self.shelf),
            has_connection: false,
            held: Mutex::default(),
            _place: place,
        };
        if turn.find() {
            return turn;
        }
        let opening = Arc::clone(&self.gate.opening).acquire_owned().await;
        if !turn.find() {
            turn.held().opening = opening.ok();
            for surplus in turn.make_room() {
                surplus.close().await;
            }
        }
        turn
    }

    /// Begins anew, as when keys may have changed: what is idle ends now, and what is at work when its run leaves it.
    pub fn renew(&mut self) {
        drop(mem::take(&mut self.shelf).shut());
    }

    /// Ends what is idle, and what is left from now on.
    pub async fn close(&self) {
        futures_util::future::join_all(self.shelf.shut().into_iter().map(Session::close)).await;
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("idle", &self.shelf.lock().idle.len()).finish_non_exhaustive()
    }
}

impl Gate {
    fn places(&self, host: &str) -> Arc<Semaphore> {
        let mut places = self.places.lock().expect("no code panics while it holds this lock");
        match places.get(host) {
            Some(places) => Arc::clone(places),
            None => Arc::clone(places.entry(host.to_owned()).or_insert(Arc::new(Semaphore::new(self.per_host)))),
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.connections.lock().expect("no code panics while it holds this lock")
    }
}

impl Turn {
    /// Goes on with a connection that an earlier run has left, or opens one, and makes sure that the directory takes
    /// files, as [`Session::check_directory`] does. A connection that has died while it was idle is replaced.
    pub async fn reach(&self, probe_name: &str) -> Result<Session, DeliverError> {
        let (session, is_proven) = self.approach(probe_name, false).await?;
        if !is_proven {
            session.check_directory(probe_name).await?;
        }
        Ok(session)
    }

    /// The same, but for a connection that is opened: whether its directory takes files is left to be found out. Returns
    /// whether it is known. `is_large` as in [`Settings`].
    pub async fn approach(&self, probe_name: &str, is_large: bool) -> Result<(Session, bool), DeliverError> {
        let found = self.held().found.take();
        if let Some(session) = found {
            let session = session.move_to(&self.destination, self.settings);
            match session.check_directory(probe_name).await {
                Err(error @ (DeliverError::Lost { .. } | DeliverError::Stalled { .. })) => {
                    tracing::debug!(%error, "a connection has died while it was idle; another one is opened");
                }
                checked => return checked.map(|()| (session, true)),
            }
        }
        Ok((self.open(Settings { is_large, ..self.settings }).await?, false))
    }

    /// Opens a connection, in the place of one that has ended.
    pub async fn connect(&self) -> Result<Session, DeliverError> {
        self.open(self.settings).await
    }

    async fn open(&self, settings: Settings) -> Result<Session, DeliverError> {
        let opened = Session::open_with(&self.destination, settings).await;
        self.held().opening = None;
        opened
    }

    /// Leaves a session whose run is over to the next run, or ends it if anything ever went wrong on it.
    pub async fn leave(&self, session: Session) {
        match session.is_sound() && fastpath::is_taken(FastPath::Pool, true) {
            true => {
                session.close_further_channels().await;
                self.held().left = Some(session);
            }
            false => session.close().await,
        }
    }

    /// Takes a session off the shelf, if there is one that fits.
    fn find(&mut self) -> bool {
        let mut connections = self.gate.connections();
        let Some(found) = self.shelf.take(&self.proof) else { return false };
        *connections.entry(self.proof.host.clone()).or_default() += 1;
        drop(connections);
        self.has_connection = true;
        self.held().found = Some(found);
        true
    }

    /// Counts one more connection to the host, and takes those idle ones off the shelf that are too many then.
    fn make_room(&mut self) -> Vec<Session> {
        let mut connections = self.gate.connections();
        let taken = connections.entry(self.proof.host.clone()).or_default();
        *taken += 1;
        let surplus = self.shelf.surplus(&self.proof.host, self.gate.per_host.saturating_sub(*taken));
        drop(connections);
        self.has_connection = true;
        surplus
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no code panics while it holds this lock")
    }
}

impl Drop for Turn {
    /// The session is on the shelf before the place at the host is free, so that the next one finds it.
    fn drop(&mut self) {
        let held = self.held.get_mut().expect("no code panics while it holds this lock");
        let left = held.left.take().or_else(|| held.found.take());
        let mut connections = self.gate.connections();
        if let Some(session) = left {
            self.shelf.put(self.proof.clone(), session);
        }
        if self.has_connection
            && let Some(taken) = connections.get_mut(&self.proof.host)
        {
            *taken -= 1;
        }
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("no code panics while it holds this lock")
    }

    /// The session left last that fits and still stands.
    fn take(&self, proof: &Proof) -> Option<Session> {
        let mut kept = self.lock();
        kept.idle.retain(|idle| idle.session.is_alive());
        let place = kept.idle.iter().rposition(|idle| idle.proof == *proof)?;
        Some(kept.idle.remove(place).session)
    }

    fn put(self: &Arc<Shelf>, proof: Proof, session: Session) {
        let number = {
            let mut kept = self.lock();
            if kept.is_closed {
                return;
            }
            kept.left += 1;
            let number = kept.left;
            kept.idle.push(Idle { number, proof, session });
            number
        };
        let shelf = Arc::downgrade(self);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            tokio::time::sleep(IDLE).await;
            let Some(shelf) = shelf.upgrade() else { return };
            let expired = shelf.remove(number);
            if let Some(session) = expired {
                session.close().await;
            }
        });
    }

    fn remove(&self, number: u64) -> Option<Session> {
        let mut kept = self.lock();
        let place = kept.idle.iter().position(|idle| idle.number == number)?;
        Some(kept.idle.remove(place).session)
    }

    /// Takes away the sessions with a host that are more than `room`, those first that were left first.
    fn surplus(&self, host: &str, room: usize) -> Vec<Session> {
        let mut kept = self.lock();
        let idle = kept.idle.iter().filter(|idle| idle.proof.host == host).count();
        let mut surplus = idle.saturating_sub(room);
        let taken = kept.idle.extract_if(.., |idle| {
            let goes = surplus > 0 && idle.proof.host == host;
            surplus -= usize::from(goes);
            goes
        });
        taken.map(|idle| idle.session).collect()
    }

    fn shut(&self) -> Vec<Session> {
        let mut kept = self.lock();
        kept.is_closed = true;
        kept.idle.drain(..).map(|idle| idle.session).collect()
    }
}

impl Proof {
    fn of(host: String, destination: &Destination, settings: &Settings) -> Proof {
        let known_hosts = match &destination.trust {
            Trust::KnownHosts(path) => stamp(path),
            Trust::Pinned(_) => None,
        };
        Proof {
            host,
            port: destination.port,
            user: destination.user.clone(),
            key: (destination.key.clone(), stamp(&destination.key)),
            passphrase: destination.passphrase.clone(),
            trust: (destination.trust.clone(), known_hosts),
            requests: settings.requests,
            stall: settings.stall,
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.len(), [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()]))
}
