//! `exportd check`: is the configuration right, and with `--connect`, do store and destinations play along?

mod destination;
mod store;
mod summary;

use std::path::Path;

use crate::config::{self, Config};

use super::args::CheckArguments;
use super::failure::Failure;
use super::output::line;
use store::Verdict;

/// Reports all faults of the configuration, or what it would do; then tries the connections if asked to.
pub async fn check(path: Option<&Path>, options: CheckArguments) -> Result<(), Failure> {
    let path = config::find_config(path).map_err(|faults| super::report(&faults))?;
    let config = Config::check(&path).map_err(|faults| super::report(&faults))?;
    summary::print(&config)?;
    if !options.connect {
        line(
            "\nThe configuration is valid, and its keys and secrets can be read. Nothing was connected to; --connect also\n\
             tries the store and the destinations.",
        )?;
        return Ok(());
    }
    line("")?;
    let store = store::check(&config).await?;
    let destinations = destination::check(&config).await?;
    match (store, destinations) {
        (Verdict::Well, true) => Ok(line("\nAll is well.")?),
        (Verdict::Unreachable, _) => Err(Failure { code: 3, text: String::new() }),
        _ => Err(Failure::reported()),
    }
}
