//! What a person sees at a terminal: columns below their headings, and nothing of the progress once it is over.

use std::fs;

use crate::support::night;
use crate::support::screen::{self, Screen};
use crate::support::shop;
use crate::support::sshd::Sshd;

const WIDTH: usize = 120;

/// Where the words of a line begin that stand in columns, two blanks or more apart.
fn starts(line: &str) -> Vec<usize> {
    let line: Vec<char> = line.chars().collect();
    let is_start = |&at: &usize| line[at] != ' ' && line[at.saturating_sub(2)..at].iter().all(|&before| before == ' ');
    (0..line.len()).filter(is_start).collect()
}

#[track_caller]
fn line_with<'s>(lines: &'s [String], word: &str) -> &'s str {
    let found = lines.iter().find(|line| line.contains(word));
    found.unwrap_or_else(|| panic!("no line with {word}:\n{}", lines.join("\n")))
}

#[test]
fn headings_stand_where_their_columns_begin() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    program.run(&["run", "shop", "--at", shop::DAY]).expect(0);
    // Lists without numbers at the right of their columns, for those end with their headings.
    for (command, heading, cell) in [
        (&["history"][..], "JOB", "delivered"),
        (&["plan"], "JOB", "shop"),
        (&["catalogue"], "EXPORT", "orders"),
        (&["status"], "JOB", "delivered"),
    ] {
        let (code, written, screen) = screen::run(&program, WIDTH, command);
        assert!(code == 0 || command == ["status"], "{command:?}: {written}");
        let lines = screen.lines();
        let (heading, row) = (line_with(&lines, heading), line_with(&lines, cell));
        assert!(written.contains("\u{1b}[1m"), "{command:?}: headings are bold: {written:?}");
        let (first, second) = (starts(heading), starts(row));
        assert_eq!(first[..2], second[..2], "{command:?}:\n{}", lines.join("\n"));
        assert_eq!(first[0], 0, "{command:?}:\n{}", lines.join("\n"));
    }
}

#[test]
fn nothing_of_the_progress_stays_on_the_screen() {
    let server = Sshd::start();
    // So slow that the progress is painted more than once.
    let program = night::program(&server, "max_rate = \"4 kB/s\"");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    let (head, job) = config.split_once("[[job]]").unwrap();
    let labels: Vec<String> = (0..6).map(|number| format!("shop{number}")).collect();
    let jobs: Vec<String> =
        labels.iter().map(|label| job.replace("label = \"shop\"", &format!("label = \"{label}\""))).collect();
    program.configure(&format!("{head}[[job]]{}", jobs.join("[[job]]")));

    let command: Vec<&str> = ["run"].into_iter().chain(labels.iter().map(String::as_str)).collect();
    let (code, written, screen) = screen::run(&program, WIDTH, &command);
    assert_eq!(code, 0, "{written}");
    assert!(written.contains("connecting") && written.contains("24 rows, "), "progress is shown: {written:?}");
    // Below the files, after an empty line and a heading, what each job covers.
    assert_result_only(&screen, 1 + 2 * labels.len() + 2 + labels.len());

    // The shortest way from the last bar to the result: what is painted late comes in between.
    for _ in 0..20 {
        let dry = ["run", "shop0", "--dry-run", "--output", "look"];
        let (code, written, screen) = screen::run(&program, WIDTH, &dry);
        assert_eq!(code, 0, "{written}");
        assert_result_only(&screen, 1 + 2 + 3 + 2);
    }
}

/// That the screen shows the listing of a run from its first line on, and has that many lines.
#[track_caller]
fn assert_result_only(screen: &Screen, expected: usize) {
    let lines = screen.lines();
    let shown = lines.join("\n");
    assert!(lines[0].starts_with("JOB "), "{shown}");
    assert_eq!(lines.len(), expected, "{shown}");
    for word in ["connecting", "waiting", "rows, ", "publishing", "published"] {
        assert!(!shown.contains(word), "{word} is still there:\n{shown}");
    }
}
