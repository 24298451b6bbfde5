//! Which rows the files of a draft have: the time columns that it takes, and those that it leaves to a person.

use exportd::store::StoreKind;

use crate::support::databases::Database;
use crate::support::drafted::Drafted;

const KINDS: [StoreKind; 3] = [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql];

/// Tables whose times are not called like the time when a row was made.
fn tables(kind: StoreKind) -> String {
    let time = if kind == StoreKind::Postgres { "timestamp" } else { "datetime" };
    let mut sql = String::new();
    for (table, column) in
        [("parcels", "placed_at"), ("rides", "left_at"), ("fahrten", "gebucht_am"), ("lieferungen", "bestellt_am")]
    {
        sql.push_str(&format!(
            "CREATE TABLE {table} (id integer PRIMARY KEY, {column} {time});
             INSERT INTO {table} VALUES (1, '2026-11-19 23:59:59'), (2, '2026-11-20 12:00:00'), (3, NULL);"
        ));
    }
    sql
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_may_be_another_is_a_line_to_make_active() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        database.run(&tables(kind)).await;
        let mut drafted = Drafted::of(&database);
        for told in ["fahrten, lieferungen, parcels, rides", "Files with all rows, each time: 4."] {
            assert!(drafted.told.contains(told), "{kind:?}: {}", drafted.told);
            assert!(drafted.text.contains(told), "{kind:?}: {}", drafted.text);
        }
        for (export, column) in [("rides", "left_at"), ("fahrten", "gebucht_am"), ("lieferungen", "bestellt_am")] {
            let section = drafted.export(export);
            assert!(section.contains(&format!("\n# created = \"{column}\"\n")), "{kind:?}: {section}");
        }
        let before = drafted.deliver(&database, "\"parcels\"");
        assert_eq!(before["parcels"].lines().count(), 4, "{kind:?}: {before:?}");
        drafted.edit("# created = \"placed_at\"", "created = \"placed_at\"");
        let after = drafted.deliver(&database, "\"parcels\"");
        assert_eq!(after["parcels"], "id,placed_at\n2,2026-11-20T12:00:00+00:00\n", "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_kept_as_text_or_number_is_offered_with_its_type() {
    let database = Database::new(StoreKind::Sqlite).await;
    database
        .run(
            "CREATE TABLE parcels (id integer PRIMARY KEY, created_at TEXT);
             INSERT INTO parcels VALUES (1, '2026-11-19 23:59:59'), (2, '2026-11-20 12:00:00');
             CREATE TABLE rides (id integer PRIMARY KEY, left_at integer);",
        )
        .await;
    let mut drafted = Drafted::of(&database);
    let line = |column, sql_type| format!("\n# created = \"{column}\"  # {sql_type} here: ");
    assert!(drafted.export("parcels").contains(&line("created_at", "TEXT")), "{}", drafted.text);
    assert!(drafted.export("rides").contains(&line("left_at", "INTEGER")), "{}", drafted.text);
    drafted.edit("# created = \"created_at\"", "created = \"created_at\"");
    drafted.edit("created_at = \"text\"", "created_at = \"datetime\"");
    let files = drafted.deliver(&database, "\"parcels\"");
    assert_eq!(files["parcels"], "id,created_at\n2,2026-11-20T12:00:00+00:00\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_taken_says_where_rows_may_lack_it() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let time = if kind == StoreKind::Postgres { "timestamp" } else { "datetime" };
        database
            .run(&format!(
                "CREATE TABLE a (id integer PRIMARY KEY, created_at {time} NOT NULL, sent_at {time});
                 CREATE TABLE b (id integer PRIMARY KEY, created_at {time});"
            ))
            .await;
        let drafted = Drafted::of(&database);
        assert!(drafted.export("a").contains("\ncreated = \"created_at\"\n"), "{kind:?}: {}", drafted.text);
        assert!(!drafted.text.contains("# created ="), "{kind:?}: {}", drafted.text);
        let nullable = "\ncreated = \"created_at\"  # rows where it is NULL are in no file\n";
        assert!(drafted.export("b").contains(nullable), "{kind:?}: {}", drafted.text);
        assert!(drafted.told.contains("Files with the rows of a period: 2."), "{kind:?}: {}", drafted.told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_are_kept_without_a_zone_get_one() {
    for kind in KINDS {
        let database = Database::new(kind).await;
        let (local, instant) = match kind {
            StoreKind::Sqlite => ("DATETIME", None),
            StoreKind::Postgres => ("timestamp(3)", Some("timestamptz")),
            StoreKind::Mysql => ("datetime(3)", Some("timestamp")),
        };
        let instant = instant.map(|kind| format!(", known_at {kind} NULL")).unwrap_or_default();
        database
            .run(&format!(
                "CREATE TABLE a (id integer PRIMARY KEY, created_at {local} NOT NULL, day date {instant});
                 INSERT INTO a (id, created_at) VALUES (1, '2026-11-20 00:30:00'), (2, '2026-11-20 23:30:00');"
            ))
            .await;
        let drafted = Drafted::of(&database);
        assert_eq!(
            drafted.column("a", "created_at"),
            "created_at = { type = \"datetime\", zone = \"UTC\" }",
            "{kind:?}"
        );
        assert_eq!(drafted.text.matches("; put the zone that it was written in").count(), 1, "{}", drafted.text);
        assert_eq!(drafted.column("a", "day"), "day = \"date\"");
        if !instant.is_empty() {
            assert_eq!(drafted.column("a", "known_at"), "known_at = \"datetime\"", "{kind:?}");
        }
        let files = drafted.deliver(&database, "{ name = \"a\", fields = [\"id\", \"created_at\"] }");
        assert_eq!(files["a"], "id,created_at\n1,2026-11-20T00:30:00+00:00\n2,2026-11-20T23:30:00+00:00\n", "{kind:?}");
        // In Berlin the first of them was written an hour earlier, on the day before.
        let drafted = Drafted::with(&database, &["--zone", "Europe/Berlin"]);
        assert!(!drafted.text.contains("put the zone"), "{}", drafted.text);
        let files = drafted.deliver(&database, "{ name = \"a\", fields = [\"id\", \"created_at\"] }");
        assert_eq!(files["a"], "id,created_at\n2,2026-11-20T22:30:00+00:00\n", "{kind:?}");
        let refused =
            drafted.program.run(&["catalogue", "draft", "--store", &database.url, "--zone", "Berlin"]).expect(2);
        assert!(refused.err.contains("--zone: there is no time zone `Berlin`"), "{}", refused.err);
    }
}
