//! The sample in PostgreSQL: one transaction, rows by COPY.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgCopyIn};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::mpsc;

use super::super::calendar;
use super::super::row::{Cell, Rows};
use super::super::world::World;
use super::super::{SampleError, Summary, TableProgress, schema};
use super::server::{Making, Step, Steps, complete, run_all, unusable};
use super::{Target, refused};
use crate::store::{StoreKind, StoreSettings};

/// A table or view of the user's, in any schema, that no extension brought.
const FIND_ANYTHING: &str = "select n.nspname || '.' || c.relname from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    and not exists (select 1 from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    order by 1 limit 1";

/// Fills the database that `settings` names.
pub(in crate::sample) async fn fill(
    settings: &StoreSettings,
    world: World,
    progress: &(dyn Fn(TableProgress) + Send + Sync),
) -> Result<Summary, SampleError> {
    let mut connection = connect(settings).await?;
    let found: Option<String> =
        sqlx::query_scalar(FIND_ANYTHING).fetch_optional(&mut connection).await.map_err(unusable)?;
    if let Some(found) = found {
        return Err(SampleError::NotEmpty { found });
    }
    let mut transaction = connection.begin().await.map_err(unusable)?;
    run_all(&mut *transaction, "the tables", schema::tables(StoreKind::Postgres)).await?;
    let mut making = Making::start(world, |steps| PostgresTarget { steps, table: None, data: Vec::new() });
    let taken = take_steps(&mut transaction, &mut making.steps, progress).await;
    let summary = making.end(taken).await?;
    complete(&mut *transaction, StoreKind::Postgres, "analyze").await?;
    transaction.commit().await.map_err(|error| refused("to keep the sample", &error))?;
    // The sample is kept; a goodbye that gets lost changes nothing.
    drop(connection.close().await);
    Ok(summary)
}

async fn connect(settings: &StoreSettings) -> Result<PgConnection, SampleError> {
    let options = PgConnectOptions::from_str(settings.url.expose())
        .map_err(|_| SampleError::Url { cause: "it is no PostgreSQL URL".to_owned() })?
        .application_name("exportd sample")
        .disable_statement_logging();
    let options = match &settings.ca {
        Some(ca) => options.ssl_root_cert(ca),
        None => options,
    };
    PgConnection::connect_with(&options).await.map_err(unusable)
}

/// Takes the steps of the making thread until it has no more.
async fn take_steps(
    connection: &mut PgConnection,
    steps: &mut mpsc::Receiver<Step>,
    progress: &(dyn Fn(TableProgress) + Send + Sync),
) -> Result<(), SampleError> {
    while let Some(step) = steps.recv().await {
        match step {
            Step::Begin(table, copy) => {
                let rows = |error: sqlx::Error| refused(&format!("rows of {table}"), &error);
                let mut stream = connection.copy_in_raw(&copy).await.map_err(rows)?;
                let whole = take_stream(&mut stream, steps, progress).await.map_err(rows)?;
                if !whole {
                    drop(stream.abort("the rows have no end").await);
                    return Err(SampleError::Stopped);
                }
                stream.finish().await.map_err(rows)?;
            }
            Step::Report(report) => progress(report),
            Step::Run(..) | Step::Data(_) | Step::End => {}
        }
    }
    Ok(())
}

/// Sends one table's rows. False if the making thread went away before their end.
async fn take_stream(
    stream: &mut PgCopyIn<&mut PgConnection>,
    steps: &mut mpsc::Receiver<Step>,
    progress: &(dyn Fn(TableProgress) + Send + Sync),
) -> Result<bool, sqlx::Error> {
    while let Some(step) = steps.recv().await {
        match step {
            Step::Data(data) => drop(stream.send(data).await?),
            Step::Report(report) => progress(report),
            Step::End => return Ok(true),
            Step::Run(..) | Step::Begin(..) => {}
        }
    }
    Ok(false)
}

/// How many bytes are sent at a time.
const CHUNK: usize = 256 * 1024;

struct PostgresTarget {
    steps: Steps,
    /// The table whose rows are being sent.
    table: Option<&'static str>,
    data: Vec<u8>,
}

impl Target for PostgresTarget {
    fn rows(&mut self, table: &'static str, rows: &Rows) -> Result<(), SampleError> {
        if self.table.is_none() {
            let copy = format!("copy {table} ({}) from stdin", rows.columns().join(", "));
            self.steps.send(Step::Begin(table, copy))?;
            self.table = Some(table);
        }
        rows.iter().for_each(|row| write_row(row, &mut self.data));
        if self.data.len() < CHUNK {
            return Ok(());
        }
        self.steps.send(Step::Data(std::mem::replace(&mut self.data, Vec::with_capacity(CHUNK + 16 * 1024))))
    }

    fn end_table(&mut self, _: &'static str) -> Result<(), SampleError> {
        self.table = None;
        self.steps.send(Step::Data(std::mem::take(&mut self.data)))?;
        self.steps.send(Step::End)
    }

    fn progress(&mut self, progress: TableProgress) -> Result<(), SampleError> {
        self.steps.send(Step::Report(progress))
    }
}

/// Writes a line of COPY's text format.
fn write_row(row: &[Cell], data: &mut Vec<u8>) {
    let mut text = String::new();
    for (place, cell) in row.iter().enumerate() {
        if place > 0 {
            data.push(b'\t');
        }
        text.clear();
        match cell {
            Cell::Null => data.extend_from_slice(b"\\N"),
            Cell::Bool(value) => data.push(if *value { b't' } else { b'f' }),
            Cell::Integer(value) => data.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Cell::Float(value) => data.extend_from_slice(value.to_string().as_bytes()),
            Cell::Text(value) => escape(value, data),
            Cell::Moment(at) => {
                at.write(' ', &mut text);
                text.push_str("+00");
            }
            Cell::Date(date) => calendar::write_date(*date, &mut text),
        }
        data.extend_from_slice(text.as_bytes());
    }
    data.push(b'\n');
}

fn escape(text: &str, data: &mut Vec<u8>) {
    for byte in text.bytes() {
        let letter = match byte {
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => {
                data.push(byte);
                continue;
            }
        };
        data.extend_from_slice(&[b'\\', letter]);
    }
}
