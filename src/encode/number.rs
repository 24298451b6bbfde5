//! Cells of the types `integer`, `float` and `decimal`.

use super::decimal::{Decimal, is_in_form};
use super::dialect::Dialect;
use super::{Written, name_of};
use crate::value::Value;

const NO_NUMBER: &str = "text that is no number";
const FRACTION: &str = "a number with a fraction";

/// Every whole number up to here has a 64-bit float of its own; beyond it, a float may stand for its neighbours too.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Appends a whole number of any size.
pub(super) fn write_integer(value: Value<'_>, dialect: &Dialect, out: &mut Vec<u8>) -> Written {
    let start = out.len();
    match value {
        Value::Int(number) => push_int(number, out),
        Value::Uint(number) => push_int(number, out),
        Value::Text(text) if is_in_form(text, Some(0)) => out.extend_from_slice(text),
        Value::Text(text) => {
            let number = Decimal::parse(text).ok_or(NO_NUMBER)?;
            number.write(Some(0), dialect.decimal_separator, out).map_err(|_| FRACTION)?;
        }
        Value::Float(_) | Value::Float32(_) => {
            let number = finite(value)?;
            if number.fract() != 0.0 {
                return Err(FRACTION);
            }
            if number.abs() > MAX_EXACT {
                return Err("a floating-point number too large to be exact");
            }
            push_int(number as i64, out);
        }
        other => return Err(name_of(other)),
    }
    dialect.fence(out, start);
    Ok(())
}

/// Appends a floating-point number with the fewest digits that read back to the same number.
pub(super) fn write_float(value: Value<'_>, dialect: &Dialect, out: &mut Vec<u8>) -> Written {
    let number = match value {
        Value::Float(_) | Value::Float32(_) => finite(value)?,
        Value::Int(number) => exact_float(i128::from(number))?,
        Value::Uint(number) => exact_float(i128::from(number))?,
        Value::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| NO_NUMBER)?;
            finite(Value::Float(text.parse().map_err(|_| NO_NUMBER)?))?
        }
        other => return Err(name_of(other)),
    };
    let start = out.len();
    push_shortest(number, out);
    if dialect.decimal_separator != b'.'
        && let Some(point) = out[start..].iter().position(|&byte| byte == b'.')
    {
        out[start + point] = dialect.decimal_separator;
    }
    dialect.fence(out, start);
    Ok(())
}

/// Appends an exact decimal number, with exactly `scale` digits after the point if there is one.
pub(super) fn write_decimal(value: Value<'_>, scale: Option<u8>, dialect: &Dialect, out: &mut Vec<u8>) -> Written {
    let start = out.len();
    let separator = dialect.decimal_separator;
    let mut write = |digits: &[u8]| {
        if separator == b'.' && is_in_form(digits, scale) {
            out.extend_from_slice(digits);
            return Ok(());
        }
        Decimal::parse(digits)
            .ok_or(NO_NUMBER)?
            .write(scale, separator, out)
            .map_err(|_| "a number with more digits after the decimal point than the column's scale")
    };
    match value {
        Value::Text(text) => write(text)?,
        Value::Int(number) => write(itoa::Buffer::new().format(number).as_bytes())?,
        Value::Uint(number) => write(itoa::Buffer::new().format(number).as_bytes())?,
        Value::Float(_) | Value::Float32(_) => write(zmij::Buffer::new().format_finite(finite(value)?).as_bytes())?,
        other => return Err(name_of(other)),
    }
    dialect.fence(out, start);
    Ok(())
}

/// Appends the fewest digits that read back to a finite number, with an exponent below 1e-5 and from 1e16 on.
pub(super) fn push_shortest(number: f64, out: &mut Vec<u8>) {
    if let Some(thousandths) = whole_thousandths(number) {
        push_thousandths(thousandths, out);
        return;
    }
    let mut buffer = zmij::Buffer::new();
    let digits = buffer.format_finite(number).as_bytes();
    // Exponents that are not negative come with a plus sign; no other number of ours has one.
    let plus = if number.abs() < 1e16 { None } else { memchr::memchr(b'+', digits) };
    out.extend_from_slice(&digits[..plus.unwrap_or(digits.len())]);
    if let Some(plus) = plus {
        out.extend_from_slice(&digits[plus + 1..]);
    }
}

/// The number in thousandths, if it is what the decimal number of so many thousandths reads back to.
///
/// Such a decimal number has at most fifteen digits here. No two decimal numbers of so few digits read back to the same
/// float, so there is none with fewer digits, and the general search for the shortest can be saved: most numbers that
/// people chose are of this kind.
fn whole_thousandths(number: f64) -> Option<i64> {
    let product = number * 1000.0;
    let thousandths = product as i64;
    let is_exact = product.abs() < 1e15 && thousandths as f64 == product && thousandths as f64 / 1000.0 == number;
    is_exact.then_some(thousandths)
}

/// Appends a number given in thousandths with one to three digits after the point.
fn push_thousandths(thousandths: i64, out: &mut Vec<u8>) {
    if thousandths < 0 {
        out.push(b'-');
    }
    let (whole, rest) = (thousandths.unsigned_abs() / 1000, (thousandths.unsigned_abs() % 1000) as u32);
    push_int(whole, out);
    let digit = |number: u32| b'0' + (number % 10) as u8;
    let fraction = [b'.', digit(rest / 100), digit(rest / 10), digit(rest)];
    let length = if rest.is_multiple_of(100) {
        2
    } else if rest.is_multiple_of(10) {
        3
    } else {
        4
    };
    out.extend_from_slice(&fraction);
    out.truncate(out.len() - fraction.len() + length);
}

/// A floating-point value as the 64-bit number whose shortest digits are the value's own, without the sign of zero.
///
/// The detour of 32-bit numbers over their digits makes a `real` column of one database and a `double` column of
/// another that holds the same digits give the same text.
pub(super) fn finite(value: Value<'_>) -> Result<f64, &'static str> {
    let number = match value {
        Value::Float(number) => number,
        Value::Float32(number) if number.is_finite() => {
            let mut digits = zmij::Buffer::new();
            digits.format_finite(number).parse().map_err(|_| NO_NUMBER)?
        }
        Value::Float32(number) => f64::from(number),
        other => return Err(name_of(other)),
    };
    if !number.is_finite() {
        return Err("a number that is not finite");
    }
    // The sum is 0.0 for both zeros and changes no other number.
    Ok(number + 0.0)
}

fn exact_float(number: i128) -> Result<f64, &'static str> {
    let float = number as f64;
    if float as i128 == number { Ok(float) } else { Err("a whole number that no 64-bit float holds exactly") }
}

fn push_int(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
