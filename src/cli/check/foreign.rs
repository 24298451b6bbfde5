//! Variables in the notation of other programs, which a path or a name takes as they are.

/// The first part of `text` that looks like a variable and is none: `%Y`, `$HOME`, `$(date)`, `{year}` or `YYYY`. What
/// stands between double braces is left out, as are characters that mean nothing to any program.
pub fn variable(text: &str) -> Option<&str> {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("{{") {
            at += rest.find("}}").map_or(rest.len(), |end| end + 2);
            continue;
        }
        if let Some(found) = length(rest).and_then(|length| rest.get(..length)) {
            return Some(found);
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    None
}

/// The length of the variable that `text` begins with.
fn length(text: &str) -> Option<usize> {
    let rest = text.get(1..)?;
    match text.as_bytes().first()? {
        b'%' => rest.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(2),
        b'$' if rest.starts_with('(') => text.find(')').map(|end| end + 1),
        b'$' => name(rest).map(|length| 1 + length),
        b'{' => name(rest).filter(|length| rest[*length..].starts_with('}')).map(|length| length + 2),
        b'Y' => text.starts_with("YYYY").then_some(4),
        b'y' => text.starts_with("yyyy").then_some(4),
        _ => None,
    }
}

/// The length of the name that `text` begins with.
fn name(text: &str) -> Option<usize> {
    let length = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_notations_are_told_from_plain_names() {
        for (text, found) in [
            ("in/%Y/%m", "%Y"),
            ("é$HOME/x", "$HOME"),
            ("$(date +%F)", "$(date +%F)"),
            ("in/{year}", "{year}"),
            ("{{year}}/{{month}}-%d", "%d"),
            ("a_yyyyMMdd", "yyyy"),
        ] {
            assert_eq!(variable(text), Some(found), "{text}");
        }
        for text in
            ["", "in/bi", "{{year}}", "{{ label }}.x", "100%", "$5", "{}", "{a b}", "$(", "{{year", "yy/mm", "ä%"]
        {
            assert_eq!(variable(text), None, "{text}");
        }
    }
}
