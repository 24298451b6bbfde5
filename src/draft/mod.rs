//! Drafts of catalogues: what a database has, written down as TOML for a person to read and correct.
//!
//! Nobody should have to type hundreds of columns, and nobody should let them out unseen either. So a draft lists
//! every table and view, and marks every column that looks personal as sensitive. It loads as it is. Of the
//! rows it is only asked whether they are what their types promise; the draft is text, and whoever asked for it decides
//! where it goes.

mod column;
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

use self::plan::ExportPlan;
use crate::store::{Snapshot, StoreError, StoreKind, StoreSettings};

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
pub struct CatalogueDraft {
    store: StoreKind,
    exports: Vec<ExportPlan>,
}

impl CatalogueDraft {
    /// The catalogue in TOML. `zone` is the one in which times were written that the store keeps without a zone; UTC is
    /// written if it is not known.
    pub fn text(&self, zone: Option<&str>) -> String {
        write::catalogue(self.store, &self.exports, zone)
    }

    /// How many rows the files will have, and where a person has to choose; a sentence each.
    pub fn summary(&self) -> Vec<String> {
        write::summary(&self.exports)
    }

    /// Whether the store keeps times without a zone.
    pub fn has_times_without_zone(&self) -> bool {
        let mut columns =
            self.exports.iter().filter(|export| export.fault.is_none()).flat_map(|export| &export.columns);
        columns.any(|column| column.lacks_zone)
    }
}

/// Drafts a catalogue with an export for every table and view that `settings` lead to.
pub async fn draft(settings: &StoreSettings) -> Result<CatalogueDraft, DraftError> {
    let mut snapshot = Snapshot::open(settings).await?;
    let mut tables = Vec::new();
    for table in snapshot.describe().await? {
        let odd = snapshot.confirm(&table, &column::doubts(settings.kind, &table)).await?;
        tables.push((table, odd));
    }
    snapshot.close().await;
    if tables.is_empty() {
        return Err(DraftError::Empty);
    }
    Ok(CatalogueDraft { store: settings.kind, exports: plan::exports(settings.kind, &tables) })
}
