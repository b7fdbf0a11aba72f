//! Numbers that are drawn.

use std::time::Duration;

/// Draws numbers; the same seed gives the same ones.
pub struct Dice(u64);

impl Dice {
    /// Returns dice with the seed that `TORTURE_SEED` names, or that nobody has seen before; and the seed.
    pub fn fresh() -> (Self, u64) {
        let mut bytes = [0; 8];
        let named = std::env::var("TORTURE_SEED").ok().and_then(|seed| seed.parse().ok());
        // Without randomness the seed is zero: a fixed order of faults is as good a test.
        let drawn = || getrandom::fill(&mut bytes).map_or(0, |()| u64::from_le_bytes(bytes));
        let seed = named.unwrap_or_else(drawn);
        (Self(seed), seed)
    }

    /// Returns a number below `end`, zero if there is none.
    ///
    /// # Source
    /// Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let wide = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from((mixed ^ (mixed >> 31)) % wide).unwrap_or_default()
    }

    /// Returns a time from zero to `limit`.
    pub fn time(&mut self, limit: Duration) -> Duration {
        limit * u32::try_from(self.below(1001)).unwrap_or(1000) / 1000
    }

    /// Puts a list into any order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for idx in (1..list.len()).rev() {
            let other = self.below(idx + 1);
            list.swap(idx, other);
        }
    }
}
