//! Tables in full, from PostgreSQL's catalogue.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};

use super::{Postgres, error};
use crate::store::describe::{ColumnDetails, FoundColumn, TableDetails, assemble};
use crate::store::doubt::{Doubt, Question};
use crate::store::error::StoreError;
use crate::store::sql::Quotes;

/// All columns that can be read. A domain is followed down to the type that it is made of. The names of types that were
/// made here say nothing, so their kind stands before them. An array of arrays has as many brackets as it was declared
/// with, although PostgreSQL does not hold people to that. What a primary key merely
/// carries along (`INCLUDE`) is no part of it.
const COLUMNS: &str = "WITH RECURSIVE base (asked, oid, modifier, is_first) AS ( \
         SELECT oid, oid, -1, true FROM pg_type \
         UNION ALL SELECT base.asked, d.typbasetype, d.typtypmod, false \
               FROM base JOIN pg_type d ON d.oid = base.oid WHERE d.typtype = 'd') \
     SELECT n.nspname::text, c.relname::text, a.attname::text, \
       CASE coalesce(nullif(t.typtype, 'b'), e.typtype, 'b') \
            WHEN 'e' THEN CASE WHEN t.typtype = 'b' THEN '' ELSE 'enum ' END \
            WHEN 'c' THEN 'composite ' WHEN 'r' THEN 'range ' WHEN 'm' THEN 'range ' ELSE '' END \
         || format_type(t.oid, CASE WHEN base.is_first THEN a.atttypmod ELSE base.modifier END) \
         || repeat('[]', CASE WHEN t.typcategory = 'A' THEN a.attndims - 1 ELSE 0 END), \
       NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid), \
       (SELECT k.position FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, position) \
         WHERE i.indrelid = c.oid AND i.indisprimary AND k.attnum = a.attnum AND k.position <= i.indnkeyatts) \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     JOIN base ON base.asked = a.atttypid JOIN pg_type t ON t.oid = base.oid AND t.typtype <> 'd' \
     LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' \
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
     WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' \
       AND has_column_privilege(c.oid, a.attnum, 'SELECT') \
     ORDER BY c.oid, a.attnum";

impl Postgres {
    /// All tables and views in full.
    pub(in crate::store) async fn describe(&mut self) -> Result<Vec<TableDetails>, StoreError> {
        let tables = self.tables().await?;
        let rows = self.ask(sqlx::query(COLUMNS)).await?;
        let columns = rows.iter().map(column).collect::<sqlx::Result<_>>();
        let columns = columns.map_err(|error| error::of(error, self.timeout))?;
        let warnings = self.narrowed_tables(&tables).await?;
        let details = assemble(tables, columns).into_iter().zip(warnings);
        Ok(details.map(|(table, warning)| TableDetails { warning, ..table }).collect())
    }

    /// Which columns hold what they are doubted for.
    pub(in crate::store) async fn confirm(
        &mut self,
        table: &TableDetails,
        columns: &[(usize, Doubt)],
    ) -> Result<Vec<(usize, Doubt)>, StoreError> {
        let Some(question) = Question::new(table, columns, Quotes::Double, condition) else { return Ok(Vec::new()) };
        let sql = AssertSqlSafe(question.sql.clone());
        let answer = match self.undone(async |postgres| postgres.ask(sqlx::query(sql)).await).await {
            Err(error) if !self.connection.is_open() => return Err(error),
            answer => answer.unwrap_or_default(),
        };
        let is_one = |index| answer.first().is_some_and(|row| matches!(row.try_get(index), Ok(Some(1_i32))));
        Ok(question.confirmed(is_one))
    }
}

/// When a value of the column `name` is what it is doubted for.
fn condition(doubt: Doubt, name: &str) -> Option<String> {
    match doubt {
        Doubt::Number => Some(format!("{name}::text IN ('NaN', 'Infinity', '-Infinity')")),
        Doubt::Date | Doubt::Datetime => Some(format!("{name} < '0001-01-01' OR {name} >= '10000-01-01'")),
        Doubt::Nested => Some(format!("array_ndims({name}) > 1")),
        Doubt::Numbers => element(Doubt::Number, name),
        Doubt::Times => element(Doubt::Datetime, name),
        Doubt::Flag | Doubt::Whole | Doubt::Julian => None,
    }
}

/// When an array holds arrays, or an element that is what it is doubted for.
fn element(doubt: Doubt, name: &str) -> Option<String> {
    let (nested, odd) = (condition(Doubt::Nested, name)?, condition(doubt, "element.value")?);
    Some(format!("{nested} OR EXISTS (SELECT FROM unnest({name}) AS element (value) WHERE {odd})"))
}

fn column(row: &PgRow) -> sqlx::Result<FoundColumn> {
    let details = ColumnDetails {
        name: row.try_get(2)?,
        sql_type: row.try_get(3)?,
        nullable: row.try_get(4)?,
        default: row.try_get(5)?,
        on_update: false,
    };
    Ok(FoundColumn { schema: row.try_get(0)?, table: row.try_get(1)?, details, key_position: row.try_get(6)? })
}
