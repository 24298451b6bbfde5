//! Rows on their way into a database: cells by column name, in the shapes that all three databases share.

use std::borrow::Cow;

use jiff::civil::Date;

use super::calendar::Moment;

/// One cell of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// SQL NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(Cow<'static, str>),
    /// A point in time.
    Moment(Moment),
    /// A calendar date.
    Date(Date),
}

/// The rows that one step of a table's making gives, and the columns that they fill.
#[derive(Default)]
pub(super) struct Rows {
    columns: Vec<&'static str>,
    cells: Vec<Cell>,
}

impl Rows {
    /// Adds a row. All rows of a table name the same columns in the same order.
    pub(super) fn push(&mut self, row: impl IntoIterator<Item = (&'static str, Cell)>) {
        let first = self.columns.is_empty();
        for (place, (column, cell)) in row.into_iter().enumerate() {
            if first {
                self.columns.push(column);
            }
            debug_assert_eq!(self.columns[place % self.columns.len()], column, "all rows name the same columns");
            self.cells.push(cell);
        }
        debug_assert_eq!(self.cells.len() % self.columns.len(), 0, "all rows name all columns");
    }

    /// The columns that the rows fill; empty until there was a row.
    pub(super) fn columns(&self) -> &[&'static str] {
        &self.columns
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> u64 {
        self.cells.len() as u64 / self.columns.len().max(1) as u64
    }

    /// The rows, each in the order of the columns.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.columns.len().max(1))
    }

    /// Forgets the rows and keeps the columns.
    pub(super) fn clear(&mut self) {
        self.cells.clear();
    }
}

/// Adds a row to `$rows`: `row!(rows; id: …, name: …)`, each column by its name in the database.
macro_rules! row {
    ($rows:expr; $($column:ident: $value:expr),* $(,)?) => {
        $rows.push([$((stringify!($column), $crate::sample::row::Cell::from($value))),*])
    };
}
pub(super) use row;

impl From<bool> for Cell {
    fn from(value: bool) -> Cell {
        Cell::Bool(value)
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Cell {
        Cell::Integer(value)
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Cell {
        Cell::Integer(value as i64)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Cell {
        Cell::Float(value)
    }
}

impl From<&'static str> for Cell {
    fn from(value: &'static str) -> Cell {
        Cell::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Cell {
        Cell::Text(Cow::Owned(value))
    }
}

impl From<Moment> for Cell {
    fn from(value: Moment) -> Cell {
        Cell::Moment(value)
    }
}

impl From<Date> for Cell {
    fn from(value: Date) -> Cell {
        Cell::Date(value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Null, Into::into)
    }
}
