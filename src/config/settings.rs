//! What a configuration says besides its jobs, and what another one says otherwise: for the report of a reload.
//!
//! Values are kept as digests, in memory only: some are secrets, and nothing but a difference is ever told of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::table::Table;
use crate::catalogue::Catalogue;
use crate::notify::Notify;
use crate::store::StoreSettings;

/// The tables whose keys are compared.
const TABLES: [&str; 4] = ["store", "state", "notify", "defaults"];

/// What stands in the place of a table for exports of catalogues.
const CATALOGUE: &str = "catalogue";

/// The one key that a running daemon can't take over.
const AT_START: (&str, &str) = ("state", "dir");

/// What a configuration says besides its jobs: by table and key, or export, the digest of the value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneralSettings(BTreeMap<(&'static str, String), [u8; 32]>);

/// A table in which something is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingsChange {
    /// Its name; `catalogue` for exports of catalogues.
    pub table: &'static str,
    /// The keys whose values are others, or the exports.
    pub keys: Vec<String>,
    /// Whether a running daemon goes by the new values; otherwise by the old ones until it is started again.
    pub in_force: bool,
}

impl GeneralSettings {
    /// The settings of a document. What references to secrets lead to comes from `store` and `notify`.
    pub(super) fn read(
        root: &Table<'_>,
        store: Option<&StoreSettings>,
        notify: Option<&Notify>,
        catalogue: &Catalogue,
    ) -> GeneralSettings {
        let mut settings = GeneralSettings::default();
        for name in TABLES {
            let table = root.get(name).and_then(|item| item.as_table());
            for (_, item) in table.iter().flat_map(Table::entries) {
                settings.add(name, item.key, &item.plain());
            }
        }
        if let Some(store) = store {
            settings.add("store", "url", store.url.expose());
        }
        if let Some(url) = notify.and_then(|notify| notify.url.as_ref()) {
            settings.add("notify", "url", url.expose());
        }
        for (name, value) in notify.iter().flat_map(|notify| &notify.headers) {
            let key = if name == "Authorization" { "bearer" } else { "headers" };
            settings.add("notify", key, &format!("{name}: {}", value.expose()));
        }
        for export in &catalogue.exports {
            settings.add(CATALOGUE, &export.name, &format!("{export:?}"));
        }
        settings
    }

    /// Adds `value` to what is known of a key.
    fn add(&mut self, table: &'static str, key: &str, value: &str) {
        let known = self.0.entry((table, key.to_owned())).or_default();
        *known = Sha256::new().chain_update(*known).chain_update(value).finalize().into();
    }

    /// What `next` says otherwise, by table.
    pub fn changes(&self, next: &GeneralSettings) -> Vec<SettingsChange> {
        let all: BTreeSet<&(&str, String)> = self.0.keys().chain(next.0.keys()).collect();
        let mut changes: Vec<SettingsChange> = Vec::new();
        for place in all.into_iter().filter(|place| self.0.get(*place) != next.0.get(*place)) {
            let (table, key) = (place.0, place.1.clone());
            let in_force = (table, key.as_str()) != AT_START;
            match changes.iter_mut().find(|change| change.table == table && change.in_force == in_force) {
                Some(change) => change.keys.push(key),
                None => changes.push(SettingsChange { table, keys: vec![key], in_force }),
            }
        }
        changes
    }

    /// These settings as far as a daemon that was started with `before` can take them over.
    pub fn taken_over(&self, before: &GeneralSettings) -> GeneralSettings {
        let key = (AT_START.0, AT_START.1.to_owned());
        let mut taken = self.clone();
        match before.0.get(&key) {
            Some(kept) => taken.0.insert(key, *kept),
            None => taken.0.remove(&key),
        };
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, Surroundings};
    use super::*;

    fn settings(text: &str, variable: fn(&str) -> Option<String>) -> GeneralSettings {
        let surroundings = Surroundings { variable, ..Surroundings::new(Path::new("/etc")) };
        Config::parse_with(text, Path::new("jobs.toml"), &surroundings)
            .unwrap_or_else(|faults| panic!("{faults}"))
            .settings
    }

    fn told(before: &GeneralSettings, after: &GeneralSettings) -> String {
        let each = before.changes(after).into_iter().map(|change| {
            format!("{} {}{}", change.table, change.keys.join(","), if change.in_force { "" } else { " later" })
        });
        each.collect::<Vec<_>>().join("; ")
    }

    const FIRST: &str = "[store]\nurl = { env = \"A\" }\ntimeout = \"1h\"\n[state]\ndir = \"/s\"\nkeep = \"1d\"\n[notify]\n\
                         command = [\"x\"]\nbearer = \"b\"\n[notify.headers]\nX-A = \"1\"\n[defaults]\nat = \"04:00\"\n\
                         [defaults.retry]\nfor = \"1d\"\n";

    #[test]
    fn what_is_said_otherwise_is_told_by_table_and_key() {
        let variable = |_: &str| Some("sqlite:/x".to_owned());
        let first = settings(FIRST, variable);
        let same = FIRST.replace("dir = \"/s\"", "# where it is\ndir   = '/s'").replace("{ env = \"A\" }", "{env='A'}");
        assert_eq!(told(&first, &settings(&same, variable)), "");
        for (old, new, changed) in [
            ("timeout = \"1h\"\n", "", "store timeout"),
            ("[state]", "ca = \"/ca.pem\"\n[state]", "store ca"),
            ("\"/s\"", "\"/t\"", "state dir later"),
            ("\"1d\"\n[notify]", "\"2d\"\n[notify]", "state keep"),
            ("\"x\"", "\"y\"", "notify command"),
            ("bearer = \"b\"", "bearer = \"c\"", "notify bearer"),
            ("X-A = \"1\"", "X-A = \"2\"", "notify headers"),
            ("\"04:00\"", "\"05:00\"", "defaults at"),
            ("for = \"1d\"", "for = \"2d\"", "defaults retry"),
            ("[store]", "[catalogue]\nfiles = []\n[store]", "catalogue "),
        ] {
            let next = settings(&FIRST.replace(old, new), variable);
            assert!(told(&first, &next).starts_with(changed), "{changed}: {}", told(&first, &next));
            assert!(first.changes(&next).len() == 1, "{}", told(&first, &next));
        }
        let rotated = settings(FIRST, |_| Some("sqlite:/y".to_owned()));
        assert_eq!(told(&first, &rotated), "store url", "what a reference leads to");
    }

    #[test]
    fn another_state_folder_stays_another_until_a_restart() {
        let variable = |_: &str| Some("sqlite:/x".to_owned());
        let (first, next) = (settings(FIRST, variable), settings(&FIRST.replace("\"/s\"", "\"/t\""), variable));
        let taken = next.taken_over(&first);
        assert_eq!((told(&taken, &next).as_str(), told(&taken, &first).as_str()), ("state dir later", ""));
    }
}
