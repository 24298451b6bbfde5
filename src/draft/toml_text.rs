//! Texts and keys of TOML, escaped.
//!
//! Hand-written because a serializer is free to choose between four kinds of strings, some of several lines, and a
//! draft wants the same simple kind everywhere, also inside of comments.

use std::fmt::Write as _;

/// `text` as a basic string, on one line whatever it holds.
pub(super) fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// `text` as a key, quoted where it must be.
pub(super) fn key(text: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !text.is_empty() && text.bytes().all(is_bare) { text.to_owned() } else { string(text) }
}

/// A list of strings.
pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(string).collect();
    format!("[{}]", texts.join(", "))
}

/// `text` as it may stand in a comment.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_survives(name in any::<String>(), value in any::<String>()) {
            let text = format!("# {}\n{} = {} # {}\n", comment(&value), key(&name), string(&value), comment(&name));
            let table: toml::Table = text.parse().unwrap();
            prop_assert_eq!(table.get(&name).and_then(|value| value.as_str()), Some(value.as_str()));
            prop_assert_eq!(text.lines().count(), 2);
        }
    }

    #[test]
    fn quotes_what_is_not_plain() {
        assert_eq!(key("a-b_C9"), "a-b_C9");
        assert_eq!(key("zip code"), r#""zip code""#);
        assert_eq!(key(""), r#""""#);
        assert_eq!(key("größe"), r#""größe""#);
        assert_eq!(string(r#"order"; --"#), r#""order\"; --""#);
        assert_eq!(string("a\\b\u{0}\n\u{7f}\u{85}"), r#""a\\b\u0000\u000A\u007F\u0085""#);
        assert_eq!(list(["a", "b\""]), r#"["a", "b\""]"#);
        assert_eq!(list([]), "[]");
    }
}
