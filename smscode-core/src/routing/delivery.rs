//! How often an SMS came, per supplier, country and service: from how orders ended in the last two hours. Pure.

use std::collections::BTreeMap;

use super::window::{Tally, Window};
use crate::time::Timestamp;

/// Buckets of the window over ended orders, and their length: two hours, six windows of an order.
const BUCKETS: usize = 6;
const BUCKET_MS: i64 = 1_200_000;

/// Pairs that are kept of one supplier at most, 150 bytes each: a busy shop sells some hundred pairs in two hours. The one
/// that was seen least recently makes room.
pub(crate) const PAIRS_MAX: usize = 4_096;

/// A supplier that says that it does not sell a pair is not asked for it again for so long.
const NOT_SOLD_MS: i64 = 600_000;

/// Orders that a pair is taken to have ended, half of them with an SMS, before the first one: few data are neutral.
const PRIOR: u32 = 10;

/// Orders of a pair that had a number and have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// All of them.
    pub ended: u32,
    /// Those with at least one SMS.
    pub delivered: u32,
}

impl Deliveries {
    /// A rank from 0 to 20 in steps of five percent; 10 without data.
    pub(crate) fn rank(self) -> u32 {
        let delivered = u64::from(self.delivered) + u64::from(PRIOR / 2);
        let ended = u64::from(self.ended) + u64::from(PRIOR);
        u32::try_from(delivered * 20 / ended).unwrap_or(0)
    }
}

impl Tally for Deliveries {
    fn add(&mut self, other: &Self) {
        self.ended = self.ended.saturating_add(other.ended);
        self.delivered = self.delivered.saturating_add(other.delivered);
    }
}

#[derive(Clone, Debug)]
struct Pair {
    orders: Window<Deliveries, BUCKETS>,
    seen: Timestamp,
    not_sold_until: Option<Timestamp>,
}

/// All pairs of one supplier.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs(BTreeMap<(u16, String), Pair>);

impl Pairs {
    /// An order that had a number has ended.
    pub(crate) fn ended(&mut self, country: u16, service: &str, delivered: bool, now: Timestamp) {
        let bucket = self.pair(country, service, now).orders.now(now);
        bucket.add(&Deliveries { ended: 1, delivered: u32::from(delivered) });
    }

    /// The supplier has said that it does not sell this.
    pub(crate) fn not_sold(&mut self, country: u16, service: &str, now: Timestamp) {
        self.pair(country, service, now).not_sold_until = Some(now.plus_ms(NOT_SOLD_MS));
    }

    /// Whether it said so a little while ago.
    pub(crate) fn is_not_sold(&self, country: u16, service: &str, now: Timestamp) -> bool {
        let pair = self.0.get(&(country, service.to_owned()));
        pair.and_then(|pair| pair.not_sold_until).is_some_and(|until| now < until)
    }

    /// What is known of a pair.
    pub(crate) fn of(&self, country: u16, service: &str, now: Timestamp) -> Deliveries {
        self.0.get(&(country, service.to_owned())).map_or_else(Deliveries::default, |pair| pair.orders.sum(now))
    }

    /// All pairs together.
    pub(crate) fn all(&self, now: Timestamp) -> Deliveries {
        self.0.values().fold(Deliveries::default(), |mut all, pair| {
            all.add(&pair.orders.sum(now));
            all
        })
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn pair(&mut self, country: u16, service: &str, now: Timestamp) -> &mut Pair {
        let key = (country, service.to_owned());
        if self.0.len() >= PAIRS_MAX && !self.0.contains_key(&key) {
            let oldest = self.0.iter().min_by_key(|(_, pair)| pair.seen).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| self.0.remove(&oldest));
        }
        let fresh = || Pair { orders: Window::new(BUCKET_MS), seen: now, not_sold_until: None };
        let pair = self.0.entry(key).or_insert_with(fresh);
        pair.seen = now;
        pair
    }
}
