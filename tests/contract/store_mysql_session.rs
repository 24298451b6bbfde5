//! Settings of a MySQL or MariaDB server that change what a query yields: they are set back, or it is told.

use exportd::catalogue::Source;
use exportd::secret::Secret;
use exportd::store::{Snapshot, StoreKind, StoreSettings};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection};

use super::{Rows, export, open, query, read, table};
use crate::support::databases::Database;
use crate::support::presenter::Presenter;

/// A server with a database of its own.
struct Server {
    _presenter: Presenter,
    settings: StoreSettings,
}

impl Server {
    async fn start() -> Server {
        let presenter = Presenter::start(StoreKind::Mysql);
        let mut settings = presenter.settings("127.0.0.1", "ssl-mode=DISABLED");
        run(&settings, "CREATE DATABASE shop").await;
        settings.url = Secret::new(settings.url.expose().replacen("/mysql?", "/shop?", 1));
        Server { _presenter: presenter, settings }
    }
}

async fn run(settings: &StoreSettings, sql: &str) {
    let mut db = MySqlConnection::connect(settings.url.expose()).await.unwrap();
    db.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

#[tokio::test]
async fn settings_of_the_server_leave_out_no_row_and_cut_no_text() {
    let server = Server::start().await;
    let tables = "CREATE TABLE t (id INT PRIMARY KEY, s CHAR(4)); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'); \
        CREATE VIEW joined AS SELECT group_concat(s ORDER BY id) AS s FROM t; \
        CREATE VIEW pairs AS SELECT a.id FROM t a JOIN t b WHERE b.id > 1; \
        CREATE VIEW counted AS WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 2000) \
            SELECT count(*) AS id FROM n; \
        CREATE TABLE kept (id INT) WITH SYSTEM VERSIONING; INSERT INTO kept VALUES (1)";
    run(&server.settings, tables).await;
    let settings = "SET GLOBAL sql_select_limit = 1; SET GLOBAL sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'; \
        SET GLOBAL group_concat_max_len = 4; SET GLOBAL max_recursive_iterations = 10; \
        SET GLOBAL system_versioning_asof = '2020-01-01'; SET GLOBAL max_error_count = 0; \
        SET GLOBAL tx_isolation = 'READ-UNCOMMITTED'; SET GLOBAL time_zone = '+09:00'; \
        SET GLOBAL sql_big_selects = 0; SET GLOBAL max_join_size = 3";
    run(&server.settings, settings).await;
    let mut snapshot = Snapshot::open(&server.settings).await.unwrap();
    for (source, column, expected) in [
        (table("t"), "id", &["1", "2", "3"][..]),
        (table("t"), "s", &["`a`", "`b`", "`c`"]),
        (table("joined"), "s", &["`a,b,c`"]),
        (table("pairs"), "id", &["1", "1", "2", "2", "3", "3"]),
        (table("counted"), "id", &["2000"]),
        (table("kept"), "id", &["1"]),
    ] {
        let rows = read(&mut snapshot, &export(source.clone(), &[column], &[column]), None).await;
        assert_eq!(rows.concat(), expected, "{source:?}");
    }
}

#[tokio::test]
async fn backslashes_and_quotes_mean_what_the_server_takes_them_for() {
    let server = Server::start().await;
    for (mode, text, expected) in [
        ("", r"select '\'' as id", Some("`'`")),
        ("NO_BACKSLASH_ESCAPES", r"select '\' as id", Some(r"`\`")),
        ("NO_BACKSLASH_ESCAPES", r"select '\'; select ' as id", None),
        ("ANSI_QUOTES", r#"select 1 as "\", 'x' as id"#, Some("`x`")),
    ] {
        run(&server.settings, &format!("SET GLOBAL sql_mode = '{mode}'")).await;
        let mut snapshot = Snapshot::open(&server.settings).await.unwrap();
        let export = export(query(text), &["id"], &[]);
        match expected {
            Some(expected) => assert_eq!(read(&mut snapshot, &export, None).await, [[expected]], "{mode}"),
            None => assert!(snapshot.prepare(&export).await.unwrap_err().to_string().contains("several"), "{mode}"),
        }
    }
}

/// What is said about an export once its rows are read.
async fn told(database: &Database, source: Source) -> Vec<String> {
    let mut snapshot = open(database).await;
    let prepared = snapshot.prepare(&export(source, &["id"], &[])).await.unwrap();
    snapshot.read(&prepared, None, &mut Rows::default(), None).await.unwrap();
    snapshot.take_warnings()
}

#[tokio::test]
async fn values_that_the_server_cuts_or_gives_up_are_told_and_not_shown() {
    let database = Database::new(StoreKind::Mysql).await;
    database.run("CREATE TABLE t (id INT, s VARCHAR(20)); INSERT INTO t VALUES (1, 'Ada Lovelace'), (2, '7')").await;
    for (text, part) in [
        ("select repeat('x', 99999999) as id", "a text larger than max_allowed_packet became NULL (MySQL 1301)"),
        (
            "select count(*) as id from t where cast(s as signed) > 5",
            "a value was cut or replaced, because it does not fit the type that it is converted to (MySQL 1292)",
        ),
        ("select id / 0 as id from t", "a division by zero became NULL (MySQL 1365)"),
        ("select json_extract(s, '$.a') as id from t where id = 1", "(MySQL 4038)"),
        ("select id from t limit 1 rows examined 1", "rows may be missing"),
    ] {
        let warnings = told(&database, query(text)).await;
        assert!(warnings.len() == 1 && warnings[0].contains(part), "{text}: {warnings:?}");
        assert!(!warnings[0].contains("Ada"), "{warnings:?}");
    }
    assert!(told(&database, table("t")).await.is_empty());
}

#[tokio::test]
async fn tables_of_another_server_are_told() {
    let server = Server::start().await;
    run(&server.settings, "INSTALL SONAME 'ha_federatedx'; CREATE TABLE near (id INT PRIMARY KEY)").await;
    let url = server.settings.url.expose().split('?').next().unwrap();
    let far = format!("CREATE TABLE far (id INT PRIMARY KEY) ENGINE = FEDERATED CONNECTION = '{url}/near'");
    run(&server.settings, &far).await;
    let mut snapshot = Snapshot::open(&server.settings).await.unwrap();
    let warnings = snapshot.prepare(&export(table("far"), &["id"], &["id"])).await.unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("does not cover far (FEDERATED)"), "{warnings:?}");
}
