//! The choices of a CSV file: what stands between cells and rows, and for NULL, true and false.

use crate::job::{CsvOptions, LineEnding, Quote};

/// The choices, as the bytes that are written.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Between cells.
    pub delimiter: u8,
    /// After rows.
    pub line_ending: &'static [u8],
    /// Whether the file starts with a byte order mark.
    pub bom: bool,
    /// Whether the first row holds the column names.
    pub header: bool,
    /// For NULL.
    pub null: Vec<u8>,
    /// Whether everything but NULL is quoted.
    pub quote_all: bool,
    /// Whether text that looks like a formula is disarmed.
    pub formula_guard: bool,
    /// Between the digits of floats and decimals.
    pub decimal_separator: u8,
    /// The words for false and true, as elements of arrays.
    pub boolean_words: [Vec<u8>; 2],
    /// The cells for false and true: the words, quoted where they must be.
    pub boolean_cells: [Vec<u8>; 2],
    /// Whether a number or a date could need quotes: with usual choices none does, and none is looked at.
    pub check_bare: bool,
}

impl Dialect {
    pub(super) fn new(options: &CsvOptions) -> Dialect {
        let (yes, no) = &options.boolean;
        let mut dialect = Dialect {
            delimiter: options.delimiter,
            line_ending: match options.line_ending {
                LineEnding::CrLf => b"\r\n",
                LineEnding::Lf => b"\n",
            },
            bom: options.bom,
            header: options.header,
            null: options.null.clone().into_bytes(),
            quote_all: options.quote == Quote::All,
            formula_guard: options.formula_guard,
            decimal_separator: options.decimal_separator,
            boolean_words: [no.clone().into_bytes(), yes.clone().into_bytes()],
            boolean_cells: [Vec::new(), Vec::new()],
            check_bare: false,
        };
        let bare_bytes = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.: ".contains(&byte);
        dialect.check_bare = dialect.quote_all
            || !dialect.null.is_empty()
            || bare_bytes(dialect.delimiter)
            || dialect.delimiter == dialect.decimal_separator;
        dialect.boolean_cells = [0, 1].map(|truth| {
            let mut cell = Vec::new();
            dialect.text(&dialect.boolean_words[truth], &mut cell);
            cell
        });
        dialect
    }

    /// Puts the decimal separator where the number that was appended to `out` at `start` has its point.
    #[inline]
    pub(super) fn replace_point(&self, out: &mut [u8], start: usize) {
        if self.decimal_separator != b'.'
            && let Some(point) = out[start..].iter().position(|&byte| byte == b'.')
        {
            out[start + point] = self.decimal_separator;
        }
    }
}
