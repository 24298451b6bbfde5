//! Quoting: which cells need quotes, and what is done to text that a spreadsheet would run as a formula.

use super::dialect::Dialect;

const QUOTE: u8 = b'"';

/// Long enough for the compiler to compare many bytes at once, short enough to stop soon.
const STRIDE: usize = 64;

impl Dialect {
    /// Appends text as a cell: quoted when it holds the delimiter, a quote or a line break, when it could be taken
    /// for NULL, and when it is `\.`, which ends the data for PostgreSQL's COPY.
    pub(super) fn text(&self, text: &[u8], out: &mut Vec<u8>) {
        self.cell(b"", text, out);
    }

    /// Appends text as a cell like [`Dialect::text`], disarmed if the format asks for it: text that starts with
    /// `=`, `+`, `-`, `@`, a tab or a line break gets an apostrophe in front.
    ///
    /// Text that starts so after any number of apostrophes gets one more, so that taking one away always gives back
    /// the original.
    pub(super) fn guarded_text(&self, text: &[u8], out: &mut Vec<u8>) {
        let armed = self.formula_guard && is_formula(text);
        self.cell(if armed { b"'" } else { b"" }, text, out);
    }

    fn cell(&self, guard: &[u8], text: &[u8], out: &mut Vec<u8>) {
        if !self.needs_quotes(text) {
            out.extend_from_slice(guard);
            out.extend_from_slice(text);
            return;
        }
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

    fn needs_quotes(&self, text: &[u8]) -> bool {
        let delimiter = self.delimiter;
        let is_special = |byte: u8| byte == delimiter || byte == QUOTE || byte == b'\n' || byte == b'\r';
        text.is_empty()
            || self.quote_all
            || text == self.null
            || text == b"\\."
            || text.chunks(STRIDE).any(|chunk| chunk.iter().fold(false, |found, &byte| found | is_special(byte)))
    }

    /// Puts quotes around the number or date that was appended to `out` at `start`, if it needs them.
    pub(super) fn fence(&self, out: &mut Vec<u8>, start: usize) {
        if self.check_bare && self.needs_quotes(&out[start..]) {
            out.insert(start, QUOTE);
            out.push(QUOTE);
        }
    }
}

fn is_formula(text: &[u8]) -> bool {
    matches!(text.iter().find(|&&byte| byte != b'\''), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n'))
}
