//! Chance without a generator: every draw is a hash of what it is about.
//!
//! A generator hands out numbers in the order they are asked for, so that one more question about
//! a person would change all the answers after it. Here a draw depends on nothing but the seed and
//! its own subject.

/// FNV-1a's offset basis and prime, 64 bits.
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Draws from a seed.
#[derive(Clone, Copy)]
pub(crate) struct Draw(u64);

impl Draw {
    /// The draws of one seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The draws about one subject within these.
    pub(crate) fn about(self, subject: &[u8]) -> Self {
        let hash = subject.iter().fold(FNV_BASIS ^ self.0, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME)
        });
        Self(mix(hash))
    }

    /// The n-th of a row of draws.
    pub(crate) fn nth(self, n: u64) -> Self {
        Self(mix(self.0 ^ mix(n)))
    }

    /// All 64 bits.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// An even draw from `0..bound`; `0` for a bound of zero.
    pub(crate) fn below(self, bound: u64) -> u64 {
        let wide = u128::from(self.0) * u128::from(bound);
        // The high half of a 64 by 64 bit product is always below the bound.
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// An even draw from `0.0..1.0`.
    pub(crate) fn share(self) -> f64 {
        // 53 bits: exactly what a double holds.
        #[allow(clippy::cast_precision_loss)]
        let numerator = (self.0 >> 11) as f64;
        #[allow(clippy::cast_precision_loss)]
        let denominator = (1_u64 << 53) as f64;
        numerator / denominator
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<T: Copy>(self, list: &[T]) -> T {
        let place = usize::try_from(self.below(list.len() as u64)).unwrap_or(0);
        list[place]
    }
}

/// The finisher of `SplitMix64`: spreads every bit over all others.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_and_differ_by_subject_and_place() {
        let draw = Draw::new(7);
        assert_eq!(draw.about(b"x").bits(), Draw::new(7).about(b"x").bits());
        assert_ne!(draw.about(b"x").bits(), draw.about(b"y").bits());
        assert_ne!(draw.nth(0).bits(), draw.nth(1).bits());
        assert_ne!(draw.bits(), Draw::new(8).bits());
    }

    #[test]
    fn draws_are_even_enough_and_within_bounds() {
        let draw = Draw::new(1);
        let mut counts = [0_u32; 4];
        for n in 0..4_000 {
            counts[usize::try_from(draw.nth(n).below(4)).unwrap()] += 1;
            assert!((0.0..1.0).contains(&draw.nth(n).share()));
        }
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
        assert_eq!(draw.below(0), 0);
    }
}
