//! The transaction: its snapshot, and settings that decide how values are read and written, whatever the server, the
//! database or the role say. What can't be set is told.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Executor, Row};

use super::{Postgres, error};
use crate::store::error::StoreError;
use crate::store::{Remarks, RowSecurity};
use crate::words::Words;

/// The longest wait for a lock of another program: shorter than a query may take, so that a lock is not told as a slow query.
const LOCK: Duration = Duration::from_secs(60);

/// One message, so that there is no moment at which the server could take us for idle.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
     SET LOCAL idle_in_transaction_session_timeout = 0";

/// It is a query, and so takes the snapshot as well.
const SETTINGS: &str = "SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true), \
     set_config('IntervalStyle', 'postgres', true), set_config('bytea_output', 'hex', true), \
     set_config('extra_float_digits', '1', true), set_config('standard_conforming_strings', 'on', true), \
     set_config('xmlbinary', 'base64', true), set_config('transform_null_equals', 'off', true), \
     set_config('client_encoding', CASE current_setting('server_encoding') WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, \
         true), set_config('statement_timeout', $1, true), \
     set_config('lock_timeout', $2, true), set_config('row_security', $3, true)";

/// Settings that not every server has. Compiling a statement costs seconds where a view has many small subqueries and
/// saves nothing where rows are copied. A transaction may take as long as all its statements may.
const OF_LATER_SERVERS: &str = "SELECT set_config(name, CASE name WHEN 'jit' THEN 'off' ELSE '0' END, true) \
     FROM pg_settings WHERE name IN ('jit', 'transaction_timeout')";

/// Lets the server look now and then whether we are still there, and end the query if not. Else a query that sorts for
/// an hour would go on for an hour after us. Servers before version 14 don't have the setting, and those on some
/// systems refuse it, so it is no part of the transaction.
const NOTICE: &str = "SELECT set_config(name, '1s', false) FROM pg_settings \
     WHERE name = 'client_connection_check_interval'";

/// What only an administrator can set, and what decides what a query means.
const ODD_SETTINGS: &str = "SELECT name, setting, name IN ('zero_damaged_pages', 'ignore_checksum_failure') \
     FROM pg_settings WHERE name IN ('zero_damaged_pages', 'ignore_checksum_failure') AND setting = 'on' \
       OR name IN ('search_path', 'lc_monetary', 'lc_numeric', 'lc_time', 'default_text_search_config') \
          AND source IN ('database', 'user', 'database user') ORDER BY name";

/// How a standby stands: whether it is told to apply no changes, and if it has some that it has not applied, how many
/// minutes old the newest is that it has, and up to where it has received them. Elsewhere nothing.
const STANDBY: &str = "SELECT pg_is_wal_replay_paused(), CASE WHEN pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() \
       THEN (extract(epoch FROM now() - pg_last_xact_replay_timestamp()) / 60)::int8 END, \
       pg_last_wal_receive_lsn()::text WHERE pg_is_in_recovery()";

/// Whether a standby soon applies what it had received. After an idle night the newest change is old, and one that has
/// just come is not applied yet: that is no standby that is late.
const CATCHES_UP: &str = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn FROM pg_sleep(1)";

const PAUSED: &str = "the standby is told to apply no changes (pg_wal_replay_pause), so newer rows are missing";

/// Changes that a standby applies later than this are worth a word.
const LATE_MINUTES: i64 = 5;

/// Begins the transaction.
pub(super) async fn begin(
    db: &mut PgConnection,
    timeout: Duration,
    row_security: Option<RowSecurity>,
) -> Result<(), StoreError> {
    let fault = |error| error::of(error, timeout);
    // Without it a query may outlive us, no more; a connection that is broken shows in the next statement.
    let _ = db.execute(NOTICE).await;
    db.execute(BEGIN).await.map_err(fault)?;
    let millis = |limit: Duration| limit.as_millis().clamp(1, i32::MAX as u128).to_string();
    let fixed = sqlx::query(SETTINGS).persistent(false).bind(millis(timeout)).bind(millis(LOCK.min(timeout / 2)));
    let row_security = row_security.unwrap_or(RowSecurity::On).word();
    fixed.bind(row_security).execute(&mut *db).await.map_err(fault)?;
    db.execute(OF_LATER_SERVERS).await.map_err(fault)?;
    Ok(())
}

impl Postgres {
    /// What there is to say about the server, the database and the role.
    pub(in crate::store) async fn remarks(&mut self) -> Result<Remarks, StoreError> {
        let timeout = self.timeout;
        let fault = |error| error::of(error, timeout);
        let mut remarks = Remarks::default();
        for row in self.ask(sqlx::query(ODD_SETTINGS)).await? {
            let (name, value): (&str, &str) = (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?);
            if row.try_get(2).map_err(fault)? {
                remarks
                    .warnings
                    .push(format!("{name} is on, so the server leaves out or misreads damaged rows without an error"));
            } else {
                remarks.hints.push(format!(
                    "the role or the database sets {name} to {value}, which can change what a query yields"
                ));
            }
        }
        // Servers before version 10 have other names for it.
        match self.undone(async |postgres| postgres.ask(sqlx::query(STANDBY)).await).await {
            Ok(rows) => {
                for row in rows {
                    let (is_paused, late): (bool, Option<i64>) =
                        (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?);
                    let received: Option<String> = row.try_get(2).map_err(fault)?;
                    let late = late.filter(|minutes| *minutes >= LATE_MINUTES);
                    if is_paused {
                        remarks.warnings.push(PAUSED.to_owned());
                    } else if let (Some(minutes), Some(received)) = (late, received)
                        && !self.catches_up(&received).await?
                    {
                        remarks.warnings.push(lateness(minutes));
                    }
                }
            }
            Err(StoreError::Statement { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(remarks)
    }

    async fn catches_up(&mut self, received: &str) -> Result<bool, StoreError> {
        let timeout = self.timeout;
        let rows = self.ask(sqlx::query(CATCHES_UP).bind(received)).await?;
        let reached = rows.first().map(|row| row.try_get(0)).transpose();
        Ok(reached.map_err(|error| error::of(error, timeout))? == Some(true))
    }
}

/// How old the newest change is that a standby has applied is the most that it can be behind.
fn lateness(minutes: i64) -> String {
    format!(
        "the standby is up to {minutes} minutes behind its primary: it does not keep up with the changes that it receives, so \
         newer rows are missing"
    )
}
