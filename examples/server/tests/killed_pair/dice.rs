//! Chance from a seed: the same for each order, whatever order things happen in.

/// splitmix64.
pub struct Dice(u64);

impl Dice {
    /// Those of one order, or of whatever else has a number.
    pub fn new(seed: u64, n: u64) -> Self {
        let mut dice = Self(seed ^ n.wrapping_mul(0xd134_2543_de82_ef95));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub fn between(&mut self, (from, to): (u64, u64)) -> u64 {
        from + self.below(to - from)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}
