//! Does the store have what the jobs' exports name, and can it be what the catalogue declares?

use std::collections::BTreeSet;

use crate::cli::output::{self, line};
use crate::config::Config;
use crate::job::JobExport;
use crate::store::{self, DbColumn, Snapshot, StoreError, StoreKind};

/// What a look at the store came to.
pub enum Verdict {
    /// Nothing stands in the way.
    Well,
    /// Something has to be corrected.
    Fault,
    /// The store is out of reach.
    Unreachable,
}

/// Opens the store and looks at every table and column of every job. The error is one of printing.
pub async fn check(config: &Config) -> std::io::Result<Verdict> {
    let mut snapshot = match Snapshot::open(&config.store).await {
        Ok(snapshot) => snapshot,
        Err(error) => {
            line(format!("FAULT  store: {error}"))?;
            return Ok(verdict(&error));
        }
    };
    line("ok     store: opened, read only")?;
    let mut worst = Verdict::Well;
    for job in &config.jobs {
        for export in &job.exports {
            let place = format!("{}, {}", job.label, export.name);
            match look(&mut snapshot, config, export).await {
                Ok(found) => {
                    if !found.report(&place, export.columns.len())? {
                        worst = Verdict::Fault;
                    }
                }
                Err(error) => {
                    line(format!("FAULT  {place}: {error}"))?;
                    worst = verdict(&error);
                }
            }
        }
    }
    snapshot.close().await;
    Ok(worst)
}

fn verdict(error: &StoreError) -> Verdict {
    if error.is_out_of_reach() { Verdict::Unreachable } else { Verdict::Fault }
}

/// What was found about an export whose table and columns are all there.
struct Found {
    hints: Vec<String>,
    misfits: Vec<String>,
}

impl Found {
    /// Prints it. False if something has to be corrected.
    fn report(&self, place: &str, columns: usize) -> std::io::Result<bool> {
        self.misfits.iter().try_for_each(|misfit| line(format!("FAULT  {place}: {misfit}")))?;
        if self.misfits.is_empty() {
            line(format!("ok     {place}: {}", output::plural(columns, "column")))?;
        }
        self.hints.iter().try_for_each(|hint| line(format!("hint   {place}: {hint}")))?;
        Ok(self.misfits.is_empty())
    }
}

async fn look(snapshot: &mut Snapshot, config: &Config, export: &JobExport) -> Result<Found, StoreError> {
    let mut hints = snapshot.prepare(export).await?.hints;
    let there = snapshot.inspect(&export.source).await?;
    let known: BTreeSet<&str> = config
        .catalogue
        .export(&export.name)
        .map(|export| export.columns.iter().map(|column| column.sql_name.as_str()).collect())
        .unwrap_or_default();
    let unknown: Vec<&str> =
        there.iter().map(|column| column.name.as_str()).filter(|name| !known.contains(name)).collect();
    if !unknown.is_empty() {
        hints.push(format!("the catalogue does not know {}, so it is never exported", unknown.join(", ")));
    }
    Ok(Found { hints, misfits: misfits(config.store.kind, export, &there) })
}

/// The columns whose type in the store can't be what the catalogue declares, one sentence each.
fn misfits(kind: StoreKind, export: &JobExport, there: &[DbColumn]) -> Vec<String> {
    let find = |sql_name: &str| there.iter().find(|column| column.name == sql_name);
    export
        .columns
        .iter()
        .filter_map(|column| Some((column, find(&column.sql_name)?)))
        .filter(|(column, found)| !store::can_be(kind, &found.sql_type, column.kind))
        .map(|(column, found)| {
            let (name, declared, sql_type) = (&column.name, column.kind, &found.sql_type);
            format!("column {name} is declared {declared}, but it is {sql_type} in the store, which can't be read so")
        })
        .collect()
}
