//! The server's own catalogue: tables, columns, and what is known about their types and order.

use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Column as _, Either, Executor, MySql, Row, Statement, Type, TypeInfo};

use super::types::Class;
use super::{Mysql, error};
use crate::catalogue::Source;
use crate::store::error::StoreError;
use crate::store::relation::{self, DbColumn, DbTable, Named};
use crate::store::sql::{Quotes, subquery, table_names};
use crate::store::statement;

/// A table, view or query, and its columns.
pub(super) struct Relation {
    /// As an item of a FROM clause.
    pub(super) from: String,
    pub(super) columns: Vec<MyColumn>,
}

/// A column and what matters about it.
#[derive(Debug)]
pub(super) struct MyColumn {
    pub(super) column: DbColumn,
    pub(super) class: Class,
    pub(super) collation: Option<String>,
    /// Reading a range of it looks at all rows.
    pub(super) lacks_index: bool,
    /// The protocol does not tell whether it has a sign.
    pub(super) is_tiny: bool,
}

impl Named for MyColumn {
    fn name(&self) -> &str {
        &self.column.name
    }
}

const TABLES: &str = "SELECT table_schema, table_name, table_type LIKE '%VIEW%', table_schema = DATABASE() \
     FROM information_schema.tables \
     WHERE table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys') \
       AND table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') ORDER BY BINARY table_name, BINARY table_schema";

const COLUMNS: &str = "SELECT c.column_name, c.column_type, c.is_nullable = 'YES', c.data_type, c.collation_name, \
       t.table_type NOT LIKE '%VIEW%' AND NOT EXISTS (SELECT 1 FROM information_schema.statistics s \
           WHERE s.table_schema = c.table_schema AND s.table_name = c.table_name AND s.column_name = c.column_name \
             AND s.seq_in_index = 1) \
     FROM information_schema.columns c JOIN information_schema.tables t \
       ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
     WHERE c.table_schema = ? AND c.table_name = ? AND BINARY c.table_schema = ? AND BINARY c.table_name = ? \
     ORDER BY c.ordinal_position";

impl Mysql {
    /// All tables and views that can be seen, in all databases.
    pub(in crate::store) async fn tables(&mut self) -> Result<Vec<DbTable>, StoreError> {
        Ok(self.all_tables().await?.into_iter().map(|(table, _)| table).collect())
    }

    /// The same, each with whether it is in the database that the URL names.
    async fn all_tables(&mut self) -> Result<Vec<(DbTable, bool)>, StoreError> {
        let rows = self.ask(sqlx::query(TABLES)).await?;
        let table = |row: &MySqlRow| {
            let table = DbTable { schema: Some(text(row, 0)?), name: text(row, 1)?, is_view: truth(row, 2)? };
            Ok((table, truth(row, 3)?))
        };
        rows.iter().map(table).collect::<sqlx::Result<_>>().map_err(|error| error::of(error, self.timeout))
    }

    /// The columns of a table, view or query.
    pub(in crate::store) async fn inspect(&mut self, source: &Source) -> Result<Vec<DbColumn>, StoreError> {
        Ok(self.relation(source).await?.columns.into_iter().map(|column| column.column).collect())
    }

    /// Finds what `source` names.
    pub(super) async fn relation(&mut self, source: &Source) -> Result<Relation, StoreError> {
        match source {
            Source::Table(table) => self.table(table).await,
            Source::Query(query) => self.query(query).await,
        }
    }

    async fn table(&mut self, from: &str) -> Result<Relation, StoreError> {
        let tables = self.all_tables().await?;
        for (schema, name) in table_names(from) {
            let found = tables.iter().find(|(table, is_ours)| {
                let in_schema = schema.map_or(*is_ours, |schema| table.schema.as_deref() == Some(schema));
                in_schema && table.name == name
            });
            if let Some((DbTable { schema: Some(schema), name, .. }, _)) = found {
                let columns = self.columns(schema, name).await?;
                return Ok(Relation { from: Quotes::Backtick.quote_path(schema, name), columns });
            }
        }
        let nearest = relation::nearest(from, tables.iter().map(|(table, _)| table.name.as_str()));
        Err(StoreError::NoTable { table: from.to_owned(), nearest })
    }

    async fn columns(&mut self, schema: &str, name: &str) -> Result<Vec<MyColumn>, StoreError> {
        let question = sqlx::query(COLUMNS).bind(schema).bind(name).bind(schema).bind(name);
        let rows = self.ask(question).await?;
        let column = |row: &MySqlRow| {
            let column = DbColumn { name: text(row, 0)?, sql_type: text(row, 1)?, nullable: truth(row, 2)? };
            Ok(MyColumn {
                is_tiny: column.sql_type.starts_with("tinyint(1)"),
                class: Class::of(&text(row, 3)?),
                collation: optional_text(row, 4)?,
                lacks_index: truth(row, 5)?,
                column,
            })
        };
        rows.iter().map(column).collect::<sqlx::Result<_>>().map_err(|error| error::of(error, self.timeout))
    }

    async fn query(&mut self, query: &str) -> Result<Relation, StoreError> {
        let query = statement::single_select(query, self.lexis)?;
        let from = subquery(query, Quotes::Backtick);
        let timeout = self.timeout;
        // Preparing is what makes sure of one statement: the server refuses to prepare several at once.
        let sql = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(format!("SELECT * FROM {from}")));
        let prepared = match self.db()?.prepare(sql).await {
            Err(error) if error::is_doubled_column(&error) => return Err(self.doubled(query, error).await),
            prepared => prepared.map_err(|error| error::of(error, timeout))?,
        };
        if matches!(prepared.parameters(), Some(Either::Left([_, ..]) | Either::Right(1..))) {
            return Err(StoreError::Query("it has parameters, and there is nothing to bind to them".to_owned()));
        }
        let columns = prepared.columns().iter().map(|column| {
            let info = column.type_info();
            let sql_type = info.name().to_lowercase();
            // The driver's name tells text from binary data by a flag that text of a binary collation has as well.
            let class = match Class::of(&sql_type) {
                Class::Other if <str as Type<MySql>>::compatible(info) => Class::Text,
                class => class,
            };
            MyColumn {
                is_tiny: sql_type == "boolean",
                class,
                collation: None,
                lacks_index: false,
                column: DbColumn { name: column.name().to_owned(), sql_type, nullable: true },
            }
        });
        Ok(Relation { columns: columns.collect(), from })
    }

    /// Which columns of `query` share a name, of which the server has said that there are some. Alone it may have them.
    async fn doubled(&mut self, query: &str, refusal: sqlx::Error) -> StoreError {
        let refusal = error::of(refusal, self.timeout);
        let db = match self.db() {
            Ok(db) => db,
            Err(error) => return error,
        };
        let alone = db.prepare(sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(query.to_owned()))).await;
        let Ok(alone) = alone else { return refusal };
        let names: Vec<String> = alone.columns().iter().map(|column| column.name().to_lowercase()).collect();
        let doubled = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
        doubled.map_or(refusal, |(_, name)| relation::need_alias(name))
    }

    /// The rows of a small question.
    pub(super) async fn ask(
        &mut self,
        query: sqlx::query::Query<'_, sqlx::MySql, sqlx::mysql::MySqlArguments>,
    ) -> Result<Vec<MySqlRow>, StoreError> {
        let timeout = self.timeout;
        let answer = query.fetch_all(self.db()?).await;
        answer.map_err(|error| error::of(error, timeout))
    }
}

/// A text of the server's catalogue, whatever type and character set it has there.
pub(super) fn text(row: &MySqlRow, index: usize) -> sqlx::Result<String> {
    Ok(optional_text(row, index)?.unwrap_or_default())
}

/// The same, where it may be NULL.
pub(super) fn optional_text(row: &MySqlRow, index: usize) -> sqlx::Result<Option<String>> {
    let bytes = row.try_get_unchecked::<Option<&[u8]>, _>(index)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

/// A comparison's result: a number of any width.
pub(super) fn truth(row: &MySqlRow, index: usize) -> sqlx::Result<bool> {
    let bytes = row.try_get_unchecked::<Option<&[u8]>, _>(index)?;
    Ok(bytes.is_some_and(|bytes| bytes.iter().any(|&byte| byte != 0)))
}
