//! Drafts of catalogues: what a database has, written down as TOML for a person to read and correct.
//!
//! Nobody should have to type hundreds of columns, and nobody should let them out unseen either. So a draft lists
//! every table and view, and marks every column that looks personal as sensitive. It loads as it is. Only the
//! database's own catalogue is read, no row; the draft is text, and whoever asked for it decides where it goes.

mod dictionary;
mod personal;
mod plan;
mod reason;
mod spelling;
mod sql_type;
mod subject;
mod times;
mod toml_text;
mod words;
mod write;

use crate::store::{Snapshot, StoreError, StoreSettings};

/// Why no draft could be made.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The database could not be opened or asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to list.
    #[error("the store has no table or view that this role may read; grant SELECT on some, or name another database")]
    Empty,
}

/// A draft, and what a person should know of it before they read it.
#[derive(Debug)]
pub struct Draft {
    /// The catalogue in TOML.
    pub text: String,
    /// How many rows its files will have, and where a person has to choose; a sentence or two each.
    pub summary: Vec<String>,
}

/// Drafts a catalogue with an export for every table and view that `settings` lead to.
pub async fn draft(settings: &StoreSettings) -> Result<Draft, DraftError> {
    let mut snapshot = Snapshot::open(settings).await?;
    let tables = snapshot.describe().await?;
    snapshot.close().await;
    if tables.is_empty() {
        return Err(DraftError::Empty);
    }
    let exports = plan::exports(&tables);
    Ok(Draft { text: write::catalogue(settings.kind, &exports), summary: write::summary(&exports) })
}
