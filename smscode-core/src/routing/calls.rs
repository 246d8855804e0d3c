//! How a supplier's calls went: counts, failures and times of the last five minutes.

use super::window::Tally;

/// Buckets of the window over calls, and their length: five minutes.
pub(crate) const CALL_BUCKETS: usize = 10;
pub(crate) const CALL_BUCKET_MS: i64 = 30_000;

/// Upper bounds of the time classes, in ms; longer ones are in a class of their own.
const BOUNDS_MS: [u32; 9] = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

/// What sort of call it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// A purchase.
    Purchase,
    /// A read: status, list, prices, balance.
    Read,
    /// A word about an activation: cancel, finish, another SMS.
    Word,
}

/// The calls of a bucket, or of a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) count: u32,
    pub(crate) failed: u32,
    classes: [u32; BOUNDS_MS.len() + 1],
}

impl Calls {
    pub(crate) fn count(&mut self, failed: bool, took_ms: i64) {
        self.count = self.count.saturating_add(1);
        self.failed = self.failed.saturating_add(u32::from(failed));
        let class = BOUNDS_MS.iter().position(|bound| took_ms <= i64::from(*bound)).unwrap_or(BOUNDS_MS.len());
        self.classes[class] = self.classes[class].saturating_add(1);
    }

    /// The bound below which this part of the calls took, in percent.
    fn quantile_ms(&self, percent: u64) -> Option<u32> {
        let wanted = (u64::from(self.count) * percent).div_ceil(100);
        if wanted == 0 {
            return None;
        }
        let mut seen = 0;
        let class = self.classes.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        Some(class.and_then(|class| BOUNDS_MS.get(class).copied()).unwrap_or(u32::MAX))
    }

    /// For people.
    pub(crate) fn figures(&self) -> CallFigures {
        CallFigures {
            calls: self.count,
            failed: self.failed,
            half_within_ms: self.quantile_ms(50),
            most_within_ms: self.quantile_ms(95),
        }
    }
}

impl Tally for Calls {
    fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.failed = self.failed.saturating_add(other.failed);
        for (mine, theirs) in self.classes.iter_mut().zip(other.classes) {
            *mine = mine.saturating_add(theirs);
        }
    }
}

/// Calls of one sort at one supplier in the last five minutes, as this node has seen them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallFigures {
    /// How many have ended.
    pub calls: u32,
    /// How many of them had no usable answer, or one that says that nothing can be had there now.
    pub failed: u32,
    /// Half of them took at most this long, in ms; one of 50, 100, 250, 500, 1,000, 2,500, 5,000, 10,000, 30,000, or
    /// `u32::MAX` beyond. `None` without calls.
    pub half_within_ms: Option<u32>,
    /// 95 of 100 took at most this long, in the same steps.
    pub most_within_ms: Option<u32>,
}
