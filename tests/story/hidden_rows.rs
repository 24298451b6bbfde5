//! Rows that a database keeps from its reader are told by check, by the run, and in the daemon's log.

use std::fs;
use std::path::Path;

use exportd::store::StoreKind;

use super::history::run_id;
use crate::support::databases::Database;
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::{night, shop};

const CATALOGUE: &str = "[[export]]\nname = \"orders\"\ntitle = \"Orders\"\nfrom = \"orders\"\norder = [\"id\"]\n\
    [export.columns]\nid = \"id\"\n";

const TABLE: &str = "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2); \
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON orders USING (id = 1); \
    CREATE ROLE clerk LOGIN; GRANT SELECT ON orders TO clerk;";

/// A program whose role sees one of two orders, with `more` in `[store]`.
fn program(database: &Database, out: &Path, more: &str) -> Program {
    let program = shop::program_into(out, "");
    let url = database.url.replacen("postgres@", "clerk@", 1);
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("url = \"sqlite:shop.db\"", &format!("url = \"{url}\"\n{more}")));
    fs::write(program.path("catalogue.toml"), CATALOGUE).unwrap();
    program
}

#[test]
fn hidden_rows_are_told_wherever_somebody_looks() {
    let database = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let database = Database::new(StoreKind::Postgres).await;
        database.run(TABLE).await;
        database
    });
    let out = tempfile::tempdir().unwrap();
    let warning = "row-level security is active for role clerk on orders: rows that its policies hide are not exported; \
                   if that is meant, write `row_security = \"on\"` in [store]";
    let told = program(&database, out.path(), "");
    let check = told.run(&["check", "--connect"]).expect(0);
    assert!(check.out.contains(&format!("hint   shop, orders: {warning}")), "{}", check.out);
    for run in [&["run", "shop"][..], &["run", "shop", "--dry-run", "--output", "out"]] {
        let run = told.run(run).expect(0);
        assert!(run.err.contains(&format!("warning: job shop, orders: {warning}")), "{}", run.err);
    }
    let id = run_id(&told, 0);
    let show = told.run(&["show", &id]).expect(0).out;
    let unwrapped = show.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains(&format!("warning orders: {warning}")), "{show}");
    let history = told.run(&["history"]).expect(0).out;
    assert!(history.contains(" delivered* ") && history.contains("\n* with warnings: exportd show RUN"), "{history}");
    assert!(history.lines().all(|line| line.chars().count() <= 80), "{history}");
    let json = serde_json::json!([{ "exports": ["orders"], "text": warning }]);
    assert_eq!(told.run(&["history", "--json"]).expect(0).json()[0]["warnings"], json);
    assert_eq!(told.run(&["show", &id, "--json"]).expect(0).json()["warnings"], json);
    // Its files are the same, and so is what there is to know about them.
    let again = told.run(&["redeliver", &id]).expect(0);
    assert!(again.err.contains(&format!("warning: job shop, orders: {warning}")), "{}", again.err);

    night::last_up(&told, 1);
    let mut service = Service::start(&told);
    let line = service.says("row-level security is active for role clerk on orders: rows");
    for part in ["\"level\":\"WARN\"", "\"job\":\"shop\"", "\"export\":\"orders\""] {
        assert!(line.contains(part), "{part} is not in: {line}");
    }
    service.stop();
    let night = &told.run(&["history", "--json"]).expect(0).json()[0];
    assert_eq!((&night["trigger"], &night["warnings"]), (&"missed".into(), &json), "{night}");

    let meant = program(&database, out.path(), "row_security = \"on\"");
    assert!(
        meant.run(&["check", "--connect"]).expect(0).out.contains("hint   shop, orders: row-level security is active")
    );
    let run = meant.run(&["run", "shop"]).expect(0);
    assert!(!run.err.contains("row-level security"), "{}", run.err);

    let refused = program(&database, out.path(), "row_security = \"off\"");
    for command in [&["check", "--connect"][..], &["run", "shop"]] {
        let refused = refused.run(command).expect(1);
        let text = format!("{}{}", refused.out, refused.err);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("row-level security is active for role clerk on orders, so rows would be"), "{text}");
    }
}
