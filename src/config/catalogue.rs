//! Catalogue files: which exports a store offers, read from TOML.

use jiff::tz::TimeZone;

use super::fault::{Fault, File, Report};
use super::guess::suggest;
use super::keys;
use super::pieces::Piece;
use super::table::{Item, Table};
use super::zone;
use crate::catalogue::{BUILTIN, Catalogue, Column, EpochUnit, Export, Mode, Source, TimeColumn, Unreadable};
use crate::store::begins_like_a_query;
use crate::value::{ColumnType, Scale};
use crate::words::Words;

const CONTACT_CENTRE: [&str; 4] = [
    include_str!("../catalogue/contact_centre/people.toml"),
    include_str!("../catalogue/contact_centre/customers.toml"),
    include_str!("../catalogue/contact_centre/conversations.toml"),
    include_str!("../catalogue/contact_centre/settings.toml"),
];

/// The built-in catalogue called `name`, one of [`BUILTIN`].
pub fn builtin(name: &str) -> Option<Catalogue> {
    (name == BUILTIN[0]).then(Catalogue::contact_centre)
}

impl Catalogue {
    /// The built-in catalogue of a contact centre: 20 exports.
    pub fn contact_centre() -> Catalogue {
        let report = Report::default();
        let mut catalogue = Catalogue::default();
        for text in CONTACT_CENTRE {
            let file = report.open("contact-centre".to_owned(), text.into(), false);
            read(&file, &mut catalogue);
        }
        report.finish(Some(catalogue)).expect("the built-in catalogue is valid; a test reads it")
    }
}

/// Reads the exports of `file` into `catalogue`. An export that can't be read is reported and left out.
pub(super) fn read(file: &File<'_>, catalogue: &mut Catalogue) {
    let document = Piece::whole(file);
    let root = document.root();
    root.refuse_unknown(&keys::CATALOGUE_FILE);
    for table in root.tables("export", "[[export]]") {
        let Some(export) = read_export(&table) else { continue };
        let is_same = |other: &Export| other.name.to_lowercase() == export.name.to_lowercase();
        if catalogue.exports.iter().any(is_same) {
            let fault = Fault::new(format!("the export `{}` is already in the catalogue", export.name));
            let span = table.get("name").map_or(table.span, |name| name.span);
            file.fault(span, fault.label("give it another name"));
            continue;
        }
        catalogue.exports.push(export);
    }
}

fn read_export(table: &Table<'_>) -> Option<Export> {
    table.refuse_unknown(&keys::EXPORT);
    let name = table.require("name", "name = \"orders\"").and_then(|item| read_name(&item));
    let title = table.get("title").map_or(Some(None), |item| item.line().map(Some));
    let source = read_source(table);
    let columns = read_columns(table);
    let order = table.get("order").map_or(Some(Vec::new()), |item| item.texts());
    let times = read_times(table, columns.as_deref().unwrap_or_default());
    let is_timed = table.get("created").is_some();
    let mode = match table.get("mode") {
        Some(item) => item.word(Mode::WORDS),
        None => Some(if is_timed { Mode::Period } else { Mode::Full }),
    };
    if let (Some(Mode::Period), false, Some(item)) = (mode, is_timed, table.get("mode")) {
        let fault = Fault::new("an export by period needs a time column to filter on");
        item.fault(fault.label("add `created = \"…\"`, or write \"full\""));
    }
    let name = name?.to_owned();
    Some(Export {
        title: title?.unwrap_or(&name).to_owned(),
        name,
        source: source?,
        mode: mode?,
        times: times?,
        order: order?.into_iter().map(|(_, column)| column.to_owned()).collect(),
        columns: columns?,
    })
}

/// An export's name ends up in file names, in a zip and on command lines.
fn read_name<'a>(item: &Item<'a>) -> Option<&'a str> {
    let name = item.line()?;
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if !is_plain || name.starts_with('-') || name.chars().count() > 100 {
        let fault = Fault::new(format!("`{name}` can't be the name of an export"));
        item.fault(fault.label("letters, digits, `_` and `-`, at most 100"));
        return None;
    }
    Some(name)
}

fn read_source(table: &Table<'_>) -> Option<Source> {
    match (table.get("from"), table.get("query")) {
        (Some(from), None) => Some(Source::Table(from.line()?.to_owned())),
        (None, Some(query)) => {
            let text = query.text()?.trim().trim_end_matches(';').trim_end();
            if !begins_like_a_query(text) {
                query.fault(Fault::new("`query` is not a SELECT statement").label("begin with SELECT or WITH"));
                return None;
            }
            Some(Source::Query(text.to_owned()))
        }
        (Some(_), Some(query)) => {
            query.fault(Fault::new("an export has `from` or `query`, not both").label("remove one of them"));
            None
        }
        (None, None) => {
            table.require("from", "from = \"a_table_or_view\"");
            None
        }
    }
}

fn read_columns(table: &Table<'_>) -> Option<Vec<Column>> {
    let columns = table.require("columns", "[export.columns]")?.table("[export.columns]")?;
    let entries = columns.entries();
    if entries.is_empty() {
        columns.file.fault(columns.span, Fault::new("the export has no columns").label("add one, such as id = \"id\""));
        return None;
    }
    let read: Vec<Option<Column>> = entries.iter().map(|(_, item)| read_column(item)).collect();
    read.into_iter().collect()
}

fn read_column(item: &Item<'_>) -> Option<Column> {
    if item.as_text().is_some() {
        return Some(Column::new(item.key, read_type(item)?));
    }
    let Some(table) = item.as_table() else {
        item.refuse("a type such as \"string\", or a table such as { type = \"string\", sensitive = true }");
        return None;
    };
    table.refuse_unknown(&keys::COLUMN);
    let flag = |key: &str| table.get(key).map_or(Some(false), |item| item.flag());
    let kind = table.require("type", "type = \"string\"").and_then(|item| read_type(&item));
    let sql_name = table.get("column").map_or(Some(item.key), |item| item.line());
    let group = table.get("group").map_or(Some(None), |item| item.line().map(Some));
    let (sensitive, additional) = (flag("sensitive"), flag("additional"));
    let zone = only_for(&table, "zone", kind, ColumnType::Datetime, |item| zone::read(item));
    let epoch = only_for(&table, "epoch", kind, ColumnType::Datetime, |item| item.word(EpochUnit::WORDS));
    let scale = only_for(&table, "scale", kind, ColumnType::Decimal, |item| item.integer(keys::COLUMN_SCALE));
    let unreadable = table.get("unreadable").map_or(Some(Unreadable::Fail), |item| item.word(Unreadable::WORDS));
    Some(Column {
        name: item.key.to_owned(),
        sql_name: sql_name?.to_owned(),
        kind: kind?,
        sensitive: sensitive?,
        additional: additional?,
        group: group?.map(str::to_owned),
        // What has no zone is UTC, and read faster.
        zone: zone?.filter(|zone| *zone != TimeZone::UTC),
        epoch: epoch?,
        scale: scale?.map_or(Scale::AsNeeded, |digits| Scale::Exactly(digits as u8)),
        unreadable: unreadable?,
    })
}

/// Reads `key` if it is there, which makes sense for one type of column only. Outer `None`: a fault was reported.
fn only_for<'a, T>(
    table: &Table<'a>,
    key: &str,
    kind: Option<ColumnType>,
    expected: ColumnType,
    read: impl FnOnce(&Item<'a>) -> Option<T>,
) -> Option<Option<T>> {
    let Some(item) = table.get(key) else { return Some(None) };
    let value = read(&item);
    if kind.is_some_and(|kind| kind != expected) {
        item.fault(Fault::new(format!("`{key}` is for columns of the type {expected} only")).label("remove it"));
    }
    value.map(Some)
}

fn read_type(item: &Item<'_>) -> Option<ColumnType> {
    let word = item.text()?;
    let kind = word.parse().ok();
    if kind.is_none() {
        let fault = Fault::new(format!("there is no type `{word}`"));
        item.fault(suggest(fault, word, ColumnType::ALL.iter().map(|kind| kind.name())));
    }
    kind
}

fn read_times(table: &Table<'_>, columns: &[Column]) -> Option<Vec<TimeColumn>> {
    let mut times = Vec::new();
    for key in ["created", "updated"] {
        if let Some(item) = table.get(key) {
            times.push(read_time(&item, columns)?);
        }
    }
    let Some(item) = table.get("times") else { return Some(times) };
    for (span, item) in item.table("times")?.entries() {
        if times.iter().any(|time| time.name == item.key) {
            table.file.fault(span, Fault::new(format!("`{}` is given twice", item.key)).label("remove one of them"));
            return None;
        }
        times.push(read_time(&item, columns)?);
    }
    Some(times)
}

/// A time column is one of the export's columns, or else a column of the database that holds datetimes.
fn read_time(item: &Item<'_>, columns: &[Column]) -> Option<TimeColumn> {
    let name = item.line()?;
    let listed = columns.iter().find(|column| column.name == name).cloned();
    let column = listed.unwrap_or_else(|| Column::new(name, ColumnType::Datetime));
    if !matches!(column.kind, ColumnType::Date | ColumnType::Datetime) {
        let fault = Fault::new(format!("`{name}` is a column of the type {}, not a time", column.kind));
        item.fault(fault.label("name a column of the type date or datetime"));
        return None;
    }
    Some(TimeColumn { name: item.key.to_owned(), column })
}
