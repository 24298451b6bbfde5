//! One look at all bytes of a text: is any special, is any beyond ASCII?
//!
//! Most cells are short and need neither quotes nor a check of their UTF-8, so this look is all that becomes of them
//! before they are copied. It has no branch per byte: sixteen bytes are compared at once, in loops of a fixed length
//! that the compiler turns into vector instructions, and a last stretch overlaps the one before it.

/// Around cells, and doubled inside them.
pub(super) const QUOTE: u8 = b'"';

/// Starts an escape for some loaders: alone it is part of the text.
const BACKSLASH: u8 = b'\\';

/// The first character that is no control character. All those before it, line breaks among them, cost one comparison.
const FIRST_PRINTABLE: u8 = b' ';

/// Bytes that are compared at once.
const LANES: usize = 16;

/// Blocks of `LANES` after which a long text may be found out.
const STRIDE: usize = 32;

/// What a look at a text found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// A byte that needs quotes, or a NUL, which no text may hold.
    pub special: bool,
    /// A byte that is not ASCII. Only known if there is no special one: the look ends where one is found.
    pub beyond_ascii: bool,
}

/// Looks for a delimiter, quotes, backslashes and control characters in `text`.
#[inline]
pub(super) fn look(text: &[u8], delimiter: u8) -> Found {
    if text.len() < LANES {
        return look_at_words(text, delimiter);
    }
    let mut lanes = Lanes { delimiter, special: [0; LANES], high: [0; LANES] };
    let (blocks, _) = text.as_chunks::<LANES>();
    for stride in blocks.chunks(STRIDE) {
        for block in stride {
            lanes.take(block);
        }
        if lanes.special != [0; LANES] {
            return Found { special: true, beyond_ascii: false };
        }
    }
    if let Some(end) = text.last_chunk() {
        lanes.take(end);
    }
    let any = |lanes: [u8; LANES]| lanes.iter().fold(0, |any, lane| any | lane);
    Found { special: any(lanes.special) != 0, beyond_ascii: any(lanes.high) >= 0x80 }
}

struct Lanes {
    delimiter: u8,
    /// Not zero where a special byte has been.
    special: [u8; LANES],
    /// The bits that any byte has had.
    high: [u8; LANES],
}

impl Lanes {
    #[inline]
    fn take(&mut self, block: &[u8; LANES]) {
        for (at, &byte) in block.iter().enumerate() {
            let is_special =
                (byte == self.delimiter) | (byte == QUOTE) | (byte == BACKSLASH) | (byte < FIRST_PRINTABLE);
            self.special[at] |= u8::from(is_special);
            self.high[at] |= byte;
        }
    }
}

/// The same for fewer than sixteen bytes: in words of eight or four, the last overlapping the first, or byte by byte.
#[inline]
fn look_at_words(text: &[u8], delimiter: u8) -> Found {
    let (first, last) = if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let word = |half: [u8; 4]| u64::from(u32::from_le_bytes(half)) | FILLER << 32;
        (word(*first), word(*last))
    } else {
        let word = text.iter().fold(FILLER, |word, &byte| word << 8 | u64::from(byte));
        (word, word)
    };
    let special = special_bits(first, delimiter) | special_bits(last, delimiter);
    Found { special: special != 0, beyond_ascii: (first | last) & HIGH != 0 }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;
/// Bytes beside a text that does not fill a word. They are special in no format.
const FILLER: u64 = ONES * 0x7f;

/// Not zero if any byte of the word is special.
#[inline]
fn special_bits(word: u64, delimiter: u8) -> u64 {
    let equals = |byte: u8| {
        let zero_where_equal = word ^ (ONES * u64::from(byte));
        zero_where_equal.wrapping_sub(ONES) & !zero_where_equal & HIGH
    };
    let control = word.wrapping_sub(ONES * u64::from(FIRST_PRINTABLE)) & !word & HIGH;
    equals(delimiter) | equals(QUOTE) | equals(BACKSLASH) | control
}
