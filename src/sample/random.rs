//! Numbers that look random and are the same for ever: SplitMix64, in twenty lines.
//!
//! Not a crate's generator, because its stream may change with a release, and the same seed has to give the same data
//! on every machine and in every version. Each row draws from a stream of its own, found from the seed, the kind of
//! thing and its index, so that any row can be made without those before it.

/// A stream of pseudo-random numbers.
pub(super) struct Random(u64);

impl Random {
    /// The stream for the `index`th thing of `kind`.
    pub(super) fn new(seed: u64, kind: u64, index: u64) -> Random {
        Random(scramble(scramble(scramble(seed) ^ kind) ^ index))
    }

    /// The next number, all 64 bits of it.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// A number from 0 up to, and without, `limit`, which is above 0 and below 2^32.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        ((self.next() >> 32) * limit) >> 32
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// The finaliser of SplitMix64: a bijection under which neighbours become strangers.
fn scramble(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_never_changes() {
        let mut random = Random::new(1, 2, 3);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(first, [15_925_659_190_040_627_001, 6_588_988_029_983_277_238, 9_315_241_652_495_780_889]);
    }

    #[test]
    fn numbers_stay_below_their_limit_and_reach_all_of_it() {
        let mut random = Random::new(7, 0, 0);
        let mut seen = [false; 10];
        (0..500).for_each(|_| seen[random.below(10) as usize] = true);
        assert!(seen.iter().all(|seen| *seen));
    }
}
