//! Queries as people write them: with comments, parentheses and semicolons, and with columns that share a name.

use exportd::store::StoreKind;

use super::{KINDS, export, open, query, read};
use crate::support::databases::Database;

#[tokio::test]
async fn what_stands_around_a_query_changes_nothing() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE t (id INT, a$b$c INT); INSERT INTO t VALUES (1, 2)").await;
        let mut snapshot = open(&database).await;
        let own = match kind {
            StoreKind::Sqlite => vec!["select [id] from t /* ] */", "select `id` from t"],
            StoreKind::Postgres => vec!["table t", "select id from t /* /* ; */ ) */", "select $a$1$a$ as id"],
            // Two dashes are a comment only before a blank.
            StoreKind::Mysql => {
                vec!["# monthly\nselect id from t # ;", "select (1--0) as id", "select id from t --\t;"]
            }
        };
        let everywhere = [
            "-- monthly\nselect id from t",
            "/* a; */ -- b\n\n\tselect id from t -- the end; really",
            "select id from t;\n-- the end\n",
            "select id from t /* ; */ ; /* ) */",
            "(select id from t)",
            "-- all\n(select id from t)",
            "with x as (select id from t) select id from x",
            "WITH x AS (SELECT id FROM t)\nSELECT id FROM x;",
            "select id from t where '--' <> ';'",
            "select id, a$b$c from t -- $b$",
        ];
        for text in everywhere.into_iter().chain(own) {
            let rows = read(&mut snapshot, &export(query(text), &["id"], &[]), None).await;
            assert!(rows == [["1"]] || rows == [["`1`"]], "{kind:?} {text}: {rows:?}");
        }
    }
}

#[tokio::test]
async fn values_are_rows_too() {
    for (kind, text, column) in [
        (StoreKind::Sqlite, "values (1), (2)", "column1"),
        (StoreKind::Postgres, "-- two\nvalues (1), (2);", "column1"),
        (StoreKind::Mysql, "values (1), (2)", "1"),
    ] {
        let database = Database::new(kind).await;
        let rows = read(&mut open(&database).await, &export(query(text), &[column], &[column]), None).await;
        assert_eq!(rows, [["1"], ["2"]], "{kind:?}");
    }
}

#[tokio::test]
async fn columns_that_share_a_name_need_an_alias() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE t (id INT, at INT); CREATE TABLE u (id INT, at INT)").await;
        let mut snapshot = open(&database).await;
        let mut texts =
            vec!["select t.id, u.id, u.at from t join u on t.id = u.id", "-- both\nselect 1 as id, 2 as id;"];
        if kind != StoreKind::Postgres {
            texts.push("select 1 as ID, 2 as id");
        }
        for text in texts {
            let error = snapshot.prepare(&export(query(text), &["id"], &["id"])).await.unwrap_err();
            let told = error.to_string().to_lowercase();
            assert!(
                told.contains("two of its columns are named \"id\"; give one an alias"),
                "{kind:?} {text}: {error}"
            );
            assert!(error.is_permanent());
        }
    }
}
