//! The sample store: a contact centre made up from a seed, in SQLite, PostgreSQL or MySQL.
//!
//! It shows every export of the built-in catalogue with nothing installed, and holds the rows that careless exports
//! get wrong. The same seed and size give the same data in every database and on every day. The database must be
//! empty; when filling it fails, it is left as it was found.

mod calendar;
mod conversation;
mod load;
mod pattern;
mod people;
mod random;
mod row;
mod schema;
mod tables;
mod texts;
mod world;

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use crate::store::{StoreKind, StoreSettings};
use world::World;

pub use people::names;

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleOptions {
    /// How many messages there shall be; everything else grows with them. At least 800 are made, because fewer have no
    /// room for the rows that every sample holds.
    pub messages: u64,
    /// What tells this sample's data from that of other seeds.
    pub seed: u64,
}

impl Default for SampleOptions {
    fn default() -> SampleOptions {
        SampleOptions { messages: 20_000, seed: 1 }
    }
}

/// How far a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableProgress {
    /// The table that is being filled.
    pub table: &'static str,
    /// Steps done. A step is a row, or for tables that link two others, the rows of one owner.
    pub done: u64,
    /// Steps in all.
    pub total: u64,
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The rows of each table, in the order in which they were filled.
    pub tables: Vec<(&'static str, u64)>,
}

impl Summary {
    /// The rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }
}

/// Why a sample could not be made. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The URL can't be understood.
    #[error(
        "the store's URL can't be used: {cause}; write sqlite:PATH, postgres://HOST/DATABASE or mysql://HOST/DATABASE"
    )]
    Url {
        /// What is wrong with it.
        cause: String,
    },
    /// The folder that the file is to be in does not exist.
    #[error("the folder {} does not exist; create it, or name another file", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// There is something in the database already.
    #[error("the database is not empty, it has {found}; the sample store is only put into an empty one")]
    NotEmpty {
        /// A table or view that it has.
        found: String,
    },
    /// The database can't be reached or opened.
    #[error("the database can't be opened: {cause}; check that it is running and that the URL is right")]
    Connect {
        /// What the driver says.
        cause: String,
    },
    /// The database refused a part of the sample.
    #[error("the database refused {what}: {cause}; nothing was kept")]
    Refused {
        /// The part.
        what: String,
        /// What the database says.
        cause: String,
    },
    /// Nobody waits for the sample any more.
    #[error("filling the sample store was stopped")]
    Stopped,
}

/// The end of the months that the sample covers.
pub fn end() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_micros(calendar::Moment::midnight(calendar::END_DAY).0)
}

/// Fills the empty database that `settings` names with a sample, and tells `progress` on the way.
pub async fn fill(
    settings: &StoreSettings,
    options: SampleOptions,
    progress: &(dyn Fn(TableProgress) + Send + Sync),
) -> Result<Summary, SampleError> {
    let world = World::new(options.seed, options.messages);
    match settings.kind {
        StoreKind::Sqlite => load::sqlite::fill(settings, world, progress).await,
        StoreKind::Postgres => load::postgres::fill(settings, world, progress).await,
        StoreKind::Mysql => load::mysql::fill(settings, world, progress).await,
    }
}
