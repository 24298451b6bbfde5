//! A lock of somebody else is told as that, and not as a slow query.

use std::time::Duration;

use exportd::store::{Snapshot, StoreError, StoreKind};
use sqlx::{Connection, Executor, MySqlConnection, PgConnection};

use super::{export, failure, table};
use crate::support::databases::Database;

#[tokio::test]
async fn a_lock_is_told_apart_from_a_slow_query() {
    for kind in [StoreKind::Postgres, StoreKind::Mysql] {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE t (id INT)").await;
        let mut settings = database.settings();
        settings.statement_timeout = Duration::from_secs(2);
        let mut snapshot = Snapshot::open(&settings).await.unwrap();
        // Whoever holds the lock does so until the end of the test.
        let (mut postgres, mut mysql) = (None, None);
        if kind == StoreKind::Postgres {
            let db = postgres.insert(PgConnection::connect(&database.url).await.unwrap());
            db.execute(sqlx::raw_sql("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")).await.unwrap();
        } else {
            let db = mysql.insert(MySqlConnection::connect(&database.url).await.unwrap());
            db.execute(sqlx::raw_sql("LOCK TABLES t WRITE")).await.unwrap();
        }
        // MariaDB takes locks when rows are asked for, PostgreSQL before.
        let error = match snapshot.prepare(&export(table("t"), &["id"], &["id"])).await {
            Ok(prepared) => failure(&mut snapshot, &prepared).await,
            Err(error) => error,
        };
        assert!(matches!(error, StoreError::Locked { .. }) && !error.is_permanent(), "{kind:?}: {error}");
    }
}
