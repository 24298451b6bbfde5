//! PostgreSQL, through sqlx.
//!
//! Rows are read with `COPY (SELECT …) TO STDOUT (FORMAT binary)` and decoded here. COPY costs the server least per
//! row, and its binary format spares it the writing of texts that we would have to read again. It can't take bound
//! values, so the ends of a period are bound to settings of the transaction (`set_config`), which the statement
//! reads as constants; an index on the time column stays usable.

mod behind;
mod catalogue;
mod copy;
mod describe;
mod error;
mod numeric;
mod prepare;
mod row_security;
mod session;
mod types;

use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};

pub(super) use self::prepare::ReadPlan;
use super::error::{ReadError, StoreError};
use super::reader::ReaderThread;
use super::server::{self, Deadline, ServerConnection};
use super::tunnel::{Protocol, Tunnel};
use super::{RowSecurity, StoreSettings, bounds};
use crate::period::Period;
use crate::tls::is_local;
use crate::value::RowSink;

/// One connection, inside one transaction.
pub(super) struct Postgres {
    pub(super) connection: ServerConnection<PgConnection>,
    timeout: Duration,
    row_security: Option<RowSecurity>,
}

const BOUNDS: &str = "SELECT set_config('exportd.from', $1, true), set_config('exportd.to', $2, true)";

impl Postgres {
    /// Connects and starts the snapshot.
    pub(super) async fn open(settings: &StoreSettings) -> Result<Postgres, StoreError> {
        let mut connection = connect(settings).await?;
        let (timeout, row_security) = (settings.statement_timeout, settings.row_security);
        session::begin(connection.db()?, timeout, row_security).await?;
        Ok(Postgres { connection, timeout, row_security })
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
        let fault = |error| error::of(error, timeout);
        let bound = plan.filter.as_ref().zip(period);
        if let Some((form, period)) = bound {
            self.bind(form, period).await?;
        }
        let db = self.db()?;
        let statement = format!("COPY ({}) TO STDOUT (FORMAT binary)", plan.select.text(bound.is_some()));
        let mut deadline = Deadline::start(timeout);
        let mut messages = deadline.wait(db.copy_out_raw(&statement)).await?.map_err(fault)?;
        let mut decoder = copy::Decoder::new(plan.wires.clone());
        while let Some(message) = deadline.next(&mut messages, thread).await? {
            decoder.feed(&message.map_err(fault)?, sink)?;
        }
        Ok(decoder.finish()?)
    }

    /// Binds the ends of `period` to the settings that the filter compares with.
    async fn bind(&mut self, form: &bounds::Form, period: &Period) -> Result<(), StoreError> {
        let timeout = self.timeout;
        let query = sqlx::query(BOUNDS).persistent(false).bind(form.text(&period.from)).bind(form.text(&period.to));
        query.execute(self.db()?).await.map_err(|error| error::of(error, timeout))?;
        Ok(())
    }

    fn db(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.connection.db()
    }
}

/// Connects, by a detour where the driver refuses a certificate that we trust.
async fn connect(settings: &StoreSettings) -> Result<ServerConnection<PgConnection>, StoreError> {
    let options = options(settings)?;
    let place = place(&options);
    let refusal = match server::connect(&place, options.connect(), error::refusal).await {
        Ok(db) => return Ok(ServerConnection::direct(db)),
        // A socket of this machine is no server that a detour could lead to.
        Err(refusal) if options.get_socket().is_some() || options.get_host().starts_with('/') => return Err(refusal),
        Err(refusal) => refusal,
    };
    let checks_name = match options.get_ssl_mode() {
        PgSslMode::VerifyFull => true,
        PgSslMode::VerifyCa => false,
        _ => return Err(refusal),
    };
    let server = (Protocol::Postgres, options.get_host(), options.get_port());
    let Some(target) = server::detour(settings, &refusal, checks_name, server)? else { return Err(refusal) };
    let Ok(tunnel) = Tunnel::open(target) else { return Err(refusal) };
    let options = options.socket(&tunnel.path).ssl_mode(PgSslMode::Disable);
    let (db, tunnel) = server::connect(&place, tunnel.connect(options.connect()), error::refusal).await?;
    Ok(ServerConnection::tunnelled(db, tunnel))
}

fn options(settings: &StoreSettings) -> Result<PgConnectOptions, StoreError> {
    let url = settings.url.expose();
    server::check_url(url)?;
    let mut options = PgConnectOptions::from_str(url).map_err(|error| match error {
        sqlx::Error::Configuration(cause) => StoreError::Url(cause.to_string()),
        _ => StoreError::Url("it must have the form postgres://USER@HOST/DATABASE".to_owned()),
    })?;
    if !server::has_parameter(url, &["sslmode", "ssl-mode"]) {
        let is_local = options.get_socket().is_some() || is_local(options.get_host());
        options = options.ssl_mode(if is_local { PgSslMode::Prefer } else { PgSslMode::VerifyFull });
    }
    if let Some((ca, _)) = server::trusted(settings)? {
        options = options.ssl_root_cert(ca);
    }
    Ok(options
        .application_name("exportd")
        .extra_float_digits(None)
        .statement_cache_capacity(0)
        .disable_statement_logging())
}

/// The server and database, for people.
fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or(options.get_username());
    match options.get_socket() {
        Some(socket) => format!("{}/{database}", socket.display()),
        None => format!("{}:{}/{database}", options.get_host(), options.get_port()),
    }
}
