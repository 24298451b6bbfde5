//! The channels of a connection beside the first: opened for a large file, and kept for the next one.
//!
//! A channel carries no more than the server's window in one round trip, so over a distance several are needed to fill the
//! line. How many a server grants is found out by asking for as many as are useful, all at once. A server that has refused
//! some is asked for no more than it granted, until it shows another version or this process ends: a refused
//! request writes a line to the partner's log, and costs us no round trip.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use super::error::Place;
use super::settings::{Settings, keeps_files_whole};
use super::sftp::Client;
use super::ssh::Connection;
use crate::job::Channels;

/// The channels of a session beside the first.
pub struct FurtherChannels {
    connection: Option<Arc<Connection>>,
    at: Arc<Place>,
    settings: Settings,
    opening: tokio::sync::Mutex<Opening>,
    idle: Mutex<Vec<Client>>,
}

/// Channels that are being opened. Dropping it cancels that.
#[derive(Default)]
struct Opening {
    has_begun: bool,
    channels: JoinSet<Option<Client>>,
}

/// The answers to requests for channels that were sent together.
struct Answers {
    asked: usize,
    granted: AtomicUsize,
    refused: AtomicUsize,
}

impl FurtherChannels {
    /// Those of a connection. A session over a bare stream has none.
    pub fn new(connection: Option<Arc<Connection>>, at: Arc<Place>, settings: Settings) -> FurtherChannels {
        FurtherChannels { connection, at, settings, opening: Default::default(), idle: Mutex::default() }
    }

    /// How many a large file may use: as many as the job says, or else as are useful over the distance, and no more than
    /// the server is known to grant.
    ///
    /// OpenSSH writes to a file system, where several handles of one file are sound. Gateways to object stores have been
    /// seen to keep a copy for each handle, and any other server may be one.
    pub fn count(&self) -> usize {
        let Some(connection) = &self.connection else { return 0 };
        let Settings { tuning, limits, channels, .. } = &self.settings;
        let version = connection.version();
        let wanted = match channels {
            Channels::AtMost(most) => usize::from(most.saturating_sub(1)),
            Channels::Auto if !keeps_files_whole(&version) || connection.round_trip() < tuning.far => 0,
            Channels::Auto => tuning.channels,
        };
        wanted.min(limits.channels(&self.at.recipient(), &version).unwrap_or(usize::MAX))
    }

    /// Begins to open them, if that has not begun.
    pub async fn open(&self) {
        let mut opening = self.opening.lock().await;
        let Some(connection) = self.connection.as_ref().filter(|_| !opening.has_begun) else { return };
        opening.has_begun = true;
        let (granted, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let answers = Arc::new(Answers { asked: self.count(), granted, refused });
        for _ in 0..answers.asked {
            let (connection, at) = (Arc::clone(connection), Arc::clone(&self.at));
            opening.channels.spawn(open(connection, at, self.settings.clone(), Arc::clone(&answers)));
        }
    }

    /// One that no upload uses, as soon as there is one; none if no more will be granted.
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

    /// Waits for those that are being opened, and closes all of them. No upload may be using one.
    pub async fn close(&self) {
        let mut opening = self.opening.lock().await;
        while opening.channels.join_next().await.is_some() {}
        opening.has_begun = false;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Cancels the opening of those that are not open yet.
    pub async fn cancel(&self) {
        self.opening.lock().await.channels.shutdown().await;
    }
}

impl Answers {
    /// Notes the answer for one channel. Returns how many were granted, if this was the last answer and some were
    /// refused.
    fn note(&self, is_granted: bool) -> Option<usize> {
        let count = if is_granted { &self.granted } else { &self.refused };
        count.fetch_add(1, Ordering::SeqCst);
        let (granted, refused) = (self.granted.load(Ordering::SeqCst), self.refused.load(Ordering::SeqCst));
        (refused > 0 && granted + refused == self.asked).then_some(granted)
    }
}

/// One channel on which SFTP has started; none if the server does not grant it.
async fn open(
    connection: Arc<Connection>,
    at: Arc<Place>,
    settings: Settings,
    answers: Arc<Answers>,
) -> Option<Client> {
    let channel = connection.open_channel(&at, settings.handshake).await;
    if let Some(granted) = answers.note(channel.is_ok()) {
        settings.limits.remember_channels(&at.recipient(), &connection.version(), granted);
    }
    let stream = connection.start_sftp(channel.ok()?, &at, &Client::greeting(), settings.handshake).await.ok()?;
    Client::start_greeted(stream, settings.sftp()).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_known_after_the_last_answer_if_some_are_refused() {
        let answers = |asked| Answers { asked, granted: AtomicUsize::new(0), refused: AtomicUsize::new(0) };
        let all = answers(2);
        assert_eq!([true, true].map(|is_granted| all.note(is_granted)), [None, None]);
        let some = answers(4);
        assert_eq!([true, false, true, false].map(|is_granted| some.note(is_granted)), [None, None, None, Some(2)]);
    }
}
