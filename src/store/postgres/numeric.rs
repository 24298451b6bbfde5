//! PostgreSQL's `numeric` from its binary format: digits to the base of 10,000.

/// Digits of a decimal number in one digit on the wire.
const GROUP: i32 = 4;

/// Appends the number to `text` with as many digits after the point as it was stored with. `None` if the bytes are
/// no number.
pub(super) fn write(bytes: &[u8], text: &mut Vec<u8>) -> Option<()> {
    let (head, digits) = bytes.split_at_checked(8)?;
    let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (count, weight, scale) = (word(0), i32::from(word(2) as i16), i32::from(word(6)));
    if digits.len() != usize::from(count) * 2 {
        return None;
    }
    let sign: &[u8] = match word(4) {
        0x0000 => b"",
        0x4000 => b"-",
        0xC000 => b"NaN",
        0xD000 => b"Infinity",
        0xF000 => b"-Infinity",
        _ => return None,
    };
    text.extend_from_slice(sign);
    if sign.len() > 1 {
        return Some(());
    }
    let group = |at: i32| {
        let at = usize::try_from(at).ok()?.checked_mul(2)?;
        digits.get(at..at + 2).map(|digit| u16::from_be_bytes([digit[0], digit[1]]))
    };
    if weight < 0 {
        text.push(b'0');
    } else {
        let mut first = itoa::Buffer::new();
        text.extend_from_slice(first.format(group(0).unwrap_or(0)).as_bytes());
        (1..=weight).for_each(|at| text.extend_from_slice(&decimal(group(at))));
    }
    if scale > 0 {
        text.push(b'.');
        let groups = (scale + GROUP - 1) / GROUP;
        (weight + 1..=weight + groups).for_each(|at| text.extend_from_slice(&decimal(group(at))));
        text.truncate(text.len() - (groups * GROUP - scale) as usize);
    }
    Some(())
}

/// The four decimal digits of a digit; digits that are not sent are zeros.
fn decimal(group: Option<u16>) -> [u8; 4] {
    let group = group.unwrap_or(0);
    [1000, 100, 10, 1].map(|power| b'0' + (group / power % 10) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> String {
        let mut bytes = Vec::new();
        for word in [digits.len() as u16, weight as u16, sign, scale].iter().chain(digits) {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        let mut text = b"<".to_vec();
        write(&bytes, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn writes_what_the_server_would() {
        assert_eq!(number(0, 0, 0, &[]), "<0");
        assert_eq!(number(0, 0, 2, &[]), "<0.00");
        assert_eq!(number(0, 0, 0, &[7]), "<7");
        assert_eq!(number(1, 0x4000, 2, &[1, 2345, 6700]), "<-12345.67");
        assert_eq!(number(5, 0, 0, &[10]), "<1000000000000000000000");
        assert_eq!(number(-1, 0, 3, &[10]), "<0.001");
        assert_eq!(number(-3, 0, 10, &[100]), "<0.0000000001");
        assert_eq!(number(0, 0, 6, &[1, 5000]), "<1.500000");
        assert_eq!(number(0, 0xC000, 0, &[]), "<NaN");
        assert_eq!(number(0, 0xF000, 0, &[]), "<-Infinity");
    }

    #[test]
    fn refuses_what_is_cut_off() {
        assert_eq!(write(&[0, 1, 0, 0, 0, 0, 0, 0], &mut Vec::new()), None);
        assert_eq!(write(&[0, 0], &mut Vec::new()), None);
    }
}
