//! Tables of engines without transactions are no part of a snapshot, so it is told.

use exportd::secret::Secret;
use exportd::store::{Snapshot, StoreKind, StoreSettings};

use super::{export, open, query, read, table};
use crate::support::databases::{Database, PASSWORD};

const TABLES: &str = "CREATE TABLE safe (id INT) ENGINE = InnoDB; INSERT INTO safe VALUES (1); \
    CREATE TABLE logs (id INT) ENGINE = MyISAM; INSERT INTO logs VALUES (1); \
    CREATE TABLE aria (id INT) ENGINE = Aria; \
    CREATE VIEW near AS SELECT l.id FROM safe s JOIN logs l ON l.id = s.id; \
    CREATE VIEW far AS SELECT n.id FROM near n; CREATE VIEW fine AS SELECT id FROM safe;";

#[tokio::test]
async fn tables_without_transactions_are_told_whatever_leads_to_them() {
    let database = Database::new(StoreKind::Mysql).await;
    database.run(TABLES).await;
    // The same name in another database is another table.
    let other = Database::new(StoreKind::Mysql).await;
    other.run("CREATE TABLE safe (id INT) ENGINE = MyISAM").await;
    let other = other.url.rsplit('/').next().unwrap().to_owned();
    let mut snapshot = open(&database).await;
    for (source, expected) in [
        (table("logs"), Some("logs (MyISAM)")),
        (table("aria"), Some("aria (Aria)")),
        (table("near"), Some("logs (MyISAM)")),
        (table("far"), Some("logs (MyISAM)")),
        (query("select l.id from safe s join logs l on l.id = s.id"), Some("logs (MyISAM)")),
        (query("select id from far union all select id from aria"), Some("aria (Aria), logs (MyISAM)")),
        (query(&format!("select id from {other}.safe")), Some("safe (MyISAM)")),
        (table(&format!("{other}.safe")), Some("safe (MyISAM)")),
        (table("safe"), None),
        (table("fine"), None),
        (query("select id from safe"), None),
    ] {
        let warnings = snapshot.prepare(&export(source.clone(), &["id"], &["id"])).await.unwrap().warnings;
        let told =
            warnings.iter().map(|text| text.split_once(" does not cover ").unwrap().1.split_once(": ").unwrap().0);
        assert_eq!(told.collect::<Vec<_>>(), Vec::from_iter(expected), "{source:?}");
    }
}

/// A role with the least rights for a view: nobody tells it what is behind.
#[tokio::test]
async fn tables_that_the_role_may_not_see_are_no_harmless_ones() {
    let database = Database::new(StoreKind::Mysql).await;
    database.run(TABLES).await;
    let name = database.url.rsplit('/').next().unwrap();
    let (user, hint) = (format!("least_{name}"), "it reads a view whose tables the role may not see");
    database
        .run(&format!(
            "CREATE USER {user}@'%' IDENTIFIED BY '{PASSWORD}'; \
             GRANT SELECT ON {name}.fine TO {user}@'%'; GRANT SELECT ON {name}.safe TO {user}@'%'; \
             GRANT SELECT ON {name}.far TO {user}@'%'"
        ))
        .await;
    let (_, server) = database.url.split_once('@').unwrap();
    let url = Secret::new(format!("mysql://{user}:{PASSWORD}@{server}"));
    let settings = StoreSettings { url, ..database.settings() };
    let told = async |source| {
        let mut snapshot = Snapshot::open(&settings).await.unwrap();
        let prepared = snapshot.prepare(&export(source, &["id"], &["id"])).await.unwrap();
        (prepared.warnings.len(), prepared.hints.iter().any(|text| text.contains(hint)))
    };
    for source in [table("fine"), table("far"), query("select id from far")] {
        assert_eq!(told(source.clone()).await, (0, true), "{source:?}");
    }
    assert_eq!(told(table("safe")).await, (0, false));
    // To see the views without the tables behind them is not enough.
    for view in ["fine", "far", "near"] {
        database.run(&format!("GRANT SELECT, SHOW VIEW ON {name}.{view} TO {user}@'%'")).await;
    }
    assert_eq!(told(table("far")).await, (0, true));
    assert_eq!(told(table("fine")).await, (0, false));
    database.run(&format!("GRANT SELECT ON {name}.logs TO {user}@'%'")).await;
    assert_eq!(told(table("far")).await, (1, false));
}

#[tokio::test]
async fn of_many_tables_a_few_are_named() {
    let database = Database::new(StoreKind::Mysql).await;
    let tables = |sql: fn(u32) -> String, join: &str| (10..50).map(sql).collect::<Vec<_>>().join(join);
    database.run(&tables(|at| format!("CREATE TABLE log_{at} (id INT) ENGINE = MyISAM"), "; ")).await;
    let all = tables(|at| format!("select id from log_{at}"), " union all ");
    let warnings = open(&database).await.prepare(&export(query(&all), &["id"], &["id"])).await.unwrap().warnings;
    assert!(warnings[0].contains(" does not cover log_10 (MyISAM), log_11 (MyISAM), log_12 (MyISAM) and 37 more: "));
}

/// Why it is told.
#[tokio::test]
async fn what_is_written_while_a_run_reads_is_in_such_a_table() {
    let database = Database::new(StoreKind::Mysql).await;
    database.run(TABLES).await;
    let mut snapshot = open(&database).await;
    database.run("INSERT INTO safe VALUES (2); INSERT INTO logs VALUES (2)").await;
    assert_eq!(read(&mut snapshot, &export(table("safe"), &["id"], &["id"]), None).await, [["1"]]);
    assert_eq!(read(&mut snapshot, &export(table("logs"), &["id"], &["id"]), None).await, [["1"], ["2"]]);
}
