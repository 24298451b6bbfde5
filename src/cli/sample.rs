//! `exportd sample`: fills an empty database with the contact-centre sample store.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use crate::sample::{self, SampleError, SampleOptions};
use crate::secret::Secret;
use crate::store::{MAX_CELL, StoreKind, StoreSettings};

use super::args::SampleArguments;
use super::failure::Failure;
use super::output;

/// Creates tables, views and data, and says what there is.
pub async fn sample(options: SampleArguments) -> Result<(), Failure> {
    let settings = settings(&options.store)?;
    let started = Timestamp::now();
    let bar = bar();
    let wanted = SampleOptions { messages: options.messages, seed: options.seed };
    let summary = sample::fill(&settings, wanted, &|progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(progress.table.to_owned());
    })
    .await
    .map_err(failure)?;
    bar.finish_and_clear();
    output::line(format!(
        "{} in {}, {}",
        output::plural(summary.rows() as usize, "row"),
        output::plural(summary.tables.len(), "table"),
        output::elapsed(started, Timestamp::now())
    ))?;
    Ok(())
}

fn failure(error: SampleError) -> Failure {
    match error {
        SampleError::Url { .. } | SampleError::NoFolder { .. } | SampleError::NotEmpty { .. } => Failure::usage(error),
        SampleError::Connect { .. } => Failure::unreachable(error),
        SampleError::Refused { .. } | SampleError::Stopped => Failure::work(error),
    }
}

/// How to reach the database that a person named on the command line.
pub fn settings(url: &str) -> Result<StoreSettings, Failure> {
    let kind = StoreKind::of_url(url).ok_or_else(|| {
        Failure::usage("--store takes sqlite:PATH, postgres://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE")
    })?;
    Ok(StoreSettings {
        kind,
        url: Secret::new(url),
        statement_timeout: Duration::from_secs(3600),
        ca: None,
        row_security: None,
        max_cell: MAX_CELL,
    })
}

/// A bar on a terminal, nothing elsewhere.
pub fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {human_pos:>11} of {human_len} rows  {msg}")
        .expect("the template is a constant that a test renders");
    ProgressBar::new(0).with_style(style)
}
