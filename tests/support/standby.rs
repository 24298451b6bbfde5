//! A PostgreSQL server with a standby that follows it, for one test.

use exportd::secret::Secret;
use exportd::store::{MAX_CELL, StoreKind, StoreSettings};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::databases::{Server, as_user, folder_of, newest_postgres, run, start, start_postgres};

/// A primary and its standby. The standby waits for no query before it applies a change.
pub struct Pair {
    primary: Server,
    standby: Server,
}

impl Pair {
    /// Starts both.
    pub fn start() -> Pair {
        let (bin, primary, folder) = (newest_postgres(), start_postgres(), folder_of("postgres"));
        let data = folder.join("data");
        let mut copy = as_user("postgres", &bin.join("pg_basebackup"));
        copy.args(["--host=127.0.0.1", "--username=postgres", "--port"]).arg(primary.port.to_string());
        copy.args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--pgdata"]);
        run(copy.arg(&data));
        let kind = ("postgres", "postgres".to_owned(), "database system is ready to accept read");
        let standby = start(kind, &folder, &primary.certificates, |port| {
            let mut command = as_user("postgres", &bin.join("postgres"));
            command.arg("-D").arg(&data).arg("-k").arg(&folder).args(["-p", &port.to_string()]);
            command.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "log_destination=stderr"]);
            command.args(["-c", "max_standby_streaming_delay=0"]);
            command
        });
        Pair { primary, standby }
    }

    /// Changes something on the primary, and returns where its log then ends.
    pub async fn change(&self, sql: &str) -> String {
        let mut db = PgConnection::connect(&self.primary.url("postgres")).await.unwrap();
        db.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
        sqlx::query_scalar("SELECT pg_current_wal_flush_lsn()::text").fetch_one(&mut db).await.unwrap()
    }

    /// Waits until a condition holds on the standby.
    pub async fn wait(&self, condition: &str) {
        let mut db = PgConnection::connect(&self.standby.url("postgres")).await.unwrap();
        let limit = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let sql = format!("SELECT {condition}");
        while !sqlx::query_scalar::<_, bool>(AssertSqlSafe(sql.clone())).fetch_one(&mut db).await.unwrap() {
            assert!(std::time::Instant::now() < limit, "never true on the standby: {condition}");
        }
    }

    /// The settings with which `exportd` opens the standby.
    pub fn settings(&self) -> StoreSettings {
        StoreSettings {
            kind: StoreKind::Postgres,
            url: Secret::new(self.standby.url("postgres")),
            statement_timeout: std::time::Duration::from_secs(60),
            ca: None,
            row_security: None,
            max_cell: MAX_CELL,
        }
    }
}
