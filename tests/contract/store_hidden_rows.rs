//! PostgreSQL's row-level security: rows that a role is not shown are missing from files, so it is told.

use exportd::catalogue::Source;
use exportd::draft;
use exportd::secret::Secret;
use exportd::store::{RowSecurity, Snapshot, StoreError, StoreKind, StoreSettings};

use super::{export, query, read, table};
use crate::support::databases::Database;

const TABLES: &str = "CREATE TABLE o (id int, mine boolean); INSERT INTO o VALUES (1, true), (2, false); \
    ALTER TABLE o ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON o USING (mine); \
    CREATE TABLE closed (id int); INSERT INTO closed VALUES (1); ALTER TABLE closed ENABLE ROW LEVEL SECURITY; \
    CREATE TABLE plain (id int); INSERT INTO plain VALUES (1); \
    CREATE VIEW of_owner AS SELECT id FROM o; \
    CREATE VIEW of_reader WITH (security_invoker = true) AS SELECT id FROM o; \
    CREATE VIEW deep AS SELECT id FROM of_reader; \
    CREATE FUNCTION inlined() RETURNS SETOF o LANGUAGE sql STABLE AS 'SELECT * FROM o';";

/// A database with policies, and the settings of a role that they hold for.
async fn restricted() -> (Database, StoreSettings, String) {
    let database = Database::new(StoreKind::Postgres).await;
    let role = format!("rep_{}", database.url.rsplit('/').next().unwrap());
    let grants = format!("CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};");
    database.run(TABLES).await;
    database.run(&grants).await;
    let url = Secret::new(database.url.replacen("postgres@", &format!("{role}@"), 1));
    let settings = StoreSettings { url, ..database.settings() };
    (database, settings, role)
}

/// What is said about an export from `source`.
async fn warnings(snapshot: &mut Snapshot, source: Source) -> Vec<String> {
    snapshot.prepare(&export(source, &["id"], &["id"])).await.unwrap().warnings
}

#[tokio::test]
async fn rows_that_policies_hide_are_told_whatever_leads_to_the_table() {
    let (database, settings, role) = restricted().await;
    let mut snapshot = Snapshot::open(&settings).await.unwrap();
    let told = |tables: &str| {
        vec![format!(
            "row-level security is active for role {role} on {tables}: rows that its policies hide are not exported; if \
             that is meant, write `row_security = \"on\"` in [store]"
        )]
    };
    for (source, expected) in [
        (table("o"), told("o")),
        (table("closed"), told("closed")),
        (table("of_reader"), told("o")),
        (table("deep"), told("o")),
        (query("select id from inlined()"), told("o")),
        (query("select p.id from plain p where p.id in (select id from closed)"), told("closed")),
        (table("plain"), vec![]),
        // The owner of the table, whose rights the view has, sees every row.
        (table("of_owner"), vec![]),
    ] {
        assert_eq!(warnings(&mut snapshot, source.clone()).await, expected, "{source:?}");
        // What another look at it leaves must not be taken for the next export's.
        snapshot.inspect(&source).await.unwrap();
    }
    let mut owner = Snapshot::open(&database.settings()).await.unwrap();
    assert!(warnings(&mut owner, table("o")).await.is_empty());
}

#[tokio::test]
async fn hidden_rows_that_are_meant_are_no_warning() {
    let (_database, settings, role) = restricted().await;
    let settings = StoreSettings { row_security: Some(RowSecurity::On), ..settings };
    let mut snapshot = Snapshot::open(&settings).await.unwrap();
    let prepared = snapshot.prepare(&export(table("o"), &["id"], &["id"])).await.unwrap();
    let hint =
        format!("row-level security is active for role {role} on o: rows that its policies hide are not exported");
    assert!(prepared.warnings.is_empty() && prepared.hints.contains(&hint), "{prepared:?}");
    assert_eq!(read(&mut snapshot, &export(table("o"), &["id"], &["id"]), None).await, [["1"]]);
}

#[tokio::test]
async fn hidden_rows_can_be_refused() {
    let (_database, settings, role) = restricted().await;
    let mut snapshot =
        Snapshot::open(&StoreSettings { row_security: Some(RowSecurity::Off), ..settings }).await.unwrap();
    let error = snapshot.prepare(&export(table("o"), &["id"], &["id"])).await.unwrap_err();
    assert!(matches!(error, StoreError::RowSecurity { .. }) && error.is_permanent(), "{error}");
    for part in [&role, " on o,", "row_security = \"off\"", "BYPASSRLS"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    // Other exports are read, and a right that is missing is not taken for a policy.
    assert_eq!(read(&mut snapshot, &export(table("plain"), &["id"], &["id"]), None).await, [["1"]]);
    let error = snapshot.prepare(&export(query("select passwd as id from pg_shadow"), &["id"], &[])).await.unwrap_err();
    assert!(error.to_string().contains("permission denied"), "{error}");
}

#[tokio::test]
async fn what_a_function_reads_is_refused_by_the_server() {
    let (database, settings, _) = restricted().await;
    let function = "CREATE FUNCTION behind() RETURNS SETOF int LANGUAGE plpgsql STABLE AS \
        'BEGIN RETURN QUERY SELECT id FROM o; END'";
    database.run(function).await;
    let behind = export(query("select id from behind() as id"), &["id"], &["id"]);
    let mut snapshot = Snapshot::open(&settings).await.unwrap();
    assert_eq!(read(&mut snapshot, &behind, None).await, [["1"]]);
    let mut snapshot =
        Snapshot::open(&StoreSettings { row_security: Some(RowSecurity::Off), ..settings }).await.unwrap();
    let prepared = snapshot.prepare(&behind).await.unwrap();
    let error = super::failure(&mut snapshot, &prepared).await;
    assert!(error.to_string().contains("row-level security") && error.is_permanent(), "{error}");
}

#[tokio::test]
async fn a_draft_says_which_tables_hide_rows() {
    let (_database, settings, role) = restricted().await;
    let text = draft::draft(&settings).await.unwrap().text(None);
    let warning = |what: &str, table: &str| {
        format!("# The {what}.\n# Warning: row-level security is active for role {role} on {table}: rows")
    };
    for part in [warning("table public.closed", "closed"), warning("view public.deep", "o")] {
        assert!(text.contains(&part), "{part}\nis missing in:\n{text}");
    }
    assert_eq!(text.matches("# Warning").count(), 4, "{text}");
}
