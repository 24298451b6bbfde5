//! Whether the values of a column are what its type lets people expect.
//!
//! A type promises less than its name says: MySQL's `tinyint(1)` holds 2, SQLite's `datetime` any text, PostgreSQL's
//! `integer[]` arrays of arrays. A draft that only knew types would declare such a column as what it is not, and the
//! first run would fail.

use super::describe::TableDetails;
use super::error::StoreError;
use super::sql::Quotes;
use super::{Inner, Snapshot};

/// How many rows of a table are looked at. A value that comes later is found by the run.
const FIRST_ROWS: u32 = 100_000;

/// What a column may hold although its type says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Something else than true and false, or 1 and 0.
    Flag,
    /// Something else than whole numbers.
    Whole,
    /// Something else than finite numbers.
    Number,
    /// Something else than dates of the years 1 to 9999.
    Date,
    /// The same of dates with a time.
    Datetime,
    /// Arrays of arrays.
    Nested,
    /// The same, or elements that are no finite numbers.
    Numbers,
    /// The same, or elements that are no dates of the years 1 to 9999.
    Times,
    /// Numbers that look like Julian days, and no other value.
    Julian,
}

impl Snapshot {
    /// Those of `columns`, given by their positions in their order, that hold what they are doubted for, among the first
    /// rows of `table`. If the table can't be asked, none are.
    pub async fn confirm(
        &mut self,
        table: &TableDetails,
        columns: &[(usize, Doubt)],
    ) -> Result<Vec<(usize, Doubt)>, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(sqlite) => sqlite.confirm(table, columns),
            Inner::Postgres(postgres) => postgres.confirm(table, columns).await,
            Inner::Mysql(mysql) => mysql.confirm(table, columns).await,
        }
    }
}

/// One statement that answers for each of `columns` in its order: 1 if the condition holds for a row, of Julian days for
/// all rows that have a value. `None` if no column can hold what it is doubted for.
pub(super) struct Question {
    pub(super) sql: String,
    /// The columns that it is about.
    pub(super) columns: Vec<(usize, Doubt)>,
}

impl Question {
    /// `condition` is the condition for a doubt about a column, whose quoted name it gets.
    pub(super) fn new(
        table: &TableDetails,
        columns: &[(usize, Doubt)],
        quotes: Quotes,
        condition: impl Fn(Doubt, &str) -> Option<String>,
    ) -> Option<Question> {
        let name = |at: usize| table.columns.get(at).map(|column| quotes.quote(&column.name));
        let asked = |&(at, doubt): &(usize, Doubt)| {
            let name = name(at)?;
            let condition = condition(doubt, &name)?;
            let answer = match doubt {
                Doubt::Julian => format!("min(CASE WHEN {name} IS NULL THEN NULL WHEN {condition} THEN 1 ELSE 0 END)"),
                _ => format!("max(CASE WHEN {condition} THEN 1 ELSE 0 END)"),
            };
            Some(((at, doubt), answer, name))
        };
        let asked: Vec<((usize, Doubt), String, String)> = columns.iter().filter_map(asked).collect();
        let from = match &table.schema {
            Some(schema) => quotes.quote_path(schema, &table.name),
            None => quotes.quote(&table.name),
        };
        let answers: Vec<&str> = asked.iter().map(|(_, answer, _)| answer.as_str()).collect();
        let mut names: Vec<&str> = asked.iter().map(|(_, _, name)| name.as_str()).collect();
        names.dedup();
        let sql = format!(
            "SELECT {} FROM (SELECT {} FROM {from} LIMIT {FIRST_ROWS}) AS first_rows",
            answers.join(", "),
            names.join(", ")
        );
        (!asked.is_empty()).then(|| Question { sql, columns: asked.into_iter().map(|(doubt, ..)| doubt).collect() })
    }

    /// The columns for which the answer is yes.
    pub(super) fn confirmed(self, is_confirmed: impl Fn(usize) -> bool) -> Vec<(usize, Doubt)> {
        self.columns.into_iter().enumerate().filter(|(index, _)| is_confirmed(*index)).map(|(_, doubt)| doubt).collect()
    }
}
