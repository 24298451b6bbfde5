//! How numbers are spelled, whatever surrounds them.

/// Appends a whole number.
#[inline(always)]
pub(super) fn push_integer(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
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

/// The number in thousandths, if it is what the decimal number of this many thousandths reads back to.
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
    push_integer(whole, out);
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
