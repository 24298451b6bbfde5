//! State that an older version has written, and state that was not written by a version of ours.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use exportd::run::{RunId, RunState, Stage};
use exportd::state::{Filter, State, StateError, Temporary};
use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

#[tokio::test]
async fn what_the_version_before_has_recorded_is_kept() {
    let dir = TempDir::new().unwrap();
    let old = older(&dir, 3);
    old.execute_batch(
        "INSERT INTO run (id, job_key, job, trigger, due_at, zone, period_from, period_to, state, created_at, stage,
                          attempts, reason)
         VALUES ('0abc', 'nightly', 'nightly', 'schedule', 0, 'UTC', 0, 0, 'waiting', 0, 'uploading', 3, 'they asked');
         INSERT INTO attempt (run, number, started_at, ended_at, actor)
         VALUES ('0abc', 1, 0, 0, 'daemon'), ('0abc', 2, 0, 0, 'daemon'), ('0abc', 3, 0, 0, NULL);
         INSERT INTO file (run, position, name, export, row_count, bytes, sha256, spool, temp_name, columns, sensitive)
         VALUES ('0abc', 0, 'a.csv', 'agents', 1, 2, 'ab', '/spool/a.csv', '.a.part', '[\"id\"]', '[]');
         INSERT INTO temporary (run, name) VALUES ('0abc', '.a.part')",
    )
    .unwrap();
    drop(old);

    let state = State::open(dir.path()).await.unwrap();
    let run = RunId::from_stored("0abc");
    let detail = state.detail(&run).await.unwrap().unwrap();
    assert_eq!((detail.stage, detail.recipient.clone()), (Some(Stage::Uploading), None));
    let file = &detail.files[0];
    assert_eq!(
        (&file.columns, &file.contents, file.temp_name.as_deref()),
        (&vec!["id".to_owned()], &None, Some(".a.part"))
    );
    let reasons: Vec<_> = detail.attempts.iter().map(|attempt| attempt.reason.as_deref()).collect();
    assert_eq!(reasons, [None, Some("they asked"), None], "it was that of the last attempt that set out");
    let left = Temporary { run: run.clone(), name: ".a.part".to_owned(), location: None };
    assert_eq!(state.temporaries(&run, "nightly").await.unwrap(), [left]);
}

/// What versions that used sqlx have recorded of the migrations that they applied.
const APPLIED: [(&str, &str); 5] = [
    ("0001_runs", "1b0de4f9aee76406071b8cf9e5f2e87c127bfe899dbf23a251407824a558a00115306708ccee1b49542ddc0708d4255b"),
    (
        "0002_durable_runs",
        "80c5df7acdd24b80fbed8655eca6642a84118afbfbbdfc10a66541b6de7b36eb002d6d25905f6ed14c152a470c55e969",
    ),
    (
        "0003_records",
        "619ee0f718e0d92d602f806e3fa4443ac15005ccc36b1c1ad073cb75a4265340068db862f0c33bb9fe3d72987504ba79",
    ),
    (
        "0004_clearance",
        "008a11ce2d554f222fc234fd7a4a6e8db27e08cee4fb452cd3ca6be0d7827198679fda3dde9dc444f6c28b371d38ac90",
    ),
    ("0005_clock", "3d1f955936f6c4355673aca09f09bb9575ed4e78bd10060c3d0a743dc0109d05f8396ec4024f89c56d458017a11ee17a"),
];

/// A database as the version of that number has left it.
fn older(dir: &TempDir, version: usize) -> Connection {
    let db = Connection::open(dir.path().join("state.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL,
             execution_time BIGINT NOT NULL)",
    )
    .unwrap();
    for (number, (file, checksum)) in APPLIED.iter().enumerate().take(version) {
        let sql = fs::read_to_string(format!("src/state/migrations/{file}.sql")).unwrap();
        db.execute_batch(&sql).unwrap();
        let applied = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                       VALUES (?, ?, 1, unhex(?), 1)";
        db.execute(applied, (number as i64 + 1, &file[5..].replace('_', " "), checksum)).unwrap();
    }
    db
}

#[tokio::test]
async fn an_older_database_is_copied_and_brought_up_to_date() {
    let dir = TempDir::new().unwrap();
    let old = older(&dir, 1);
    old.execute_batch(
        "INSERT INTO run (id, job_key, job, trigger, due_at, zone, period_from, period_to, state, owner, created_at)
         VALUES ('0abc', 'nightly', 'nightly', 'manual', 0, 'UTC', 0, 0, 'running', 'command', 0)",
    )
    .unwrap();
    drop(old);

    let state = State::open(dir.path()).await.unwrap();
    let runs = state.history(&Filter::default()).await.unwrap();
    assert_eq!(runs[0].state, RunState::Running);
    state.settle_commands(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(state.history(&Filter::default()).await.unwrap()[0].state, RunState::Failed);
    state.close().await;

    let copies: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let copy = copies.iter().find(|path| path.to_string_lossy().contains("state.db.before-")).expect("a copy is kept");
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    let copy = Connection::open(copy).unwrap();
    let version = copy.query_row("SELECT max(version) FROM _sqlx_migrations", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(version, 1, "as it was before all that is newer");
    let state_then = copy.query_row("SELECT state FROM run", [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(state_then, "running");
    drop(copy);

    let before = fs::read_dir(dir.path()).unwrap().count();
    State::open(dir.path()).await.unwrap().close().await;
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), before, "a database that is up to date is not copied");
}

#[tokio::test]
async fn every_older_database_is_brought_up_to_date() {
    for version in 0..=APPLIED.len() {
        let dir = TempDir::new().unwrap();
        drop(older(&dir, version));
        State::open(dir.path()).await.unwrap().close().await;
        let db = Connection::open(dir.path().join("state.db")).unwrap();
        let recorded = "SELECT lower(hex(checksum)) FROM _sqlx_migrations WHERE success ORDER BY version LIMIT 5";
        let checksum = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        let mut recorded = db.prepare(recorded).unwrap();
        let recorded: Vec<String> = recorded.query_map([], checksum).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(recorded, APPLIED.map(|(_, checksum)| checksum), "an older version refuses anything else");
    }
}

#[tokio::test]
async fn a_database_with_other_migrations_is_refused_and_left_as_it_is() {
    for (damage, wanted) in [
        ("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 3", "differs"),
        ("UPDATE _sqlx_migrations SET success = 0 WHERE version = 2", "not completed"),
    ] {
        let dir = TempDir::new().unwrap();
        let old = older(&dir, 3);
        old.execute_batch(damage).unwrap();
        drop(old);
        let error = State::open(dir.path()).await.unwrap_err();
        assert!(matches!(error, StateError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains(wanted), "{error}");
        let old = Connection::open(dir.path().join("state.db")).unwrap();
        let version = "SELECT max(version) FROM _sqlx_migrations";
        assert_eq!(old.query_row(version, [], |row| row.get::<_, i64>(0)).unwrap(), 3);
    }
}
