//! The demo: what a newcomer sees first.

use std::fs;

use crate::support::program::Program;
use crate::support::sshd::names_in;

#[test]
fn the_demo_shows_everything_and_leaves_nothing() {
    let program = Program::new("");
    let demo = program.run(&["demo", "--messages", "1000"]).expect(0);
    for part in
        ["nightly-bi", "weekly-quality", "monthly-customers", "incoming/bi/", ".zip", "manifest.json", "Done in"]
    {
        assert!(demo.out.contains(part), "{part} is missing in:\n{}", demo.out);
    }
    assert_eq!(names_in(program.path("").as_path()), ["jobs.toml"], "only what was there before");
}

#[test]
fn what_the_demo_keeps_works_on() {
    let program = Program::new("");
    program.run(&["demo", "--messages", "1000", "--keep", "kept"]).expect(0);
    let config = program.path("kept/jobs.toml").display().to_string();
    let history = program.run(&["--config", &config, "history", "--json"]).expect(0).json();
    assert_eq!(history.as_array().unwrap().len(), 3);
    assert!(history.as_array().unwrap().iter().all(|run| run["state"] == "delivered"));
    program.run(&["--config", &config, "plan"]).expect(0);

    let drop = program.path("kept/drop/incoming/bi");
    let messages = names_in(&drop).into_iter().find(|name| name.contains("messages")).expect("messages arrived");
    let text = fs::read_to_string(drop.join(messages)).unwrap();
    assert!(text.starts_with("id,created_at,"), "{}", &text[..text.len().min(200)]);

    let again = program.run(&["demo", "--keep", "kept"]).expect(2);
    assert!(again.err.contains("kept exists already"), "{}", again.err);
}
