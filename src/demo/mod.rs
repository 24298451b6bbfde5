//! The demo: everything that the main job needs, made in one folder, with nothing installed.
//!
//! A sample store in SQLite, a key pair, an SFTP server on a loopback port, and the project's own example
//! configuration, of which only the lines that name a server are replaced. What runs is the real thing.

mod folder;
mod server;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use russh::keys::PublicKey;

use crate::deliver::{self, DeliverError};
use crate::sample::{self, SampleError, SampleOptions};
use crate::secret::Secret;
use crate::store::{MAX_CELL, StoreKind, StoreSettings};

pub use server::Server;

/// The example configuration, as the project ships it.
const EXAMPLE: &str = include_str!("../../jobs.example.toml");

/// From the end of the sample to the demo's clock, when every job of that morning has fallen due.
const NOON: SignedDuration = SignedDuration::from_hours(12);

/// Where the demo keeps its things, inside its folder.
const STORE: &str = "contact_centre.db";
const KEY: &str = "id_ed25519";
const DROP: &str = "drop";
/// The directories that the example's jobs deliver to: a destination never makes them itself.
const DIRECTORIES: [&str; 3] = ["incoming/bi", "incoming/quality", "incoming/customers"];

/// A prepared demo. Its server runs until this is dropped.
pub struct Demo {
    /// The configuration for it.
    pub config: PathBuf,
    /// What the SFTP server shows.
    pub drop: PathBuf,
    /// The server.
    pub server: Server,
    /// The demo's clock: noon of the day after the sample's last. Jobs are run as of their latest due time by it.
    pub now: Timestamp,
}

/// Why the demo could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file or folder could not be made.
    #[error("can't make {}: {cause}", path.display())]
    File {
        /// What was to be made.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The sample store could not be made.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The key pair could not be made.
    #[error(transparent)]
    Key(#[from] DeliverError),
    /// The server could not be started.
    #[error("can't start an SFTP server on a loopback port: {0}")]
    Server(io::Error),
    /// The example has no line of that kind any more.
    #[error("the example configuration has no line that starts with {0:?}")]
    Example(&'static str),
}

/// The sample store of the demo in `folder`.
pub fn store(folder: &Path) -> StoreSettings {
    StoreSettings {
        kind: StoreKind::Sqlite,
        url: Secret::new(format!("sqlite:{}", folder.join(STORE).display())),
        statement_timeout: Duration::from_secs(600),
        ca: None,
        row_security: None,
        max_cell: MAX_CELL,
    }
}

/// Makes everything in `folder`, which exists and is empty. `progress` is called while the sample store grows.
pub async fn prepare(
    folder: &Path,
    messages: u64,
    progress: &(dyn Fn(sample::TableProgress) + Send + Sync),
) -> Result<Demo, DemoError> {
    sample::fill(&store(folder), SampleOptions { messages, seed: 1 }, progress).await?;

    let drop = folder.join(DROP);
    for directory in DIRECTORIES {
        let path = drop.join(directory);
        std::fs::create_dir_all(&path).map_err(|cause| DemoError::File { path, cause })?;
    }
    let key = deliver::generate_key(&folder.join(KEY), "exportd demo")?;
    let key = PublicKey::from_openssh(&key.line).map_err(|error| DemoError::Server(io::Error::other(error)))?;
    let server = Server::start(drop.clone(), key).await.map_err(DemoError::Server)?;

    let config = folder.join("jobs.toml");
    std::fs::write(&config, configuration(&server)?)
        .map_err(|cause| DemoError::File { path: config.clone(), cause })?;
    Ok(Demo { config, drop, server, now: sample::end() + NOON })
}

/// The example with this server in the place of the partner's.
fn configuration(server: &Server) -> Result<String, DemoError> {
    let replaced = [
        ("# dir = ", "dir = \"state\"".to_owned()),
        ("key = ", format!("key = \"{KEY}\"")),
        ("host = ", "host = \"127.0.0.1\"".to_owned()),
        ("port = ", format!("port = {}", server.address.port())),
        ("host_keys = ", format!("host_keys = [\"{}\"]", server.fingerprint)),
    ];
    let mut lines: Vec<String> = EXAMPLE.lines().map(str::to_owned).collect();
    for (start, line) in replaced {
        let place = lines.iter_mut().find(|old| old.starts_with(start)).ok_or(DemoError::Example(start))?;
        *place = line;
    }
    Ok(lines.join("\n") + "\n")
}
