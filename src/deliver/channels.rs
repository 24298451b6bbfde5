//! The channels of a connection besides the first: opened for a large file, kept for the next one.
//!
//! A channel carries no more than the server's window in one round trip, so over a distance several are needed to fill
//! the line. How many a server grants is found out by asking for as many as are of use, all at once. Where some were
//! refused, no more than were granted are asked for again, until the server shows another version or this process
//! ends: to ask in vain costs a partner a line in his log, and us no round trip, so it need not outlive a restart.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::task::JoinSet;

use super::error::Place;
use super::session::Settings;
use super::sftp::Client;
use super::ssh::Connection;
use crate::fastpath::{self, FastPath};
use crate::job::Channels;

/// What servers have granted that did not grant all that was asked for.
static GRANTED: LazyLock<Mutex<HashMap<Account, Granted>>> = LazyLock::new(Mutex::default);

/// Host, port and user.
type Account = (String, u16, String);

/// How many further channels were granted, and by which version of the server's software.
struct Granted {
    version: String,
    channels: usize,
}

/// The channels of a session besides the first.
pub struct FurtherChannels {
    connection: Option<Arc<Connection>>,
    at: Arc<Place>,
    settings: Settings,
    opening: tokio::sync::Mutex<Opening>,
    idle: Mutex<Vec<Client>>,
}

/// Channels that are being opened. Dropped, none of them comes.
#[derive(Default)]
struct Opening {
    has_begun: bool,
    channels: JoinSet<Option<Client>>,
}

/// What has come of channels that were asked for at once.
struct Request {
    account: Account,
    version: String,
    asked: usize,
    granted: AtomicUsize,
    refused: AtomicUsize,
}

impl FurtherChannels {
    /// Those of a connection; without one there are none.
    pub fn new(connection: Option<Arc<Connection>>, at: Arc<Place>, settings: Settings) -> FurtherChannels {
        FurtherChannels { connection, at, settings, opening: Default::default(), idle: Mutex::default() }
    }

    /// How many a large file may use: as many as the job says, or else as are of use over such a distance, and no more
    /// than the server is known to grant.
    ///
    /// OpenSSH writes to a file system, where several are sound. Gateways to object stores have been seen to keep a copy
    /// for each handle, and everybody else may be one.
    pub fn count(&self) -> usize {
        let Some(connection) = &self.connection else { return 0 };
        if !fastpath::is_taken(FastPath::Channels, true) {
            return 0;
        }
        let is_far = fastpath::is_taken(FastPath::Channels, connection.round_trip() >= self.settings.long_way);
        let version = connection.version();
        let wanted = match self.settings.channels {
            Channels::AtMost(most) => usize::from(most.saturating_sub(1)),
            Channels::Auto if !is_sound(&version) => 0,
            Channels::Auto if is_far => self.settings.lanes,
            Channels::Auto => self.settings.lanes_nearby,
        };
        wanted.min(granted(&account(&self.at), &version).unwrap_or(usize::MAX))
    }

    /// Begins to open them, if that has not begun.
    pub async fn open(&self) {
        let mut opening = self.opening.lock().await;
        let Some(connection) = self.connection.as_ref().filter(|_| !opening.has_begun) else { return };
        opening.has_begun = true;
        let request = Arc::new(Request {
            account: account(&self.at),
            version: connection.version(),
            asked: self.count(),
            granted: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        });
        for _ in 0..request.asked {
            let channel = open(Arc::clone(connection), Arc::clone(&self.at), self.settings, Arc::clone(&request));
            opening.channels.spawn(channel);
        }
    }

    /// One that nobody uses, as soon as there is one; none if no more will come.
    pub async fn take(&self) -> Option<Client> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match idle {
                Some(client) if client.is_open() => return Some(client),
                Some(_) => continue,
                None => {}
            }
            if let Ok(Some(client)) = self.opening.lock().await.channels.join_next().await? {
                return Some(client);
            }
        }
    }

    /// Keeps one for the next file.
    pub fn give_back(&self, client: Client) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }

    /// Closes them all; nobody may be using one. The next large file opens them anew.
    pub async fn release(&self) {
        let mut opening = self.opening.lock().await;
        // One that is dropped half open would stay so at the server.
        while opening.channels.join_next().await.is_some() {}
        opening.has_begun = false;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Ends the opening of those that are not open yet.
    pub async fn give_up(&self) {
        self.opening.lock().await.channels.shutdown().await;
    }
}

impl Request {
    /// Notes the answer for one channel; after the last of them, what the server grants is known.
    fn note(&self, is_granted: bool) {
        let count = if is_granted { &self.granted } else { &self.refused };
        count.fetch_add(1, Ordering::SeqCst);
        let (granted, refused) = (self.granted.load(Ordering::SeqCst), self.refused.load(Ordering::SeqCst));
        if refused > 0 && granted + refused == self.asked {
            remember(&self.account, &self.version, granted);
        }
    }
}

/// One channel on which SFTP has started; none if the server does not grant it.
async fn open(
    connection: Arc<Connection>,
    at: Arc<Place>,
    settings: Settings,
    request: Arc<Request>,
) -> Option<Client> {
    let channel = connection.open_channel(&at, settings.handshake).await;
    request.note(channel.is_ok());
    let stream = connection.start_sftp(channel.ok()?, &at, &Client::greeting(), settings.handshake).await.ok()?;
    Client::start_greeted(stream, settings.sftp()).await.ok()
}

/// Whether a server is known to keep one file that is written through several handles.
pub fn is_sound(version: &str) -> bool {
    version.starts_with("SSH-2.0-OpenSSH")
}

fn account(at: &Place) -> Account {
    (at.host.to_lowercase(), at.port, at.user.clone())
}

/// What a server grants at most, if it has refused more. Another version of its software is another server.
fn granted(account: &Account, version: &str) -> Option<usize> {
    let mut all = GRANTED.lock().unwrap_or_else(PoisonError::into_inner);
    let granted = all.get(account)?;
    if granted.version != version {
        all.remove(account);
        return None;
    }
    Some(granted.channels)
}

fn remember(account: &Account, version: &str, channels: usize) {
    let mut all = GRANTED.lock().unwrap_or_else(PoisonError::into_inner);
    all.insert(account.clone(), Granted { version: version.to_owned(), channels });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_granted_is_remembered_until_the_server_changes() {
        let account: Account = ("granted.example".to_owned(), 22, "drop".to_owned());
        let request = |asked| Request {
            account: account.clone(),
            version: "SSH-2.0-OpenSSH_9.2".to_owned(),
            asked,
            granted: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        };
        let all = request(2);
        [true, true].into_iter().for_each(|is_granted| all.note(is_granted));
        assert_eq!(granted(&account, "SSH-2.0-OpenSSH_9.2"), None, "nothing was refused");
        let some = request(4);
        [true, false, true].into_iter().for_each(|is_granted| some.note(is_granted));
        assert_eq!(granted(&account, "SSH-2.0-OpenSSH_9.2"), None, "not all answers are here");
        some.note(false);
        assert_eq!(granted(&account, "SSH-2.0-OpenSSH_9.2"), Some(2));
        assert_eq!(granted(&account, "SSH-2.0-OpenSSH_9.9"), None);
        assert_eq!(granted(&account, "SSH-2.0-OpenSSH_9.2"), None, "it is forgotten");
    }
}
