//! What a configuration is read against besides its text.

use std::path::{Path, PathBuf};

/// Values that take the place of what the file says, before any rule is checked.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `[store] url`.
    pub store_url: Option<String>,
    /// `[state] dir`.
    pub state_dir: Option<PathBuf>,
    /// Every job's `host`.
    pub host: Option<String>,
    /// Every job's `port`.
    pub port: Option<u16>,
    /// Every job's `user`.
    pub user: Option<String>,
    /// Every job's `directory`.
    pub directory: Option<String>,
    /// Every job's `key`.
    pub key: Option<PathBuf>,
    /// Every job's trusted keys, as fingerprints in OpenSSH's notation; instead of `host_keys` and `known_hosts`.
    pub host_keys: Option<Vec<String>>,
}

/// What a configuration is read against besides its text.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where relative paths start.
    pub base_dir: PathBuf,
    /// The environment.
    pub variable: fn(&str) -> Option<String>,
    /// What the caller knows better than the file.
    pub overrides: Overrides,
    /// Whether the state folder and the files that are named for later use are looked at too: keys, known_hosts,
    /// certificates, programs. A configuration can be read on a machine that does not hold them, but it can't work there.
    pub looks_around: bool,
}

impl Surroundings {
    /// The process's environment, and relative paths from `base_dir`.
    pub fn new(base_dir: &Path) -> Surroundings {
        let variable = |name: &str| std::env::var(name).ok();
        Surroundings { base_dir: base_dir.to_owned(), variable, overrides: Overrides::default(), looks_around: false }
    }
}
