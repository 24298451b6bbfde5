//! The sample in SQLite, PostgreSQL and MariaDB: the same files, and periods that are read by an index.

use exportd::catalogue::Export;
use exportd::encode::Encoder;
use exportd::job::{Format, JobExport, PeriodRule};
use exportd::period::Period;
use exportd::sample::{self, SampleError, SampleOptions};
use exportd::secret::Secret;
use exportd::store::{Snapshot, StoreKind};
use jiff::ZonedDateTime;
use jiff::tz::TimeZone;

use super::SMALL;
use super::catalogue::contact_centre;
use crate::support::databases::Database;
use crate::support::encoded::Encoded;

pub const KINDS: [StoreKind; 3] = [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql];

pub async fn filled(kind: StoreKind, options: SampleOptions) -> Database {
    let database = Database::new(kind).await;
    sample::fill(&database.settings(), options, &|_| {}).await.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    database
}

/// All columns of `export`, of the rows created in the period.
pub fn whole(export: &Export) -> JobExport {
    JobExport {
        name: export.name.clone(),
        source: export.source.clone(),
        columns: export.columns.clone().into(),
        order: export.order.clone(),
        period: PeriodRule::Day,
        filter: export.time("created").cloned(),
    }
}

pub async fn open(database: &Database) -> Snapshot {
    Snapshot::open(&database.settings()).await.unwrap()
}

/// The file of `export` in `format`.
pub async fn file(snapshot: &mut Snapshot, export: &JobExport, period: Option<&Period>, format: &Format) -> String {
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let prepared = snapshot.prepare(export).await.unwrap();
    let encoder = Encoder::new(format, &export.columns, &zone).with_scales(prepared.scales());
    let mut file = Encoded { encoder, bytes: Vec::new() };
    file.encoder.start(&mut file.bytes);
    let read = snapshot.read(&prepared, period, &mut file, None).await;
    read.unwrap_or_else(|error| panic!("{}: {error}", export.name));
    String::from_utf8(file.bytes).unwrap()
}

/// The last day of the sample that has all its hours, in Paris.
fn yesterday() -> Period {
    let at = |text: &str| text.parse::<ZonedDateTime>().unwrap();
    Period { from: at("2026-10-30T00:00[Europe/Paris]"), to: at("2026-10-31T00:00[Europe/Paris]") }
}

#[track_caller]
fn assert_same(name: &str, kind: StoreKind, file: &str, sqlite: &str) {
    let differing = file.lines().zip(sqlite.lines()).find(|(line, expected)| line != expected);
    assert_eq!(differing, None, "{name} from {kind:?} differs from SQLite");
    assert!(file == sqlite, "{name} from {kind:?} has other lines than from SQLite");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_three_databases_give_the_same_files() {
    let mut snapshots = Vec::new();
    for kind in KINDS {
        let database = filled(kind, SMALL).await;
        let snapshot = open(&database).await;
        snapshots.push((kind, snapshot, database));
    }
    for export in contact_centre().exports.iter().map(whole) {
        for period in [None, Some(yesterday())] {
            let mut sqlite = None;
            for (kind, snapshot, _) in &mut snapshots {
                let file = file(snapshot, &export, period.as_ref(), &Format::Bi).await;
                let sqlite = sqlite.get_or_insert_with(|| file.clone());
                assert_same(&export.name, *kind, &file, sqlite);
                assert!(period.is_some() || file.lines().count() > 1, "{} is empty", export.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_read_by_the_index_of_its_time_column() {
    for kind in KINDS {
        let database = filled(kind, SampleOptions { messages: 4000, seed: 1 }).await;
        let mut snapshot = open(&database).await;
        for (name, index) in [
            ("messages", "messages_created"),
            ("threads", "threads_created"),
            ("interventions", "cases_created"),
            ("identities", "identities_created"),
            ("journal", "audit_events_created"),
        ] {
            let export = whole(contact_centre().export(name).unwrap());
            let prepared = snapshot.prepare(&export).await.unwrap();
            let plan = snapshot.explain(&prepared, &yesterday()).await.unwrap();
            assert!(plan.contains(index), "{name} in {kind:?}:\n{plan}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_anything_in_it_is_refused() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        database.run("create table mine (a int)").await;
        let error = sample::fill(&database.settings(), SMALL, &|_| {}).await.unwrap_err();
        assert!(matches!(&error, SampleError::NotEmpty { found } if found.ends_with("mine")), "{kind:?}: {error}");
        database.run("drop table mine").await;
        sample::fill(&database.settings(), SMALL, &|_| {}).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_an_empty_postgresql() {
    let database = Database::new(StoreKind::Postgres).await;
    // A type is no table, so the database counts as empty; but the table of that name can't be made.
    database.run("create type messages as enum ('taken')").await;
    let error = sample::fill(&database.settings(), SMALL, &|_| {}).await.unwrap_err();
    assert!(matches!(error, SampleError::Refused { .. }), "{error}");
    database.run("drop type messages").await;
    sample::fill(&database.settings(), SMALL, &|_| {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_an_empty_mysql() {
    let database = Database::new(StoreKind::Mysql).await;
    let name = database.url.rsplit('/').next().unwrap();
    let rights = "select, insert, create, drop, index, alter";
    database.run(&format!("create user {name}@'%' identified by 'x'; grant {rights} on {name}.* to {name}@'%'")).await;
    let (_, server) = database.url.split_once('@').unwrap();
    let mut without_views = database.settings();
    without_views.url = Secret::new(format!("mysql://{name}:x@{server}"));
    let error = sample::fill(&without_views, SMALL, &|_| {}).await.unwrap_err();
    assert!(matches!(&error, SampleError::Refused { what, .. } if what == "the views"), "{error}");
    sample::fill(&database.settings(), SMALL, &|_| {}).await.unwrap();
}
