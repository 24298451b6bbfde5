//! The files beside an SQLite database: what they hold is part of it, or it is told why it can't be.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use exportd::secret::Secret;
use exportd::store::{MAX_CELL, Snapshot, StoreError, StoreKind, StoreSettings};
use rusqlite::Connection;

use crate::support::shop;
use crate::support::sshd::set_mode;
use crate::support::users::{self, STRANGER};

fn settings(path: &Path) -> StoreSettings {
    StoreSettings {
        kind: StoreKind::Sqlite,
        url: Secret::new(format!("sqlite:{}", path.display())),
        statement_timeout: std::time::Duration::from_secs(60),
        ca: None,
        row_security: None,
        max_cell: MAX_CELL,
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

/// Copies a database with the file beside it, as a writer that dies at this moment would leave both.
fn leave(path: &Path, ending: &str, to: &Path) {
    fs::copy(path, to).unwrap();
    fs::copy(beside(path, ending), beside(to, ending)).unwrap();
}

#[tokio::test]
async fn a_transaction_that_its_writer_did_not_end_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let (path, left) = (folder.path().join("store.db"), folder.path().join("left.db"));
    let db = Connection::open(&path).unwrap();
    let change = "CREATE TABLE t (id INTEGER, text TEXT); \
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
            INSERT INTO t SELECT i, hex(zeroblob(50)) FROM n; \
        PRAGMA cache_size = 5; BEGIN; UPDATE t SET id = -1";
    db.execute_batch(change).unwrap();
    leave(&path, "-journal", &left);

    let Err(error) = Snapshot::open(&settings(&left)).await else { panic!("half a transaction can be read") };
    assert!(matches!(error, StoreError::Unreachable { .. }) && !error.is_permanent(), "{error}");
    assert!(error.to_string().contains("left.db-journal"), "{error}");
    // Its application starts again.
    let count = "SELECT count(*) FROM t WHERE id = -1";
    let changed: i64 = Connection::open(&left).unwrap().query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(changed, 0);
    Snapshot::open(&settings(&left)).await.expect("the transaction is rolled back");
}

#[test]
fn a_log_of_latest_transactions_is_never_left_out() {
    assert!(users::can_be_many(), "this test makes files that another user may not write, so it needs root");
    let program = shop::program_into(tempfile::tempdir().unwrap().path(), "");
    users::open(&program);
    fs::create_dir(program.path("store")).unwrap();
    let (path, left) = (program.path("live.db"), program.path("store/shop.db"));
    let db = Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE early (id INTEGER); PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    db.execute_batch("CREATE TABLE late (id INTEGER)").unwrap();
    leave(&path, "-wal", &left);
    for file in [left.clone(), beside(&left, "-wal")] {
        set_mode(&file, 0o644);
    }
    symlink(&left, program.path("link.db")).unwrap();
    for name in ["store/shop.db", "link.db"] {
        let draft = users::run(&program, STRANGER, &["catalogue", "draft", "--store", &format!("sqlite:{name}")]);
        assert!(
            !draft.out.contains("early") && draft.err.contains("shop.db-wal"),
            "{name}: {}{}",
            draft.out,
            draft.err
        );
    }
    // With the index beside it, it is read by somebody who may write nothing.
    fs::copy(beside(&path, "-shm"), beside(&left, "-shm")).unwrap();
    set_mode(&beside(&left, "-shm"), 0o644);
    for name in ["store/shop.db", "link.db"] {
        let draft = users::run(&program, STRANGER, &["catalogue", "draft", "--store", &format!("sqlite:{name}")]);
        assert!(draft.expect(0).out.contains("late"), "{name}");
    }
}

#[test]
fn what_is_true_of_the_whole_store_is_told_once() {
    let out = tempfile::tempdir().unwrap();
    let program = shop::program_into(out.path(), "");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    let job = &config[config.find("[[job]]").unwrap()..];
    program.configure(&format!("{config}{}", job.replace("\"shop\"", "\"other\"")));
    let check = program.run(&["check", "--connect"]).expect(0).out;
    assert_eq!(check.matches("not in WAL mode").count(), 1, "{check}");
    assert!(check.contains("hint   store: the store is not in WAL mode"), "{check}");
}
