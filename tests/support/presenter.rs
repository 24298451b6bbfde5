//! Database servers that only one test uses, and whose certificates and rules it changes.

use std::time::Duration;

use exportd::secret::Secret;
use exportd::store::{MAX_CELL, StoreKind, StoreSettings};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection};

use super::certificates::Certificates;
use super::databases::{Server, start_mariadb, start_postgres};

/// A server that only one test uses, and that presents whichever certificate the test wants.
pub struct Presenter {
    server: Server,
    kind: StoreKind,
}

impl Presenter {
    /// Starts one.
    pub fn start(kind: StoreKind) -> Presenter {
        let server = if kind == StoreKind::Postgres { start_postgres() } else { start_mariadb() };
        Presenter { server, kind }
    }

    /// The URL of a database of its own at `host`, with these parameters.
    pub fn settings(&self, host: &str, parameters: &str) -> StoreSettings {
        let (database, kind) = (if self.kind == StoreKind::Postgres { "postgres" } else { "mysql" }, self.kind);
        let url = self.server.url(database).replacen("127.0.0.1", host, 1);
        let url = Secret::new(format!("{url}?{parameters}"));
        StoreSettings {
            kind,
            url,
            statement_timeout: Duration::from_secs(60),
            ca: None,
            row_security: None,
            max_cell: MAX_CELL,
        }
    }

    /// Presents another certificate from now on.
    pub async fn present(&self, certificates: &Certificates) {
        // The server owns its files, so they are written and not replaced.
        std::fs::write(&self.server.certificates.server, std::fs::read(&certificates.server).unwrap()).unwrap();
        std::fs::write(&self.server.certificates.key, std::fs::read(&certificates.key).unwrap()).unwrap();
        match self.kind {
            StoreKind::Postgres => self.configure("SELECT 1").await,
            _ => {
                let url = self.settings("127.0.0.1", "ssl-mode=DISABLED").url;
                let mut db = MySqlConnection::connect(url.expose()).await.unwrap();
                db.execute("FLUSH SSL").await.unwrap();
            }
        }
    }

    /// Changes PostgreSQL's settings by `sql`, and waits until they are in force.
    pub async fn configure(&self, sql: &'static str) {
        let url = self.settings("127.0.0.1", "sslmode=disable").url;
        let mut db = PgConnection::connect(url.expose()).await.unwrap();
        db.execute(sql).await.unwrap();
        let loaded = "SELECT extract(epoch FROM pg_conf_load_time())::float8";
        let before: f64 = sqlx::query_scalar(loaded).fetch_one(&mut db).await.unwrap();
        db.execute("SELECT pg_reload_conf()").await.unwrap();
        let limit = std::time::Instant::now() + Duration::from_secs(60);
        loop {
            // A new connection has what the server has read when it begins.
            let mut db = PgConnection::connect(url.expose()).await.unwrap();
            let now: f64 = sqlx::query_scalar(loaded).fetch_one(&mut db).await.unwrap();
            if now > before {
                return;
            }
            assert!(std::time::Instant::now() < limit, "PostgreSQL does not read its settings again");
        }
    }

    /// Has PostgreSQL ask a new role for its password, and gives it a database of this name.
    pub async fn ask_for_password(&self, role: &str, password: &str, database: &str, tables: &str) {
        let admin = self.settings("127.0.0.1", "sslmode=disable").url;
        let mut db = PgConnection::connect(admin.expose()).await.unwrap();
        for sql in [
            format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'"),
            format!("CREATE DATABASE {database} OWNER {role}"),
        ] {
            db.execute(AssertSqlSafe(sql)).await.unwrap();
        }
        let own = admin.expose().replacen("/postgres?", &format!("/{database}?"), 1);
        let mut db = PgConnection::connect(&own).await.unwrap();
        let sql = format!("SET ROLE {role}; {tables}");
        db.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
        let rules = self.server.certificates.server.parent().unwrap().join("data/pg_hba.conf");
        let trusting = std::fs::read_to_string(&rules).unwrap();
        std::fs::write(&rules, format!("host all {role} 127.0.0.1/32 scram-sha-256\n{trusting}")).unwrap();
        self.configure("SELECT 1").await;
    }
}
