//! What lies behind the statement of an export: foreign tables, which the snapshot does not cover, and tables whose
//! rows are not what the database has committed.

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::{Postgres, error};
use crate::store::Remarks;
use crate::store::error::StoreError;
use crate::store::sql::Quotes;
use crate::wording::few;

/// Relations that need a word, among those that the transaction has locked: planning a statement locks all tables that
/// it reads, also through views and as partitions. Of each kind the first few, and how many there are.
const BEHIND: &str = "WITH locked AS (SELECT c.oid::regclass::text AS name, c.relname, c.relkind, c.relpersistence \
       FROM pg_class c WHERE c.relkind IN ('r', 'm', 'f') AND c.oid IN (SELECT l.relation FROM pg_locks l \
         WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation')) \
     SELECT (array_agg(name ORDER BY relname) FILTER (WHERE relkind = 'f'))[1:3], count(*) FILTER (WHERE relkind = 'f'), \
       (array_agg(name ORDER BY relname) FILTER (WHERE relkind = 'm'))[1:3], count(*) FILTER (WHERE relkind = 'm'), \
       (array_agg(name ORDER BY relname) FILTER (WHERE relpersistence = 'u'))[1:3], \
       count(*) FILTER (WHERE relpersistence = 'u') FROM locked";

/// Other tables and views that a name without a schema could mean, and whether somebody may well mean them: those that
/// the search path leads to as well, and those of the schema that everybody begins with. These come first.
const NAMESAKES: &str = "SELECT role, found, (array_agg(other ORDER BY is_near DESC, other))[1:3], count(*), bool_or(is_near) \
     FROM (SELECT current_user::text AS role, format('%I.%I', fn.nspname, f.relname) AS found, \
         format('%I.%I', n.nspname, c.relname) AS other, \
         n.nspname = 'public' OR n.nspname = ANY (current_schemas(false)) AS is_near \
       FROM pg_class f JOIN pg_namespace fn ON fn.oid = f.relnamespace \
         JOIN pg_class c ON c.relname = f.relname AND c.oid <> f.oid JOIN pg_namespace n ON n.oid = c.relnamespace \
       WHERE f.oid = to_regclass($1) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') \
         AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' \
         AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')) AS namesakes \
     GROUP BY role, found";

impl Postgres {
    /// What there is to say about the relations behind a statement that has just been planned.
    pub(super) async fn behind(&mut self, remarks: &mut Remarks) -> Result<(), StoreError> {
        let timeout = self.timeout;
        let rows = self.ask(sqlx::query(BEHIND)).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let tables = |index| few_of(row, index).map_err(|error| error::of(error, timeout));
        if let Some(foreign) = tables(0)? {
            remarks.warnings.push(format!(
                "the run's snapshot does not cover {foreign}: a foreign table shows what its own server or file has when it \
                 is read"
            ));
        }
        if let Some(views) = tables(2)? {
            remarks
                .hints
                .push(format!("read from materialized views, which have the rows of their last REFRESH: {views}"));
        }
        if let Some(unlogged) = tables(4)? {
            remarks.hints.push(format!(
                "read from unlogged tables, which are empty after a crash of the server and can't be read from a standby: \
                 {unlogged}"
            ));
        }
        Ok(())
    }

    /// What there is to say about a table that is named without its schema.
    pub(super) async fn namesakes(&mut self, name: &str, remarks: &mut Remarks) -> Result<(), StoreError> {
        let timeout = self.timeout;
        let fault = |error| error::of(error, timeout);
        let rows = self.ask(sqlx::query(NAMESAKES).bind(Quotes::Double.quote(name))).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let text = |index| row.try_get::<String, _>(index).map_err(fault);
        let (role, found, others) = (text(0)?, text(1)?, few_of(row, 2).map_err(fault)?.unwrap_or_default());
        let said = format!(
            "{name} is {found} by the search_path of role {role}, and there is also {others}; name the schema in `from`"
        );
        let list = if row.try_get(4).map_err(fault)? { &mut remarks.warnings } else { &mut remarks.hints };
        list.push(said);
        Ok(())
    }
}

/// The first names of a list in the column at `index`, and how many more there are by the column after it.
pub(super) fn few_of(row: &PgRow, index: usize) -> sqlx::Result<Option<String>> {
    let (names, all): (Option<Vec<String>>, i64) = (row.try_get(index)?, row.try_get(index + 1)?);
    Ok(names.map(|names| few(&names, all as usize)))
}
