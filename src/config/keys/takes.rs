//! What a key takes: the kinds of values, as the reference names them and as a JSON schema describes them.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::Section;
use crate::words::Words;

/// The values of a key.
#[derive(Debug)]
pub(in super::super) enum Takes {
    /// Text of one line, not empty.
    Line,
    /// The same, of at most this many characters.
    LineOf(usize),
    /// Text of at most this many characters, or none at all.
    TextOf(usize),
    /// Text of a certain form: what to call it, and a regular expression that all of it fits.
    Form(&'static str, &'static str),
    /// One of a closed list of words.
    Word(fn() -> Vec<&'static str>),
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer(RangeInclusive<i64>),
    /// A length of time.
    Duration,
    /// The path of a file or folder.
    Path,
    /// Text, or a reference to it.
    Secret(&'static Section),
    /// Two different texts.
    Pair,
    /// A list of at least this many.
    List(usize, &'static Takes),
    /// One or the other.
    Either(&'static [Takes]),
    /// A table of at least this many names of one's own, each with such a value.
    Named(usize, &'static Takes),
    /// A table.
    Table(&'static Section),
    /// A list of tables.
    Tables(&'static Section),
}

/// The words of `T`, as [`Takes::Word`] wants them.
pub(super) fn words<T: Words>() -> Vec<&'static str> {
    T::WORDS.iter().map(|(word, _)| *word).collect()
}

impl Takes {
    /// What the reference calls it, in Markdown.
    #[cfg(test)]
    pub(in super::super) fn in_words(&self) -> String {
        match self {
            Takes::Line => "text".to_owned(),
            Takes::LineOf(most) => format!("text of 1 to {most} characters"),
            Takes::TextOf(most) => format!("text of at most {most} characters"),
            Takes::Form(name, _) => (*name).to_owned(),
            Takes::Word(words) => words().iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
            Takes::Flag => "`true`, `false`".to_owned(),
            Takes::Integer(range) => format!("whole number, {} to {}", range.start(), range.end()),
            Takes::Duration => "duration".to_owned(),
            Takes::Path => "path".to_owned(),
            Takes::Secret(_) => "text, or a reference to a secret".to_owned(),
            Takes::Pair => "list of two texts".to_owned(),
            Takes::List(_, each) => format!("list: {}", each.in_words()),
            Takes::Either(all) => all.iter().map(Takes::in_words).collect::<Vec<_>>().join("; or "),
            Takes::Named(_, each) => format!("table, each value: {}", each.in_words()),
            Takes::Table(section) => format!("table {}", section.header),
            Takes::Tables(section) => format!("tables {}", section.header),
        }
    }

    /// The JSON schema of its values. Tables are referred to by the names of their sections.
    pub(in super::super) fn schema(&self) -> Value {
        match self {
            Takes::Line | Takes::Path => json!({ "type": "string", "minLength": 1 }),
            Takes::LineOf(most) => json!({ "type": "string", "minLength": 1, "maxLength": most }),
            Takes::TextOf(most) => json!({ "type": "string", "maxLength": most }),
            Takes::Form(name, pattern) => json!({ "title": name, "type": "string", "pattern": pattern }),
            Takes::Word(words) => json!({ "enum": words() }),
            Takes::Flag => json!({ "type": "boolean" }),
            Takes::Integer(range) => json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() }),
            Takes::Duration => json!({ "type": "string", "pattern": r"^\s*\d" }),
            Takes::Secret(_) => json!({ "$ref": "#/$defs/secret" }),
            Takes::Pair => json!({
                "type": "array", "items": Takes::Line.schema(), "minItems": 2, "maxItems": 2, "uniqueItems": true
            }),
            Takes::List(0, each) => json!({ "type": "array", "items": each.schema() }),
            Takes::List(least, each) => json!({ "type": "array", "minItems": least, "items": each.schema() }),
            Takes::Either(all) => json!({ "anyOf": all.iter().map(Takes::schema).collect::<Vec<_>>() }),
            Takes::Named(0, each) => json!({ "type": "object", "additionalProperties": each.schema() }),
            Takes::Named(least, each) => {
                json!({ "type": "object", "minProperties": least, "additionalProperties": each.schema() })
            }
            Takes::Table(section) => json!({ "$ref": format!("#/$defs/{}", section.name) }),
            Takes::Tables(section) => {
                json!({ "type": "array", "items": { "$ref": format!("#/$defs/{}", section.name) } })
            }
        }
    }

    /// The tables that its values can be.
    pub(in super::super) fn sections(&self) -> Vec<&'static Section> {
        match self {
            Takes::Table(section) | Takes::Tables(section) | Takes::Secret(section) => vec![section],
            Takes::List(_, each) | Takes::Named(_, each) => each.sections(),
            Takes::Either(all) => all.iter().flat_map(Takes::sections).collect(),
            _ => Vec::new(),
        }
    }
}
