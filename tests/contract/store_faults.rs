//! What goes wrong: it is said in words that help, holds no data and no password, and is retried only if that can help.

use std::time::Duration;

use exportd::secret::Secret;
use exportd::store::{Snapshot, StoreError, StoreKind};

use super::{KINDS, export, failure, filtered, open, query, read, table};
use crate::support::databases::{Database, PASSWORD};

async fn refusal(database: &Database, source: exportd::catalogue::Source) -> StoreError {
    let mut snapshot = open(database).await;
    match snapshot.prepare(&export(source, &["id"], &["id"])).await {
        Ok(prepared) => failure(&mut snapshot, &prepared).await,
        Err(error) => error,
    }
}

#[tokio::test]
async fn all_missing_columns_are_named_with_the_nearest() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE agents (id INT, email VARCHAR(9), created_at DATE)").await;
        let mut snapshot = open(&database).await;
        let wrong = filtered(export(table("agents"), &["id", "emial", "x9"], &["ids"]), "created:datetime");
        let error = snapshot.prepare(&wrong).await.unwrap_err();
        let text = error.to_string();
        for part in
            ["\"emial\" (did you mean \"email\"?)", "\"x9\"", "\"created\" (did", "\"ids\" (did you mean \"id\"?)"]
        {
            assert!(text.contains(part), "{kind:?}: {text}");
        }
        assert!(error.is_permanent());
        // The snapshot is still good for the other exports.
        assert!(read(&mut snapshot, &export(table("agents"), &["id"], &["id"]), None).await.is_empty());
        let error = snapshot.prepare(&export(table("agnets"), &["id"], &["id"])).await.unwrap_err();
        assert!(error.to_string().contains("\"agnets\" (did you mean \"agents\"?)"), "{kind:?}: {error}");
        assert!(error.is_permanent());
    }
}

#[tokio::test]
async fn a_query_is_one_statement_that_reads() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE t (id INT); INSERT INTO t VALUES (1)").await;
        let attempts = [
            "select id from t; delete from t",
            "select id from t) as x; delete from t; select id from (select 1 as id",
            "delete from t",
            "with gone as (delete from t returning id) select id from gone",
            "select id from t where id = ?",
            "select id from t where id = $1",
            "select id from t /* ",
            "",
        ];
        for attempt in attempts {
            let error = refusal(&database, query(attempt)).await;
            assert!(error.is_permanent(), "{kind:?} {attempt}: {error}");
        }
        let rows = read(&mut open(&database).await, &export(table("t"), &["id"], &["id"]), None).await;
        assert_eq!(rows, [["1"]], "{kind:?}");
    }
}

#[tokio::test]
async fn a_function_that_writes_is_refused() {
    for kind in [StoreKind::Postgres, StoreKind::Mysql] {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE t (id INT)").await;
        database
            .run(match kind {
                StoreKind::Postgres => {
                    "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING id'"
                }
                _ => "CREATE FUNCTION sneak() RETURNS INT DETERMINISTIC BEGIN INSERT INTO t VALUES (1); RETURN 1; END",
            })
            .await;
        let error = refusal(&database, query("select sneak() as id")).await;
        assert!(matches!(error, StoreError::Statement { .. }), "{kind:?}: {error}");
        let rows = read(&mut open(&database).await, &export(table("t"), &["id"], &["id"]), None).await;
        assert!(rows.is_empty(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_statement_has_a_time_limit() {
    let forever = "with recursive n (id) as (select 1 union all select id + 1 from n where id < 2000000000) \
                   select count(*) as id from n";
    for kind in KINDS {
        let database = Database::new(kind).await;
        let mut settings = database.settings();
        settings.statement_timeout = Duration::from_millis(300);
        let text = match kind {
            StoreKind::Sqlite => forever,
            StoreKind::Postgres => "select 1 as id from pg_sleep(60)",
            StoreKind::Mysql => "select sleep(60) as id",
        };
        let mut snapshot = Snapshot::open(&settings).await.unwrap();
        let prepared = snapshot.prepare(&export(query(text), &["id"], &["id"])).await.unwrap();
        let error = failure(&mut snapshot, &prepared).await;
        assert!(matches!(error, StoreError::Timeout(_)) && !error.is_permanent(), "{kind:?}: {error}");
    }
}

#[tokio::test]
async fn an_error_never_shows_a_value() {
    for kind in [StoreKind::Postgres, StoreKind::Mysql] {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE t (name VARCHAR(20)); INSERT INTO t VALUES ('Ada Lovelace')").await;
        let text = match kind {
            StoreKind::Postgres => "select name::int as id from t",
            _ => "select extractvalue('<a/>', name) as id from t",
        };
        let error = refusal(&database, query(text)).await;
        assert!(!error.to_string().contains("Ada"), "{kind:?}: {error}");
        assert!(!format!("{error:?}").contains("Ada"), "{kind:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_text_is_no_time_to_filter_on() {
    for kind in [StoreKind::Postgres, StoreKind::Mysql] {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE t (id INT, at VARCHAR(20))").await;
        let wrong = filtered(export(table("t"), &["id"], &["id"]), "at:datetime");
        let error = open(&database).await.prepare(&wrong).await.unwrap_err();
        assert!(matches!(error, StoreError::NotATime { .. }), "{kind:?}: {error}");
    }
}

#[tokio::test]
async fn what_can_not_be_opened_says_why() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let (wrong, permanent) = match kind {
            StoreKind::Sqlite => (format!("{}.missing", database.url), true),
            StoreKind::Postgres => (format!("{}_missing", database.url), true),
            StoreKind::Mysql => (database.url.replace(PASSWORD, "wrong-secret"), true),
        };
        let nobody = format!(
            "{}://user:wrong-secret@127.0.0.1:1/d",
            if kind == StoreKind::Mysql { "mysql" } else { "postgres" }
        );
        for (url, permanent) in [(wrong, permanent), (nobody, kind == StoreKind::Sqlite)] {
            let mut settings = database.settings();
            settings.url = Secret::new(url.clone());
            let Err(error) = Snapshot::open(&settings).await else { panic!("{url} was opened") };
            assert_eq!(error.is_permanent(), permanent, "{kind:?}: {error}");
            for secret in [PASSWORD, "wrong-secret"] {
                assert!(!format!("{error} {error:?}").contains(secret), "{kind:?}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_missing_file_is_not_made_and_another_file_is_not_opened() {
    let database = Database::new(StoreKind::Sqlite).await;
    let mut settings = database.settings();
    let missing = database.path().with_file_name("missing.db");
    settings.url = Secret::new(format!("sqlite:{}", missing.display()));
    assert!(matches!(Snapshot::open(&settings).await, Err(StoreError::NoFile(_))));
    assert!(!missing.exists());
    std::fs::write(&missing, "this is no database, but long enough to be looked at as if it were one".repeat(20))
        .unwrap();
    let Err(error) = Snapshot::open(&settings).await else { panic!("opened") };
    assert!(error.to_string().contains("no SQLite database") && error.is_permanent(), "{error}");
}
