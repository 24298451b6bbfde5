//! `exportd check`: is the configuration right, and, with `--connect`, are store and destinations reachable and usable?

mod destination;
mod finding;
mod foreign;
mod hints;
mod store;
mod summary;

use std::path::Path;

use serde_json::{Value, json};

use crate::config::Config;
use crate::job::{Job, JobExport};
use crate::words::Words;

use super::args::CheckArguments;
use super::configuration;
use super::failure::Failure;
use super::output::{self, line};
use destination::Looked;
use finding::{Finding, is_well};
use store::StoreLook;

/// Reports all faults of the configuration, or what it would do; then tries the connections if asked to.
pub async fn check(path: Option<&Path>, options: CheckArguments) -> Result<(), Failure> {
    let path = configuration::find(path)?;
    let config = Config::check(&path).map_err(|faults| configuration::failure(&faults))?;
    if options.json {
        return check_json(&config, options.connect).await;
    }
    line(format!("Configuration: {}\n", std::path::absolute(&path).unwrap_or(path).display()))?;
    summary::print(&config)?;
    let hints = hints::look(&config);
    if !hints.is_empty() {
        line("")?;
        hints.iter().try_for_each(Finding::print)?;
    }
    if !options.connect {
        line(
            "\nThe configuration is valid, and its keys and secrets can be read.\n\
             Nothing was connected to; --connect also tries the store and the destinations.",
        )?;
        return Ok(());
    }
    line("")?;
    let store = store::look(&config).await;
    store.findings.iter().try_for_each(Finding::print)?;
    let destinations = destination::look(&config).await;
    destinations.iter().flat_map(|looked| &looked.findings).try_for_each(Finding::print)?;
    verdict(&store, &destinations)?;
    Ok(line("\nAll is well.")?)
}

/// The same for programs: hints about the configuration, and what was found at the store and at each destination, or
/// null if nothing was connected to.
async fn check_json(config: &Config, connect: bool) -> Result<(), Failure> {
    let jobs: Vec<&str> = config.jobs.iter().map(|job| job.label.as_str()).collect();
    let exports: Vec<Value> =
        config.jobs.iter().flat_map(|job| job.exports.iter().map(|export| to_json(job, export))).collect();
    let configuration = json!({ "findings": hints::look(config) });
    let mut shown = json!({ "jobs": jobs, "exports": exports, "configuration": configuration });
    if !connect {
        (shown["store"], shown["destinations"]) = (Value::Null, Value::Null);
        return Ok(output::json(&shown)?);
    }
    let (store, destinations) = (store::look(config).await, destination::look(config).await);
    shown["store"] = json!({ "findings": store.findings });
    shown["destinations"] = destinations.iter().map(Looked::json).collect();
    output::json(&shown)?;
    verdict(&store, &destinations)
}

/// An export and the period that it covers, null for all rows.
fn to_json(job: &Job, export: &JobExport) -> Value {
    let period = export.filter.is_some().then(|| export.period.word());
    json!({ "job": job.label, "name": export.name, "period": period })
}

/// An error, with nothing left to say, if something has to be corrected.
fn verdict(store: &StoreLook, destinations: &[Looked]) -> Result<(), Failure> {
    if store.is_out_of_reach {
        return Err(Failure { code: 3, text: String::new() });
    }
    let is_well = is_well(&store.findings) && destinations.iter().all(|looked| is_well(&looked.findings));
    if is_well { Ok(()) } else { Err(Failure::reported()) }
}
