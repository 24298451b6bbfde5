//! Which window of its data each export covers is shown wherever somebody looks: a day, or all rows.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::program::Program;
use crate::support::shop;

/// A shop with an export by day, one by month, one that the job wants whole, and one without a time column.
fn program(out: &Path) -> Program {
    let program = shop::program_into(out, "");
    let store = rusqlite::Connection::open(program.path("shop.db")).unwrap();
    store.execute_batch("CREATE TABLE o (id INTEGER, at TEXT); INSERT INTO o VALUES (1, '2026-11-20')").unwrap();
    let export = |name: &str, created: &str| {
        format!(
            "[[export]]\nname = \"{name}\"\nfrom = \"o\"\norder = [\"id\"]\n{created}[export.columns]\nid = \"id\"\n"
        )
    };
    let timed = ["orders", "returns", "invoices"].map(|name| export(name, "created = \"at\"\n"));
    fs::write(program.path("catalogue.toml"), timed.concat() + &export("roles", "")).unwrap();
    let exports =
        "\"orders\", { name = \"returns\", period = \"month\" }, { name = \"invoices\", period = \"all\" }, \"roles\"";
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("exports = [\"orders\"]", &format!("exports = [{exports}]")));
    program
}

#[test]
fn check_run_and_plan_say_what_each_export_covers() {
    let out = tempfile::tempdir().unwrap();
    let program = program(out.path());
    let check = program.run(&["check"]).expect(0).out;
    for export in ["orders, day,", "returns, month,", "invoices, all rows,", "roles, all rows,"] {
        assert!(check.contains(&format!("{export} 1 column\n")), "{export} is not in\n{check}");
    }
    let exports = program.run(&["check", "--json"]).expect(0).json()["exports"].clone();
    let shown = |name, period| json!({ "job": "shop", "name": name, "period": period });
    let expected = [
        shown("orders", json!("day")),
        shown("returns", json!("month")),
        shown("invoices", json!(null)),
        shown("roles", json!(null)),
    ];
    assert_eq!(exports, json!(expected));

    let covered = "What the files cover:\n  \
         shop  day 2026-11-20: orders\n        \
         month 2026-10-01 to 2026-10-31: returns\n        \
         all rows: invoices, roles\n";
    for dry in [&[][..], &["--dry-run", "--output", "look"]] {
        let run = program.run(&[&["run", "shop", "--at", "2026-11-21"], dry].concat()).expect(0).out;
        assert!(run.contains(covered), "{run}");
    }
    let plan = program.run(&["plan"]).expect(0).out;
    assert!(plan.contains("_invoices.csv  (all rows)") && plan.contains("_roles.csv  (all rows)"), "{plan}");
}
