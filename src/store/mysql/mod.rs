//! MySQL and MariaDB, through sqlx.
//!
//! Rows are read with a prepared statement and so come in the binary protocol: numbers and times need no parsing, and
//! text stays in the buffer of the packet it came in. Every answer of the server is one packet per row; it pushes all
//! rows, so it must be willing to wait for a slow reader.

mod catalogue;
mod describe;
mod engine;
mod error;
mod prepare;
mod row;
mod session;
mod types;
mod warned;

use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};

use self::engine::Engines;
pub(super) use self::prepare::ReadPlan;
use super::StoreSettings;
use super::error::{ReadError, StoreError};
use super::reader::ReaderThread;
use super::server::{self, Deadline, ServerConnection};
use super::statement::{self, Lexis};
use super::tunnel::{Protocol, Tunnel};
use crate::period::Period;
use crate::tls::is_local;
use crate::value::RowSink;

/// Prepared statements that a connection keeps.
///
/// Closing one is a message without an answer. The driver leaves Nagle's algorithm on, so that whatever is sent behind
/// such a message waits until the server's system acknowledges it, and that takes its time: 40 ms for each statement.
/// And what `prepare` has had checked need not be prepared again to be read.
const STATEMENTS: usize = 256;

/// What a login with `caching_sha2_password` meets where the server's own certificate is trusted.
const NO_PASSWORD: &str = "the user logs in with caching_sha2_password, which works only with a certificate that an \
                           authority has issued; have one issued and set `ca` to the authority's, or have the user's \
                           login method changed";

/// One connection, inside one transaction.
pub(super) struct Mysql {
    pub(super) connection: ServerConnection<MySqlConnection>,
    /// The server's number of the connection.
    pub(super) id: u64,
    timeout: Duration,
    /// How the server tells texts and names from code.
    lexis: Lexis,
    /// Known once the first export is prepared.
    engines: Option<Engines>,
    /// What the server warned of while rows were read.
    pub(super) warnings: Vec<String>,
}

impl Mysql {
    /// Connects and starts the snapshot.
    pub(super) async fn open(settings: &StoreSettings) -> Result<Mysql, StoreError> {
        let mut connection = connect(settings).await?;
        let db = connection.db()?;
        let timeout = settings.statement_timeout;
        let fault = |error| error::of(error, timeout);
        let facts = "SELECT VERSION(), CAST(CONNECTION_ID() AS UNSIGNED), @@sql_mode";
        let facts = sqlx::query(facts).fetch_one(&mut *db).await.map_err(fault)?;
        let id = facts.try_get(1).map_err(fault)?;
        let version = catalogue::text(&facts, 0).map_err(fault)?;
        let lexis = statement::mysql(&catalogue::text(&facts, 2).map_err(fault)?);
        for statement in session::statements(version.contains("MariaDB"), timeout) {
            match db.execute(AssertSqlSafe(statement)).await {
                // What a server has no setting for, it does not do.
                Err(error) if error::is_unknown_setting(&error) => {}
                done => _ = done.map_err(fault)?,
            }
        }
        Ok(Mysql { connection, id, timeout, lexis, engines: None, warnings: Vec::new() })
    }

    /// Hands every row to `sink`. Where that fails, rows may still be on their way: the connection has to be abandoned.
    pub(super) async fn read<S: RowSink>(
        &mut self,
        plan: &ReadPlan,
        period: Option<&Period>,
        sink: &mut S,
        thread: Option<&ReaderThread>,
    ) -> Result<(), ReadError> {
        let timeout = self.timeout;
        let bound = plan.filter.as_ref().zip(period);
        let mut query = sqlx::query(AssertSqlSafe(plan.select.text(bound.is_some())));
        if let Some((form, period)) = bound {
            query = query.bind(form.text(&period.from)).bind(form.text(&period.to));
        }
        let mut rows = query.fetch(self.db()?);
        let mut deadline = Deadline::start(timeout);
        let mut decoder = None;
        while let Some(row) = deadline.next(&mut rows, thread).await? {
            let row = row.map_err(|error| error::of(error, timeout))?;
            let decoder = decoder.get_or_insert_with(|| row::Decoder::new(row.columns(), &plan.are_times));
            decoder.row(&row, sink)?;
        }
        drop(rows);
        Ok(self.note_warnings().await?)
    }

    fn db(&mut self) -> Result<&mut MySqlConnection, StoreError> {
        self.connection.db()
    }
}

/// Ends a connection, and what it is doing, from another one. The server does not notice by itself that a client is
/// gone while it sorts or waits.
pub(super) async fn kill(settings: &StoreSettings, id: u64) -> Result<(), StoreError> {
    let mut connection = connect(settings).await?;
    let killed = connection.db()?.execute(AssertSqlSafe(format!("KILL {id}"))).await;
    killed.map_err(|error| error::of(error, settings.statement_timeout))?;
    connection.close().await;
    Ok(())
}

/// Connects, by a detour where the driver refuses a certificate that we trust.
async fn connect(settings: &StoreSettings) -> Result<ServerConnection<MySqlConnection>, StoreError> {
    let options = options(settings)?;
    let place = place(&options);
    let refusal = match server::connect(&place, options.connect(), error::refusal).await {
        Ok(db) => return Ok(ServerConnection::direct(db)),
        // A socket of this machine is no server that a detour could lead to.
        Err(refusal) if options.get_socket().is_some() => return Err(refusal),
        Err(refusal) => refusal,
    };
    let checks_name = match options.get_ssl_mode() {
        MySqlSslMode::VerifyIdentity => true,
        MySqlSslMode::VerifyCa => false,
        _ => return Err(refusal),
    };
    let server = (Protocol::Mysql, options.get_host(), options.get_port());
    let Some(target) = server::detour(settings, &refusal, checks_name, server)? else { return Err(refusal) };
    let Ok(tunnel) = Tunnel::open(target) else { return Err(refusal) };
    let options = options.socket(&tunnel.path).ssl_mode(MySqlSslMode::Disabled);
    match server::connect(&place, tunnel.connect(options.connect()), error::refusal).await {
        Ok((db, tunnel)) => Ok(ServerConnection::tunnelled(db, tunnel)),
        // The URL was used before; what the driver can't do here is to send a password over TLS that it does not see.
        Err(StoreError::Url(_)) => Err(StoreError::Refused { place, cause: NO_PASSWORD.to_owned() }),
        Err(error) => Err(error),
    }
}

fn options(settings: &StoreSettings) -> Result<MySqlConnectOptions, StoreError> {
    let url = settings.url.expose();
    server::check_url(url)?;
    let mut options = MySqlConnectOptions::from_str(url).map_err(|error| match error {
        sqlx::Error::Configuration(cause) => StoreError::Url(cause.to_string()),
        _ => StoreError::Url("it must have the form mysql://USER@HOST/DATABASE".to_owned()),
    })?;
    if options.get_database().is_none_or(str::is_empty) {
        return Err(StoreError::Url("it names no database; write mysql://USER@HOST/DATABASE".to_owned()));
    }
    if !server::has_parameter(url, &["sslmode", "ssl-mode"]) {
        let is_local = options.get_socket().is_some() || is_local(options.get_host());
        options = options.ssl_mode(if is_local { MySqlSslMode::Preferred } else { MySqlSslMode::VerifyIdentity });
    }
    if let Some((ca, _)) = server::trusted(settings)? {
        options = options.ssl_ca(ca);
    }
    // The administrator's queries mean what they mean in any other client, so the server's own modes stay.
    Ok(options
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(Some("+00:00".to_owned()))
        .charset("utf8mb4")
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging())
}

/// The server and database, for people.
fn place(options: &MySqlConnectOptions) -> String {
    let database = options.get_database().unwrap_or_default();
    match options.get_socket() {
        Some(socket) => format!("{}/{database}", socket.display()),
        None => format!("{}:{}/{database}", options.get_host(), options.get_port()),
    }
}
