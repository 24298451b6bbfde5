//! `exportd catalogue`: what jobs can export, what goes out by default, and what is held back and why.

use std::path::Path;

use serde_json::{Value, json};

use crate::catalogue::{Catalogue, Column, Export, Mode};
use crate::config;

use super::args::CatalogueArguments;
use super::configuration;
use super::failure::Failure;
use super::output::{self, Listing};
use super::selection;

/// Lists the exports of the configuration's catalogue, or one export's columns. Without any configuration the
/// built-in catalogue is shown, so that it can be looked at before there is a file.
pub fn catalogue(path: Option<&Path>, options: &CatalogueArguments) -> Result<(), Failure> {
    let catalogue = match config::find_config(path) {
        Err(_) if path.is_none() => Catalogue::contact_centre(),
        _ => configuration::load(path)?.catalogue,
    };
    let exports = chosen(&catalogue, options.export.as_deref())?;
    if options.json {
        return Ok(output::json(&exports.iter().map(|export| to_json(export)).collect::<Vec<_>>())?);
    }
    match options.export {
        Some(_) => Ok(exports.iter().try_for_each(|export| show(export))?),
        None => Ok(list(&exports)?),
    }
}

fn chosen<'a>(catalogue: &'a Catalogue, name: Option<&str>) -> Result<Vec<&'a Export>, Failure> {
    let Some(name) = name else { return Ok(catalogue.exports.iter().collect()) };
    let export = catalogue.export(name).ok_or_else(|| {
        let known = catalogue.exports.iter().map(|export| export.name.as_str());
        Failure::usage(format!("there is no export {name:?}; {}", selection::choices("the catalogue has", name, known)))
    })?;
    Ok(vec![export])
}

fn list(exports: &[&Export]) -> std::io::Result<()> {
    let headings = ["EXPORT", "TITLE", "COVERS", "COLUMNS", "DEFAULT", "SENSITIVE", "ADDITIONAL"];
    let mut listing = Listing::new(&headings).numbers(&[3, 4, 5, 6]);
    for export in exports {
        let count = |wanted: fn(&Column) -> bool| export.columns.iter().filter(|c| wanted(c)).count().to_string();
        listing.row([
            export.name.clone(),
            export.title.clone(),
            covers(export).to_owned(),
            export.columns.len().to_string(),
            count(Column::is_default),
            count(|column| column.sensitive),
            count(|column| column.additional),
        ]);
    }
    listing.print(0)?;
    output::line("\nSensitive and additional columns leave the house only when a job names them.")
}

fn show(export: &Export) -> std::io::Result<()> {
    output::line(format!("{}: {}", export.name, export.title))?;
    output::line(match export.mode {
        Mode::Period => format!("covers a period; filter_by {}", words(export)),
        Mode::Full if export.times.is_empty() => "a full listing".to_owned(),
        Mode::Full => format!("a full listing unless the job gives it a period; filter_by {}", words(export)),
    })?;
    output::line("")?;
    let mut listing = Listing::new(&["COLUMN", "TYPE", "BY DEFAULT", "WHY NOT"]);
    for column in &export.columns {
        let default = if column.is_default() { "goes out" } else { "held back" };
        listing.row([column.name.as_str(), column.kind.name(), default, reason(column)]);
    }
    listing.print(0)
}

fn words(export: &Export) -> String {
    export.times.iter().map(|time| time.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn covers(export: &Export) -> &'static str {
    match export.mode {
        Mode::Period => "a period",
        Mode::Full => "all rows",
    }
}

fn reason(column: &Column) -> &'static str {
    match (column.sensitive, column.additional) {
        (true, true) => "sensitive; filled for some rows only",
        (true, false) => "sensitive",
        (false, true) => "filled for some rows only",
        (false, false) => "",
    }
}

fn to_json(export: &Export) -> Value {
    let columns: Vec<Value> = export.columns.iter().map(column_json).collect();
    let mode = match export.mode {
        Mode::Period => "period",
        Mode::Full => "full",
    };
    json!({ "name": export.name, "title": export.title, "mode": mode, "columns": columns })
}

fn column_json(column: &Column) -> Value {
    json!({
        "name": column.name,
        "type": column.kind.name(),
        "sensitive": column.sensitive,
        "additional": column.additional,
        "default": column.is_default(),
        "group": column.group,
    })
}
