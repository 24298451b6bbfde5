//! PostgreSQL's own catalogue: tables, columns, and what is known about their types and order.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Column as _, Either, Executor, Row, Statement, TypeInfo};

use super::types::Type;
use super::{Postgres, error};
use crate::catalogue::Source;
use crate::store::error::StoreError;
use crate::store::relation::{self, DbColumn, DbTable, Named};
use crate::store::sql::{Quotes, subquery, table_names};
use crate::store::statement;

/// A table, view or query, and its columns.
pub(super) struct Relation {
    /// As an item of a FROM clause.
    pub(super) from: String,
    pub(super) columns: Vec<PgColumn>,
}

/// A column and what matters about it.
#[derive(Debug)]
pub(super) struct PgColumn {
    pub(super) column: DbColumn,
    pub(super) kind: Type,
    /// Its type declares the scale of its decimals.
    pub(super) has_scale: bool,
    /// Its collation sorts by bytes.
    pub(super) has_byte_order: bool,
    /// Reading a range of it looks at all rows.
    pub(super) lacks_index: bool,
}

impl Named for PgColumn {
    fn name(&self) -> &str {
        &self.column.name
    }
}

const TABLES: &str = "SELECT n.nspname::text, c.relname::text, c.relkind IN ('v', 'm') \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition \
       AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' \
       AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT') \
     ORDER BY c.relname::text COLLATE \"C\", n.nspname::text COLLATE \"C\"";

const TABLE: &str = "SELECT c.oid::int8, n.nspname::text, c.relname::text \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'v', 'm', 'f', 'p')";

// A collation of libc called C or POSIX sorts by bytes. The provider of the database's own collation is a column that
// servers before 15 do not have.
const COLUMNS: &str = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, a.atttypid::int8, \
       CASE WHEN k.oid IS NULL THEN true \
            WHEN k.collprovider = 'd' THEN (SELECT d.datcollate IN ('C', 'POSIX') \
                 AND coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c' \
                 FROM pg_database d WHERE d.datname = current_database()) \
            ELSE k.collprovider = 'c' AND k.collcollate IN ('C', 'POSIX') END, \
       c.relkind IN ('r', 'm', 'p') AND NOT EXISTS (SELECT 1 FROM pg_index i \
            WHERE i.indrelid = c.oid AND i.indisvalid AND i.indkey[0] = a.attnum), \
       a.atttypmod <> -1 \
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_collation k ON k.oid = a.attcollation \
     WHERE a.attrelid = $1::int8::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// For each type what it is once its domains are taken away, and whether these have a modifier, such as (10,2).
const TYPES: &str = "WITH RECURSIVE base (asked, oid, modifier) AS ( \
         SELECT t, t, -1 FROM unnest($1::int8[]) t \
         UNION SELECT base.asked, d.typbasetype::int8, d.typtypmod \
               FROM base JOIN pg_type d ON d.oid = base.oid::oid WHERE d.typtype = 'd') \
     SELECT base.asked, t.oid::int8, t.typtype::text, t.typcategory::text, base.modifier <> -1 \
     FROM base JOIN pg_type t ON t.oid = base.oid::oid WHERE t.typtype <> 'd'";

/// The types of columns of tables, each by the table's identifier and the column's number in it, and whether they have
/// a modifier.
const ORIGINS: &str = "SELECT place::int8, a.atttypid::int8, a.atttypmod <> -1 \
     FROM unnest($1::int8[], $2::int2[]) WITH ORDINALITY AS origin (relation, number, place) \
     JOIN pg_attribute a ON a.attrelid = origin.relation::oid AND a.attnum = origin.number";

impl Postgres {
    /// All tables and views that can be read.
    pub(in crate::store) async fn tables(&mut self) -> Result<Vec<DbTable>, StoreError> {
        let rows = self.ask(sqlx::query(TABLES)).await?;
        let table =
            |row: &PgRow| Ok(DbTable { schema: row.try_get(0)?, name: row.try_get(1)?, is_view: row.try_get(2)? });
        rows.iter().map(table).collect::<sqlx::Result<_>>().map_err(|error| error::of(error, self.timeout))
    }

    /// The columns of a table, view or query.
    pub(in crate::store) async fn inspect(&mut self, source: &Source) -> Result<Vec<DbColumn>, StoreError> {
        let relation = self.undone(async |postgres| postgres.relation(source).await).await?;
        Ok(relation.columns.into_iter().map(|column| column.column).collect())
    }

    /// Finds what `source` names.
    pub(super) async fn relation(&mut self, source: &Source) -> Result<Relation, StoreError> {
        match source {
            Source::Table(table) => self.table(table).await,
            Source::Query(query) => self.query(query).await,
        }
    }

    async fn table(&mut self, table: &str) -> Result<Relation, StoreError> {
        for (schema, name) in table_names(table) {
            let path = match schema {
                Some(schema) => Quotes::Double.quote_path(schema, name),
                None => Quotes::Double.quote(name),
            };
            if let Some(found) = self.ask(sqlx::query(TABLE).bind(path)).await?.first() {
                return self.table_columns(found).await;
            }
        }
        let tables = self.tables().await?;
        let nearest = relation::nearest(table, tables.iter().map(|table| table.name.as_str()));
        Err(StoreError::NoTable { table: table.to_owned(), nearest })
    }

    async fn table_columns(&mut self, found: &PgRow) -> Result<Relation, StoreError> {
        let timeout = self.timeout;
        let fault = |error| error::of(error, timeout);
        let (schema, name): (&str, &str) = (found.try_get(1).map_err(fault)?, found.try_get(2).map_err(fault)?);
        let rows = self.ask(sqlx::query(COLUMNS).bind(found.try_get::<i64, _>(0).map_err(fault)?)).await?;
        let oids: Vec<i64> = rows.iter().map(|row| row.try_get(3)).collect::<sqlx::Result<_>>().map_err(fault)?;
        let types = self.types(&oids).await?;
        let column = |(row, oid): (&PgRow, &i64)| {
            let column = DbColumn { name: row.try_get(0)?, sql_type: row.try_get(1)?, nullable: row.try_get(2)? };
            let (has_byte_order, lacks_index) = (row.try_get(4)?, row.try_get(5)?);
            let Found { kind, has_modifier } = found_type(&types, *oid);
            let has_scale = kind.has_fixed_scale() || has_modifier || row.try_get(6)?;
            Ok(PgColumn { column, kind, has_scale, has_byte_order, lacks_index })
        };
        let columns = rows.iter().zip(&oids).map(column).collect::<sqlx::Result<_>>().map_err(fault)?;
        Ok(Relation { from: Quotes::Double.quote_path(schema, name), columns })
    }

    async fn query(&mut self, query: &str) -> Result<Relation, StoreError> {
        let query = statement::single_select(query, statement::POSTGRES)?;
        let from = subquery(query, Quotes::Double);
        let timeout = self.timeout;
        let fault = |error| error::of(error, timeout);
        let db = self.db()?;
        // Preparing is what makes sure of one statement: the server refuses to prepare several at once.
        let prepared = db.prepare(sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(format!("SELECT * FROM {from}"))));
        let prepared = prepared.await.map_err(fault)?;
        // Behind a connection pool, the next user would meet the statement again.
        db.execute("DEALLOCATE ALL").await.map_err(fault)?;
        if matches!(prepared.parameters(), Some(Either::Left([_, ..]) | Either::Right(1..))) {
            return Err(StoreError::Query("it has parameters, and there is nothing to bind to them".to_owned()));
        }
        let oid = |column: &sqlx::postgres::PgColumn| column.type_info().oid().map_or(0, |oid| i64::from(oid.0));
        let oids: Vec<i64> = prepared.columns().iter().map(oid).collect();
        let types = self.types(&oids).await?;
        let scaled = self.scaled(prepared.columns()).await?;
        let columns = prepared.columns().iter().zip(&oids).zip(scaled).map(|((column, oid), is_scaled)| {
            let kind = found_type(&types, *oid).kind;
            PgColumn {
                column: DbColumn {
                    name: column.name().to_owned(),
                    sql_type: column.type_info().name().to_lowercase(),
                    nullable: true,
                },
                kind,
                has_scale: kind.has_fixed_scale() || is_scaled,
                has_byte_order: false,
                lacks_index: false,
            }
        });
        Ok(Relation { columns: columns.collect(), from })
    }

    /// Whether each column of a query comes from a table's column whose type has a modifier. The driver does not tell
    /// the modifier of an expression.
    async fn scaled(&mut self, columns: &[sqlx::postgres::PgColumn]) -> Result<Vec<bool>, StoreError> {
        let relation = |column: &sqlx::postgres::PgColumn| column.relation_id().map(|oid| i64::from(oid.0));
        let relations: Vec<Option<i64>> = columns.iter().map(relation).collect();
        let numbers: Vec<Option<i16>> = columns.iter().map(|column| column.relation_attribute_no()).collect();
        let rows = self.ask(sqlx::query(ORIGINS).bind(relations).bind(numbers)).await?;
        let origin = |row: &PgRow| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
        let origins = rows.iter().map(origin).collect::<sqlx::Result<Vec<(i64, i64, bool)>>>();
        let origins = origins.map_err(|error| error::of(error, self.timeout))?;
        let types = self.types(&origins.iter().map(|(_, oid, _)| *oid).collect::<Vec<_>>()).await?;
        let mut scaled = vec![false; columns.len()];
        for (place, oid, has_modifier) in origins {
            scaled[place as usize - 1] = has_modifier || found_type(&types, oid).has_modifier;
        }
        Ok(scaled)
    }

    async fn types(&mut self, oids: &[i64]) -> Result<HashMap<i64, Found>, StoreError> {
        let rows = self.ask(sqlx::query(TYPES).bind(oids)).await?;
        let found = |row: &PgRow| {
            let oid: i64 = row.try_get(1)?;
            let kind = Type::new(oid as u32, row.try_get(2)?, row.try_get(3)?);
            Ok((row.try_get(0)?, Found { kind, has_modifier: row.try_get(4)? }))
        };
        rows.iter().map(found).collect::<sqlx::Result<_>>().map_err(|error| error::of(error, self.timeout))
    }

    /// The rows of a small question.
    pub(super) async fn ask(
        &mut self,
        query: sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments>,
    ) -> Result<Vec<PgRow>, StoreError> {
        let timeout = self.timeout;
        let answer = query.persistent(false).fetch_all(self.db()?).await;
        answer.map_err(|error| error::of(error, timeout))
    }
}

/// A type, its domains taken away.
#[derive(Clone, Copy)]
struct Found {
    kind: Type,
    /// One of the domains has a modifier.
    has_modifier: bool,
}

fn found_type(types: &HashMap<i64, Found>, oid: i64) -> Found {
    types.get(&oid).copied().unwrap_or_else(|| Found { kind: Type::new(0, "b", "U"), has_modifier: false })
}
