//! Damaged configurations and catalogues.

use super::fault::Report;
use super::*;
use crate::fuzz::attack;

const WORDS: &[&str] = &[
    "[[job]]\n",
    "[[",
    "]]",
    "[defaults]\n",
    "[store]\n",
    "\"\"\"",
    "'''",
    "{{",
    "}}",
    "\\u",
    "\\U0010ffff",
    "é",
    "\r",
    "\t",
    "\0",
    " = ",
    "#",
    "{ env = \"HOME\" }",
    "1979-05-27T07:32:00Z",
    "0x",
    "1e999",
    "true",
    "[[export]]\n",
    "[[export.column]]\n",
    "= [",
    "}",
];

#[test]
fn configurations() {
    attack("configurations", WORDS, |input| {
        let text = String::from_utf8_lossy(input);
        outcome(&Config::parse(&text, Path::new("jobs.toml"), Path::new("/nowhere")).map(|config| config.jobs.len()))
    });
}

#[test]
fn catalogues() {
    attack("catalogues", WORDS, |input| {
        let report = Report::default();
        let mut catalogue = Catalogue::default();
        let text = String::from_utf8_lossy(input).into_owned();
        catalogue::read(&report.open("catalogue.toml".to_owned(), text.into(), false), &mut catalogue);
        outcome(&report.finish(Some(catalogue)).map(|catalogue| catalogue.exports.len()))
    });
}

/// What is left of a configuration, or the kinds of its faults, each of which can be shown.
fn outcome(read: &Result<usize, Faults>) -> Result<usize, Vec<String>> {
    read.as_ref().map(|jobs| *jobs).map_err(|faults| {
        for width in [1, 80] {
            faults.render(false, width);
        }
        let lines = faults.iter().map(|fault| {
            faults.place(fault);
            fault.in_one_line().split('`').step_by(2).collect()
        });
        lines.take(3).collect()
    })
}
