//! The sample in a SQLite file: one transaction, so that the file holds all of it or none.

use std::path::Path;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Transaction, params_from_iter};
use tokio::sync::mpsc;

use super::super::calendar;
use super::super::row::{Cell, Rows};
use super::super::world::World;
use super::super::{SampleError, Summary, TableProgress, schema};
use super::{Target, joined, produce, refused};
use crate::store::{self, StoreKind, StoreSettings};

/// Fills the file that `settings` names; it is created if missing, and then removed again if filling it fails.
pub(in crate::sample) async fn fill(
    settings: &StoreSettings,
    world: World,
    progress: &(dyn Fn(TableProgress) + Send + Sync),
) -> Result<Summary, SampleError> {
    let path = store::sqlite_path(settings.url.expose())
        .map_err(|_| SampleError::Url { cause: "it names no file".to_owned() })?;
    let (sender, mut reports) = mpsc::channel(16);
    let work = tokio::task::spawn_blocking(move || fill_file(&path, &world, sender));
    while let Some(report) = reports.recv().await {
        progress(report);
    }
    joined(work.await)?
}

fn fill_file(path: &Path, world: &World, reports: mpsc::Sender<TableProgress>) -> Result<Summary, SampleError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(SampleError::NoFolder { folder: folder.to_owned() });
    }
    let is_new = !path.exists();
    let filled = Connection::open(path)
        .map_err(|error| SampleError::Connect { cause: format!("{}: {error}", path.display()) })
        .and_then(|connection| fill_connection(connection, world, reports));
    if filled.is_err() && is_new {
        // The failure itself is what to tell of; a file that was never created is none to remove.
        drop(std::fs::remove_file(path));
    }
    filled
}

fn fill_connection(
    mut connection: Connection,
    world: &World,
    reports: mpsc::Sender<TableProgress>,
) -> Result<Summary, SampleError> {
    let opened = |error: rusqlite::Error| SampleError::Connect { cause: error.to_string() };
    let found = connection.query_row("select type || ' ' || name from sqlite_schema limit 1", [], |row| row.get(0));
    match found {
        Ok(found) => return Err(SampleError::NotEmpty { found }),
        Err(rusqlite::Error::QueryReturnedNoRows) => {}
        Err(error) => return Err(opened(error)),
    }
    // Nothing is lost with a file that is worth nothing until it is whole.
    connection.pragma_update(None, "journal_mode", "memory").map_err(opened)?;
    connection.pragma_update(None, "synchronous", "off").map_err(opened)?;
    let transaction = connection.transaction().map_err(opened)?;
    run_all(&transaction, "the tables", schema::tables(StoreKind::Sqlite))?;
    let mut target = SqliteTarget { transaction: &transaction, insert: String::new(), reports };
    let summary = produce(world, &mut target)?;
    run_all(&transaction, "the indexes", schema::indexes(StoreKind::Sqlite))?;
    run_all(&transaction, "the views", schema::views(StoreKind::Sqlite))?;
    run_all(&transaction, "the statistics", vec!["analyze".to_owned()])?;
    transaction.commit().map_err(|error| refused("to keep the sample", &error))?;
    connection.close().map_err(|(_, error)| refused("to close the file", &error))?;
    Ok(summary)
}

fn run_all(transaction: &Transaction<'_>, what: &str, statements: Vec<String>) -> Result<(), SampleError> {
    statements.iter().try_for_each(|sql| transaction.execute_batch(sql)).map_err(|error| refused(what, &error))
}

struct SqliteTarget<'a> {
    transaction: &'a Transaction<'a>,
    /// The insert of the table at work; empty before its first row.
    insert: String,
    reports: mpsc::Sender<TableProgress>,
}

impl Target for SqliteTarget<'_> {
    fn rows(&mut self, table: &'static str, rows: &Rows) -> Result<(), SampleError> {
        if self.insert.is_empty() {
            let places = vec!["?"; rows.columns().len()].join(", ");
            self.insert = format!("insert into {table} ({}) values ({places})", rows.columns().join(", "));
        }
        let insert = || {
            let mut statement = self.transaction.prepare_cached(&self.insert)?;
            rows.iter().try_for_each(|row| statement.execute(params_from_iter(row)).map(drop))
        };
        insert().map_err(|error| refused(&format!("rows of {table}"), &error))
    }

    fn end_table(&mut self, _: &'static str) -> Result<(), SampleError> {
        self.insert.clear();
        Ok(())
    }

    fn progress(&mut self, progress: TableProgress) -> Result<(), SampleError> {
        self.reports.blocking_send(progress).map_err(|_| SampleError::Stopped)
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Cell::Bool(value) => ToSqlOutput::from(*value),
            Cell::Integer(value) => ToSqlOutput::from(*value),
            Cell::Float(value) => ToSqlOutput::from(*value),
            Cell::Text(text) => ToSqlOutput::from(&**text),
            Cell::Moment(at) => {
                let mut text = String::with_capacity(27);
                at.write('T', &mut text);
                text.push('Z');
                ToSqlOutput::from(text)
            }
            Cell::Date(date) => {
                let mut text = String::with_capacity(10);
                calendar::write_date(*date, &mut text);
                ToSqlOutput::from(text)
            }
        })
    }
}
