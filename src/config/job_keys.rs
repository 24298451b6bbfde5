//! What a job says: its own table, and what it takes over from `[defaults]`.

use super::table::{Item, Table};

/// The keys of a job, and behind them those of `[defaults]`.
#[derive(Debug)]
pub(super) struct JobKeys<'a> {
    /// The job's own table.
    pub(super) own: Table<'a>,
    /// `[defaults]`, if there is such a table.
    pub(super) defaults: Option<&'a Table<'a>>,
}

impl<'a> JobKeys<'a> {
    /// The job's own item, else the default.
    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        self.own.get(key).or_else(|| self.defaults?.get(key))
    }

    /// The same; reports that the key is missing, with an example of what to write.
    pub(super) fn require(&self, key: &str, example: &str) -> Option<Item<'a>> {
        self.get(key).or_else(|| self.own.require(key, example))
    }

    /// A flag that is off unless it is given.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.get(key).map_or(Some(false), |item| item.flag())
    }
}
