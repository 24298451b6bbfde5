//! Exact decimal numbers of any size, taken from text and written without an exponent.

use crate::value::Scale;

/// Exponents beyond this are no data but an accident, and would make a cell of any length.
const MAX_EXPONENT: i32 = 400;

/// A number as text spells it: `-12.50e3` is `12`, `50` and 3.
///
/// Its digits are those of `whole` and `fraction` joined, and have positions from 0 on; every position outside of
/// them holds a zero. The decimal point stands before the position `point()`.
#[derive(Debug)]
pub(super) struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i32,
}

/// A number that has more digits after the point than it may have.
#[derive(Debug)]
pub(super) struct TooFine;

impl<'a> Decimal<'a> {
    /// Reads an optional sign, digits with or without a point among them, and an optional exponent of at most 400.
    pub(super) fn parse(text: &'a [u8]) -> Option<Decimal<'a>> {
        let (negative, rest) = sign(text);
        let (whole, rest) = digits(rest);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => digits(rest),
            rest => (&rest[..0], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => exponent(rest)?,
            _ => return None,
        };
        Some(Decimal { negative, whole, fraction, exponent })
    }

    /// Appends the number with as many digits after the point as `scale` says. Zero has no sign.
    pub(super) fn write(&self, scale: Scale, out: &mut Vec<u8>) -> Result<(), TooFine> {
        let (first, end) = self.significant();
        let point = self.whole.len() as i32 + self.exponent;
        let needed = if first == end { 0 } else { (end - point).max(0) };
        let scale = match scale {
            Scale::AsNeeded => needed,
            Scale::AsStored => needed.max(self.fraction.len() as i32 - self.exponent),
            Scale::AtLeast(least) => needed.max(least.into()),
            Scale::Exactly(digits) if needed > digits.into() => return Err(TooFine),
            Scale::Exactly(digits) => digits.into(),
        };
        if self.negative && first != end {
            out.push(b'-');
        }
        if first < end && first < point {
            self.push_digits(first, point, out);
        } else {
            out.push(b'0');
        }
        if scale > 0 {
            out.push(b'.');
            self.push_digits(point, point + scale, out);
        }
        Ok(())
    }

    /// The positions of the first digit that is not zero and of the end after the last; equal for the number zero.
    fn significant(&self) -> (i32, i32) {
        let not_zero = |digit: &u8| *digit != b'0';
        let whole = self.whole.len();
        let first = match self.whole.iter().position(not_zero) {
            Some(at) => at,
            None => match self.fraction.iter().position(not_zero) {
                Some(at) => whole + at,
                None => return (0, 0),
            },
        };
        let last = match self.fraction.iter().rposition(not_zero) {
            Some(at) => whole + at,
            None => self.whole.iter().rposition(not_zero).unwrap_or(first),
        };
        (first as i32, last as i32 + 1)
    }

    fn push_digits(&self, from: i32, to: i32, out: &mut Vec<u8>) {
        let (whole, all) = (self.whole.len() as i32, (self.whole.len() + self.fraction.len()) as i32);
        let clamp = |low: i32, high: i32| (from.clamp(low, high) - low) as usize..(to.clamp(low, high) - low) as usize;
        push_zeros(to.min(0) - from.min(0), out);
        out.extend_from_slice(&self.whole[clamp(0, whole)]);
        out.extend_from_slice(&self.fraction[clamp(whole, all)]);
        push_zeros(to.max(all) - from.max(all), out);
    }
}

/// Whether `text` is already what [`Decimal::write`] would make of it.
pub(super) fn is_in_form(text: &[u8], scale: Scale) -> bool {
    let (whole, rest) = digits(text.strip_prefix(b"-").unwrap_or(text));
    match whole {
        [] => return false,
        // Leading zeros and a negative zero need rewriting.
        [b'0', more @ ..] if !more.is_empty() || whole.len() < text.len() - rest.len() => return false,
        _ => {}
    }
    let [b'.', fraction @ ..] = rest else {
        return rest.is_empty() && !matches!(scale, Scale::AtLeast(1..) | Scale::Exactly(1..));
    };
    let ends_with_zero = fraction.last() == Some(&b'0');
    let is_as_long_as_wanted = match scale {
        Scale::AsNeeded => !ends_with_zero,
        Scale::AsStored => true,
        Scale::AtLeast(least) => {
            let least = usize::from(least);
            fraction.len() == least || (fraction.len() > least && !ends_with_zero)
        }
        Scale::Exactly(digits) => fraction.len() == usize::from(digits),
    };
    is_as_long_as_wanted && !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit)
}

fn push_zeros(count: i32, out: &mut Vec<u8>) {
    out.resize(out.len() + count as usize, b'0');
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, rest) = sign(text);
    let (digits, []) = digits(rest) else { return None };
    if digits.is_empty() {
        return None;
    }
    let size = digits.iter().fold(0_i32, |size, digit| size.saturating_mul(10).saturating_add(i32::from(digit - b'0')));
    (size <= MAX_EXPONENT).then_some(if negative { -size } else { size })
}
