//! How faults are shown: file, line and column, the line itself, the text at fault underlined, and the remedy.
//!
//! A line is shown only after everything in it that may be a secret has been cut out: the values of keys that hold
//! secrets, whatever stands between `://` and `@`, and the value of a key that nobody knows. The last is what keeps
//! a misspelt `url` quiet.

use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::fault::{Document, Fault, Faults, Kind};

const HIDDEN: &str = "…";

impl Faults {
    /// All faults as text, the last line without a line break. `width` is the number of columns to use.
    pub fn render(&self, color: bool, width: usize) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
        let mut hidden: Vec<_> = self.documents.iter().map(hidden_ranges).collect();
        for fault in self.faults.iter().filter(|fault| fault.kind == Kind::UnknownKey) {
            hidden[fault.document].extend(value_range(fault, &self.documents[fault.document]));
        }
        let shown = self.faults.iter().map(|fault| {
            let document = &self.documents[fault.document];
            render(&renderer, fault, document, &hidden[fault.document])
        });
        shown.collect::<Vec<_>>().join("\n\n")
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, 100))
    }
}

impl std::error::Error for Faults {}

fn render(renderer: &Renderer, fault: &Fault, document: &Document, hidden: &[Range<usize>]) -> String {
    let Some(span) = &fault.span else {
        let title = Level::ERROR.primary_title(format!("{}: {}", document.name, fault.message));
        let help = fault.help.iter().map(|help| Level::HELP.message(help));
        return renderer.render(&[title.elements(help)]);
    };
    let (number, line) = document.line(span.start);
    let shown = Shown::new(&document.text, line, hidden);
    let underlined = AnnotationKind::Primary.span(shown.place(span.start)..shown.place(span.end)).label(&fault.label);
    let snippet = Snippet::source(&shown.text).line_start(number).path(&document.name).annotation(underlined);
    let group = Level::ERROR.primary_title(&fault.message).element(snippet);
    let help = fault.help.iter().map(|help| Level::HELP.message(help));
    renderer.render(&[group.elements(help)])
}

/// A line with its secrets cut out.
struct Shown {
    text: String,
    line: Range<usize>,
    hidden: Vec<Range<usize>>,
}

impl Shown {
    fn new(source: &str, line: Range<usize>, hidden: &[Range<usize>]) -> Shown {
        let mut cuts: Vec<Range<usize>> = hidden
            .iter()
            .map(|range| range.start.max(line.start)..range.end.min(line.end))
            .filter(|range| range.start < range.end)
            .collect();
        cuts.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<usize>> = Vec::new();
        for cut in cuts {
            match merged.last_mut() {
                Some(last) if cut.start <= last.end => last.end = last.end.max(cut.end),
                _ => merged.push(cut),
            }
        }
        let (mut text, mut at) = (String::new(), line.start);
        for cut in &merged {
            text.push_str(&source[at..cut.start]);
            text.push_str(HIDDEN);
            at = cut.end;
        }
        text.push_str(&source[at..line.end]);
        Shown { text, line, hidden: merged }
    }

    /// Where the byte at `at` in the file stands in the text shown.
    fn place(&self, at: usize) -> usize {
        let at = at.clamp(self.line.start, self.line.end);
        let (mut shown, mut from) = (0, self.line.start);
        for cut in self.hidden.iter().take_while(|cut| cut.start < at) {
            shown += cut.start - from + HIDDEN.len();
            if at < cut.end {
                return shown;
            }
            from = cut.end;
        }
        shown + at - from
    }
}

/// The value behind the key that a fault underlines, to the end of its line.
fn value_range(fault: &Fault, document: &Document) -> Option<Range<usize>> {
    let key = fault.span.clone()?;
    let end = document.line(key.start).1.end;
    let equals = key.end + document.text[key.end..end].find('=')?;
    Some(after_blanks(&document.text, equals + 1)..end)
}

fn after_blanks(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches([' ', '\t']).len()
}

/// The bytes of a document that may be secrets.
fn hidden_ranges(document: &Document) -> Vec<Range<usize>> {
    let text = &*document.text;
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    let passwords = text.match_indices("://").filter_map(|(at, _)| {
        let rest = &text[at + 3..line_end(at)];
        rest.rfind('@').map(|end| at + 3..at + 3 + end)
    });
    let values = text.match_indices('=').filter(|_| document.has_secrets).filter_map(|(at, _)| {
        if !names_a_secret(&text[..at]) {
            return None;
        }
        let value = after_blanks(text, at + 1);
        let end = match text.get(value..value + 3) {
            _ if text[value..].starts_with('{') && !text[..at].trim_end().ends_with("headers") => return None,
            Some(quotes @ ("\"\"\"" | "'''")) => {
                text[value + 3..].find(quotes).map_or(text.len(), |end| value + 3 + end + 3)
            }
            _ => line_end(value),
        };
        Some(value..end)
    });
    passwords.chain(values).collect()
}

/// Whether the key that ends `text` holds a secret.
fn names_a_secret(text: &str) -> bool {
    let text = text.trim_end_matches([' ', '\t', '"', '\'']);
    let key = &text[text.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '-').len()..];
    let key = key.to_lowercase();
    let words = ["pass", "secret", "token", "bearer", "header", "auth", "-key"];
    key.ends_with("url") || words.iter().any(|word| key.contains(word))
}
