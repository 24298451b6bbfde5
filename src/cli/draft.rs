//! `exportd catalogue draft`: a first catalogue for a database that has none.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::config::check_value;
use crate::draft::{self, DraftError};

use super::args::DraftArguments;
use super::configuration;
use super::failure::Failure;
use super::output;
use super::sample;

/// Writes the draft to standard output or to a file that does not exist yet.
pub async fn draft(path: Option<&Path>, options: &DraftArguments) -> Result<(), Failure> {
    if let Some(output) = &options.output
        && output.symlink_metadata().is_ok()
    {
        return Err(exists(output));
    }
    let settings = match &options.store {
        Some(url) => sample::settings(url)?,
        None => configuration::load(path)?.store,
    };
    if let Some(zone) = &options.zone {
        check_value("[[job]]", "timezone", zone.as_str())
            .map_err(|fault| Failure::usage(format!("--zone: {fault}")))?;
    }
    let draft = draft::draft(&settings).await.map_err(|error| match error {
        DraftError::Store(error) => Failure::unreachable(error),
        DraftError::Empty => Failure::work(error),
    })?;
    let text = draft.text(options.zone.as_deref());
    match &options.output {
        Some(output) => {
            write_new(output, &text)?;
            draft.summary().iter().for_each(|line| output::say(line));
            Ok(())
        }
        None => Ok(std::io::stdout().write_all(text.as_bytes())?),
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => Failure::work(format!("can't write {}: {error}", path.display())),
    })
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("{} exists already and is not overwritten; give the draft another name", path.display()))
}
