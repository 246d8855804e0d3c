//! The supplier's side of a purchase: a record without owner or order id, from which finishing at the supplier, orphan
//! watch and statements work after the order has ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};
use crate::store::{Key, Kind, Term};
use crate::time::Timestamp;

/// Purchases at suppliers.
pub const SUPPLY: Kind = Kind::of("supply");
/// By the time at which the supplier is to be told something.
pub const BY_SUPPLY_DUE: Kind = Kind::of("supply_due");
/// Those that are an operator's, by the time of their purchase.
pub const BY_SUPPLY_STUCK: Kind = Kind::of("supply_stuck");

/// A purchase at a supplier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplyRecord {
    /// Format.
    pub v: u8,
    /// Which supplier.
    pub supplier: String,
    /// The supplier's name for it.
    pub activation: String,
    /// Country id.
    pub country: u16,
    /// Service code.
    pub service: String,
    /// What it cost, if the supplier has said so.
    pub cost_minor: Option<i64>,
    /// The supplier's currency.
    pub currency: Currency,
    /// When it was bought, to the minute.
    pub created_at: Timestamp,
    /// How it stands.
    pub state: SupplyState,
    /// When the supplier is to be told, while something is to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// How often it was tried.
    #[serde(default)]
    pub tries: u32,
}

/// How a purchase stands at the supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupplyState {
    /// In use by an order.
    Open,
    /// The SMS was good: to be finished there.
    Finishing,
    /// Not wanted: to be cancelled there.
    Cancelling,
    /// Finished there.
    Finished,
    /// Cancelled there.
    Cancelled,
    /// Over there by itself.
    Ended,
    /// The supplier would not hear of it.
    GivenUp,
}

impl fmt::Debug for SupplyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the activation leads to the number
        write!(f, "SupplyRecord({}, {:?}, tries {})", self.supplier, self.state, self.tries)
    }
}

impl SupplyRecord {
    /// What it cost.
    pub fn cost(&self) -> Option<Money> {
        self.cost_minor.map(|minor| Money::new(minor, self.currency))
    }

    /// Its places in indexes.
    pub fn terms(&self) -> Vec<Term> {
        let due = self.due_at.map(|due| Term { index: BY_SUPPLY_DUE, at: due.sort_bytes().to_vec() });
        let stuck = self.stuck().map(|_| Term { index: BY_SUPPLY_STUCK, at: self.created_at.sort_bytes().to_vec() });
        due.into_iter().chain(stuck).collect()
    }

    /// Why somebody has to look at it, as a stable word.
    pub const fn stuck(&self) -> Option<&'static str> {
        match self.state {
            SupplyState::GivenUp => Some("given_up"),
            SupplyState::Open
            | SupplyState::Finishing
            | SupplyState::Cancelling
            | SupplyState::Finished
            | SupplyState::Cancelled
            | SupplyState::Ended => None,
        }
    }
}

/// The key of a purchase: the supplier and its name for it, so that one activation never belongs to two orders, whoever
/// finds it first. Ids beyond 90 bytes are cut: no supplier has such.
pub fn supply_key(supplier: &str, activation: &str) -> Key {
    let bytes = activation.as_bytes();
    let id = [supplier.as_bytes(), &[0], &bytes[..bytes.len().min(90)]].concat();
    Key::free(SUPPLY, id)
}

/// A time as it is kept at the supplier's side: to the full minute before, since an equal microsecond would lead from
/// here to the order.
pub(crate) const fn coarse(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.seconds().div_euclid(60) * 60)
}

/// Pauses between tries to tell the supplier, in seconds; then it is given up.
pub const TELL_PAUSES_SECONDS: [i64; 8] = [2, 5, 30, 120, 600, 3_600, 3_600, 21_600];
