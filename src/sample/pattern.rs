//! Which children belong to which owner, both ways, without remembering any of them.
//!
//! Owners repeat a short pattern of counts for ever: with `[1, 2, 3]` the first owner has one child, the second two,
//! the third three, the fourth one again. So the owner of any child, and the children of any owner, are arithmetic.

/// How many children consecutive owners have, repeated without end.
pub(super) struct Pattern<const N: usize>(pub(super) [u64; N]);

impl<const N: usize> Pattern<N> {
    /// How many children the owner `owner` has.
    pub(super) fn count(&self, owner: u64) -> u64 {
        self.0[(owner % N as u64) as usize]
    }

    /// The first child of `owner`; also the number of children that all owners before it have.
    pub(super) fn first(&self, owner: u64) -> u64 {
        let before = (owner % N as u64) as usize;
        owner / N as u64 * self.0.iter().sum::<u64>() + self.0[..before].iter().sum::<u64>()
    }

    /// The owner of `child`, and the child's place among its siblings, from 0.
    pub(super) fn owner(&self, child: u64) -> (u64, u64) {
        let all = self.0.iter().sum::<u64>();
        let mut place = child % all;
        let mut owner = child / all * N as u64;
        for count in self.0 {
            if place < count {
                break;
            }
            place -= count;
            owner += 1;
        }
        (owner, place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_child_is_found_among_its_owners_children() {
        let pattern = Pattern([0, 2, 0, 3, 1]);
        let children: Vec<(u64, u64)> =
            (0..50).flat_map(|owner| (0..pattern.count(owner)).map(move |place| (owner, place))).collect();
        for (child, expected) in children.into_iter().enumerate() {
            let (owner, place) = pattern.owner(child as u64);
            assert_eq!((owner, place), expected);
            assert_eq!(pattern.first(owner) + place, child as u64);
        }
    }
}
