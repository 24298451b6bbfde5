//! From columns of a table to columns of an export.

use std::collections::HashSet;

use super::personal::judge;
use super::reason::Reason;
use super::sql_type::Shape;
use super::subject::Subject;
use super::times::{is_named_like_a_time, is_time_by_name};
use super::words::words;
use crate::store::{ColumnDetails, Doubt, StoreKind, TableDetails, declared_scale};
use crate::value::ColumnType;

/// One column of an export.
#[derive(Debug)]
pub(super) struct ColumnPlan {
    /// The header in the file.
    pub(super) header: String,
    /// The name in the store, where the header differs.
    pub(super) sql_name: Option<String>,
    pub(super) kind: ColumnType,
    /// The digits after the point that the database declares for a decimal.
    pub(super) scale: Option<u16>,
    /// A date and time that the store keeps without a zone.
    pub(super) lacks_zone: bool,
    /// A time that is kept as a Julian day.
    pub(super) is_julian: bool,
    /// Cells that can't be read as the type are to be empty: the store is known to have some.
    pub(super) is_partly_unreadable: bool,
    pub(super) personal: Option<Reason>,
    /// Something to know about the type.
    pub(super) remark: Option<String>,
    /// Why the column can't be exported as it is.
    pub(super) obstacle: Option<String>,
}

impl ColumnPlan {
    /// Whether the column is in a file when the job names no columns.
    pub(super) fn is_default(&self) -> bool {
        self.obstacle.is_none() && self.personal.is_none()
    }

    /// Whether it says when something was.
    pub(super) fn is_time(&self) -> bool {
        is_time(self.kind)
    }
}

fn is_time(kind: ColumnType) -> bool {
    matches!(kind, ColumnType::Date | ColumnType::Datetime)
}

/// What columns of a table may hold although their types say otherwise. A view may compute for minutes, so it is not
/// asked.
pub(super) fn doubts(store: StoreKind, table: &TableDetails) -> Vec<(usize, Doubt)> {
    let doubt = |column: &ColumnDetails, shape: Shape| match shape {
        Shape::Digit => Some(Doubt::Flag),
        Shape::Boolean if store == StoreKind::Sqlite => Some(Doubt::Flag),
        Shape::Whole => Some(Doubt::Whole),
        Shape::Decimal | Shape::Float => Some(Doubt::Number),
        Shape::Date => Some(Doubt::Date),
        Shape::Datetime => Some(Doubt::Datetime),
        Shape::List { .. } => Some(match Shape::of(column.sql_type.trim_end_matches("[]")) {
            element if element.is_number() => Doubt::Numbers,
            element if element.is_time() => Doubt::Times,
            _ => Doubt::Nested,
        }),
        _ => None,
    };
    let doubts = |(at, column): (usize, &ColumnDetails)| {
        let shape = Shape::of(&column.sql_type);
        let julian = Some(Doubt::Julian).filter(|_| shape.is_time() || is_named_like_a_time(&column.name));
        [doubt(column, shape), julian].into_iter().flatten().map(move |doubt| (at, doubt))
    };
    table.columns.iter().enumerate().filter(|_| !table.is_view).flat_map(doubts).collect()
}

/// The columns of a table; `odd` are those that hold something else than their type promises, and what.
pub(super) fn columns(store: StoreKind, table: &TableDetails, odd: &[(usize, Doubt)]) -> Vec<ColumnPlan> {
    let names_and_types = table.columns.iter().map(|column| (column.name.as_str(), column.sql_type.as_str()));
    let subject = Subject::of(&table.name, names_and_types);
    let exact: HashSet<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let plan = |(at, column): (usize, &ColumnDetails)| {
        let trimmed = column.name.trim();
        let is_awkward = trimmed != column.name && !exact.contains(trimmed);
        let header = if is_awkward { trimmed } else { &column.name };
        let shape = Shape::of(&column.sql_type);
        let usual = kind(store, table, column, shape);
        // The last doubt says most.
        let doubt = odd.iter().rfind(|(odd, _)| *odd == at).map(|(_, doubt)| *doubt);
        let surprise = match doubt {
            Some(doubt) => Some(surprise(store, doubt, shape, usual)),
            None => {
                (is_time(usual) && is_zero_date(store, column)).then(|| (usual, "its default is no date".to_owned()))
            }
        };
        let is_julian = doubt == Some(Doubt::Julian);
        let kind = surprise.as_ref().map_or(usual, |(kind, _)| *kind);
        ColumnPlan {
            header: header.to_owned(),
            sql_name: is_awkward.then(|| column.name.clone()),
            kind,
            scale: scale(store, column),
            lacks_zone: kind == ColumnType::Datetime && !is_julian && lacks_zone(store, &column.sql_type),
            is_julian,
            is_partly_unreadable: matches!(shape, Shape::Bytes { .. })
                || surprise.is_some() && is_time(kind) && !is_julian,
            personal: judge(&subject, &column.name, &column.sql_type, table.key.contains(&column.name)),
            remark: surprise.map(|(_, remark)| remark).or_else(|| remark(table, column, shape)),
            obstacle: obstacle(store, column, shape),
        }
    };
    table.columns.iter().enumerate().map(plan).collect()
}

fn kind(store: StoreKind, table: &TableDetails, column: &ColumnDetails, shape: Shape) -> ColumnType {
    let kind = shape.column_type(store).unwrap_or(ColumnType::Text);
    let is_key = table.key.contains(&column.name) || words(&column.name).last().is_some_and(|word| word == "id");
    let can_be_id = matches!(shape, Shape::Whole | Shape::Uuid | Shape::Text { .. });
    match shape {
        _ if is_key && can_be_id => ColumnType::Id,
        // A view was not asked, and a number is right in any case.
        Shape::Digit if table.is_view => ColumnType::Integer,
        _ => kind,
    }
}

/// The largest scale that a catalogue can name.
const LARGEST_SCALE: u16 = 38;

/// SQLite does not hold its values to the scale that a column declares, and so a catalogue should not either.
fn scale(store: StoreKind, column: &ColumnDetails) -> Option<u16> {
    declared_scale(&column.sql_type).filter(|digits| store != StoreKind::Sqlite && *digits <= LARGEST_SCALE)
}

/// The type of a column that holds something else than its type promises, and what to say of it.
fn surprise(store: StoreKind, doubt: Doubt, shape: Shape, usual: ColumnType) -> (ColumnType, String) {
    let (kind, what) = match doubt {
        Doubt::Flag if shape == Shape::Digit => (ColumnType::Integer, "holds more than 0 and 1"),
        Doubt::Flag => (ColumnType::String, "holds more than true and false"),
        Doubt::Number if store == StoreKind::Postgres => (ColumnType::String, "holds NaN or infinity"),
        Doubt::Whole | Doubt::Number => (ColumnType::Text, "holds more than finite numbers"),
        Doubt::Nested => (ColumnType::Text, "holds arrays of arrays, written as JSON"),
        Doubt::Numbers => (ColumnType::Text, "holds arrays of arrays, or NaN or infinity, written as JSON"),
        Doubt::Times => (
            ColumnType::Text,
            "holds arrays of arrays, or infinity or dates outside of the years 1 to 9999, written as JSON",
        ),
        Doubt::Julian => (ColumnType::Datetime, "its numbers look like Julian days"),
        // SQLite may hold any text, and all of it would be lost.
        _ if store == StoreKind::Sqlite => (ColumnType::Text, "holds more than dates of the years 1 to 9999"),
        _ if store == StoreKind::Mysql => (usual, "holds dates that are none, such as 0000-00-00"),
        _ => (usual, "holds infinity, or dates outside of the years 1 to 9999"),
    };
    (kind, what.to_owned())
}

/// Whether the database fills the column with a date that is none.
fn is_zero_date(store: StoreKind, column: &ColumnDetails) -> bool {
    let is_zero = |default: &str| default.trim_start_matches('\'').starts_with("0000-00-00");
    store == StoreKind::Mysql && column.default.as_deref().is_some_and(is_zero)
}

/// Whether a datetime has no zone of its own: MySQL's `timestamp` is an instant, PostgreSQL's is one if it says so. Texts
/// of SQLite may have a zone, but need not.
fn lacks_zone(store: StoreKind, sql_type: &str) -> bool {
    let sql_type = sql_type.to_lowercase();
    match store {
        StoreKind::Sqlite => true,
        StoreKind::Postgres => !sql_type.contains("with time zone"),
        StoreKind::Mysql => sql_type.starts_with("datetime"),
    }
}

/// What the type alone does not tell.
fn remark(table: &TableDetails, column: &ColumnDetails, shape: Shape) -> Option<String> {
    match shape {
        Shape::Digit if table.is_view => Some("\"boolean\" if it holds only 0 and 1".to_owned()),
        Shape::Digit => Some("\"integer\" if it will hold more than 0 and 1".to_owned()),
        Shape::Bytes { .. } => Some(format!("{}: cells that are no UTF-8 text are empty", column.sql_type)),
        Shape::Document if column.sql_type.ends_with("[][]") => Some("arrays of arrays, written as JSON".to_owned()),
        Shape::Document if column.sql_type.ends_with("[]") => Some("an array, written as JSON".to_owned()),
        Shape::Document => Some("JSON or XML, written as it is".to_owned()),
        Shape::Unknown | Shape::Bits | Shape::Geometry => {
            Some(format!("{}, as the database writes it", column.sql_type))
        }
        Shape::Text { .. } | Shape::Whole if is_time_by_name(column) => {
            Some("\"datetime\" or \"date\" if every value is one".to_owned())
        }
        _ => None,
    }
}

fn obstacle(store: StoreKind, column: &ColumnDetails, shape: Shape) -> Option<String> {
    let sql_type = &column.sql_type;
    if column.name.trim().is_empty() || column.name.contains(char::is_control) {
        return Some("its name has no visible character, or control characters; rename it in a view".to_owned());
    }
    match shape {
        _ if shape.column_type(store).is_some() => None,
        Shape::Binary => Some(format!("{sql_type}: only bytes that are UTF-8 text can be exported")),
        _ => Some(format!("{sql_type}: not a type that every file can hold; write it as text in a view or a query")),
    }
}
