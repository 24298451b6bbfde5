//! What a job exports: which exports of the catalogue, with which columns, over which period.

use std::sync::Arc;

use super::context::Context;
use super::fault::Fault;
use super::guess::{nearest, suggest};
use super::job_keys::JobKeys;
use super::keys::JOB_EXPORT;
use super::table::{Item, Table};
use crate::catalogue::{Column, Export, Mode, TimeColumn};
use crate::job::{Cadence, JobExport, PeriodRule};
use crate::words::Words;

/// What holds for all exports of a job that have a period.
struct Usual<'a> {
    period: PeriodRule,
    filter_by: Option<Item<'a>>,
}

/// Reads a job's exports.
pub(super) fn read(keys: &JobKeys<'_>, cadence: Option<Cadence>, context: &Context<'_>) -> Option<Vec<Arc<JobExport>>> {
    let of_cadence = cadence.map_or(PeriodRule::Day, PeriodRule::of);
    let period = keys.get("period").map_or(Some(of_cadence), |item| item.word(PeriodRule::WORDS));
    let usual = Usual { period: period.unwrap_or(of_cadence), filter_by: keys.get("filter_by") };
    let list = keys.own.require("exports", "exports = [\"…\"]")?;
    let items = list.list()?;
    if items.is_empty() {
        list.fault(Fault::new("the job exports nothing").label("name at least one export"));
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    let mut exports = Vec::new();
    for item in &items {
        let Some((name, table)) = read_name(item) else { continue };
        let text = name.as_text().unwrap_or_default();
        if names.contains(&text) {
            name.fault(Fault::new(format!("the job exports `{text}` twice")).label("remove one of them"));
            continue;
        }
        names.push(text);
        let Some(export) = find(&name, text, context) else { continue };
        exports.extend(read_export(&name, table.as_ref(), export, &usual, context));
    }
    period?;
    (exports.len() == items.len()).then_some(exports)
}

/// An export's name, and its table if it is more than a name.
fn read_name<'a>(item: &Item<'a>) -> Option<(Item<'a>, Option<Table<'a>>)> {
    if item.as_text().is_some() {
        return Some((item.clone(), None));
    }
    if item.as_table().is_none() {
        item.refuse("names, or tables such as { name = \"agents\", add = [\"email\"] }");
        return None;
    }
    let table = item.table("an export of the job")?;
    table.refuse_unknown(&JOB_EXPORT);
    let name = table.require("name", "name = \"agents\"")?;
    name.text()?;
    Some((name, Some(table)))
}

fn find<'c>(item: &Item<'_>, name: &str, context: &'c Context<'_>) -> Option<&'c Export> {
    let export = context.catalogue.export(name);
    if export.is_none() && context.catalogue_is_whole {
        let fault = Fault::new(format!("the catalogue has no export `{name}`"));
        let known = context.catalogue.exports.iter().map(|export| export.name.as_str());
        let help = "`exportd catalogue` lists all exports";
        item.fault(Fault { help: Some(help.to_owned()), ..suggest(fault, name, known) });
    }
    export
}

fn read_export(
    name: &Item<'_>,
    table: Option<&Table<'_>>,
    export: &Export,
    usual: &Usual<'_>,
    context: &Context<'_>,
) -> Option<Arc<JobExport>> {
    let columns = read_columns(name, table, export);
    let timing = read_timing(name, table, export, usual);
    let (period, filter) = timing?;
    Some(context.share_export(JobExport {
        name: export.name.clone(),
        source: export.source.clone(),
        columns: columns?.into(),
        order: export.order.clone(),
        period,
        filter,
    }))
}

/// The export's own words count first; the job's are for exports that have a period anyway.
fn read_timing(
    name: &Item<'_>,
    table: Option<&Table<'_>>,
    export: &Export,
    usual: &Usual<'_>,
) -> Option<(PeriodRule, Option<TimeColumn>)> {
    let own = |key: &str| table.and_then(|table| table.get(key));
    let (own_period, own_filter) = (own("period"), own("filter_by"));
    let period = match (&own_period, export.mode) {
        (Some(item), _) => item.word(PeriodRule::WORDS)?,
        (None, Mode::Period) => usual.period,
        (None, Mode::Full) => PeriodRule::All,
    };
    if let (None, Mode::Full, Some(item)) = (&own_period, export.mode, &own_filter) {
        let fault = Fault::new(format!("`{}` is a full listing, so there is nothing to filter", export.name));
        item.fault(fault.label("add `period = \"…\"`, or remove this"));
        return None;
    }
    if let (Some(item), true) = (&own_period, export.times.is_empty() && period != PeriodRule::All) {
        let fault = Fault::new(format!("`{}` has no time column, so it has no period", export.name));
        item.fault(fault.label("remove it: the export is always everything"));
        return None;
    }
    let filter_by = own_filter.or_else(|| usual.filter_by.clone().filter(|_| export.mode == Mode::Period));
    let time = match &filter_by {
        Some(item) => Some(find_time(item, export)?),
        None => export.time("created").cloned(),
    };
    if period == PeriodRule::All {
        return Some((period, None));
    }
    if time.is_none() {
        let fault = Fault::new(format!("`{}` has no `created` to filter on", export.name));
        name.fault(fault.label(format!("add `filter_by`: {}", times_of(export))));
        return None;
    }
    Some((period, time))
}

fn find_time(item: &Item<'_>, export: &Export) -> Option<TimeColumn> {
    let word = item.text()?;
    let time = export.time(word).cloned();
    if time.is_none() {
        let fault = Fault::new(format!("the export `{}` can't be filtered by `{word}`", export.name));
        item.fault(fault.label(format!("it knows {}", times_of(export))));
    }
    time
}

fn times_of(export: &Export) -> String {
    let times: Vec<String> = export.times.iter().map(|time| format!("`{}`", time.name)).collect();
    if times.is_empty() { "no time column".to_owned() } else { times.join(", ") }
}

fn read_columns(name: &Item<'_>, table: Option<&Table<'_>>, export: &Export) -> Option<Vec<Column>> {
    let own = |key: &str| table.and_then(|table| table.get(key));
    let columns: Vec<Column> = match (own("fields"), own("add")) {
        (Some(_), Some(add)) => {
            let fault = Fault::new("`fields` and `add` are both given");
            add.fault(fault.label("`fields` names all columns; put these there"));
            return None;
        }
        (Some(fields), None) => read_choice(&fields, export)?.into_iter().cloned().collect(),
        (None, Some(add)) => {
            let added = read_choice(&add, export)?;
            let is_added = |column: &Column| added.iter().any(|added| added.name == column.name);
            export.columns.iter().filter(|column| column.is_default() || is_added(column)).cloned().collect()
        }
        (None, None) => export.default_columns().cloned().collect(),
    };
    if columns.is_empty() {
        let fault = Fault::new(format!("`{}` would be written without any column", export.name));
        let place = own("fields").unwrap_or_else(|| name.clone());
        place.fault(fault.label("name columns in `fields`"));
        return None;
    }
    Some(columns)
}

/// The columns that a list names, in its order. A pattern such as `answer_{n}` names all its members.
fn read_choice<'e>(item: &Item<'_>, export: &'e Export) -> Option<Vec<&'e Column>> {
    let names = item.texts()?;
    let mut is_sound = names.len() == item.list()?.len();
    let mut chosen: Vec<&Column> = Vec::new();
    for (item, name) in names {
        let named: Vec<&Column> = match export.column(name) {
            Some(column) => vec![column],
            None => export.columns.iter().filter(|column| column.group.as_deref() == Some(name)).collect(),
        };
        if named.is_empty() {
            report_unknown(&item, name, export);
            is_sound = false;
        }
        for column in named {
            if chosen.iter().any(|chosen| chosen.name == column.name) {
                let fault = Fault::new(format!("the column `{}` is named twice", column.name));
                item.fault(fault.label("remove one of them"));
                is_sound = false;
            } else {
                chosen.push(column);
            }
        }
    }
    is_sound.then_some(chosen)
}

fn report_unknown(item: &Item<'_>, name: &str, export: &Export) {
    let groups = export.columns.iter().filter_map(|column| column.group.as_deref());
    let near = nearest(name, export.columns.iter().map(|column| column.name.as_str()).chain(groups));
    let label = near.map_or("unknown".to_owned(), |near| format!("did you mean `{near}`?"));
    let fault = Fault::new(format!("the export `{}` has no column `{name}`", export.name)).label(label);
    item.fault(fault.help(format!("`exportd catalogue {}` lists its columns", export.name)));
}
