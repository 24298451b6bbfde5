//! What people and service managers tell a daemon.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::DaemonError;

/// A request from outside the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Read the configuration again.
    Reload,
    /// Stop; sent again while stopping, stop at once.
    Stop,
}

/// Listens to SIGHUP (reload), SIGTERM and SIGINT (stop) from now on. Call it before anything that may be signalled.
pub fn listen() -> Result<mpsc::Receiver<Signal>, DaemonError> {
    let open = |kind| signal(kind).map_err(DaemonError::Signals);
    let mut hangup = open(SignalKind::hangup())?;
    let mut terminate = open(SignalKind::terminate())?;
    let mut interrupt = open(SignalKind::interrupt())?;
    let (tell, told) = mpsc::channel(8);
    tokio::spawn(async move {
        loop {
            let heard = tokio::select! {
                _ = hangup.recv() => Signal::Reload,
                _ = terminate.recv() => Signal::Stop,
                _ = interrupt.recv() => Signal::Stop,
            };
            if tell.send(heard).await.is_err() {
                break;
            }
        }
    });
    Ok(told)
}
