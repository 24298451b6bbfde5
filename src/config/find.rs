//! Which file is the configuration.

use std::path::{Path, PathBuf};

use super::fault::{Fault, Faults};
use crate::access::{self, Denied, is_there};

const HERE: &str = "jobs.toml";
const SHARED: &str = "/etc/exportd/jobs.toml";

/// The configuration to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// What to tell whoever may have meant another one; only if nobody has named it.
    pub note: Option<String>,
}

/// The configuration to use: `flag`, else `$EXPORTD_CONFIG`, else `./jobs.toml`, else `/etc/exportd/jobs.toml`.
///
/// What is named is not looked for. A file that is there and may not be read is the one to use, and reading it says whose
/// it is. A fault says that nothing is named and neither usual file exists.
pub fn find_config(flag: Option<&Path>) -> Result<Found, Faults> {
    let variable = || std::env::var_os("EXPORTD_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(path) = flag.map(Path::to_owned).or_else(variable) {
        return Ok(Found { path, note: None });
    }
    // A folder that may not be entered, such as the home from which `sudo` was called, says nothing of what is in it.
    let closed = Path::new(HERE).symlink_metadata().err().filter(access::is_denied);
    let closed = closed.map(|_| Denied::at(Path::new(HERE)).what());
    match (closed, is_there(Path::new(HERE)), is_there(Path::new(SHARED))) {
        (Some(closed), _, true) => {
            let note = format!("using {SHARED}: {closed}, so no {HERE} was looked for there");
            Ok(Found { path: SHARED.into(), note: Some(note) })
        }
        (Some(closed), _, false) => {
            let fault = Fault::new(format!("no {HERE} can be looked for here: {closed}; and there is no {SHARED}"));
            Err(Faults::of_file(HERE, fault.help("name the configuration with --config")))
        }
        (None, true, other) => {
            let whole = std::path::absolute(HERE).unwrap_or_else(|_| HERE.into());
            let note = other
                .then(|| format!("using {} and not /etc/exportd/jobs.toml; --config names another", whole.display()));
            Ok(Found { path: HERE.into(), note })
        }
        (None, false, true) => Ok(Found { path: SHARED.into(), note: None }),
        (None, false, false) => {
            let fault = Fault::new("there is no configuration here, nor /etc/exportd/jobs.toml");
            Err(Faults::of_file(HERE, fault.help("name one with --config, or make one with `exportd init`")))
        }
    }
}
