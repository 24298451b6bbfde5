//! Paths as text: equal ones are written alike.

/// A path without `.`, doubled slashes, a slash at its end, and `..` where that can be resolved without looking.
pub(super) fn normalized(directory: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let root = if directory.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_paths_are_written_alike() {
        for text in ["/srv/drops", "/srv/drops/", "/srv/./drops", "/srv//drops", "/srv/x/../drops"] {
            assert_eq!(normalized(text), "/srv/drops");
        }
        assert_eq!(normalized("in/../.."), "..");
        assert_eq!(normalized("/"), "/");
    }
}
