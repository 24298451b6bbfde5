//! From tables to exports: what a draft proposes, before it becomes text.

use std::collections::HashSet;

use super::column::{ColumnPlan, columns};
use super::sql_type::Shape;
use super::subject::Topic;
use super::times::times;
use super::words::words;
use crate::store::{Doubt, StoreKind, TableDetails};

/// An export for one table or view.
#[derive(Debug)]
pub(super) struct ExportPlan {
    /// What the store has, for people: `table "a"`.
    pub(super) what: String,
    /// Why no export can be made of it.
    pub(super) fault: Option<String>,
    /// Why its file may hold other rows than an administrator expects.
    pub(super) warning: Option<String>,
    /// Unique, of characters that an export's name may have.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) from: String,
    pub(super) created: Option<String>,
    /// Rows may have no such time.
    pub(super) is_created_nullable: bool,
    pub(super) updated: Option<String>,
    /// What may be `created`, if nothing surely is.
    pub(super) candidates: Vec<Candidate>,
    /// Each file has the rows of a period.
    pub(super) is_by_period: bool,
    pub(super) order: Vec<String>,
    /// The order may leave rows that are equal in it.
    pub(super) is_order_loose: bool,
    pub(super) columns: Vec<ColumnPlan>,
}

/// A column that may say when a row was made.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The header in the file.
    pub(super) header: String,
    /// The type in the store, if the column has to be declared as a time first.
    pub(super) sql_type: Option<String>,
}

/// Plans an export for each table. Beside it stand the columns that hold something else than their type promises.
pub(super) fn exports(store: StoreKind, tables: &[(TableDetails, Vec<(usize, Doubt)>)]) -> Vec<ExportPlan> {
    let schemas: HashSet<&Option<String>> = tables.iter().map(|(table, _)| &table.schema).collect();
    let names: HashSet<&str> = tables.iter().map(|(table, _)| table.name.as_str()).collect();
    let mut taken = HashSet::new();
    let plan = |(table, odd): &(TableDetails, Vec<(usize, Doubt)>)| {
        let name = unique(export_name(table, schemas.len() > 1), &mut taken);
        export(table, columns(store, table, odd), name, &names)
    };
    tables.iter().map(plan).collect()
}

fn export(table: &TableDetails, columns: Vec<ColumnPlan>, name: String, names: &HashSet<&str>) -> ExportPlan {
    let from = match &table.schema {
        Some(schema) => format!("{schema}.{}", table.name),
        None => table.name.clone(),
    };
    let times = times(table, |at| columns[at].is_julian);
    let column = |at: usize| &table.columns[at].name;
    // A time that has no plain name can't be named in the catalogue, nor one that holds something else as well.
    let usable = |at: &usize| columns[*at].obstacle.is_none();
    let is_time = |at: &usize| usable(at) && columns[*at].is_time();
    let created = times.created.filter(is_time);
    let (order, is_order_loose) = order(table, created);
    let candidate = |at: usize| Candidate {
        header: columns[at].header.clone(),
        sql_type: Some(table.columns[at].sql_type.clone()).filter(|_| !columns[at].is_time()),
    };
    let unsure = times.created.filter(|_| created.is_none()).into_iter();
    ExportPlan {
        what: format!("{} {from}", if table.is_view { "view" } else { "table" }),
        fault: fault(table, &from, names, &columns),
        warning: table.warning.clone(),
        title: title(&table.name),
        is_by_period: created.is_some() && !is_list(table),
        created: created.map(|at| columns[at].header.clone()),
        is_created_nullable: created.is_some_and(|at| table.columns[at].nullable && !table.is_view),
        candidates: unsure.chain(times.candidates).filter(usable).map(candidate).collect(),
        updated: times.updated.filter(is_time).map(|at| columns[at].header.clone()),
        order: order.into_iter().map(|at| column(at).clone()).collect(),
        is_order_loose,
        name,
        from,
        columns,
    }
}

/// A list of things or places is worth having as a whole; of what happens and of who came, the day's is enough.
fn is_list(table: &TableDetails) -> bool {
    matches!(Topic::of(&table.name), Topic::Things | Topic::Places)
}

fn fault(table: &TableDetails, from: &str, names: &HashSet<&str>, columns: &[ColumnPlan]) -> Option<String> {
    if let Some(fault) = &table.fault {
        return Some(fault.clone());
    }
    let is_line = |text: &str| !text.trim().is_empty() && !text.contains(char::is_control);
    if !is_line(&table.name) || !is_line(from) {
        return Some(
            "its name has no visible character, or control characters; make a view of another name".to_owned(),
        );
    }
    let is_ambiguous = table.schema.is_some() && names.contains(from);
    if is_ambiguous || table.schema.as_deref().is_some_and(|schema| schema.contains('.')) {
        return Some("`from` can't name it because of a point in a name; make a view of another name".to_owned());
    }
    if columns.iter().all(|column| column.obstacle.is_some()) {
        return Some("it has no column that can be exported".to_owned());
    }
    None
}

/// The columns that fix the order of rows, and whether rows may be equal in all of them.
fn order(table: &TableDetails, created: Option<usize>) -> (Vec<usize>, bool) {
    let position = |name: &String| table.columns.iter().position(|column| column.name == *name);
    let mut order: Vec<usize> = created.into_iter().collect();
    let key: Vec<usize> = table.key.iter().filter_map(position).collect();
    let is_loose = key.is_empty();
    let is_id = |at: &usize| {
        let column = &table.columns[*at];
        let shape = Shape::of(&column.sql_type);
        let names_row = words(&column.name).last().is_some_and(|word| word == "id" || word == "uuid");
        names_row && matches!(shape, Shape::Whole | Shape::Uuid | Shape::Text { .. })
    };
    let columns = if is_loose { (0..table.columns.len()).filter(is_id).collect() } else { key };
    order.extend(columns.into_iter().filter(|at| Some(*at) != created));
    (order, is_loose)
}

/// The table's name, of letters, digits, `_` and `-` alone.
fn export_name(table: &TableDetails, with_schema: bool) -> String {
    let full = match &table.schema {
        Some(schema) if with_schema => format!("{schema}_{}", table.name),
        _ => table.name.clone(),
    };
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' };
    let name: String = full.chars().take(80).map(plain).collect();
    let name = name.trim_matches(['_', '-']);
    if name.is_empty() { "export".to_owned() } else { name.to_owned() }
}

/// `name`, with a number if it is taken. Names that differ by case alone are the same.
fn unique(name: String, taken: &mut HashSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let mut candidates = std::iter::once(name.clone()).chain(numbered);
    candidates.find(|name| taken.insert(name.to_lowercase())).unwrap_or(name)
}

/// The table's name as people would write it.
fn title(table: &str) -> String {
    let spaced = table.replace(['_', '-'], " ");
    let mut letters = spaced.trim().chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "Without a title".to_owned(),
    }
}
