//! Damaged definitions of jobs, as the state may hold them.

use super::*;
use crate::fuzz::attack;

/// What is read of a stored text is stored and read again as the same.
#[test]
fn definitions() {
    let words = [
        "\"exports\"",
        "\"source\"",
        "\"format\"",
        "null",
        "[",
        "{",
        "Table(\\\"",
        "CsvOptions { delimiter: ",
        "\"trust\":{}",
        "\\u0000",
    ];
    attack("definitions", &words, |input| {
        let definition = Definition::parse(&String::from_utf8_lossy(input))?;
        let again = Definition::parse(&definition.text()).expect("a definition is stored as it can be read");
        assert_eq!(definition.changed_keys(&again), [""; 0]);
        let exposed = definition.exposed_since(None).len();
        assert!(definition.exposed_since(Some(&again)).is_empty());
        Some((definition.label().len(), definition.is_enabled(), definition.schedule().is_some(), exposed))
    });
}
