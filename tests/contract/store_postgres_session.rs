//! Settings of a PostgreSQL role or database, and tables that are not what their name suggests: set back, or told.

use exportd::catalogue::Source;
use exportd::encode::Encoder;
use exportd::job::Format;
use exportd::secret::Secret;
use exportd::store::{ReadError, Snapshot, StoreKind, StoreSettings};
use exportd::value::Stop;
use jiff::tz::TimeZone;

use super::{export, open, query, read, table};
use crate::support::databases::Database;
use crate::support::encoded::Encoded;

fn name(database: &Database) -> &str {
    database.url.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn settings_of_a_role_or_database_change_no_byte() {
    let database = Database::new(StoreKind::Postgres).await;
    let hostile = [
        ("default_transaction_isolation", "read committed", "transaction_isolation", "repeatable read"),
        ("default_transaction_read_only", "off", "transaction_read_only", "on"),
        ("TimeZone", "Asia/Tokyo", "TimeZone", "UTC"),
        ("DateStyle", "SQL, DMY", "DateStyle", "ISO, YMD"),
        ("IntervalStyle", "sql_standard", "IntervalStyle", "postgres"),
        ("bytea_output", "escape", "bytea_output", "hex"),
        ("extra_float_digits", "-15", "extra_float_digits", "1"),
        ("client_encoding", "LATIN1", "client_encoding", "UTF8"),
        ("standard_conforming_strings", "off", "standard_conforming_strings", "on"),
        ("xmlbinary", "hex", "xmlbinary", "base64"),
        ("transform_null_equals", "on", "transform_null_equals", "off"),
        ("statement_timeout", "1d", "statement_timeout", "1min"),
        ("lock_timeout", "1d", "lock_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "1d", "idle_in_transaction_session_timeout", "0"),
        ("row_security", "off", "row_security", "on"),
    ];
    for (setting, value, ..) in hostile {
        database.run(&format!("ALTER DATABASE {} SET {setting} = {value:?}", name(&database))).await;
    }
    let mut snapshot = open(&database).await;
    for (_, _, setting, expected) in hostile {
        let text = format!("select current_setting('{setting}') as id");
        assert_eq!(read(&mut snapshot, &export(query(&text), &["id"], &[]), None).await, [[format!("`{expected}`")]]);
    }
}

#[tokio::test]
async fn settings_that_only_an_administrator_can_set_are_told() {
    let database = Database::new(StoreKind::Postgres).await;
    let mut snapshot = open(&database).await;
    let remarks = snapshot.remarks().await.unwrap();
    assert!(remarks.hints.is_empty() && remarks.warnings.is_empty(), "{remarks:?}");
    let set = format!("ALTER DATABASE {} SET", name(&database));
    database.run(&format!("{set} zero_damaged_pages = on; {set} search_path = sales, public")).await;
    let remarks = open(&database).await.remarks().await.unwrap();
    assert!(remarks.warnings.len() == 1 && remarks.warnings[0].starts_with("zero_damaged_pages is on"), "{remarks:?}");
    assert!(remarks.hints.len() == 1 && remarks.hints[0].contains("search_path to sales, public"), "{remarks:?}");
}

/// What is said about an export from `source`: warnings, and hints that are not about the order.
async fn told(snapshot: &mut Snapshot, source: Source) -> (Vec<String>, Vec<String>) {
    let prepared = snapshot.prepare(&export(source, &["id"], &["id"])).await.unwrap();
    (prepared.warnings, prepared.hints)
}

#[tokio::test]
async fn a_name_that_could_mean_another_table_is_told() {
    let database = Database::new(StoreKind::Postgres).await;
    let tables = "CREATE SCHEMA sales; CREATE SCHEMA archive; CREATE SCHEMA closed; \
        CREATE TABLE public.orders (id int); CREATE TABLE sales.orders (id int); CREATE TABLE archive.items (id int); \
        CREATE TABLE public.items (id int); CREATE TABLE public.alone (id int); CREATE TABLE closed.alone (id int)";
    database.run(tables).await;
    let role = format!("clerk_{}", name(&database));
    let grants = format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA sales, archive TO {role}; \
         GRANT SELECT ON public.orders, sales.orders, archive.items, public.items, public.alone TO {role}; \
         ALTER ROLE {role} SET search_path = sales, public"
    );
    database.run(&grants).await;
    let url = Secret::new(database.url.replacen("postgres@", &format!("{role}@"), 1));
    let mut snapshot = Snapshot::open(&StoreSettings { url, ..database.settings() }).await.unwrap();
    let said = |name: &str, found: &str, other: &str| {
        vec![format!(
            "{name} is {found} by the search_path of role {role}, and there is also {other}; name the schema in `from`"
        )]
    };
    let shadowed = said("orders", "sales.orders", "public.orders");
    assert_eq!(told(&mut snapshot, table("orders")).await, (shadowed, vec![]));
    // Nobody gets to the other one without naming its schema.
    let elsewhere = said("items", "public.items", "archive.items");
    assert_eq!(told(&mut snapshot, table("items")).await, (vec![], elsewhere));
    for clear in ["public.orders", "sales.orders", "alone"] {
        assert_eq!(told(&mut snapshot, table(clear)).await, (vec![], vec![]), "{clear}");
    }
}

#[tokio::test]
async fn tables_that_the_snapshot_does_not_cover_are_told_whatever_leads_to_them() {
    let database = Database::new(StoreKind::Postgres).await;
    let tables = "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; \
        CREATE FOREIGN TABLE far (id int) SERVER files OPTIONS (program 'echo 1'); \
        CREATE TABLE whole (id int) PARTITION BY RANGE (id); CREATE TABLE near PARTITION OF whole FOR VALUES FROM (0) TO (9); \
        CREATE FOREIGN TABLE part PARTITION OF whole FOR VALUES FROM (9) TO (99) SERVER files OPTIONS (program 'echo 9'); \
        CREATE VIEW deep AS SELECT n.id FROM near n JOIN far f ON f.id = n.id; \
        CREATE MATERIALIZED VIEW stale AS SELECT id FROM near; CREATE UNLOGGED TABLE fleeting (id int)";
    database.run(tables).await;
    let mut snapshot = open(&database).await;
    for (source, expected) in [
        (table("far"), Some("far")),
        (table("whole"), Some("part")),
        (table("deep"), Some("far")),
        (query("select id from far union select id from whole"), Some("far, part")),
        (table("near"), None),
    ] {
        let (warnings, _) = told(&mut snapshot, source.clone()).await;
        let tables =
            warnings.iter().map(|text| text.split_once(" does not cover ").unwrap().1.split_once(": ").unwrap().0);
        assert_eq!(tables.collect::<Vec<_>>(), Vec::from_iter(expected), "{source:?}");
    }
    for (name, part) in [("stale", "last REFRESH"), ("fleeting", "empty after a crash")] {
        let (warnings, hints) = told(&mut snapshot, table(name)).await;
        assert!(warnings.is_empty() && hints.len() == 1 && hints[0].contains(part), "{warnings:?} {hints:?}");
    }
}

/// One schema for each customer, or one partition for each day, is nothing odd.
#[tokio::test]
async fn of_many_tables_a_few_are_named() {
    let database = Database::new(StoreKind::Postgres).await;
    let each = |sql: fn(u32) -> String| (10..70).map(sql).collect::<Vec<_>>().join("; ");
    database.run(&each(|at| format!("CREATE SCHEMA s{at}; CREATE TABLE s{at}.t (id int)"))).await;
    database
        .run(
            "CREATE TABLE public.t (id int); CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; \
             CREATE TABLE days (id int) PARTITION BY LIST (id)",
        )
        .await;
    let partition = |at| {
        format!(
            "CREATE FOREIGN TABLE d{at} PARTITION OF days FOR VALUES IN ({at}) SERVER files OPTIONS (program 'echo 1')"
        )
    };
    database.run(&each(partition)).await;
    let mut snapshot = open(&database).await;
    let (_, hints) = told(&mut snapshot, table("t")).await;
    assert!(hints[0].contains("there is also s10.t, s11.t, s12.t and 57 more; name the schema"), "{hints:?}");
    let (warnings, _) = told(&mut snapshot, table("days")).await;
    assert!(warnings[0].contains(" does not cover d10, d11, d12 and 57 more: a foreign table"), "{warnings:?}");
    // What one may well mean comes first.
    let path = format!("ALTER DATABASE {} SET search_path = s60, public", name(&database));
    database.run(&path).await;
    let (warnings, _) = told(&mut open(&database).await, table("t")).await;
    assert!(warnings[0].contains("there is also public.t, s10.t, s11.t and 57 more; name the schema"), "{warnings:?}");
}

#[tokio::test]
async fn a_text_that_a_database_without_an_encoding_holds_is_found_by_its_cell() {
    let outer = Database::new(StoreKind::Postgres).await;
    let name = format!("{}_ascii", name(&outer));
    outer.run(&format!("CREATE DATABASE {name} ENCODING SQL_ASCII LOCALE 'C' TEMPLATE template0")).await;
    let url = Secret::new(format!("{}_ascii", outer.url));
    let settings = StoreSettings { url, ..outer.settings() };
    let mut snapshot = Snapshot::open(&settings).await.unwrap();
    let text = "select n as id, convert_from(decode(t, 'hex'), 'SQL_ASCII') as t from (values (1, 'c3bc'), (2, 'fc')) v (n, t)";
    let export = export(query(text), &["id", "t:string"], &["id"]);
    let prepared = snapshot.prepare(&export).await.unwrap();
    let encoder = Encoder::new(&Format::Bi, &export.columns, &TimeZone::UTC);
    let mut file = Encoded { encoder, bytes: Vec::new() };
    let read = snapshot.read(&prepared, None, &mut file, None).await;
    let Err(ReadError::Stop(Stop::Cells(cells))) = read else { panic!("{read:?}") };
    assert!(cells.to_string().contains("column t: text that is not UTF-8"), "{cells}");
    assert!(String::from_utf8_lossy(&file.bytes).contains("1,ü"), "{:?}", file.bytes);
}
