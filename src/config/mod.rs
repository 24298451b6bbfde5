//! Configuration: text becomes jobs that are valid by construction, or a list of all its faults.
//!
//! A fault that is found here can't wake anybody at night: every rule that can be checked without the network is
//! checked before anything runs. Nothing is substituted in the text; secrets are references that stand as values.

mod authorities;
mod catalogue;
mod context;
mod destination;
mod exports;
mod fault;
mod find;
mod format;
#[cfg(test)]
mod fuzz;
mod guess;
mod job;
mod job_keys;
mod key_file;
mod keys;
mod language;
mod notify;
mod one;
mod paths;
mod pieces;
mod program;
mod reason;
#[cfg(test)]
mod reference;
mod render;
mod rules;
mod schedule;
pub mod schema;
mod secret;
mod settings;
mod sources;
mod state_folder;
mod store;
mod surroundings;
mod table;
mod template;
mod unreadable;
mod zone;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::catalogue::builtin;
use self::context::Context;
pub use self::destination::host_key_pin;
pub use self::fault::{Fault, Faults};
use self::fault::{File, Report};
pub use self::find::{Found, find_config};
pub use self::guess::nearest;
pub use self::one::check_value;
use self::pieces::{Inseparable, Piece};
pub use self::settings::{GeneralSettings, SettingsChange};
pub use self::state_folder::of_another as state_of_another;
pub use self::surroundings::{Overrides, Surroundings};
pub use self::zone::remark as zone_remark;
use crate::access;
use crate::catalogue::Catalogue;
use crate::job::{Job, job_key};
use crate::notify::Notify;
use crate::store::StoreSettings;

/// A configuration that was checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// How to reach the store.
    pub store: StoreSettings,
    /// The folder of the daemon's database and spool.
    pub state_dir: PathBuf,
    /// How long files stay in the spool after their run has ended; zero: they leave with it.
    pub keep: Duration,
    /// How long past runs are kept in the history; none for ever.
    pub history: Option<Duration>,
    /// The exports that jobs can name.
    pub catalogue: Catalogue,
    /// Who is told of failures; nobody if there is no `[notify]`.
    pub notify: Option<Notify>,
    /// SHA-256 of the file and of the catalogues that it names, one after the other in their order, in lower-case
    /// hexadecimal: what `cat jobs.toml catalogue/*.toml | sha256sum` prints.
    ///
    /// Files that are read again whenever they are needed (keys, known_hosts, certificates) are not part of it: a change
    /// of them needs no reload. Nor are secrets, which a digest beside known text would let others guess.
    pub digest: String,
    /// What is said besides jobs, to tell what another configuration says otherwise.
    pub settings: GeneralSettings,
    /// The jobs, in the order of the file. Labels are unique without regard to case.
    pub jobs: Vec<Job>,
}

impl Config {
    /// Reads and checks the file at `path`. Relative paths in it start at its folder.
    pub fn load(path: &Path) -> Result<Config, Faults> {
        Config::load_with(path, Overrides::default())
    }

    /// The same with some values replaced.
    pub fn load_with(path: &Path, overrides: Overrides) -> Result<Config, Faults> {
        let (text, base_dir) = sources::read_text(path)?;
        Config::parse_with(&text, path, &Surroundings { overrides, ..Surroundings::new(&base_dir) })
    }

    /// Reads and checks the file at `path`, and looks at what it names on this machine: whether it can work here.
    pub fn check(path: &Path) -> Result<Config, Faults> {
        let (text, base_dir) = sources::read_text(path)?;
        Config::parse_with(&text, path, &Surroundings { looks_around: true, ..Surroundings::new(&base_dir) })
    }

    /// Checks `text`. `path` is what faults call it; relative paths start at `base_dir`.
    pub fn parse(text: &str, path: &Path, base_dir: &Path) -> Result<Config, Faults> {
        Config::parse_with(text, path, &Surroundings::new(base_dir))
    }

    /// Checks `text` against `surroundings`.
    pub fn parse_with(text: &str, path: &Path, surroundings: &Surroundings) -> Result<Config, Faults> {
        let in_pieces = Config::parse_pieces(text, &pieces::cut(text), path, surroundings);
        let whole = |_| Config::parse_pieces(text, &[], path, surroundings);
        in_pieces.or_else(whole).expect("what is not cut is never inseparable")
    }

    /// The same piece by piece; as a whole, if there are none.
    fn parse_pieces(
        text: &str,
        pieces: &[Range<usize>],
        path: &Path,
        surroundings: &Surroundings,
    ) -> Result<Result<Config, Faults>, Inseparable> {
        let report = Report::default();
        let config = {
            let file = report.open(path.display().to_string(), text.into(), true);
            let (config, placed) = read(&file, pieces, &report, surroundings)?;
            rules::check_labels(&file, &placed);
            rules::check_paths(&file, &placed);
            if let Some(config) = &config {
                rules::check_folders(&file, &placed, &config.state_dir);
            }
            let jobs = placed.into_iter().map(|placed| placed.job).collect();
            config.map(|config| Config { digest: report.digest(), jobs, ..config })
        };
        Ok(report.finish(config))
    }

    /// The job called `label`, without regard to case.
    pub fn job(&self, label: &str) -> Option<&Job> {
        let key = job_key(label);
        self.jobs.iter().find(|job| job_key(&job.label) == key)
    }
}

/// Where state is, by a file that may have faults.
#[derive(Clone, Debug)]
pub struct StateFolder {
    /// The folder.
    pub dir: PathBuf,
    /// What is wrong with the file, as far as it was read.
    pub faults: Option<Faults>,
}

/// The state folder that the file at `path` names, for commands that need nothing else of it: the rest of the file
/// is not checked and no secret is read.
///
/// # Errors
/// The faults of a file that does not tell where state is, and there is none in the usual place either.
pub fn state_folder(path: &Path) -> Result<StateFolder, Faults> {
    let (text, base_dir) = sources::read_text(path)?;
    let report = Report::default();
    let (state, named) = {
        let file = report.open(path.display().to_string(), text.into(), true);
        let document = Piece::whole(&file);
        let surroundings = Surroundings::new(&base_dir);
        let context = Context::new(&surroundings, Catalogue::default(), false);
        let named = Piece::state(&file).and_then(|piece| store::named_state_dir(&piece.root(), &context));
        (store::read_state(&document.root(), &context), named)
    };
    let faults = match report.finish(state) {
        Ok(state) => return Ok(StateFolder { dir: state.dir, faults: None }),
        Err(faults) => faults,
    };
    let usual = || Some(store::usual_state_dir(|name| std::env::var(name).ok()));
    match named.or_else(|| usual().filter(|dir| access::is_there(&dir.join("state.db")))) {
        Some(dir) => Ok(StateFolder { dir, faults: Some(faults) }),
        None => Err(faults),
    }
}

/// The configuration without its jobs, and these with their places, as far as they could be read.
fn read(
    file: &File<'_>,
    pieces: &[Range<usize>],
    report: &Report,
    surroundings: &Surroundings,
) -> Result<(Option<Config>, Vec<job::Placed>), Inseparable> {
    let first = match pieces.first() {
        Some(first) => Piece::first(file, first)?,
        None => Piece::whole(file),
    };
    let root = first.root();
    root.refuse_unknown(&keys::ROOT);
    let (catalogue, catalogue_is_whole) = sources::read_catalogue(&root, report, surroundings);
    let context = Context::new(surroundings, catalogue, catalogue_is_whole);
    let store = store::read_store(&root, &context);
    let state = store::read_state(&root, &context);
    let notify = notify::read(&root, &context);
    let defaults = match root.get("defaults") {
        Some(item) => item.table("[defaults]"),
        None => None,
    };
    if let Some(defaults) = &defaults {
        job::check_defaults(defaults);
    }
    let mut placed = job::read_all(&root, defaults.as_ref(), &context);
    for piece in pieces.iter().skip(1) {
        // Dropped with its tree before the next one is parsed.
        let piece = Piece::later(file, piece)?;
        placed.extend(job::read_all(&piece.root(), defaults.as_ref(), &context));
    }
    let told = notify.as_ref().and_then(Option::as_ref);
    let settings = GeneralSettings::read(&root, store.as_ref(), told, &context.catalogue);
    let (catalogue, digest, jobs) = (context.catalogue, String::new(), Vec::new());
    let config = match (store, state, notify) {
        (Some(store), Some(state), Some(notify)) => {
            let store::StateTable { dir: state_dir, keep, history } = state;
            Some(Config { store, state_dir, keep, history, catalogue, notify, digest, settings, jobs })
        }
        _ => None,
    };
    Ok((config, placed))
}

/// The digest of the configuration at `path` as it is now, whatever is in its files: see [`Config::digest`].
///
/// # Errors
/// One of the files can't be read.
pub fn digest_of(path: &Path) -> io::Result<String> {
    let text = std::fs::read_to_string(path)?;
    let report = Report::default();
    let file = report.open(path.display().to_string(), text.into(), true);
    // Most often the trees of thousands of jobs need not be made to find the catalogues.
    let first = pieces::cut(&file.text).first().cloned().unwrap_or_default();
    let is_all_said = !file.text[first.end..].contains("catalogue");
    let start = if is_all_said { Piece::first(&file, &first).ok() } else { None };
    let document = start.unwrap_or_else(|| Piece::whole(&file));
    let base_dir = std::path::absolute(path)?.parent().unwrap_or(Path::new("/")).to_owned();
    sources::open_catalogues(&document.root(), &report, &base_dir)?;
    Ok(report.digest())
}
