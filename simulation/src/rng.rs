//! Chance from a seed: splitmix64. Whoever draws has a generator of his own, so that one more draw here moves nothing there.

use std::sync::Mutex;
use std::sync::PoisonError;

use smscode_core::port::Entropy;

/// A generator.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    /// The generator of one part of a run.
    pub(crate) fn of(seed: u64, part: &[u64]) -> Self {
        let mut rng = Self(seed ^ 0x6a09_e667_f3bc_c908);
        for number in part {
            rng.0 = rng.next() ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below the bound; 0 if there is none.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// A number from `from` up to and without `until`.
    pub(crate) fn between(&mut self, from: i64, until: i64) -> i64 {
        from + i64::try_from(self.below(until.saturating_sub(from).unsigned_abs())).unwrap_or(0)
    }

    /// Whether it happens, so many times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T], otherwise: T) -> T {
        let at = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(at).copied().unwrap_or(otherwise)
    }
}

/// Randomness for core and for the suppliers' model. Not fit for cryptography, which a simulation does not want.
pub(crate) struct Seeded(Mutex<Rng>);

impl Seeded {
    pub(crate) fn new(rng: Rng) -> Self {
        Self(Mutex::new(rng))
    }
}

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&rng.next().to_be_bytes()[..chunk.len()]);
        }
    }
}
