//! One number decides everything: SplitMix64 (Steele, Lea, Flood 2014), because its state is one number.

/// A stream of numbers that its seed determines.
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.number() % n
    }

    /// A number from `least` up to, not including, `end`.
    pub(crate) fn between(&mut self, least: i64, end: i64) -> i64 {
        least + (self.below(end.abs_diff(least)) as i64)
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    pub(crate) fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.index(among.len())].clone()
    }

    /// True so many times of 1,000.
    pub(crate) fn permille(&mut self, of_1000: u32) -> bool {
        self.below(1_000) < u64::from(of_1000)
    }
}
