//! The configuration that a command works with. Whatever is wrong with it is a usage failure.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::config::{self, Config, Faults, StateFolder};
use crate::tuning::Tuning;

use super::failure::Failure;
use super::output;

/// The file of the configuration, which `--config`, the environment or the usual places name. Says which one it is where
/// another could be meant.
pub fn find(path: Option<&Path>) -> Result<PathBuf, Failure> {
    let found = config::find_config(path).map_err(|faults| failure(&faults))?;
    if let Some(note) = &found.note {
        output::say(note);
    }
    Ok(found.path)
}

/// The configuration, read and checked.
pub fn load(path: Option<&Path>) -> Result<Config, Failure> {
    let path = find(path)?;
    Config::load(&path).map_err(|faults| failure(&faults))
}

/// The tuning that the environment names.
pub fn tuning() -> Result<Tuning, Failure> {
    Tuning::of_environment().map_err(Failure::usage)
}

/// The state folder, for commands that look at the past: whoever may read it need not know the store's password, and what
/// has happened can be told whatever is wrong with the file now.
pub fn state_folder(path: Option<&Path>) -> Result<StateFolder, Failure> {
    let path = find(path)?;
    config::state_folder(&path).map_err(|faults| failure(&faults))
}

/// The state folder by a file without faults, as far as it is read for that.
pub fn state_dir(path: Option<&Path>) -> Result<PathBuf, Failure> {
    let StateFolder { dir, faults } = state_folder(path)?;
    faults.map_or(Ok(dir), |faults| Err(failure(&faults)))
}

/// Says on standard error, after a command has done its work, what is wrong with the file.
pub fn tell_faults(folder: &StateFolder) {
    if let Some(faults) = &folder.faults {
        output::say(&format!("\nThe configuration has a fault, which changed nothing here:\n{}", failure(faults).text));
    }
}

/// All faults of a configuration, each with its place and remedy.
pub fn failure(faults: &Faults) -> Failure {
    let is_terminal = std::io::stderr().is_terminal();
    let colour = is_terminal && std::env::var_os("NO_COLOR").is_none();
    Failure::usage(faults.render(colour, output::width()))
}
