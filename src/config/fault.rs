//! Faults: what is wrong with a configuration, where, and what to write instead.
//!
//! Reading never stops at the first fault. Every reader reports into one [`Report`] and goes on with what it has;
//! only at the end does it matter whether anything was reported.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::wording::hex;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, in one sentence without a secret.
    pub message: String,
    /// What stands beside the underlined text.
    pub label: String,
    /// What to do about it, where that is not plain from the label.
    pub help: Option<String>,
    /// The bytes of the file that are at fault; none if it is the file itself.
    pub span: Option<Range<usize>>,
    /// Which of the documents it is in.
    pub(super) document: usize,
    pub(super) kind: Kind,
}

/// What a fault means for the other faults of its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A rule is broken.
    Rule,
    /// Something is not there; not worth telling of a file that could be read in parts only.
    Absence,
    /// Nobody knows the key that is underlined, so its value may be a secret and is not shown.
    UnknownKey,
    /// The text is not TOML.
    Syntax,
}

impl Fault {
    /// What is wrong and what to do about it, in one line.
    pub fn in_one_line(&self) -> String {
        let mut line = self.message.clone();
        for more in [Some(&self.label), self.help.as_ref()].into_iter().flatten().filter(|more| !more.is_empty()) {
            line.push_str("; ");
            line.push_str(more);
        }
        line
    }

    /// A fault without a place; the reader that reports it knows the place.
    pub(super) fn new(message: impl Into<String>) -> Fault {
        let message = message.into();
        Fault { message, label: String::new(), help: None, span: None, document: 0, kind: Kind::Rule }
    }

    pub(super) fn label(self, label: impl Into<String>) -> Fault {
        Fault { label: label.into(), ..self }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Fault {
        Fault { help: Some(help.into()), ..self }
    }

    pub(super) fn kind(self, kind: Kind) -> Fault {
        Fault { kind, ..self }
    }
}

/// A file that was read, or could not be.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) name: String,
    pub(super) text: Arc<str>,
    /// Whether its keys can hold secrets, as those of a catalogue can't.
    pub(super) has_secrets: bool,
    /// The lines on which its syntax is broken.
    pub(super) broken: Vec<Range<usize>>,
    line_starts: Vec<usize>,
}

impl Document {
    pub(super) fn new(name: String, text: Arc<str>, has_secrets: bool) -> Document {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = [0].into_iter().chain(breaks).collect();
        Document { name, text, has_secrets, broken: Vec::new(), line_starts }
    }

    /// The line that holds the byte at `at`: its number from 1 and its bytes, without the line break.
    pub(super) fn line(&self, at: usize) -> (usize, Range<usize>) {
        let number = self.line_starts.partition_point(|start| *start <= at);
        let start = self.line_starts[number - 1];
        let end = self.line_starts.get(number).copied().unwrap_or(self.text.len());
        (number, start..start + self.text[start..end].trim_end_matches(['\r', '\n']).len())
    }
}

/// Everything that is wrong with a configuration, in the order of its files and lines. Never empty.
#[derive(Clone, Debug)]
pub struct Faults {
    pub(super) documents: Vec<Document>,
    pub(super) faults: Vec<Fault>,
}

impl Faults {
    /// A fault of a file that could not even be opened.
    pub(super) fn of_file(name: &str, fault: Fault) -> Faults {
        let document = Document::new(name.to_owned(), "".into(), true);
        Faults { documents: vec![document], faults: vec![fault] }
    }

    /// The faults.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.faults.len()
    }

    /// The file of a fault, and its line and column from 1, the column counted in characters.
    pub fn place(&self, fault: &Fault) -> (&str, Option<(usize, usize)>) {
        let document = &self.documents[fault.document];
        let position = fault.span.as_ref().map(|span| {
            let (number, line) = document.line(span.start);
            let before = &document.text[line.start..document.text.floor_char_boundary(span.start).max(line.start)];
            (number, before.chars().count() + 1)
        });
        (&document.name, position)
    }
}

/// Where readers report to.
#[derive(Debug, Default)]
pub(super) struct Report {
    documents: RefCell<Vec<Document>>,
    faults: RefCell<Vec<Fault>>,
}

impl Report {
    /// Begins a document; its faults are then reported through the file returned.
    pub(super) fn open(&self, name: String, text: Arc<str>, has_secrets: bool) -> File<'_> {
        let mut documents = self.documents.borrow_mut();
        documents.push(Document::new(name, Arc::clone(&text), has_secrets));
        File { report: self, document: documents.len() - 1, text, is_whole: Cell::new(true) }
    }

    /// SHA-256 of all documents, one after the other in the order in which they were opened, in lower-case hexadecimal.
    pub(super) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        self.documents.borrow().iter().for_each(|document| digest.update(document.text.as_bytes()));
        hex(&digest.finalize())
    }

    /// `value`, unless anything was reported.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Faults> {
        let documents = self.documents.into_inner();
        let mut faults = self.faults.into_inner();
        faults.retain(|fault| !follows_from_broken_syntax(fault, &documents[fault.document]));
        faults.sort_by_key(|fault| (fault.document, fault.span.as_ref().map(|span| span.start)));
        let mut seen = HashSet::new();
        faults.retain(|fault| seen.insert((fault.document, fault.span.clone(), fault.message.clone())));
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            _ => Err(Faults { documents, faults }),
        }
    }
}

/// What was read of a broken file is a guess. What is told of it must not be the guess's fault.
fn follows_from_broken_syntax(fault: &Fault, document: &Document) -> bool {
    if document.broken.is_empty() || fault.kind == Kind::Syntax {
        return false;
    }
    let Some(span) = &fault.span else { return fault.kind == Kind::Absence };
    let line = document.line(span.start).1;
    let is_hit = |broken: &Range<usize>| {
        let hit = document.line(broken.start).1;
        hit == line || document.text[hit].trim_start().starts_with('[')
    };
    fault.kind == Kind::Absence || document.broken.iter().any(is_hit)
}

/// A document while it is being read.
#[derive(Debug)]
pub(super) struct File<'r> {
    report: &'r Report,
    document: usize,
    /// The document's text.
    pub(super) text: Arc<str>,
    is_whole: Cell<bool>,
}

impl File<'_> {
    /// Reports a fault at `span`, shortened to its first line.
    pub(super) fn fault(&self, span: Range<usize>, fault: Fault) {
        self.is_whole.set(false);
        let documents = self.report.documents.borrow();
        let line = documents[self.document].line(span.start).1;
        let end = span.end.min(line.end.max(span.start));
        let fault = Fault { span: Some(span.start..end), document: self.document, ..fault };
        self.report.faults.borrow_mut().push(fault);
    }

    /// Reports a fault of the file as a whole.
    pub(super) fn fault_of_all(&self, fault: Fault) {
        self.is_whole.set(false);
        self.report.faults.borrow_mut().push(Fault { document: self.document, ..fault });
    }

    /// Reports that all of the text is in another language.
    pub(super) fn other_language(&self, fault: Fault) {
        self.fault_of_all(fault.kind(Kind::Syntax));
        self.report.documents.borrow_mut()[self.document].broken.push(0..0);
    }

    /// Reports that the syntax is broken at `span`.
    pub(super) fn broken_syntax(&self, span: Range<usize>, message: &str) {
        let label = if message.contains("duplicate key") { "given above already; remove one of them" } else { "here" };
        let fault = Fault::new(format!("this is not valid TOML: {message}")).label(label);
        self.fault(span.clone(), fault.kind(Kind::Syntax));
        self.report.documents.borrow_mut()[self.document].broken.push(span);
    }

    /// Whether nothing was reported of the file so far.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole.get()
    }
}
