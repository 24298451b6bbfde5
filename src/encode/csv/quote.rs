//! Quoting: which cells need quotes, and what is done to text that a spreadsheet would run as a formula.

use super::dialect::Dialect;
use super::scan::{self, QUOTE};
use crate::encode::cell::{Fault, Text};

impl Dialect {
    /// Appends text as a cell: quoted when it holds the delimiter, a quote, a backslash or a control character, when it
    /// starts or ends with a blank, and when it could be taken for NULL.
    pub(super) fn text(&self, text: &[u8], out: &mut Vec<u8>) {
        self.cell(b"", text, self.needs_quotes(text), out);
    }

    /// Appends text as a cell like [`Dialect::text`], disarmed if the format asks for it: text that starts with
    /// `=`, `+`, `-`, `@`, a tab or a line break gets an apostrophe in front.
    ///
    /// Text that starts so after any number of apostrophes gets one more, so that taking one away always gives back
    /// the original.
    pub(super) fn guarded_text(&self, text: &[u8], out: &mut Vec<u8>) {
        self.cell(self.guard(text), text, self.needs_quotes(text), out);
    }

    /// Appends text as a cell like [`Dialect::guarded_text`], if it is UTF-8.
    #[inline]
    pub(super) fn unchecked_text(&self, text: Text<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let (bytes, found) = (text.bytes, scan::look(text.bytes, self.delimiter));
        if found.special || found.beyond_ascii {
            text.checked()?;
        }
        self.cell(self.guard(bytes), bytes, found.special || self.is_reserved(bytes), out);
        Ok(())
    }

    #[inline]
    fn cell(&self, guard: &[u8], text: &[u8], needs_quotes: bool, out: &mut Vec<u8>) {
        if needs_quotes {
            quote(guard, text, out);
            return;
        }
        out.extend_from_slice(guard);
        out.extend_from_slice(text);
    }

    #[inline]
    fn guard(&self, text: &[u8]) -> &'static [u8] {
        if self.formula_guard && is_formula(text) { b"'" } else { b"" }
    }

    fn needs_quotes(&self, text: &[u8]) -> bool {
        scan::look(text, self.delimiter).special || self.is_reserved(text)
    }

    /// Whether text without any special byte needs quotes all the same.
    #[inline]
    fn is_reserved(&self, text: &[u8]) -> bool {
        matches!(text, [] | [b' ', ..] | [.., b' '])
            || self.quote_all
            || text == self.null
            || text.eq_ignore_ascii_case(b"NULL")
    }

    /// Puts quotes around the number or date that was appended to `out` at `start`, if it needs them.
    #[inline]
    pub(super) fn fence(&self, out: &mut Vec<u8>, start: usize) {
        if self.check_bare && self.needs_quotes(&out[start..]) {
            out.insert(start, QUOTE);
            out.push(QUOTE);
        }
    }
}

fn quote(guard: &[u8], text: &[u8], out: &mut Vec<u8>) {
    out.push(QUOTE);
    out.extend_from_slice(guard);
    let mut rest = text;
    while let Some(at) = memchr::memchr(QUOTE, rest) {
        out.extend_from_slice(&rest[..=at]);
        out.push(QUOTE);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(QUOTE);
}

fn is_formula(text: &[u8]) -> bool {
    matches!(text.iter().find(|&&byte| byte != b'\''), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n'))
}
