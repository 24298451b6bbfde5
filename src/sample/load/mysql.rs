//! The sample in MySQL or MariaDB: inserts of many rows, a transaction for each table.
//!
//! These databases commit by themselves when a table is made, so a failure can't be rolled back as a whole; the tables
//! made until then are dropped instead.

use std::str::FromStr;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions, Connection, MySqlConnection};
use tokio::sync::mpsc;

use super::super::calendar;
use super::super::row::{Cell, Rows};
use super::super::world::World;
use super::super::{SampleError, Summary, TableProgress, schema, tables};
use super::Target;
use super::server::{Making, Step, Steps, complete, run_all, unusable};
use crate::store::{StoreKind, StoreSettings};

/// Fills the database that `settings` names.
pub(in crate::sample) async fn fill(
    settings: &StoreSettings,
    world: World,
    progress: &(dyn Fn(TableProgress) + Send + Sync),
) -> Result<Summary, SampleError> {
    let mut connection = connect(settings).await?;
    let found: Option<String> = sqlx::query_scalar(
        "select cast(concat(table_schema, '.', table_name) as char) from information_schema.tables
        where table_schema = database() order by 1 limit 1",
    )
    .fetch_optional(&mut connection)
    .await
    .map_err(unusable)?;
    if let Some(found) = found {
        return Err(SampleError::NotEmpty { found });
    }
    let filled = fill_empty(&mut connection, world, progress).await;
    if filled.is_err() {
        empty_again(settings).await;
    }
    // The sample is kept; a goodbye that gets lost changes nothing.
    drop(connection.close().await);
    filled
}

async fn connect(settings: &StoreSettings) -> Result<MySqlConnection, SampleError> {
    let options = MySqlConnectOptions::from_str(settings.url.expose())
        .map_err(|_| SampleError::Url { cause: "it is no MySQL URL".to_owned() })?
        .disable_statement_logging();
    if options.get_database().is_none_or(str::is_empty) {
        return Err(SampleError::Url { cause: "it names no database".to_owned() });
    }
    let options = match &settings.ca {
        Some(ca) => options.ssl_ca(ca),
        None => options,
    };
    MySqlConnection::connect_with(&options).await.map_err(unusable)
}

async fn fill_empty(
    connection: &mut MySqlConnection,
    world: World,
    progress: &(dyn Fn(TableProgress) + Send + Sync),
) -> Result<Summary, SampleError> {
    run_all(connection, "the tables", schema::tables(StoreKind::Mysql)).await?;
    run_all(connection, "settings for the load", vec!["set autocommit = 0, unique_checks = 0".to_owned()]).await?;
    let mut making = Making::start(world, |steps| MysqlTarget { steps, insert: String::new(), sql: String::new() });
    let taken = take_steps(connection, &mut making.steps, progress).await;
    let summary = making.end(taken).await?;
    complete(connection, StoreKind::Mysql, "analyze table").await?;
    Ok(summary)
}

/// Takes the steps of the making thread until it has no more.
async fn take_steps(
    connection: &mut MySqlConnection,
    steps: &mut mpsc::Receiver<Step>,
    progress: &(dyn Fn(TableProgress) + Send + Sync),
) -> Result<(), SampleError> {
    while let Some(step) = steps.recv().await {
        match step {
            Step::Run(table, sql) => run_all(connection, &format!("rows of {table}"), vec![sql]).await?,
            Step::Report(report) => progress(report),
            Step::Begin(..) | Step::Data(_) | Step::End => {}
        }
    }
    Ok(())
}

/// Drops what a failed fill has left, on a new connection because the old one may be what failed. If even that can't
/// be done, the next attempt says that the database is not empty.
async fn empty_again(settings: &StoreSettings) {
    let Ok(mut connection) = connect(settings).await else { return };
    let views = schema::views(StoreKind::Mysql);
    let views = views.iter().filter_map(|sql| sql.split_whitespace().nth(2)).map(|name| ("view", name));
    let tables = tables::all().into_iter().map(|table| ("table", table.name));
    let drops = views.chain(tables).map(|(what, name)| format!("drop {what} if exists {name}")).collect();
    drop(run_all(&mut connection, "to be emptied", drops).await);
}

/// A statement is sent when it has this many bytes; servers take at least four times as much.
const STATEMENT: usize = 1024 * 1024;

struct MysqlTarget {
    steps: Steps,
    /// The start of the inserts of the table at work; empty before its first row.
    insert: String,
    /// The insert being written; empty when it has no row yet.
    sql: String,
}

impl Target for MysqlTarget {
    fn rows(&mut self, table: &'static str, rows: &Rows) -> Result<(), SampleError> {
        if self.insert.is_empty() {
            self.insert = format!("insert into {table} ({}) values ", rows.columns().join(", "));
        }
        for row in rows.iter() {
            if self.sql.is_empty() {
                self.sql.reserve(STATEMENT + 16 * 1024);
                self.sql.push_str(&self.insert);
            } else {
                self.sql.push(',');
            }
            write_row(row, &mut self.sql);
        }
        if self.sql.len() < STATEMENT {
            return Ok(());
        }
        self.steps.send(Step::Run(table, std::mem::take(&mut self.sql)))
    }

    fn end_table(&mut self, table: &'static str) -> Result<(), SampleError> {
        self.insert.clear();
        if !self.sql.is_empty() {
            self.steps.send(Step::Run(table, std::mem::take(&mut self.sql)))?;
        }
        self.steps.send(Step::Run(table, "commit".to_owned()))
    }

    fn progress(&mut self, progress: TableProgress) -> Result<(), SampleError> {
        self.steps.send(Step::Report(progress))
    }
}

/// Writes a row as `(…, …)`, in literals.
fn write_row(row: &[Cell], sql: &mut String) {
    for (place, cell) in row.iter().enumerate() {
        sql.push(if place == 0 { '(' } else { ',' });
        match cell {
            Cell::Null => sql.push_str("null"),
            Cell::Bool(value) => sql.push(if *value { '1' } else { '0' }),
            Cell::Integer(value) => sql.push_str(itoa::Buffer::new().format(*value)),
            // With an exponent, the literal is a binary number and not a decimal one.
            Cell::Float(value) => sql.push_str(&format!("{value:e}")),
            Cell::Text(value) => write_text(value, sql),
            Cell::Moment(at) => {
                sql.push('\'');
                at.write(' ', sql);
                sql.push('\'');
            }
            Cell::Date(date) => {
                sql.push('\'');
                calendar::write_date(*date, sql);
                sql.push('\'');
            }
        }
    }
    sql.push(')');
}

fn write_text(text: &str, sql: &mut String) {
    sql.push('\'');
    for character in text.chars() {
        if matches!(character, '\'' | '\\') {
            sql.push('\\');
        }
        sql.push(character);
    }
    sql.push('\'');
}
