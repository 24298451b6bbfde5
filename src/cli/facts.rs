//! Facts below each other: names in a column of their own, values wrapped beside them.

use std::io;

use super::output;

/// How wide facts get where there is no terminal to ask: mails and tickets are read at this width.
const USUAL: usize = 80;

/// What is told of one thing.
pub struct Facts {
    facts: Vec<(String, String)>,
}

impl Facts {
    /// Nothing yet.
    pub fn new() -> Facts {
        Facts { facts: Vec::new() }
    }

    /// Adds a fact. One without a name goes on below the one before it.
    pub fn add(&mut self, name: &str, value: impl Into<String>) -> &mut Facts {
        self.facts.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a fact if it is known.
    pub fn maybe(&mut self, name: &str, value: Option<impl Into<String>>) -> &mut Facts {
        if let Some(value) = value {
            self.add(name, value);
        }
        self
    }

    /// Whether there is nothing to print.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Prints them, indented by `indent` blanks.
    pub fn print(&self, indent: usize) -> io::Result<()> {
        let width = output::terminal_width().unwrap_or(USUAL);
        self.lines(indent, width).into_iter().try_for_each(output::line)
    }

    fn lines(&self, indent: usize, width: usize) -> Vec<String> {
        let names = self.facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let start = indent + names + 2;
        let mut lines = Vec::new();
        for (name, value) in &self.facts {
            let wrapped = wrap(value, width.saturating_sub(start).max(20));
            for (position, part) in wrapped.iter().enumerate() {
                let name = if position == 0 { name.as_str() } else { "" };
                lines.push(format!("{:indent$}{name:<names$}  {part}", "").trim_end().to_owned());
            }
        }
        lines
    }
}

/// Prints a paragraph that begins after `indent` blanks and goes on after two more, wrapped to the terminal; one line
/// where there is none.
pub fn hanging(indent: usize, text: &str) -> io::Result<()> {
    let width = output::terminal_width().unwrap_or(usize::MAX);
    let lines = wrap(text, width.saturating_sub(indent + 2));
    for (position, part) in lines.iter().enumerate() {
        let indent = if position == 0 { indent } else { indent + 2 };
        output::line(format!("{:indent$}{part}", ""))?;
    }
    Ok(())
}

/// `text` in lines of at most `width` characters, broken at blanks; what has none stays whole.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_wrapped_beside_their_names() {
        let mut facts = Facts::new();
        facts.add("run", "0abc").add("columns", "one, two, three, four, five").maybe("error", None::<String>);
        let lines = ["  run      0abc", "  columns  one, two, three,", "           four, five"];
        assert_eq!(facts.lines(2, 28), lines);
    }

    #[test]
    fn long_words_stay_whole_and_paragraphs_apart() {
        assert_eq!(wrap("a 0123456789abcdef b\nc", 8), ["a", "0123456789abcdef", "b", "c"]);
        assert_eq!(wrap("", 8), [""]);
    }
}
