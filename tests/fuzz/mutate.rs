//! Makes inputs of seeds: a few random changes to a random seed, as broken and hostile senders would make them.

/// The longest input.
const LONGEST: usize = 64 * 1024;

/// Numbers at which decoders err.
const NUMBERS: &[u64] = &[
    0,
    1,
    2,
    7,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// Makes inputs; the same number and seeds give the same inputs.
pub struct Mutator<'a> {
    state: u64,
    seeds: Vec<Vec<u8>>,
    words: &'a [&'a str],
}

impl<'a> Mutator<'a> {
    pub fn new(state: u64, seeds: Vec<Vec<u8>>, words: &'a [&'a str]) -> Mutator<'a> {
        assert!(!seeds.is_empty(), "a target has seeds");
        Mutator { state, seeds, words }
    }

    /// Adds a seed.
    pub fn keep(&mut self, seed: Vec<u8>) {
        self.seeds.push(seed);
    }

    /// The next input.
    pub fn next(&mut self) -> Vec<u8> {
        let seed = self.below(self.seeds.len());
        let mut input = self.seeds[seed].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = at + self.below((input.len() - at).min(64) + 1);
        match self.below(10) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.number() as u8,
            2 => input.truncate(at),
            3 => drop(input.drain(at..end)),
            4 => {
                let times = 1 + self.below(16);
                let repeated = input[at..end].repeat(times);
                input.splice(at..at, repeated);
            }
            5 => {
                let other = self.below(self.seeds.len());
                let from = self.below(self.seeds[other].len() + 1);
                let length = self.below(self.seeds[other].len() - from + 1);
                input.splice(at..end, self.seeds[other][from..from + length].iter().copied());
            }
            6 | 7 => self.change_number(input, at),
            8 if !self.words.is_empty() => {
                let word = self.words[self.below(self.words.len())];
                let end = if self.below(2) == 0 { at } else { end };
                input.splice(at..end, word.bytes());
            }
            _ => self.change_digits(input, at),
        }
    }

    /// Replaces a number of one, two, four or eight bytes: by one at which decoders err, or by one more or less.
    fn change_number(&mut self, input: &mut [u8], at: usize) {
        let width = 1 << self.below(4);
        let Some(field) = input.get_mut(at..at + width) else { return };
        let is_big_endian = self.below(2) == 0;
        let mut bytes = [0; 8];
        bytes[8 - width..].copy_from_slice(field);
        let before = u64::from_be_bytes(bytes);
        let number = match self.below(3) {
            0 => before.wrapping_add(1),
            1 => before.wrapping_sub(1),
            _ => self.number(),
        };
        field.copy_from_slice(&number.to_be_bytes()[8 - width..]);
        if !is_big_endian {
            field.reverse();
        }
    }

    /// Replaces the decimal number at `at`, or puts one there.
    fn change_digits(&mut self, input: &mut Vec<u8>, at: usize) {
        let digits = input[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = self.number().to_string();
        input.splice(at..at + digits, number.bytes());
    }

    fn number(&mut self) -> u64 {
        match self.below(2) {
            0 => NUMBERS[self.below(NUMBERS.len())],
            _ => self.random() >> self.below(64),
        }
    }

    /// A number below `limit`, which is not zero.
    fn below(&mut self, limit: usize) -> usize {
        (self.random() % limit as u64) as usize
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
