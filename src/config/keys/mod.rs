//! The keys of all files that people write: one table, from which everything that lists keys is made.
//!
//! The loader refuses what is not in it, `exportd schema` and `docs/reference.md` are generated from it, and tests hold
//! it against the loader (defaults, examples), against `jobs.example.toml` and against what is stored of a job.
//! What the value of a key does is in the reader of that key, beside this folder.

mod catalogue;
mod file;
mod foreign;
mod job;
mod secret;
mod takes;

pub(super) use self::catalogue::{CATALOGUE_FILE, COLUMN, COLUMN_SCALE, EXPORT};
pub(super) use self::file::{CATALOGUE, NOTIFY, ROOT, STATE, STORE};
pub(super) use self::foreign::{answer as foreign_answer, variable_answer};
pub(super) use self::job::{
    CHANNELS, CSV, JOB, JOB_EXPORT, LONGEST_DESCRIPTION, LONGEST_LABEL, LONGEST_REASON, PORTS, REQUESTS, RETRY,
};
pub(super) use self::secret::REFERENCE;
pub(super) use self::takes::Takes;

/// A table of a file, and its keys.
#[derive(Debug)]
pub(super) struct Section {
    /// What the schema calls it.
    pub(super) name: &'static str,
    /// How it is written, for the reference.
    pub(super) header: &'static str,
    /// What it is for, in Markdown.
    pub(super) says: &'static str,
    /// All of its keys, in the order of the documentation.
    pub(super) keys: &'static [Key],
    /// What holds for several of its keys together.
    pub(super) choice: Choice,
}

/// Which of several keys must or may be given.
#[derive(Debug)]
pub(super) enum Choice {
    /// Each key is on its own.
    Free,
    /// At least one of these.
    AtLeastOne(&'static [&'static str]),
    /// One of these and no other.
    ExactlyOne(&'static [&'static str]),
    /// One of these, or none.
    AtMostOne(&'static [&'static str]),
}

/// A key of a table.
#[derive(Debug)]
pub(super) struct Key {
    /// The key itself.
    pub(super) name: &'static str,
    /// Its values.
    pub(super) takes: Takes,
    /// What holds where it is not given.
    pub(super) absent: Absent,
    /// What it means, in Markdown.
    pub(super) says: &'static str,
    /// A value, in TOML; none where a table or a list of tables says more than an example would.
    pub(super) example: Option<&'static str>,
    /// Whether a job can take it over from `[defaults]`.
    pub(super) is_shared: bool,
}

/// What holds where a key is not given.
#[derive(Debug)]
pub(super) enum Absent {
    /// A fault.
    Required,
    /// The same as with this value, in TOML.
    Default(&'static str),
    /// Something that no single value says: the words for it.
    Otherwise(&'static str),
}

impl Section {
    /// The names of its keys.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.keys.iter().map(|key| key.name)
    }

    /// The tables that values of its keys can be.
    pub(super) fn sections(&self) -> impl Iterator<Item = &'static Section> {
        self.keys.iter().flat_map(|key| key.takes.sections())
    }

    /// The key called `name`.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// The tables of the files that people write, each followed by those in it.
const FILES: [&[&Section]; 2] = [
    &[&ROOT, &STORE, &STATE, &CATALOGUE, &NOTIFY, &JOB, &JOB_EXPORT, &RETRY, &CSV],
    &[&CATALOGUE_FILE, &EXPORT, &COLUMN],
];

/// The headers of the other tables of the same file that have a key `name`.
pub(super) fn elsewhere(section: &Section, name: &str) -> Vec<&'static str> {
    let is_same = |other: &&&Section| std::ptr::eq(**other, section);
    let file = FILES.iter().find(|file| file.iter().any(|other| is_same(&other)));
    let others = file.into_iter().flat_map(|file| file.iter()).filter(|other| !is_same(other));
    others.filter(|other| other.key(name).is_some()).map(|other| other.header).collect()
}

impl Key {
    const fn new(name: &'static str, takes: Takes, says: &'static str) -> Key {
        let absent = Absent::Otherwise("none");
        Key { name, takes, absent, says, example: None, is_shared: true }
    }

    const fn required(self) -> Key {
        Key { absent: Absent::Required, ..self }
    }

    const fn default(self, value: &'static str) -> Key {
        Key { absent: Absent::Default(value), ..self }
    }

    const fn otherwise(self, words: &'static str) -> Key {
        Key { absent: Absent::Otherwise(words), ..self }
    }

    const fn example(self, value: &'static str) -> Key {
        Key { example: Some(value), ..self }
    }

    /// A key that says which job it is, and so can't be a default.
    const fn own(self) -> Key {
        Key { is_shared: false, ..self }
    }
}

#[cfg(test)]
mod tests;
