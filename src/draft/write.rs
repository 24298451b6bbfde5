//! Exports as TOML, with comments for the person who checks them.

use std::fmt::{Display, Write as _};

use super::column::ColumnPlan;
use super::plan::{Candidate, ExportPlan};
use super::sql_type::Shape;
use super::toml_text::{comment, key, list, string};
use crate::store::StoreKind;
use crate::value::ColumnType;
use crate::wording::plural;

/// How many exports a summary names at most.
const NAMES: usize = 8;

/// Stands behind a time whose zone was guessed.
const ZONE_UNKNOWN: &str = "kept without a zone, read as UTC; put the zone that it was written in";

/// Stands above what a person may choose.
const NOT_CHOSEN: &str = "# Every file has all rows, because no column is surely the time when a row was made. If a line below is made \
    active,\n# a file has the rows of its period by that time. Choose a time that is set when the row is made and stays as \
    it is:\n# rows where it is NULL, or that get an earlier time, are in no file.\n";

/// The text of a catalogue file.
pub(super) fn catalogue(kind: StoreKind, exports: &[ExportPlan], zone: Option<&str>) -> String {
    let mut text = header(kind, exports);
    for export in exports {
        text.push('\n');
        text.push_str(&section(export, zone));
    }
    text
}

fn header(kind: StoreKind, exports: &[ExportPlan]) -> String {
    let database = match kind {
        StoreKind::Sqlite => "an SQLite",
        StoreKind::Postgres => "a PostgreSQL",
        StoreKind::Mysql => "a MySQL or MariaDB",
    };
    let columns = || exports.iter().filter(|export| export.fault.is_none()).flat_map(|export| &export.columns);
    let held = columns().filter(|column| !column.is_default()).count();
    let summary: String = summary(exports).iter().map(|line| format!("# {}\n", comment(line))).collect();
    format!(
        "# A draft of a catalogue, made by `exportd catalogue draft` from the tables and views of {database} database.\n\
         # It holds {} with {}; held back: {held}.\n\
         {summary}\
         #\n\
         # Which columns tell about persons was guessed from names and types, without looking at rows. A column that may be\n\
         # personal is marked `sensitive`: it is exported only when a job names it. The guess can be wrong both ways,\n\
         # so read every line before the first job runs:\n\
         #\n\
         #   1. Delete the exports and columns that nobody needs. What is not listed here can't be exported.\n\
         #   2. Take `sensitive = true` from what is harmless, and put it on what is personal and was missed.\n\
         #   3. Check `created` and `updated`: by these a job picks the rows of a day, a week or a month.\n\
         #      Without `created`, and with mode = \"full\", every file has all rows.\n\
         #   4. Check `zone`: the database keeps these times without one, so nothing but you can tell where the clock\n\
         #      stood that they were read from. A wrong zone shifts every time, and with it the days of a period.\n\
         #   5. Save the file beside jobs.toml, name it there with [catalogue] files = [\"FILE.toml\"], and run\n\
         #      `exportd check --connect`.\n",
        plural(exports.iter().filter(|export| export.fault.is_none()).count(), "export"),
        plural(columns().count(), "column"),
    )
}

/// How many rows the files will have, for people: what they would else notice at the first delivery only.
pub(super) fn summary(exports: &[ExportPlan]) -> Vec<String> {
    let of = |is: fn(&&ExportPlan) -> bool| exports.iter().filter(|export| export.fault.is_none()).filter(is);
    let mut lines = vec![format!(
        "Files with the rows of a period: {}. Files with all rows, each time: {}.",
        of(|export| export.is_by_period).count(),
        of(|export| !export.is_by_period).count()
    )];
    let unsure: Vec<&str> = of(|export| !export.candidates.is_empty()).map(|export| export.name.as_str()).collect();
    if !unsure.is_empty() {
        let names = unsure.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
        let more = match unsure.len().saturating_sub(NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        lines.push(format!("They have a time, but it may be another than when a row was made: {names}{more}."));
        lines.push("Until you choose one there (look for `# created`), their files have all rows.".to_owned());
    }
    lines
}

/// A time that a person may choose.
fn choice(candidate: &Candidate) -> String {
    let created = string(&candidate.header);
    match &candidate.sql_type {
        None => format!("# created = {created}\n"),
        Some(sql_type) => {
            let kind = if Shape::of(sql_type) == Shape::Date { ColumnType::Date } else { ColumnType::Datetime };
            let sql_type = if sql_type.is_empty() { "without a type" } else { sql_type };
            let (sql_type, kind) = (comment(sql_type), string(kind.name()));
            format!("# created = {created}  # {sql_type} here: give the column the type {kind} as well\n")
        }
    }
}

fn section(export: &ExportPlan, zone: Option<&str>) -> String {
    if let Some(fault) = &export.fault {
        return format!("# Left out, the {}: {}.\n", comment(&export.what), comment(fault.trim_end_matches('.')));
    }
    let mut text = format!("# The {}.\n", comment(&export.what));
    if let Some(warning) = &export.warning {
        let _ = writeln!(text, "# Warning: {}.", comment(warning));
    }
    if !export.columns.iter().any(ColumnPlan::is_default) {
        text.push_str("# All of its columns are held back: a job must name some of them in `fields` or `add`.\n");
    }
    text.push_str("[[export]]\n");
    let mut line = |key: &str, value: String| {
        let _ = writeln!(text, "{key} = {value}");
    };
    line("name", string(&export.name));
    line("title", string(&export.title));
    line("from", string(&export.from));
    // Where a person may choose `created`, the mode follows from it.
    if export.candidates.is_empty() {
        line("mode", string(if export.is_by_period { "period" } else { "full" }));
    } else {
        text.push_str(NOT_CHOSEN);
        for candidate in &export.candidates {
            text.push_str(&choice(candidate));
        }
    }
    let mut line = |key: &str, value: String| {
        let _ = writeln!(text, "{key} = {value}");
    };
    if let Some(created) = &export.created {
        let remark = if export.is_created_nullable { "  # rows where it is NULL are in no file" } else { "" };
        line("created", format!("{}{remark}", string(created)));
    }
    if let Some(updated) = &export.updated {
        line("updated", string(updated));
    }
    let order = list(export.order.iter().map(String::as_str));
    match (export.order.is_empty(), export.is_order_loose) {
        (true, _) => {
            text.push_str("# No key and no id: name columns in `order`, so that equal data gives equal files.\n")
        }
        (false, true) => line("order", format!("{order}  # no primary key: add columns until no two rows are equal")),
        (false, false) => line("order", order),
    }
    text.push_str("\n[export.columns]\n");
    for plan in &export.columns {
        text.push_str(&column(plan, zone));
        text.push('\n');
    }
    text
}

/// A column's line, and behind it why it is as it is.
fn column(column: &ColumnPlan, zone: Option<&str>) -> String {
    let kind = string(column.kind.name());
    let mut keys = vec![format!("type = {kind}")];
    let scale = column.scale.filter(|_| column.kind == ColumnType::Decimal);
    keys.extend(scale.map(|digits| format!("scale = {digits}")));
    keys.extend(column.sql_name.as_ref().map(|name| format!("column = {}", string(name))));
    if column.lacks_zone {
        keys.push(format!("zone = {}", string(zone.unwrap_or("UTC"))));
    }
    if column.is_julian {
        keys.push("epoch = \"julian\"".to_owned());
    }
    if column.is_partly_unreadable {
        keys.push("unreadable = \"null\"".to_owned());
    }
    keys.extend(column.personal.map(|_| "sensitive = true".to_owned()));
    let value = if keys.len() == 1 { kind } else { format!("{{ {} }}", keys.join(", ")) };
    let mut text = format!("{} = {value}", key(&column.header));
    if column.obstacle.is_some() {
        text.insert_str(0, "# ");
    }
    let zone_unknown = Some(ZONE_UNKNOWN).filter(|_| column.lacks_zone && zone.is_none());
    let reasons: [Option<&dyn Display>; 4] = [
        column.obstacle.as_ref().map(|obstacle| obstacle as &dyn Display),
        column.personal.as_ref().map(|reason| reason as &dyn Display),
        column.remark.as_ref().map(|remark| remark as &dyn Display),
        zone_unknown.as_ref().map(|remark| remark as &dyn Display),
    ];
    let reasons: Vec<String> = reasons.iter().flatten().map(|reason| comment(&reason.to_string())).collect();
    if !reasons.is_empty() {
        let _ = write!(text, "  # {}", reasons.join("; "));
    }
    text
}
