//! Cells: what a database's value means as the type that the catalogue declares, apart from any format.
//!
//! Reading is strict and the same for all formats: a value that does not fit its declared type is a fault that says
//! what was found, never a guess. A cell borrows from the value, or from the reader's [`Scratch`] where digits have to
//! be made first, so that nothing is allocated for it.

mod array;
mod date;
mod decimal;
mod number;

pub(super) use self::array::{Element, Elements, array};
pub(super) use self::date::date;
pub(super) use self::number::{decimal, float, integer};
use crate::value::{Instant, Value};

/// What was found that does not fit the declared type, in words.
pub(super) type Fault = &'static str;

const NOT_UTF8: Fault = "text that is not UTF-8";
const NUL: Fault = "text with a NUL character";

/// A value as its declared type. Formats decide how it is written, and nothing else about it.
#[derive(Debug)]
pub(super) enum Cell<'a> {
    /// SQL NULL, whatever the type.
    Null,
    /// An `id`, `string` or `text`.
    Text(Text<'a>),
    /// A whole number of any size.
    Integer(Integer<'a>),
    /// A finite number, never `-0.0`.
    Float(f64),
    /// An exact number as ASCII digits with a point (`-12.50`), already in the column's scale. Never `-0`.
    Decimal(&'a [u8]),
    /// True or false.
    Boolean(bool),
    /// A day of the years 1 to 9999, in days since 1970-01-01.
    Date(i32),
    /// A point in time.
    Datetime(Instant),
    /// The elements of an array.
    Array(Elements<'a>),
}

/// A whole number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Integer<'a> {
    /// One that fits.
    Small(i64),
    /// ASCII digits, after a minus sign if it is negative. No leading zeros, no `-0`.
    Digits(&'a [u8]),
}

/// Characters that are not known to be text yet: the bytes may not be UTF-8, or hold a NUL.
///
/// The check is left to the format: it looks at every byte in any case, and most texts turn out to be ASCII on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    /// What the database holds.
    pub bytes: &'a [u8],
    not_utf8: Fault,
}

impl<'a> Text<'a> {
    fn ascii(bytes: &'a [u8]) -> Text<'a> {
        Text { bytes, not_utf8: NOT_UTF8 }
    }

    /// The characters, if the bytes are UTF-8 without a NUL.
    ///
    /// A NUL is a character like any other to UTF-8, but many loaders take it for the end of the text, and then join or
    /// lose what follows.
    pub fn checked(self) -> Result<&'a str, Fault> {
        let text = std::str::from_utf8(self.bytes).map_err(|_| self.not_utf8)?;
        if memchr::memchr(0, self.bytes).is_some() { Err(NUL) } else { Ok(text) }
    }
}

/// Memory for what has to be made before it can be borrowed.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Digits of a number.
    pub digits: Vec<u8>,
    text: String,
}

/// Reads an `id`, `string` or `text`. The digits of a whole number go to `whole`.
#[inline(always)]
pub(super) fn text<'a>(
    value: Value<'a>,
    whole: &'a mut itoa::Buffer,
    scratch: &'a mut Scratch,
) -> Result<Text<'a>, Fault> {
    match value {
        Value::Int(number) => Ok(Text::ascii(whole.format(number).as_bytes())),
        // An array as text is the JSON that it comes in.
        Value::Text(bytes) | Value::Elements(bytes, _) => Ok(Text { bytes, not_utf8: NOT_UTF8 }),
        Value::Bytes(bytes) => Ok(Text { bytes, not_utf8: "binary data that is not UTF-8 text" }),
        other => number::unusual_text(other, &mut scratch.digits),
    }
}

/// Reads a `boolean`.
pub(super) fn boolean(value: Value<'_>) -> Result<bool, Fault> {
    match value {
        Value::Bool(truth) => Ok(truth),
        Value::Int(0) | Value::Uint(0) | Value::Bytes([0]) => Ok(false),
        Value::Int(1) | Value::Uint(1) | Value::Bytes([1]) => Ok(true),
        Value::Int(_) | Value::Uint(_) => Err("a number other than 0 and 1"),
        Value::Text(word) | Value::Bytes(word) => truth_of(word).ok_or("text that is neither true nor false"),
        other => Err(other.kind()),
    }
}

fn truth_of(word: &[u8]) -> Option<bool> {
    let is = |expected: &[u8]| word.eq_ignore_ascii_case(expected);
    if is(b"t") || is(b"true") || is(b"1") {
        Some(true)
    } else if is(b"f") || is(b"false") || is(b"0") {
        Some(false)
    } else {
        None
    }
}
