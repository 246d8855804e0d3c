//! What waits for an operator: rows of queues, each with its age and what is to be done. No row says whose it is.

use std::fmt;

use super::record::FindingRecord;
use crate::money::Money;
use crate::order::OrderId;
use crate::time::Timestamp;

/// Rows of a queue on one page at most.
pub const QUEUE_PAGE_MAX: usize = 100;

/// One page of a queue, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuePage<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where to go on; `None` when there is nothing more.
    pub next: Option<String>,
}

/// A purchase that is not settled, five minutes or longer after its call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnclearPurchase {
    /// Which order: what a customer names who asks.
    pub order: OrderId,
    /// Which supplier was asked.
    pub supplier: String,
    /// Country, by the market's id.
    pub country: u16,
    /// Service, by the market's code.
    pub service: String,
    /// What is held for it.
    pub held: Money,
    /// When it was placed.
    pub since: Timestamp,
    /// How long ago, in seconds.
    pub age_seconds: i64,
    /// How often it was looked up.
    pub look_ups: u32,
    /// When it is given up by itself and the money goes back.
    pub given_up_at: Timestamp,
    /// What to do.
    pub action: &'static str,
}

/// A purchase at a supplier that its supplier would not settle with us.
#[derive(Clone, PartialEq, Eq)]
pub struct StuckPurchase {
    /// Which supplier.
    pub supplier: String,
    /// The supplier's name for it.
    pub activation: String,
    /// Country, by the market's id.
    pub country: u16,
    /// Service, by the market's code.
    pub service: String,
    /// What it cost, if that is known, in the supplier's currency.
    pub cost: Option<Money>,
    /// When it was bought, to the minute.
    pub since: Timestamp,
    /// How long ago, in seconds.
    pub age_seconds: i64,
    /// How it stands, as a stable word.
    pub state: &'static str,
    /// What to do.
    pub action: &'static str,
}

impl fmt::Debug for StuckPurchase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the activation leads to the number
        write!(f, "StuckPurchase({}, {}, {} s)", self.supplier, self.state, self.age_seconds)
    }
}

/// Books that do not add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyException {
    /// Its name in commands.
    pub case: String,
    /// Since when it is known.
    pub since: Timestamp,
    /// How long ago, in seconds.
    pub age_seconds: i64,
    /// When an audit saw it last.
    pub seen_at: Timestamp,
    /// Whether new orders of an account are stopped by it.
    pub stops_orders: bool,
    /// What is wrong, the first of it.
    pub findings: Vec<FindingRecord>,
    /// What to do.
    pub action: &'static str,
}
