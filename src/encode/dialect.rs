//! The choices that make a format: what stands between cells and rows, and for NULL, true and false.

use crate::job::{CsvOptions, DatetimeStyle, Format, LineEnding, Quote};

/// A format's choices, as the bytes that are written.
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
    /// How datetimes are written.
    pub datetime: DatetimeStyle,
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
    pub(super) fn new(format: &Format) -> Dialect {
        match format {
            Format::Bi => Dialect::from_options(&CsvOptions {
                line_ending: LineEnding::Lf,
                boolean: ("1".to_owned(), "0".to_owned()),
                ..CsvOptions::default()
            }),
            Format::Csv(options) => Dialect::from_options(options),
        }
    }

    fn from_options(options: &CsvOptions) -> Dialect {
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
            datetime: options.datetime,
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
}
