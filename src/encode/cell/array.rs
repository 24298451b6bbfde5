//! Reading arrays: a JSON array of plain values, element by element.
//!
//! The reader follows the JSON grammar strictly. Numbers of JSON keep the digits they came with. Where the database gives
//! the elements a type, they are texts, and each is read as a cell of that type is.

use super::date::{date, datetime};
use super::number::{decimal, float};
use super::{Cell, Fault, NOT_UTF8, Scratch, Text};
use crate::value::{ColumnType, Scale, Value};

const NO_ARRAY: &str = "text that is no JSON array";
const HALF_A_PAIR: &str = "a JSON array with half of a surrogate pair";

/// The elements of a JSON array, read one at a time.
///
/// Faults come to light while they are read: looking through the whole array first would cost a second look.
#[derive(Debug)]
pub(in crate::encode) struct Elements<'a> {
    rest: &'a str,
    position: Position,
    /// What each text is to be read as.
    kind: ColumnType,
    /// The scale of decimals.
    scale: Scale,
    /// The text of an element whose escapes had to be decoded.
    decoded: &'a mut String,
    /// The digits of an element that had to be made.
    digits: &'a mut Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Start,
    Within,
    End,
}

/// One element of an array.
#[derive(Debug)]
pub(in crate::encode) enum Element<'a> {
    /// A number as JSON spells it.
    Number(&'a str),
    /// Anything else, and no array.
    Cell(Cell<'a>),
}

/// Reads an `array`, whose decimals have this scale.
pub(in crate::encode) fn array<'a>(
    value: Value<'a>,
    scale: Scale,
    scratch: &'a mut Scratch,
) -> Result<Elements<'a>, Fault> {
    let (json, kind) = match value {
        Value::Text(json) | Value::Bytes(json) => (json, ColumnType::Text),
        Value::Elements(json, kind) => (json, kind),
        other => return Err(other.kind()),
    };
    let rest = std::str::from_utf8(json).map_err(|_| NOT_UTF8)?;
    let Scratch { text: decoded, digits } = scratch;
    Ok(Elements { rest, position: Position::Start, kind, scale, decoded, digits })
}

impl<'a> Elements<'a> {
    /// The next element, or none after the last.
    pub(in crate::encode) fn next(&mut self) -> Result<Option<Element<'_>>, Fault> {
        self.skip_blanks();
        match self.position {
            Position::Start => {
                self.expect("[")?;
                self.skip_blanks();
                if self.expect("]").is_ok() {
                    return self.end();
                }
                self.position = Position::Within;
            }
            Position::Within => match self.take()? {
                b',' => self.skip_blanks(),
                b']' => return self.end(),
                _ => return Err(NO_ARRAY),
            },
            Position::End => return Ok(None),
        }
        self.element().map(Some)
    }

    fn end(&mut self) -> Result<Option<Element<'_>>, Fault> {
        self.position = Position::End;
        self.skip_blanks();
        if self.rest.is_empty() { Ok(None) } else { Err(NO_ARRAY) }
    }

    fn element(&mut self) -> Result<Element<'_>, Fault> {
        match self.rest.as_bytes().first() {
            Some(b'"') => {
                let text = match self.string()? {
                    Some(text) => text,
                    None => self.decoded.as_str(),
                };
                as_kind(self.kind, self.scale, text, self.digits).map(Element::Cell)
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(Element::Number),
            Some(b'n') => self.expect("null").map(|()| Element::Cell(Cell::Null)),
            Some(b't') => self.expect("true").map(|()| Element::Cell(Cell::Boolean(true))),
            Some(b'f') => self.expect("false").map(|()| Element::Cell(Cell::Boolean(false))),
            Some(b'[') => Err("a JSON array within a JSON array"),
            Some(b'{') => Err("a JSON array of objects"),
            _ => Err(NO_ARRAY),
        }
    }

    /// Reads a string; `None` if it had escapes, and its text is in `decoded`.
    fn string(&mut self) -> Result<Option<&'a str>, Fault> {
        self.expect("\"")?;
        let plain = self.plain_text();
        if self.expect("\"").is_ok() {
            return Ok(Some(plain));
        }
        self.decoded.clear();
        self.decoded.push_str(plain);
        loop {
            match self.take()? {
                b'"' => return Ok(None),
                b'\\' => {
                    let character = self.escape()?;
                    self.decoded.push(character);
                }
                _ => return Err(NO_ARRAY),
            }
            let plain = self.plain_text();
            self.decoded.push_str(plain);
        }
    }

    /// The characters up to the next that is a quote, a backslash or not allowed.
    fn plain_text(&mut self) -> &'a str {
        self.split(|byte| byte != b'"' && byte != b'\\' && byte >= b' ')
    }

    fn escape(&mut self) -> Result<char, Fault> {
        Ok(match self.take()? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(NO_ARRAY),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, Fault> {
        let mut code = self.hex()?;
        if (0xd800..0xdc00).contains(&code) {
            self.expect("\\u").map_err(|_| HALF_A_PAIR)?;
            let low = self.hex()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(HALF_A_PAIR);
            }
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        char::from_u32(code).ok_or(HALF_A_PAIR)
    }

    fn hex(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + char::from(self.take()?).to_digit(16).ok_or(NO_ARRAY)?;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<&'a str, Fault> {
        let number = self.rest;
        let _ = self.expect("-");
        let whole = self.digits();
        if whole.is_empty() || (whole.starts_with('0') && whole.len() > 1) {
            return Err(NO_ARRAY);
        }
        if self.expect(".").is_ok() && self.digits().is_empty() {
            return Err(NO_ARRAY);
        }
        if self.expect("e").is_ok() || self.expect("E").is_ok() {
            let _ = self.expect("+").or_else(|_| self.expect("-"));
            if self.digits().is_empty() {
                return Err(NO_ARRAY);
            }
        }
        Ok(&number[..number.len() - self.rest.len()])
    }

    fn digits(&mut self) -> &'a str {
        self.split(|byte| byte.is_ascii_digit())
    }

    fn skip_blanks(&mut self) {
        self.split(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    /// Takes the bytes that are wanted, up to an ASCII character that is not.
    fn split(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let count = self.rest.bytes().take_while(|&byte| wanted(byte)).count();
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken
    }

    fn expect(&mut self, token: &str) -> Result<(), Fault> {
        self.rest = self.rest.strip_prefix(token).ok_or(NO_ARRAY)?;
        Ok(())
    }

    /// Takes one ASCII character.
    fn take(&mut self) -> Result<u8, Fault> {
        let byte = self.rest.bytes().next().filter(u8::is_ascii).ok_or(NO_ARRAY)?;
        self.rest = &self.rest[1..];
        Ok(byte)
    }
}

/// Reads a text as `kind`.
fn as_kind<'a>(kind: ColumnType, scale: Scale, text: &'a str, digits: &'a mut Vec<u8>) -> Result<Cell<'a>, Fault> {
    let value = Value::Text(text.as_bytes());
    Ok(match kind {
        ColumnType::Float => Cell::Float(float(value)?),
        ColumnType::Decimal => Cell::Decimal(decimal(value, scale, digits)?),
        ColumnType::Date => Cell::Date(date(value)?),
        ColumnType::Datetime => Cell::Datetime(datetime(text)?),
        _ => Cell::Text(Text { bytes: text.as_bytes(), not_utf8: NOT_UTF8 }),
    })
}
