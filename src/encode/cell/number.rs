//! Reading numbers: whole, floating-point and exact ones, and those that a catalogue declares as text.
//!
//! Each type has a short function for the values that a column of that type usually has, which is compiled into its
//! callers, and a longer one for all others.

use super::decimal::{Decimal, is_in_form};
use super::{Fault, Integer, Text};
use crate::encode::number::{push_integer, push_shortest};
use crate::value::{Scale, Value};

const NO_NUMBER: &str = "text that is no number";
const FRACTION: &str = "a number with a fraction";

/// What a text is that can't be read as a number.
fn no_number(text: &[u8]) -> Fault {
    match std::str::from_utf8(text).map(str::parse::<f64>) {
        Ok(Ok(number)) if number.is_nan() || !text.iter().any(u8::is_ascii_digit) => not_finite(number),
        _ => NO_NUMBER,
    }
}

/// Databases have numbers that are none, which the words for them tell best.
fn not_finite(number: f64) -> Fault {
    if number.is_nan() { "NaN" } else { "infinity" }
}

/// Every whole number up to here has a 64-bit float of its own; beyond it, a float may stand for its neighbours too.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads an `integer`.
#[inline(always)]
pub(in crate::encode) fn integer<'a>(value: Value<'a>, digits: &'a mut Vec<u8>) -> Result<Integer<'a>, Fault> {
    match value {
        Value::Int(number) => Ok(Integer::Small(number)),
        Value::Text(text) if is_in_form(text, Scale::Exactly(0)) => Ok(Integer::Digits(text)),
        other => unusual_integer(other, digits),
    }
}

fn unusual_integer<'a>(value: Value<'_>, digits: &'a mut Vec<u8>) -> Result<Integer<'a>, Fault> {
    match value {
        Value::Uint(number) => Ok(match i64::try_from(number) {
            Ok(number) => Integer::Small(number),
            Err(_) => Integer::Digits(made(digits, |digits| push_integer(number, digits))),
        }),
        Value::Text(text) => {
            let number = Decimal::parse(text).ok_or_else(|| no_number(text))?;
            digits.clear();
            number.write(Scale::Exactly(0), digits).map_err(|_| FRACTION)?;
            Ok(Integer::Digits(digits))
        }
        Value::Float(_) | Value::Float32(_) => {
            let number = finite(value)?;
            if number.fract() != 0.0 {
                return Err(FRACTION);
            }
            if number.abs() > MAX_EXACT {
                return Err("a floating-point number too large to be exact");
            }
            Ok(Integer::Small(number as i64))
        }
        other => Err(other.kind()),
    }
}

/// Reads a `float`.
#[inline(always)]
pub(in crate::encode) fn float(value: Value<'_>) -> Result<f64, Fault> {
    match value {
        Value::Float(number) if number.is_finite() => Ok(without_sign_of_zero(number)),
        other => unusual_float(other),
    }
}

fn unusual_float(value: Value<'_>) -> Result<f64, Fault> {
    match value {
        Value::Float(_) | Value::Float32(_) => finite(value),
        Value::Int(number) => exact_float(i128::from(number)),
        Value::Uint(number) => exact_float(i128::from(number)),
        Value::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| NO_NUMBER)?;
            let number = text.parse::<f64>().map_err(|_| NO_NUMBER)?;
            if number.is_infinite() && text.contains(|character: char| character.is_ascii_digit()) {
                return Err("a number too large for a 64-bit float");
            }
            finite(Value::Float(number))
        }
        other => Err(other.kind()),
    }
}

/// Reads a `decimal`.
#[inline(always)]
pub(in crate::encode) fn decimal<'a>(
    value: Value<'a>,
    scale: Scale,
    digits: &'a mut Vec<u8>,
) -> Result<&'a [u8], Fault> {
    match value {
        Value::Text(text) if is_in_form(text, scale) => Ok(text),
        other => unusual_decimal(other, scale, digits),
    }
}

fn unusual_decimal<'a>(value: Value<'_>, scale: Scale, digits: &'a mut Vec<u8>) -> Result<&'a [u8], Fault> {
    match value {
        Value::Text(text) => in_form(text, scale, digits),
        Value::Int(number) => in_form(itoa::Buffer::new().format(number).as_bytes(), scale, digits),
        Value::Uint(number) => in_form(itoa::Buffer::new().format(number).as_bytes(), scale, digits),
        Value::Float(_) | Value::Float32(_) => {
            in_form(zmij::Buffer::new().format_finite(finite(value)?).as_bytes(), scale, digits)
        }
        other => Err(other.kind()),
    }
}

/// Reads a number that is declared as text, if it is none of the signed whole numbers that most identifiers are.
pub(super) fn unusual_text<'a>(value: Value<'_>, digits: &'a mut Vec<u8>) -> Result<Text<'a>, Fault> {
    let bytes = match value {
        Value::Uint(number) => made(digits, |digits| push_integer(number, digits)),
        Value::Float(number) if !number.is_finite() => word(number),
        Value::Float32(number) if !number.is_finite() => word(number.into()),
        Value::Float(_) | Value::Float32(_) => {
            let number = finite(value)?;
            made(digits, |digits| push_shortest(number, digits))
        }
        Value::Bool(_) => return Err("a boolean (declare the column as boolean)"),
        Value::Date(_) => return Err("a date (declare the column as date)"),
        Value::Instant(_) | Value::Civil(_) => return Err("a datetime (declare the column as datetime)"),
        other => return Err(other.kind()),
    };
    Ok(Text::ascii(bytes))
}

/// The word for a number that is not finite: PostgreSQL's, which exact numbers come with already.
fn word(number: f64) -> &'static [u8] {
    if number.is_nan() {
        b"NaN"
    } else if number > 0.0 {
        b"Infinity"
    } else {
        b"-Infinity"
    }
}

/// What `make` puts into the emptied buffer.
fn made(digits: &mut Vec<u8>, make: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
    digits.clear();
    make(digits);
    digits
}

fn in_form<'a>(text: &[u8], scale: Scale, digits: &'a mut Vec<u8>) -> Result<&'a [u8], Fault> {
    digits.clear();
    if is_in_form(text, scale) {
        digits.extend_from_slice(text);
        return Ok(digits);
    }
    let number = Decimal::parse(text).ok_or_else(|| no_number(text))?;
    let written = number.write(scale, digits);
    written.map_err(|_| "a number with more digits after the decimal point than the column's scale")?;
    Ok(digits)
}

/// A floating-point value as the 64-bit number whose shortest digits are the value's own, without the sign of zero.
///
/// The detour of 32-bit numbers over their digits makes a `real` column of one database and a `double` column of
/// another that holds the same digits give the same text.
fn finite(value: Value<'_>) -> Result<f64, Fault> {
    let number = match value {
        Value::Float(number) => number,
        Value::Float32(number) if number.is_finite() => {
            let mut digits = zmij::Buffer::new();
            digits.format_finite(number).parse().map_err(|_| NO_NUMBER)?
        }
        Value::Float32(number) => f64::from(number),
        other => return Err(other.kind()),
    };
    if !number.is_finite() {
        return Err(not_finite(number));
    }
    Ok(without_sign_of_zero(number))
}

fn without_sign_of_zero(number: f64) -> f64 {
    // The sum is 0.0 for both zeros and changes no other number.
    number + 0.0
}

fn exact_float(number: i128) -> Result<f64, Fault> {
    let float = number as f64;
    if float as i128 == number { Ok(float) } else { Err("a whole number that no 64-bit float holds exactly") }
}
