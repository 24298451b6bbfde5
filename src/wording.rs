//! How a few values are written wherever they appear: digests, counts, and errors of the operating system.

use std::fmt::Write;
use std::io;

/// Bytes in lower-case hexadecimal, as `sha256sum` prints a digest.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes any text");
    }
    text
}

/// An error of a file or process in the system's words, in lower case and without its number: `permission denied`.
pub fn io_error(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// A count for people: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 file`, `2 files`.
pub fn plural(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{} {thing}s", count(number as u64)) }
}

/// Names, of which there are `all`, for a message that stays short: `a, b, c and 58 more`. At most three are told.
pub fn few(names: &[impl AsRef<str>], all: usize) -> String {
    const NAMED: usize = 3;
    let named: Vec<&str> = names.iter().take(NAMED).map(AsRef::as_ref).collect();
    let more = all.saturating_sub(named.len());
    let rest = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
    named.join(", ") + &rest
}

/// Columns, each with the number of its cells: `left_at (2), note (1)`. At most twenty are named.
pub fn cells_of_columns<'a>(columns: impl ExactSizeIterator<Item = (&'a str, u64)>) -> String {
    const NAMED: usize = 20;
    let unnamed = columns.len().saturating_sub(NAMED);
    let named: Vec<String> = columns.take(NAMED).map(|(name, cells)| format!("{name} ({})", count(cells))).collect();
    let rest = if unnamed > 0 { format!(" and {}", plural(unnamed, "other column")) } else { String::new() };
    named.join(", ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(hex(&[0, 9, 0xab, 0xff]), "0009abff");
    }

    #[test]
    fn an_error_has_no_number() {
        assert_eq!(io_error(&io::Error::from_raw_os_error(13)), "permission denied");
        assert_eq!(io_error(&io::Error::other("No such thing")), "no such thing");
    }

    #[test]
    fn counts_read_well() {
        assert_eq!([count(0), count(999), count(1000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([plural(1, "file"), plural(2000, "file")], ["1 file", "2,000 files"]);
    }

    #[test]
    fn not_all_of_many_columns_are_named() {
        assert_eq!(cells_of_columns([("left_at", 2000), ("note", 1)].into_iter()), "left_at (2,000), note (1)");
        let many = cells_of_columns((0..23).map(|_| ("a", 1)));
        assert!(many.ends_with("a (1), a (1) and 3 other columns"), "{many}");
    }
}
