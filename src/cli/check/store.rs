//! Does the store have what the jobs' exports name, and can it be what the catalogue declares?

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use super::finding::{Finding, Level};
use crate::cli::output;
use crate::config::Config;
use crate::job::JobExport;
use crate::store::{self, DbColumn, Prepared, Remarks, Snapshot, StoreError, StoreKind};

/// What a look at the store came to.
pub struct StoreLook {
    /// What there is to say about it and about every export of every job.
    pub findings: Vec<Finding>,
    /// It can't be reached.
    pub is_out_of_reach: bool,
}

/// Opens the store and looks at every table and column of every job.
pub async fn look(config: &Config) -> StoreLook {
    let fault = |place: &str, error: &StoreError| Finding::new(Level::Fault, place, error.to_string());
    let mut snapshot = match Snapshot::open(&config.store).await {
        Ok(snapshot) => snapshot,
        Err(error) => {
            return StoreLook { findings: vec![fault("store", &error)], is_out_of_reach: error.is_out_of_reach() };
        }
    };
    let mut findings = vec![Finding::new(Level::Ok, "store", "opened, read only")];
    let mut is_out_of_reach = false;
    let mut times = Times::default();
    match snapshot.remarks().await {
        Ok(Remarks { hints, warnings }) => {
            findings.extend(warnings.into_iter().chain(hints).map(|text| Finding::new(Level::Hint, "store", text)));
        }
        Err(error) => findings.push(fault("store", &error)),
    }
    for job in &config.jobs {
        for export in &job.exports {
            let place = format!("{}, {}", job.label, export.name);
            match look_at(&mut snapshot, config, export, &mut times).await {
                Ok(found) => findings.extend(found.findings(&place, export.columns.len())),
                Err(error) => {
                    findings.push(fault(&place, &error));
                    is_out_of_reach |= error.is_out_of_reach();
                }
            }
        }
    }
    snapshot.close().await;
    StoreLook { findings, is_out_of_reach }
}

/// What was found about an export whose table and columns are all there.
struct Found {
    hints: Vec<String>,
    misfits: Vec<String>,
}

impl Found {
    fn findings(self, place: &str, columns: usize) -> Vec<Finding> {
        let well = self.misfits.is_empty().then(|| Finding::new(Level::Ok, place, output::plural(columns, "column")));
        let misfits = self.misfits.into_iter().map(|text| Finding::new(Level::Fault, place, text));
        let hints = self.hints.into_iter().map(|text| Finding::new(Level::Hint, place, text));
        misfits.chain(well).chain(hints).collect()
    }
}

/// What was found about the times of an export, by its name and the columns that were looked at: many jobs may ask, and
/// the look may read all rows.
type Times = HashMap<(String, String), Vec<String>>;

async fn look_at(
    snapshot: &mut Snapshot,
    config: &Config,
    export: &JobExport,
    times: &mut Times,
) -> Result<Found, StoreError> {
    let prepared = snapshot.prepare(export).await?;
    let columns = match &export.filter {
        Some(time) => time.column.sql_name.clone(),
        None => export.columns.iter().map(|column| column.sql_name.as_str()).collect::<Vec<_>>().join(","),
    };
    let of_times = match times.entry((export.name.clone(), columns)) {
        Entry::Occupied(known) => known.get().clone(),
        Entry::Vacant(new) => {
            let mut found = snapshot.check_listed(&prepared).await?;
            found.extend(snapshot.check_times(&prepared).await?);
            new.insert(found).clone()
        }
    };
    let Prepared { mut hints, warnings, .. } = prepared;
    hints.splice(0..0, warnings.into_iter().chain(of_times));
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
