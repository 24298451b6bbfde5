//! What lies behind the statement of an export: foreign tables, which the snapshot does not cover, and tables whose
//! rows are not what the database has committed.

use sqlx::Row;

use super::{Postgres, error};
use crate::store::Remarks;
use crate::store::error::StoreError;
use crate::store::sql::Quotes;

/// Relations that need a word, among those that the transaction has locked: planning a statement locks all tables that
/// it reads, also through views and as partitions.
const BEHIND: &str = "SELECT string_agg(c.oid::regclass::text, ', ' ORDER BY c.relname) FILTER (WHERE c.relkind = 'f'), \
       string_agg(c.oid::regclass::text, ', ' ORDER BY c.relname) FILTER (WHERE c.relkind = 'm'), \
       string_agg(c.oid::regclass::text, ', ' ORDER BY c.relname) FILTER (WHERE c.relpersistence = 'u') \
     FROM pg_class c WHERE c.relkind IN ('r', 'm', 'f') AND c.oid IN (SELECT l.relation FROM pg_locks l \
         WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation')";

/// Other tables and views that a name without a schema could mean, and whether somebody may well mean them: those that
/// the search path leads to as well, and those of the schema that everybody begins with.
const NAMESAKES: &str = "SELECT current_user::text, \
       format('%I.%I', fn.nspname, f.relname), string_agg(format('%I.%I', n.nspname, c.relname), ', ' ORDER BY n.nspname), \
       bool_or(n.nspname = 'public' OR n.nspname = ANY (current_schemas(false))) \
     FROM pg_class f JOIN pg_namespace fn ON fn.oid = f.relnamespace \
       JOIN pg_class c ON c.relname = f.relname AND c.oid <> f.oid JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE f.oid = to_regclass($1) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') \
       AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' \
       AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT') \
     GROUP BY f.oid, fn.nspname, f.relname";

impl Postgres {
    /// What there is to say about the relations behind a statement that has just been planned.
    pub(super) async fn behind(&mut self, remarks: &mut Remarks) -> Result<(), StoreError> {
        let timeout = self.timeout;
        let rows = self.ask(sqlx::query(BEHIND)).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let tables = |index| row.try_get::<Option<String>, _>(index).map_err(|error| error::of(error, timeout));
        if let Some(foreign) = tables(0)? {
            remarks.warnings.push(format!(
                "the run's snapshot does not cover {foreign}: a foreign table shows what its own server or file has when it \
                 is read"
            ));
        }
        if let Some(views) = tables(1)? {
            remarks.hints.push(format!("{views}: a materialized view has the rows of its last REFRESH"));
        }
        if let Some(unlogged) = tables(2)? {
            remarks.hints.push(format!(
                "{unlogged}: an unlogged table is empty after a crash of the server, and can't be read from a standby"
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
        let (role, found, others) = (text(0)?, text(1)?, text(2)?);
        let said = format!(
            "{name} is {found} by the search_path of role {role}, and there is also {others}; name the schema in `from`"
        );
        let list = if row.try_get(3).map_err(fault)? { &mut remarks.warnings } else { &mut remarks.hints };
        list.push(said);
        Ok(())
    }
}
