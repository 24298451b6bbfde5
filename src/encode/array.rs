//! Cells of the type `array`: a JSON array whose elements are joined.
//!
//! The reader follows the JSON grammar strictly and decodes straight into the joined text; numbers keep the digits
//! they came with.

use super::dialect::Dialect;
use super::{Written, name_of};
use crate::value::Value;

const NO_ARRAY: &str = "text that is no JSON array";
const HALF_A_PAIR: &str = "a JSON array with half of a surrogate pair";

/// Appends the elements of a JSON array, joined by a comma and a blank. `scratch` is a buffer to work in.
pub(super) fn write(value: Value<'_>, dialect: &Dialect, scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> Written {
    let (Value::Text(text) | Value::Bytes(text)) = value else { return Err(name_of(value)) };
    let text = std::str::from_utf8(text).map_err(|_| "text that is not UTF-8")?;
    scratch.clear();
    Json { rest: text.as_bytes() }.join_array(dialect, scratch)?;
    dialect.guarded_text(scratch, out);
    Ok(())
}

struct Json<'a> {
    rest: &'a [u8],
}

impl Json<'_> {
    fn join_array(&mut self, dialect: &Dialect, out: &mut Vec<u8>) -> Written {
        self.skip_blanks();
        self.expect(b"[")?;
        self.skip_blanks();
        if self.expect(b"]").is_err() {
            self.join_elements(dialect, out)?;
        }
        self.skip_blanks();
        if self.rest.is_empty() { Ok(()) } else { Err(NO_ARRAY) }
    }

    fn join_elements(&mut self, dialect: &Dialect, out: &mut Vec<u8>) -> Written {
        loop {
            self.skip_blanks();
            self.element(dialect, out)?;
            self.skip_blanks();
            match self.take()? {
                b',' => out.extend_from_slice(b", "),
                b']' => return Ok(()),
                _ => return Err(NO_ARRAY),
            }
        }
    }

    fn element(&mut self, dialect: &Dialect, out: &mut Vec<u8>) -> Written {
        match self.rest.first() {
            Some(b'"') => self.string(out),
            Some(b'-' | b'0'..=b'9') => self.number(out),
            Some(b'n') => self.expect(b"null"),
            Some(b't') => {
                self.expect(b"true")?;
                out.extend_from_slice(&dialect.boolean_words[1]);
                Ok(())
            }
            Some(b'f') => {
                self.expect(b"false")?;
                out.extend_from_slice(&dialect.boolean_words[0]);
                Ok(())
            }
            Some(b'[') => Err("a JSON array within a JSON array"),
            Some(b'{') => Err("a JSON array of objects"),
            _ => Err(NO_ARRAY),
        }
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Written {
        self.expect(b"\"")?;
        loop {
            let plain = self.rest.iter().take_while(|&&byte| byte != b'"' && byte != b'\\' && byte >= b' ').count();
            let (text, rest) = self.rest.split_at(plain);
            out.extend_from_slice(text);
            self.rest = rest;
            match self.take()? {
                b'"' => return Ok(()),
                b'\\' => self.escape(out)?,
                _ => return Err(NO_ARRAY),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Written {
        let byte = match self.take()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode_escape(out),
            _ => return Err(NO_ARRAY),
        };
        out.push(byte);
        Ok(())
    }

    fn unicode_escape(&mut self, out: &mut Vec<u8>) -> Written {
        let mut code = self.hex()?;
        if (0xd800..0xdc00).contains(&code) {
            self.expect(b"\\u").map_err(|_| HALF_A_PAIR)?;
            let low = self.hex()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(HALF_A_PAIR);
            }
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        let character = char::from_u32(code).ok_or(HALF_A_PAIR)?;
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn hex(&mut self) -> Result<u32, &'static str> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + char::from(self.take()?).to_digit(16).ok_or(NO_ARRAY)?;
        }
        Ok(code)
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Written {
        let number = self.rest;
        let _ = self.expect(b"-");
        let leading_zero = self.rest.first() == Some(&b'0');
        let whole = self.skip_digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(NO_ARRAY);
        }
        if self.expect(b".").is_ok() && self.skip_digits() == 0 {
            return Err(NO_ARRAY);
        }
        if self.expect(b"e").is_ok() || self.expect(b"E").is_ok() {
            let _ = self.expect(b"+").or_else(|_| self.expect(b"-"));
            if self.skip_digits() == 0 {
                return Err(NO_ARRAY);
            }
        }
        out.extend_from_slice(&number[..number.len() - self.rest.len()]);
        Ok(())
    }

    fn skip_digits(&mut self) -> usize {
        self.skip_while(|byte| byte.is_ascii_digit())
    }

    fn skip_blanks(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let count = self.rest.iter().take_while(|&&byte| wanted(byte)).count();
        self.rest = &self.rest[count..];
        count
    }

    fn expect(&mut self, token: &[u8]) -> Written {
        self.rest = self.rest.strip_prefix(token).ok_or(NO_ARRAY)?;
        Ok(())
    }

    fn take(&mut self) -> Result<u8, &'static str> {
        let (&byte, rest) = self.rest.split_first().ok_or(NO_ARRAY)?;
        self.rest = rest;
        Ok(byte)
    }
}
