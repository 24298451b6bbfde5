//! Words of other programs that people write as keys, each with what to write here instead.
//!
//! Whoever comes from cron, systemd timers, rclone, Airbyte, Fivetran, Meltano, dbt or Vector knows what they want and
//! lacks only the word. The words are in `foreign.txt`, below the headers of the tables that they are written in.

use super::Section;

const WORDS: &str = include_str!("foreign.txt");

/// The header above the variables of templates.
const VARIABLES: &str = "filename";

/// What to write instead of `word` in the table of `section`.
pub(in super::super) fn answer(section: &Section, word: &str) -> Option<&'static str> {
    find(section.header.trim_matches('`'), word)
}

/// What to write instead of a variable that no template has.
pub(in super::super) fn variable_answer(name: &str) -> Option<&'static str> {
    find(VARIABLES, name)
}

fn find(header: &str, word: &str) -> Option<&'static str> {
    let word = compact(word);
    entries(header).find(|(words, _)| words.split(' ').any(|known| compact(known) == word)).map(|(_, answer)| answer)
}

/// The entries below a header: words, separated by blanks, and the answer to all of them.
fn entries(header: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = WORDS.lines().skip_while(move |line| line.strip_prefix("## ") != Some(header)).skip(1);
    lines.take_while(|line| !line.starts_with("## ")).filter_map(|line| line.split_once(": "))
}

/// Upper case and separators are matters of taste: `OnCalendar`, `on-calendar` and `on_calendar` are one word.
fn compact(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::JOB;
    use super::super::tests::SECTIONS;
    use super::*;
    use crate::name;

    fn of(section: &Section) -> impl Iterator<Item = (&'static str, &'static str)> {
        entries(section.header.trim_matches('`'))
    }

    #[test]
    fn a_word_that_is_a_key_is_not_foreign() {
        let mut entries_seen = 0;
        for section in SECTIONS {
            let mut seen = HashSet::new();
            entries_seen += of(section).count();
            for word in of(section).flat_map(|(words, _)| words.split(' ')) {
                let header = section.header;
                assert!(section.key(word).is_none(), "`{word}` is a key of {header}: take it out of foreign.txt");
                assert!(seen.insert(compact(word)), "`{word}` is in foreign.txt twice for {header}");
            }
        }
        let written = WORDS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        entries_seen += entries(VARIABLES).count();
        assert_eq!(entries_seen, written, "a header in foreign.txt is not that of a table");
    }

    #[test]
    fn an_answer_names_only_keys_that_exist() {
        let keys: HashSet<&str> = SECTIONS.iter().flat_map(|section| section.names()).collect();
        let is_word = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
        for (words, answer) in SECTIONS.iter().flat_map(|section| of(section)) {
            let code = answer.split('`').skip(1).step_by(2).filter(|code| !code.starts_with("exportd "));
            for code in code {
                // Before each `=`, or the whole of it.
                let named = code
                    .split('=')
                    .rev()
                    .skip(1)
                    .filter_map(|before| before.split([' ', '{', '[', ',']).rfind(|word| !word.is_empty()));
                let whole = [code].into_iter().filter(|code| !code.contains('='));
                for name in named.chain(whole).filter(is_word) {
                    assert!(keys.contains(name), "the answer to `{words}` names `{name}`, which is no key");
                }
            }
        }
    }

    #[test]
    fn words_are_found_however_they_are_spelt() {
        for word in ["schedule", "Schedule", "schedule-interval", "scheduleInterval", "OnCalendar", "RestartSec"] {
            assert!(answer(&JOB, word).is_some(), "{word}");
        }
        assert_eq!((answer(&JOB, "scheduled"), answer(&JOB, "")), (None, None));
    }

    #[test]
    fn a_variable_that_exists_is_not_foreign() {
        for (words, answer) in entries(VARIABLES) {
            assert!(words.split(' ').all(|word| !name::VARIABLES.contains(&word)), "{words}");
            for variable in answer.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
                assert!(name::VARIABLES.contains(&variable), "{answer}");
            }
        }
    }
}
