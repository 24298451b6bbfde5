//! A row whose time can't be read is left out of no file in silence: check and run say the same, with the remedy.

use std::fs;
use std::path::Path;

use crate::support::program::Program;
use crate::support::shop;

/// A shop of orders with these times, delivered into `out`, with `keys` of its time column.
fn program(out: &Path, times: &str, keys: &str) -> Program {
    let program = shop::program_into(out, "");
    let store = rusqlite::Connection::open(program.path("shop.db")).unwrap();
    store.execute_batch(&format!("CREATE TABLE o (id INTEGER, at DATETIME); INSERT INTO o VALUES {times}")).unwrap();
    let catalogue = format!(
        "[[export]]\nname = \"orders\"\nfrom = \"o\"\ncreated = \"at\"\norder = [\"id\"]\n[export.columns]\n\
         id = \"id\"\nat = {{ type = \"datetime\"{keys} }}\n"
    );
    fs::write(program.path("catalogue.toml"), catalogue).unwrap();
    program
}

/// What `arguments` print, in one line of single blanks.
fn words(program: &Program, arguments: &[&str], code: i32) -> String {
    let outcome = program.run(arguments).expect(code);
    let text = format!("{}{}", outcome.out, outcome.err);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn times_that_can_t_be_read_fail_the_run_and_the_check() {
    let out = tempfile::tempdir().unwrap();
    // The last is of the run's day.
    let times = "(1, 2461011.5), (2, 2461012.25), (3, '01/11/2026 06:00'), (4, julianday('2026-11-20 18:00'))";
    let lost = program(out.path(), times, "");
    let told = "orders: the time column \"at\" holds values that can't be read as datetime, so it is unknown which \
        period their rows belong to: 3 real numbers (`epoch = \"julian\"` for the column in the catalogue would fit), \
        1 text (write times as `2026-11-21 04:00:00` in the store, or in a view or query that the export reads)";
    for command in [&["check", "--connect"][..], &["run", "shop", "--at", "2026-11-21"]] {
        let text = words(&lost, command, 1);
        assert!(text.contains(told), "{command:?}: {text}");
    }
    assert!(lost.run(&["history", "--json"]).json()[0]["error"].as_str().unwrap().contains("`epoch = \"julian\"`"));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);

    let times = times.replace("(3, '01/11/2026 06:00'), ", "");
    let mended = program(out.path(), &times, ", epoch = \"julian\"");
    mended.run(&["check", "--connect"]).expect(0);
    mended.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    let file = fs::read_dir(out.path()).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(file).unwrap();
    assert!(text == "id,at\n4,2026-11-20T19:00:00+01:00\n", "{text}");
}

#[test]
fn a_full_listing_takes_no_julian_day_for_seconds() {
    let out = tempfile::tempdir().unwrap();
    let lost = program(out.path(), "(1, 2461011.5)", "");
    let config = fs::read_to_string(lost.path("jobs.toml")).unwrap();
    lost.configure(&config.replace("run = \"daily\"", "run = \"daily\"\nperiod = \"all\""));
    let told = "column \"at\" holds values that can't be read as datetime, so every run would fail: 1 real number \
        (`epoch = \"julian\"` for the column in the catalogue would fit)";
    let text = words(&lost, &["check", "--connect"], 1);
    assert!(text.contains(told), "{text}");
    let text = words(&lost, &["run", "shop"], 1);
    let told = "export orders, row 1, column at: a number that looks like a Julian day can't be read as datetime; write \
        `epoch = \"julian\"` for the column in the catalogue, or \"s\" if it does count seconds";
    assert!(text.contains(told), "{text}");
}

#[test]
fn what_is_no_time_at_all_is_told_in_good_sentences() {
    let out = tempfile::tempdir().unwrap();
    let lost = program(out.path(), "(1, 'infinity')", "");
    let config = fs::read_to_string(lost.path("jobs.toml")).unwrap();
    lost.configure(&config.replace("run = \"daily\"", "run = \"daily\"\nperiod = \"all\""));
    let text = words(&lost, &["run", "shop"], 1);
    assert!(
        text.contains("column at: infinity can't be read as datetime; write NULL in the store or a view instead"),
        "{text}"
    );
}

#[test]
fn an_epoch_that_was_declared_is_believed_and_doubted_aloud() {
    let out = tempfile::tempdir().unwrap();
    let doubtful = program(out.path(), "(1, 1764000000), (2, 1764000001)", ", epoch = \"ms\"");
    let told =
        "orders: read with `epoch = \"ms\"`, the latest number in column \"at\" is a time of 1970; `epoch = \"s\"` for";
    assert!(words(&doubtful, &["check", "--connect"], 0).contains(told));
    assert!(words(&doubtful, &["run", "shop"], 0).contains(told));
    let warning = doubtful.run(&["history", "--json"]).json()[0]["warnings"][0].clone();
    assert_eq!(warning["exports"], serde_json::json!(["orders"]), "{warning}");
    assert!(warning["text"].as_str().unwrap().contains("is a time of 1970"), "{warning}");
}
