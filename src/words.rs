//! The words of a configuration: closed lists, each of them kept beside the values that it names.

/// A value that a configuration chooses by a word.
///
/// The list is all there is: the loader, the schemas, the reference and what is stored of a job use it, so a word is
/// written once and the name of a variant is in no file.
pub trait Words: Copy + PartialEq + 'static {
    /// Each value and its word, in the order of the documentation. No word and no value is in it twice.
    const WORDS: &'static [(&'static str, Self)];

    /// The word for this value.
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, value)| *value == self);
        found.expect("every value has a word").0
    }

    /// The value that `word` names.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }
}
