//! Files that are written in another language than TOML: one sentence instead of a fault for each line.

use super::fault::Fault;

/// The fault of `text`, which is no TOML, if it begins like YAML or JSON. The line is not shown: it may hold a secret.
pub(super) fn other(text: &str) -> Option<Fault> {
    let mut lines = text.lines().map(str::trim);
    let name = match lines.find(|line| !line.is_empty() && !line.starts_with('#'))? {
        json if json.starts_with('{') => "JSON",
        yaml if is_yaml(yaml) => "YAML",
        _ => return None,
    };
    let fault = Fault::new(format!("this looks like {name}, and the file has to be TOML"));
    Some(fault.help("docs/reference.md shows how every key is written"))
}

/// `---`, `- item`, `key:` or `key: value`.
fn is_yaml(line: &str) -> bool {
    let key = line.split(':').next().unwrap_or_default();
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-\"'".contains(c));
    let value = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
    let is_pair = is_key && value.is_some_and(|value| value.is_empty() || value.starts_with(' '));
    line.starts_with("---") || line.starts_with("- ") || is_pair
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_languages_are_known_by_their_first_line() {
        let told = |text: &str| other(text).map(|fault| fault.message.contains("YAML"));
        for yaml in ["# jobs\n\nstore:\n  url: x\n", "---\nstore: {}\n", "- label: a\r\n", "\"store\": 1\n"] {
            assert_eq!(told(yaml), Some(true), "{yaml}");
        }
        assert_eq!(told("{\n  \"store\": {}\n}\n"), Some(false));
        for text in ["", "# only a comment", "[store]\nurl: x", "url = \"a: b\"", "key = 1:2", "http://x"] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
