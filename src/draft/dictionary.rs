//! The words that tell what a column or a table is about, from the lists in `words/`, one file for each language.
//!
//! A list has sections: `[person]` and the like name a [`Group`], `[personal mail]` a [`Reason`], `[stem mail]` parts
//! of longer words, `[created]` and `[updated]` the names of a row's own times in the order of preference. Words stand
//! between blanks, `#` starts a comment. They are written as people write them, and found with and without their marks.
//! A phrase (`firstname`, `dateofbirth`) is listed without blanks, so that it is also found where a database wrote it in
//! one piece.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::reason::Reason;
use super::spelling::spellings;

/// What a word says about a table, or about the column or name it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Group {
    /// People, and those who deal with us.
    Person,
    /// People of whom even a status is news: patients.
    Protected,
    /// Records of people, but of companies too: accounts.
    Record,
    /// Things that have a name of their own.
    Thing,
    /// May stand beside harmless words: places of work, jobs, classes.
    Beside,
    /// Places that have a name of their own.
    Place,
    /// Lists of choices, even if they are choices about people (`user_roles`).
    Choice,
    /// A name; whose, depends.
    Name,
    /// Text that describes what the table is about.
    Describing,
    /// Says that a text is a code, a state or a measure.
    Safe,
    /// The same, but not in a table about people.
    SafeElsewhere,
    /// Harmless in a table about people too.
    Harmless,
    /// Trade: orders, invoices, payments.
    Trade,
    /// What is counted and dated in trade.
    Figure,
    /// Little words.
    Glue,
    /// Says something about an item, not what it is: `email_verified`.
    Aspect,
    /// Measures a person, if the table is about people.
    Measure,
    /// Says where something is sent, so the rest is part of an address: `ship_state`.
    Sending,
    /// Has a name that is no person's.
    Named,
    /// Says of a time that it is not the one when the row was made: `valid_until`.
    Elsewhen,
    /// Says nothing about a table.
    Noise,
    /// Says nothing by itself, but is part of compounds.
    Plain,
}

impl Group {
    fn named(name: &str) -> Option<Group> {
        Some(match name {
            "person" => Group::Person,
            "protected" => Group::Protected,
            "record" => Group::Record,
            "thing" => Group::Thing,
            "beside" => Group::Beside,
            "place" => Group::Place,
            "choice" => Group::Choice,
            "name" => Group::Name,
            "describing" => Group::Describing,
            "safe" => Group::Safe,
            "safe-elsewhere" => Group::SafeElsewhere,
            "harmless" => Group::Harmless,
            "trade" => Group::Trade,
            "figure" => Group::Figure,
            "glue" => Group::Glue,
            "aspect" => Group::Aspect,
            "measure" => Group::Measure,
            "sending" => Group::Sending,
            "named" => Group::Named,
            "elsewhen" => Group::Elsewhen,
            "noise" => Group::Noise,
            "plain" => Group::Plain,
            _ => return None,
        })
    }
}

/// The lists, by the language that they are in.
const LISTS: [(&str, &str); 8] = [
    ("en", include_str!("words/en.txt")),
    ("de", include_str!("words/de.txt")),
    ("fr", include_str!("words/fr.txt")),
    ("es", include_str!("words/es.txt")),
    ("da", include_str!("words/da.txt")),
    ("nl", include_str!("words/nl.txt")),
    ("it", include_str!("words/it.txt")),
    ("pl", include_str!("words/pl.txt")),
];

/// A word of this reason and of at least this many letters is also looked for inside of unknown words.
const LONG: usize = 7;

/// A known word of fewer letters is not found under its inflections.
const LONG_ROOT: usize = 6;

/// What a section makes of its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Group(Group),
    Personal(Reason),
    Stem(Reason),
    Created,
    Updated,
}

impl Section {
    fn named(name: &str) -> Option<Section> {
        match name.split_once(' ') {
            Some(("personal", reason)) => Reason::named(reason).map(Section::Personal),
            Some(("stem", reason)) => Reason::named(reason).map(Section::Stem),
            Some(_) => None,
            None if name == "created" => Some(Section::Created),
            None if name == "updated" => Some(Section::Updated),
            None => Group::named(name).map(Section::Group),
        }
    }
}

/// All words, ready to be looked up.
#[derive(Default)]
pub(super) struct Dictionary {
    entries: HashMap<String, Entry>,
    stems: Vec<(Reason, String)>,
    created: Vec<String>,
    updated: Vec<String>,
}

#[derive(Default)]
struct Entry {
    groups: Vec<Group>,
    reason: Option<Reason>,
}

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    let mut dictionary = Dictionary::default();
    // A test sees to it that there are no faults.
    for (_, list) in LISTS {
        dictionary.read(list);
    }
    dictionary
});

/// The dictionary.
pub(super) fn dictionary() -> &'static Dictionary {
    &DICTIONARY
}

impl Dictionary {
    /// Adds the words of `list`, and returns what can't be read in it.
    fn read(&mut self, list: &str) -> Vec<String> {
        let mut faults = Vec::new();
        let mut section = None;
        for (at, line) in list.lines().enumerate() {
            let mut fault = |what: String| faults.push(format!("line {}: {what}", at + 1));
            let text = line.split('#').next().unwrap_or_default().trim();
            if let Some(name) = text.strip_prefix('[') {
                section = name.strip_suffix(']').and_then(Section::named);
                if section.is_none() {
                    fault(format!("no such section: {text}"));
                }
                continue;
            }
            for word in text.split_whitespace() {
                let spellings = spellings(word);
                if !spellings.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())) {
                    fault(format!("not a word of small letters: {word}"));
                }
                let Some(section) = section else {
                    fault(format!("outside of a section: {word}"));
                    continue;
                };
                for spelling in spellings {
                    if let Err(other) = self.add(section, spelling) {
                        fault(format!("{word} is also listed as {other:?}"));
                    }
                }
            }
        }
        faults
    }

    /// Adds a word, or returns the other reason that it has.
    fn add(&mut self, section: Section, word: String) -> Result<(), Reason> {
        match section {
            Section::Created => self.created.push(word),
            Section::Updated => self.updated.push(word),
            Section::Stem(reason) => self.stems.push((reason, word)),
            Section::Group(group) => {
                let groups = &mut self.entries.entry(word).or_default().groups;
                groups.push(group);
                if matches!(group, Group::Protected | Group::Record) {
                    groups.push(Group::Person);
                }
            }
            Section::Personal(reason) => {
                if reason.is_of_tables() && word.len() >= LONG {
                    self.stems.push((reason, word.clone()));
                }
                let entry = self.entries.entry(word).or_default();
                if let Some(other) = entry.reason.replace(reason).filter(|other| *other != reason) {
                    return Err(other);
                }
            }
        }
        Ok(())
    }

    /// Whether `word` belongs to `group`.
    pub(super) fn is(&self, group: Group, word: &str) -> bool {
        self.entries.get(word).is_some_and(|entry| entry.groups.contains(&group))
    }

    /// Why a column with this word, or phrase without blanks, is personal.
    pub(super) fn reason(&self, phrase: &str) -> Option<Reason> {
        self.entries.get(phrase)?.reason
    }

    /// What part of an unknown word says.
    pub(super) fn stem(&self, word: &str) -> Option<Reason> {
        if self.entries.contains_key(word) {
            return None;
        }
        self.stems.iter().find(|(_, stem)| word.contains(stem.as_str())).map(|(reason, _)| *reason)
    }

    /// The names of the time when a row was made, in the order of preference.
    pub(super) fn created(&self) -> &[String] {
        &self.created
    }

    /// The names of the time when a row was last changed, in the order of preference.
    pub(super) fn updated(&self) -> &[String] {
        &self.updated
    }

    /// The word as the dictionary lists it, if it is there or its singular is.
    pub(super) fn singular(&self, word: &str) -> Option<&str> {
        let known = |word: &str| self.entries.get_key_value(word).map(|(word, _)| word.as_str());
        let without = |ending: &str| known(word.strip_suffix(ending)?);
        let y = || known(&format!("{}y", word.strip_suffix("ies")?));
        // Plurals and inflections of Germanic languages, of long words only: `er` and `en` end many short ones.
        let inflected = |ending: &str| without(ending).filter(|root| root.len() >= LONG_ROOT);
        let germanic = || ["e", "n", "en", "er", "erne"].into_iter().find_map(inflected);
        known(word).or_else(|| without("s")).or_else(|| without("es")).or_else(y).or_else(germanic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_lists_without_a_fault() {
        let mut dictionary = Dictionary::default();
        for (language, list) in LISTS {
            assert_eq!(dictionary.read(list), Vec::<String>::new(), "{language}");
        }
        assert!(dictionary.entries.len() > 2000);
    }

    #[test]
    fn says_where_a_list_is_wrong() {
        let list =
            "early\n[person] # people\nkunde Kunde k2\n[persons]\nlost\n[personal mail]\npost\n[personal text]\npost";
        let mut dictionary = Dictionary::default();
        let faults = dictionary.read(list);
        for fault in [
            "line 1: outside of a section: early",
            "line 3: not a word of small letters: k2",
            "line 4: no such section: [persons]",
            "line 5: outside of a section: lost",
            "line 9: post is also listed as Mail",
        ] {
            assert!(faults.iter().any(|found| found == fault), "{fault} is missing in {faults:?}");
        }
        assert!(dictionary.is(Group::Person, "kunde"));
    }
}
