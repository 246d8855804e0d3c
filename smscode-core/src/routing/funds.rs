//! Our money at a supplier: what it says we have, what we have spent, and whether that is little. Pure.

use super::window::{Tally, Window};
use crate::money::Money;
use crate::time::Timestamp;

/// Buckets of the window over what was spent, and their length: an hour.
const SPENT_BUCKETS: usize = 12;
const SPENT_BUCKET_MS: i64 = 300_000;

/// Costs of a bucket, in the supplier's smallest unit.
#[derive(Clone, Copy, Debug, Default)]
struct Spent(i64);

impl Tally for Spent {
    fn add(&mut self, other: &Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

/// Our account at one supplier.
#[derive(Clone, Debug)]
pub(crate) struct Funds {
    spent: Window<Spent, SPENT_BUCKETS>,
    balance: Option<(Money, Timestamp)>,
    /// A purchase of so much was refused for want of money, and no balance read since was enough for it.
    refused_minor: Option<i64>,
    low: bool,
}

impl Funds {
    pub(crate) fn new() -> Self {
        Self { spent: Window::new(SPENT_BUCKET_MS), balance: None, refused_minor: None, low: false }
    }

    /// A number was bought for so much.
    pub(crate) fn spent(&mut self, cost_minor: i64, now: Timestamp) {
        let bucket = self.spent.now(now);
        bucket.0 = bucket.0.saturating_add(cost_minor.max(0));
    }

    /// A purchase was refused because we have no money there.
    pub(crate) fn refused(&mut self, wanted_minor: i64) {
        self.refused_minor = self.refused_minor.max(Some(wanted_minor));
    }

    /// The balance was read. Low is what is below `low_minor`, or without that, below what was spent in the last hour.
    pub(crate) fn read(&mut self, balance: Money, low_minor: Option<i64>, now: Timestamp) {
        self.balance = Some((balance, now));
        let bound = low_minor.unwrap_or_else(|| self.spent.sum(now).0);
        self.low = balance.minor < bound;
        if balance.minor > 0 && !self.low && self.refused_minor.is_some_and(|wanted| balance.minor >= wanted) {
            self.refused_minor = None;
        }
    }

    /// The supplier has no such call: what was refused may be tried again.
    pub(crate) fn cannot_be_read(&mut self) {
        self.refused_minor = None;
    }

    /// Whether purchases are refused for want of money.
    pub(crate) const fn is_out(&self) -> bool {
        self.refused_minor.is_some()
    }

    /// Whether there is little.
    pub(crate) const fn is_low(&self) -> bool {
        self.low
    }

    /// The newest balance and when it was read.
    pub(crate) const fn balance(&self) -> Option<(Money, Timestamp)> {
        self.balance
    }
}
