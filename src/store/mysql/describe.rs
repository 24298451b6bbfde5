//! Tables in full, from the server's information schema.

use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Row};

use super::catalogue::{optional_text, text};
use super::{Mysql, error};
use crate::store::describe::{ColumnDetails, FoundColumn, TableDetails, assemble};
use crate::store::doubt::{Doubt, Question};
use crate::store::error::StoreError;
use crate::store::sql::Quotes;

/// All columns that can be seen, of one database if the URL names one. The position is text because servers differ in
/// the width of the number.
const COLUMNS: &str = "SELECT c.table_schema, c.table_name, c.column_name, c.column_type, c.is_nullable, \
       c.column_default, c.extra, \
       (SELECT CAST(s.seq_in_index AS CHAR) FROM information_schema.statistics s \
         WHERE s.table_schema = c.table_schema AND s.table_name = c.table_name AND s.index_name = 'PRIMARY' \
           AND s.column_name = c.column_name) \
     FROM information_schema.columns c \
     WHERE c.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys') \
       AND c.table_schema = coalesce(DATABASE(), c.table_schema) \
     ORDER BY c.table_schema, c.table_name, c.ordinal_position";

impl Mysql {
    /// All tables and views in full; only those of the database that the URL names, if it names one.
    pub(in crate::store) async fn describe(&mut self) -> Result<Vec<TableDetails>, StoreError> {
        let timeout = self.timeout;
        let fault = |error| error::of(error, timeout);
        let current = self.ask(sqlx::query("SELECT DATABASE()")).await?;
        let current = current.first().map(|row| optional_text(row, 0)).transpose().map_err(fault)?.flatten();
        let mut tables = self.tables().await?;
        tables.retain(|table| current.is_none() || table.schema == current);
        let rows = self.ask(sqlx::query(COLUMNS)).await?;
        let columns = rows.iter().map(column).collect::<sqlx::Result<_>>().map_err(fault)?;
        Ok(assemble(tables, columns))
    }

    /// Which columns hold what they are doubted for.
    pub(in crate::store) async fn confirm(
        &mut self,
        table: &TableDetails,
        columns: &[(usize, Doubt)],
    ) -> Result<Vec<(usize, Doubt)>, StoreError> {
        let Some(question) = Question::new(table, columns, Quotes::Backtick, condition) else { return Ok(Vec::new()) };
        let answer = match self.ask(sqlx::query(AssertSqlSafe(question.sql.clone()))).await {
            Err(error) if !self.connection.is_open() => return Err(error),
            answer => answer.unwrap_or_default(),
        };
        let is_one = |index| answer.first().is_some_and(|row| matches!(row.try_get(index), Ok(Some(1_i64))));
        Ok(question.confirmed(is_one))
    }
}

/// When a value of the column `name` is what it is doubted for. Parts of a zero date are zero.
fn condition(doubt: Doubt, name: &str) -> Option<String> {
    match doubt {
        Doubt::Flag => Some(format!("{name} NOT IN (0, 1)")),
        Doubt::Date | Doubt::Datetime => {
            Some(format!("YEAR({name}) = 0 OR MONTH({name}) = 0 OR DAYOFMONTH({name}) = 0"))
        }
        Doubt::Whole | Doubt::Number | Doubt::Nested | Doubt::Numbers | Doubt::Times | Doubt::Julian => None,
    }
}

fn column(row: &MySqlRow) -> sqlx::Result<FoundColumn> {
    let details = ColumnDetails {
        name: text(row, 2)?,
        sql_type: text(row, 3)?,
        nullable: text(row, 4)? != "NO",
        default: optional_text(row, 5)?,
        on_update: text(row, 6)?.to_lowercase().contains("on update"),
    };
    let key_position = optional_text(row, 7)?.and_then(|position| position.parse().ok());
    Ok(FoundColumn { schema: Some(text(row, 0)?), table: text(row, 1)?, details, key_position })
}
