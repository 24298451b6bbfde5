//! Row-level security: whether policies hide rows of a statement from our role.
//!
//! Only the server can tell. A view reads its tables with the rights of its owner, an owner is exempt unless the table
//! says otherwise, and so is a role with BYPASSRLS. With `row_security` off the server refuses to plan what a policy
//! would narrow, whatever leads to the table, so that is what it is asked to do.
//!
//! Not seen is what lies behind the statement: tables that a function reads which the server can't inline, rows that a
//! materialized view did not have when it was refreshed, and the tables of another server behind foreign ones.

use sqlx::{AssertSqlSafe, Row};

use super::behind::few_of;
use super::{Postgres, error};
use crate::store::error::StoreError;
use crate::store::relation::DbTable;
use crate::store::sql::Quotes;

/// Our role, and the tables with policies among those that the transaction has locked, the first few and how many there
/// are: planning a statement locks all tables that it reads, also through views.
const CANDIDATES: &str = "SELECT current_user::text, (array_agg(c.oid::regclass::text ORDER BY c.relname))[1:3], count(*) \
     FROM pg_class c WHERE c.relrowsecurity AND c.oid IN (SELECT l.relation FROM pg_locks l \
         WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation')";

const HAS_POLICIES: &str = "SELECT EXISTS (SELECT FROM pg_class WHERE relrowsecurity)";

/// The SQLSTATE of what row-level security refuses.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// A statement of which policies hide rows.
#[derive(Debug)]
pub(super) struct Narrowed {
    role: String,
    tables: String,
}

impl Narrowed {
    pub(super) fn warning(&self) -> String {
        let Narrowed { role, tables } = self;
        format!(
            "row-level security is active for role {role} on {tables}: rows that its policies hide are not exported"
        )
    }

    pub(super) fn refusal(self) -> StoreError {
        StoreError::RowSecurity { role: self.role, tables: self.tables }
    }
}

impl Postgres {
    /// Whether policies hide rows of `statement`, which has just been planned. To be called last in what is
    /// [`undone`](Postgres::undone), because the server's refusal ends everything up to the savepoint.
    pub(super) async fn narrowed(&mut self, statement: &str) -> Result<Option<Narrowed>, StoreError> {
        let timeout = self.timeout;
        let rows = self.ask(sqlx::query(CANDIDATES)).await?;
        let candidates = rows.first().map(|row| sqlx::Result::Ok((row.try_get(0)?, few_of(row, 1)?)));
        let Some((role, Some(tables))) = candidates.transpose().map_err(|error| error::of(error, timeout))? else {
            return Ok(None);
        };
        self.run("SET LOCAL row_security = off").await?;
        match self.ask(sqlx::query(AssertSqlSafe(format!("EXPLAIN {statement}")))).await {
            Ok(_) => Ok(None),
            Err(StoreError::Statement { code, .. }) if code == INSUFFICIENT_PRIVILEGE => {
                Ok(Some(Narrowed { role, tables }))
            }
            Err(error) => Err(error),
        }
    }

    /// For each of `tables`, what there is to say if policies hide rows of it. Nothing of one that can't be planned.
    pub(super) async fn narrowed_tables(&mut self, tables: &[DbTable]) -> Result<Vec<Option<String>>, StoreError> {
        let timeout = self.timeout;
        let mut warnings = vec![None; tables.len()];
        let has_policies = self.ask(sqlx::query(HAS_POLICIES)).await?;
        let has_policies = has_policies.first().map(|row| row.try_get(0)).transpose();
        if has_policies.map_err(|error| error::of(error, timeout))? != Some(true) {
            return Ok(warnings);
        }
        for (table, warning) in tables.iter().zip(&mut warnings) {
            let schema = table.schema.as_deref().unwrap_or_default();
            // Without a column, the right to read any single one is enough.
            let statement = format!("SELECT FROM {}", Quotes::Double.quote_path(schema, &table.name));
            let narrowed = self.undone(async |postgres| {
                postgres.ask(sqlx::query(AssertSqlSafe(format!("EXPLAIN {statement}")))).await?;
                postgres.narrowed(&statement).await
            });
            match narrowed.await {
                Ok(narrowed) => *warning = narrowed.map(|narrowed| narrowed.warning()),
                Err(StoreError::Statement { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(warnings)
    }
}
