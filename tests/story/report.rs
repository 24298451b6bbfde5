//! What leaves the house is told before it does, and why.

use crate::support::program::Program;

/// The example's jobs as a person and a program read of them.
#[test]
fn the_report_names_every_column_its_recipient_and_the_reason() {
    let program = Program::new(include_str!("../../jobs.example.toml"));
    let told = program.run(&["report"]).expect(0).out;
    for words in [
        "purpose    Yesterday's work for the warehouse",
        "recipient  drop@sftp.partner.example:incoming/bi",
        "frequency  weekly on Monday at 05:30 Europe/Paris",
        "first_name*",
        "15 days",
    ] {
        assert!(told.contains(words), "no {words:?} in\n{told}");
    }
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");

    let record = program.run(&["report", "MONTHLY-customers", "--json"]).expect(0).json();
    assert_eq!(record.as_array().unwrap().len(), 1);
    let record = &record[0];
    assert!(record["reason"].as_str().unwrap().contains("processing agreement"));
    assert_eq!(record["recipient"]["directory"], "incoming/customers");
    assert_eq!(record["exports"][0]["columns"][2], serde_json::json!({ "name": "last_name", "sensitive": true }));
    assert_eq!(record["exports"][1]["period"], serde_json::Value::Null);
    assert_eq!(record["retention"]["spool_seconds"], 15 * 24 * 3600);
    program.run(&["report", "nobody"]).expect(2);
}
