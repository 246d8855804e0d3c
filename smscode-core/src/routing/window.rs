//! Sums over the last while, in a fixed number of buckets: what is older falls out, and memory never grows.

use crate::time::Timestamp;

/// What a bucket holds. The default is an empty one.
pub(crate) trait Tally: Default {
    /// Adds what another one holds.
    fn add(&mut self, other: &Self);
}

/// A ring of `N` buckets of equal length.
#[derive(Clone, Debug)]
pub(crate) struct Window<T, const N: usize> {
    bucket_ms: i64,
    /// Number of the newest bucket, counted from 1970.
    newest: i64,
    buckets: [T; N],
}

impl<T: Tally, const N: usize> Window<T, N> {
    /// An empty window of `N` buckets of this length.
    pub(crate) fn new(bucket_ms: i64) -> Self {
        Self { bucket_ms: bucket_ms.max(1), newest: i64::MIN, buckets: std::array::from_fn(|_| T::default()) }
    }

    /// The bucket of now. A clock that was set back counts into the newest.
    pub(crate) fn now(&mut self, now: Timestamp) -> &mut T {
        let number = self.number(now).max(self.newest);
        let first_new = self.newest.saturating_add(1).max(number.saturating_sub(Self::LENGTH - 1));
        for passed in first_new..=number {
            self.buckets[Self::place(passed)] = T::default();
        }
        self.newest = number;
        &mut self.buckets[Self::place(number)]
    }

    /// Everything that is not older than the window.
    pub(crate) fn sum(&self, now: Timestamp) -> T {
        let mut sum = T::default();
        let last = self.number(now).max(self.newest);
        let first = last.saturating_sub(Self::LENGTH - 1);
        for number in first..=self.newest {
            sum.add(&self.buckets[Self::place(number)]);
        }
        sum
    }

    const LENGTH: i64 = N as i64;

    fn number(&self, at: Timestamp) -> i64 {
        at.0.div_euclid(self.bucket_ms.saturating_mul(1_000))
    }

    fn place(number: i64) -> usize {
        usize::try_from(number.rem_euclid(Self::LENGTH)).unwrap_or(0)
    }
}
