//! The store: the SQL database that exports are read from, SQLite, PostgreSQL or MySQL/MariaDB. Read only.
//!
//! A [`Snapshot`] is one connection of its own, never pooled, in one read-only transaction: all exports of a run see
//! the same state. Tables and columns are looked up in the database's own catalogue and quoted; values are bound.
//! Rows flow as borrowed values into a [`RowSink`], in the same order from every database: text by its bytes, NULL
//! first. What a value means for a declared type is not decided here, but in `encode`.

mod bounds;
mod column_check;
mod describe;
mod doubt;
mod error;
mod fit;
mod interrupt;
mod limit;
mod mysql;
mod postgres;
mod reader;
mod relation;
mod server;
mod sql;
mod sqlite;
mod statement;
mod tunnel;
mod unreadable;

use std::path::PathBuf;
use std::time::Duration;

pub use self::describe::{ColumnDetails, TableDetails};
pub use self::doubt::Doubt;
pub use self::error::{MissingColumn, ReadError, StoreError};
pub use self::fit::can_be;
pub use self::interrupt::Interrupt;
use self::limit::Limited;
use self::mysql::Mysql;
use self::postgres::Postgres;
pub use self::reader::{ReaderFault, ReaderThread};
pub use self::relation::{DbColumn, DbTable, declared_scale};
pub use self::server::check_url;
use self::sqlite::Sqlite;
pub use self::sqlite::sqlite_path;
pub use self::statement::begins_like_a_query;
use crate::catalogue::Source;
use crate::job::JobExport;
use crate::period::Period;
use crate::secret::Secret;
use crate::value::{RowSink, Scale};
use crate::words::Words;

/// How to reach the store.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Which database it is; known from the URL's scheme.
    pub kind: StoreKind,
    /// `sqlite:PATH`, `postgres://…` or `mysql://…`.
    pub url: Secret,
    /// The longest time a single query may take.
    pub statement_timeout: Duration,
    /// A file of certificates (PEM) that the server's certificate must be among, or lead to; public authorities if
    /// absent.
    pub ca: Option<PathBuf>,
    /// What happens where PostgreSQL's row-level security can hide rows from our role. If nobody has said: the other rows
    /// are exported, and every run warns.
    pub row_security: Option<RowSecurity>,
    /// The most bytes that a cell may have.
    pub max_cell: u64,
}

/// The most bytes that a cell may have, unless the configuration says otherwise.
pub const MAX_CELL: u64 = 64_000_000;

/// What happens where row-level security can hide rows of a table from the store's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSecurity {
    /// The other rows are exported; that some may be missing is known and meant.
    On,
    /// The export is refused.
    Off,
}

impl Words for RowSecurity {
    const WORDS: &'static [(&'static str, RowSecurity)] = &[("on", RowSecurity::On), ("off", RowSecurity::Off)];
}

/// The databases that exports can be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// SQLite 3, a local file.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

impl StoreKind {
    /// The schemes that URLs of stores begin with.
    pub const SCHEMES: [(&str, StoreKind); 5] = [
        ("sqlite", StoreKind::Sqlite),
        ("postgres", StoreKind::Postgres),
        ("postgresql", StoreKind::Postgres),
        ("mysql", StoreKind::Mysql),
        ("mariadb", StoreKind::Mysql),
    ];

    /// The database that a URL's scheme names, compared without case.
    pub fn of_url(url: &str) -> Option<StoreKind> {
        let scheme = url.split_once(':')?.0;
        let known = StoreKind::SCHEMES.into_iter().find(|(known, _)| scheme.eq_ignore_ascii_case(known));
        known.map(|(_, kind)| kind)
    }
}

/// One consistent state of the store, seen through one read-only connection.
///
/// SQLite blocks the thread that reads it, and every sink may, so [`Snapshot::read`] belongs on a thread that may
/// block. After an error of `read` the connection may be closed; what is asked of the snapshot then fails.
pub struct Snapshot {
    inner: Inner,
    max_cell: u64,
}

enum Inner {
    Sqlite(Box<Sqlite>),
    Postgres(Postgres),
    Mysql(Mysql),
}

/// One export, checked against a snapshot and ready to be read from it.
#[derive(Debug)]
pub struct Prepared {
    /// What an administrator may want to change in the store; one sentence each.
    pub hints: Vec<String>,
    /// Why its file may hold other rows than an administrator expects; one sentence each. A run tells them too.
    pub warnings: Vec<String>,
    plan: ReadPlan,
}

/// What there is to say about a whole store, or about an export.
#[derive(Debug, Default)]
pub struct Remarks {
    /// What an administrator may want to change in the store; one sentence each.
    pub hints: Vec<String>,
    /// Why files may hold other rows or values than an administrator expects; one sentence each. A run tells them too.
    pub warnings: Vec<String>,
}

#[derive(Debug)]
enum ReadPlan {
    Sqlite(sqlite::ReadPlan),
    Postgres(postgres::ReadPlan),
    Mysql(mysql::ReadPlan),
}

impl Prepared {
    /// For each column of the file, how the store declares the scale of its decimals.
    pub fn scales(&self) -> &[Scale] {
        match &self.plan {
            ReadPlan::Sqlite(plan) => &plan.scales,
            ReadPlan::Postgres(plan) => &plan.scales,
            ReadPlan::Mysql(plan) => &plan.scales,
        }
    }
}

impl Snapshot {
    /// Connects to the store and begins the snapshot.
    pub async fn open(settings: &StoreSettings) -> Result<Snapshot, StoreError> {
        let inner = match settings.kind {
            StoreKind::Sqlite => Inner::Sqlite(Box::new(Sqlite::open(settings)?)),
            StoreKind::Postgres => Inner::Postgres(Postgres::open(settings).await?),
            StoreKind::Mysql => Inner::Mysql(Mysql::open(settings).await?),
        };
        Ok(Snapshot { inner, max_cell: settings.max_cell })
    }

    /// What there is to say about all that is read from the store.
    pub async fn remarks(&mut self) -> Result<Remarks, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(sqlite) => sqlite.remarks(),
            Inner::Postgres(postgres) => postgres.remarks().await,
            Inner::Mysql(_) => Ok(Remarks::default()),
        }
    }

    /// Checks that everything `export` names exists and may be read, and decides how it is read. All missing columns
    /// are reported in one error.
    pub async fn prepare(&mut self, export: &JobExport) -> Result<Prepared, StoreError> {
        let mut remarks = Remarks::default();
        if export.order.is_empty() {
            remarks.hints.push("without `order`, equal data may come in another order the next time".to_owned());
        }
        let plan = match &mut self.inner {
            Inner::Sqlite(sqlite) => ReadPlan::Sqlite(sqlite.prepare(export, &mut remarks.hints)?),
            Inner::Postgres(postgres) => ReadPlan::Postgres(postgres.prepare(export, &mut remarks).await?),
            Inner::Mysql(mysql) => ReadPlan::Mysql(mysql.prepare(export, &mut remarks).await?),
        };
        Ok(Prepared { hints: remarks.hints, warnings: remarks.warnings, plan })
    }

    /// Looks at the values of the column that a period of the export filters on. Fails if one can't be placed in time,
    /// because its row would be in no period, unsaid. Returns what there is to warn of.
    ///
    /// Where no index leads to them, it reads all rows, so it takes as long as that.
    pub async fn check_times(&mut self, prepared: &Prepared) -> Result<Option<String>, StoreError> {
        match (&mut self.inner, &prepared.plan) {
            (Inner::Sqlite(sqlite), ReadPlan::Sqlite(plan)) => sqlite.check_times(plan),
            (Inner::Postgres(postgres), ReadPlan::Postgres(plan)) => postgres.check_times(plan).await,
            (Inner::Mysql(mysql), ReadPlan::Mysql(plan)) => mysql.check_times(plan).await,
            _ => Err(foreign()),
        }
    }

    /// Looks at the dates and datetimes of an export that no period filters, because a run reads all of them. Fails if
    /// one can't be read and may not be NULL. Returns what there is to warn of. It reads all rows, as a run does.
    pub async fn check_listed(&mut self, prepared: &Prepared) -> Result<Vec<String>, StoreError> {
        let checked = match (&mut self.inner, &prepared.plan) {
            (Inner::Sqlite(sqlite), ReadPlan::Sqlite(plan)) => sqlite.check_listed(plan),
            (Inner::Postgres(postgres), ReadPlan::Postgres(plan)) => postgres.check_listed(plan).await,
            (Inner::Mysql(mysql), ReadPlan::Mysql(plan)) => mysql.check_listed(plan).await,
            _ => Err(foreign()),
        };
        checked.map_err(|error| match error {
            StoreError::UnreadableTimes { column, declared, found } => {
                StoreError::UnreadableCells { column, declared, found }
            }
            error => error,
        })
    }

    /// Hands every row of an export to `sink`, cells in the order of the export's columns; only those of `period` if
    /// one is given and the export has a column to filter on. `thread` is the one that this runs on, if it only reads:
    /// without it nothing is lost but speed.
    ///
    /// When the sink stops, the rest of the rows is not waited for: the connection is closed.
    pub async fn read<S: RowSink>(
        &mut self,
        prepared: &Prepared,
        period: Option<&Period>,
        sink: &mut S,
        thread: Option<&ReaderThread>,
    ) -> Result<(), ReadError> {
        let sink = &mut Limited { sink, limit: self.max_cell };
        let read = match (&mut self.inner, &prepared.plan) {
            (Inner::Sqlite(sqlite), ReadPlan::Sqlite(plan)) => sqlite.read(plan, period, sink),
            (Inner::Postgres(postgres), ReadPlan::Postgres(plan)) => postgres.read(plan, period, sink, thread).await,
            (Inner::Mysql(mysql), ReadPlan::Mysql(plan)) => mysql.read(plan, period, sink, thread).await,
            _ => Err(foreign().into()),
        };
        // A bad cell is why the sink takes no file; where the store fails behind it, that is not what to mend first.
        let read = match (read, sink.end_rows()) {
            (Ok(()) | Err(ReadError::Store(_)), Err(stop)) => Err(stop.into()),
            (read, _) => read,
        };
        match &mut self.inner {
            Inner::Postgres(postgres) if read.is_err() => postgres.connection.abandon(),
            Inner::Mysql(mysql) if read.is_err() => mysql.connection.abandon(),
            _ => {}
        }
        read
    }

    /// What the store warned of while rows were read, since this was asked last: one sentence each.
    pub fn take_warnings(&mut self) -> Vec<String> {
        match &mut self.inner {
            Inner::Mysql(mysql) => std::mem::take(&mut mysql.warnings),
            Inner::Sqlite(_) | Inner::Postgres(_) => Vec::new(),
        }
    }

    /// The store's own plan for reading the rows of `period`, in its words.
    pub async fn explain(&mut self, prepared: &Prepared, period: &Period) -> Result<String, StoreError> {
        match (&mut self.inner, &prepared.plan) {
            (Inner::Sqlite(sqlite), ReadPlan::Sqlite(plan)) => sqlite.plan(plan),
            (Inner::Postgres(postgres), ReadPlan::Postgres(plan)) => postgres.explain(plan, period).await,
            (Inner::Mysql(mysql), ReadPlan::Mysql(plan)) => mysql.explain(plan, period).await,
            _ => Err(foreign()),
        }
    }

    /// The columns of a table, view or query, in the store's order.
    pub async fn inspect(&mut self, source: &Source) -> Result<Vec<DbColumn>, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(sqlite) => sqlite.inspect(source),
            Inner::Postgres(postgres) => postgres.inspect(source).await,
            Inner::Mysql(mysql) => mysql.inspect(source).await,
        }
    }

    /// All tables and views that can be seen, those of the database system left out, sorted by name.
    pub async fn tables(&mut self) -> Result<Vec<DbTable>, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(sqlite) => sqlite.tables(),
            Inner::Postgres(postgres) => postgres.tables().await,
            Inner::Mysql(mysql) => mysql.tables().await,
        }
    }

    /// A handle that cancels what the snapshot's connection is doing; none where dropping the snapshot is enough.
    pub fn interrupt(&self, settings: &StoreSettings) -> Option<Interrupt> {
        match &self.inner {
            Inner::Mysql(mysql) => Some(Interrupt::new(settings.clone(), mysql.id)),
            // SQLite runs on our own thread, and PostgreSQL notices that its client is gone.
            Inner::Sqlite(_) | Inner::Postgres(_) => None,
        }
    }

    /// Ends the snapshot and closes the connection. Dropping it closes without telling the server.
    pub async fn close(self) {
        match self.inner {
            Inner::Sqlite(sqlite) => drop(sqlite),
            Inner::Postgres(postgres) => postgres.connection.close().await,
            Inner::Mysql(mysql) => mysql.connection.close().await,
        }
    }
}

fn foreign() -> StoreError {
    StoreError::Protocol("the export was prepared for another store".to_owned())
}
