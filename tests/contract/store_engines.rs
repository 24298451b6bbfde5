//! Tables of engines without transactions are no part of a snapshot, so it is told.

use exportd::store::StoreKind;

use super::{export, open, query, read, table};
use crate::support::databases::Database;

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
