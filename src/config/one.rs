//! The rules of one value, for callers that have a value and no file yet.
//!
//! The value is read from a document of one line by the readers that read whole files, so the rules are the same.

use std::path::Path;

use super::Config;

/// Checks `value` as the value of `key` in `table`, which is written as in the file: `[store]`, `[[job]]`.
///
/// # Errors
/// What is wrong with it and what to write instead, in one line without the value of a secret.
pub fn check_value(table: &str, key: &str, value: impl Into<toml::Value>) -> Result<(), String> {
    let start = format!("{table}\n{key} = ");
    let text = format!("{start}{}\n", value.into());
    let Err(faults) = Config::parse(&text, Path::new("jobs.toml"), Path::new("/")) else { return Ok(()) };
    // All others tell what else a file needs.
    let fault = faults.iter().find(|fault| fault.span.as_ref().is_some_and(|span| span.start >= start.len()));
    fault.map_or(Ok(()), |fault| Err(fault.in_one_line()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_checked_by_the_rules_of_a_file() {
        let job = |key: &str, value: &str| check_value("[[job]]", key, value);
        for (key, value) in [
            ("at", "04:00"),
            ("label", "nightly \"x\""),
            ("timezone", "Europe/Paris"),
            ("host", "::1"),
            ("directory", "in/x"),
            ("user", "drop"),
        ] {
            assert_eq!(job(key, value), Ok(()), "{key}");
        }
        assert_eq!(check_value("[[job]]", "port", 22), Ok(()));
        let refused = |found: Result<(), String>, words: &str| {
            let text = found.unwrap_err();
            assert!(text.contains(words) && !text.contains('\n'), "{words} is not in: {text}");
        };
        refused(job("at", "25:00"), "not a time of day; write hours and minutes from \"00:00\" to \"23:59\"");
        refused(job("label", ""), "`label` is empty");
        refused(job("label", &"x".repeat(101)), "at most 100");
        refused(job("timezone", "Paris"), "did you mean `Europe/Paris`?");
        refused(job("host", "drop@sftp.example"), "goes to `user`");
        refused(job("user", " "), "`user` is empty");
        refused(check_value("[[job]]", "port", 0), "from 1 to 65535");
        refused(check_value("[store]", "url", "oracle://db/x"), "unknown scheme");
        assert!(!check_value("[store]", "url", "postgres://u:hun/ter2@db/x").unwrap_err().contains("ter2"));
    }
}
