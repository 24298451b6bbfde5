//! A standby of PostgreSQL: what it lacks, and why it cancels what is read from it.

use exportd::store::Snapshot;

use super::{export, failure, query, table};
use crate::support::standby::Pair;

#[tokio::test]
async fn a_standby_says_what_it_lacks_and_why_it_cancels() {
    let pair = Pair::start();
    let tables =
        "CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000); CREATE UNLOGGED TABLE u (id int)";
    let end = pair.change(tables).await;
    pair.wait(&format!("pg_last_wal_replay_lsn() >= '{end}'")).await;

    let mut snapshot = Snapshot::open(&pair.settings()).await.unwrap();
    assert!(snapshot.remarks().await.unwrap().warnings.is_empty());
    let error = snapshot.prepare(&export(table("u"), &["id"], &["id"])).await.unwrap_err();
    assert!(error.to_string().contains("unlogged") && error.is_permanent(), "{error}");

    let slow = "select t.id from t, pg_sleep(60) order by id limit 1";
    let prepared = snapshot.prepare(&export(query(slow), &["id"], &["id"])).await.unwrap();
    let change = async {
        pair.wait("EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')").await;
        pair.change("DELETE FROM t WHERE id > 500").await;
        pair.change("VACUUM t").await;
    };
    let (error, ()) = tokio::join!(failure(&mut snapshot, &prepared), change);
    assert!(error.to_string().contains("hot_standby_feedback") && !error.is_permanent(), "{error}");

    // What needs the table for itself is another reason, against which hot_standby_feedback helps nothing.
    let mut snapshot = Snapshot::open(&pair.settings()).await.unwrap();
    let prepared = snapshot.prepare(&export(query(slow), &["id"], &["id"])).await.unwrap();
    let change = async {
        pair.wait("EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')").await;
        pair.change("TRUNCATE t").await;
    };
    let (error, ()) = tokio::join!(failure(&mut snapshot, &prepared), change);
    let text = error.to_string();
    assert!(text.contains("a lock on what the query reads") && !text.contains("hot_standby_feedback"), "{error}");
    assert!(!error.is_permanent(), "{error}");

    pair.wait("pg_wal_replay_pause() IS NOT NULL").await;
    pair.wait("pg_is_wal_replay_paused()").await;
    let remarks = Snapshot::open(&pair.settings()).await.unwrap().remarks().await.unwrap();
    assert!(remarks.warnings.len() == 1 && remarks.warnings[0].contains("pg_wal_replay_pause"), "{remarks:?}");
}
