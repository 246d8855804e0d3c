//! The supplier's side of a purchase: a record without owner or order id, from which finishing at the supplier, orphan
//! watch and statements work after the order has ended.

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};
use crate::store::{Key, Kind, Term};
use crate::time::Timestamp;

/// Purchases at suppliers.
pub const SUPPLY: Kind = Kind::of("supply");
/// By supplier and activation.
pub const BY_ACTIVATION: Kind = Kind::of("supply_activation");
/// By the time at which the supplier is to be told something.
pub const BY_SUPPLY_DUE: Kind = Kind::of("supply_due");

/// A purchase at a supplier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// When it was bought.
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

impl SupplyRecord {
    /// What it cost.
    pub fn cost(&self) -> Option<Money> {
        self.cost_minor.map(|minor| Money::new(minor, self.currency))
    }

    /// Its places in indexes.
    pub fn terms(&self) -> Vec<Term> {
        let mut terms = vec![Term {
            index: BY_ACTIVATION,
            at: activation_position(&self.supplier, &self.activation),
        }];
        if let Some(due) = self.due_at {
            terms.push(Term {
                index: BY_SUPPLY_DUE,
                at: due.sort_bytes().to_vec(),
            });
        }
        terms
    }
}

/// The key of a purchase: its random reference.
pub fn supply_key(reference: &str) -> Key {
    Key::free(SUPPLY, reference.as_bytes())
}

/// Where a purchase stands in [`BY_ACTIVATION`]. Ids beyond 90 bytes are cut: no supplier has such.
pub fn activation_position(supplier: &str, activation: &str) -> Vec<u8> {
    let bytes = activation.as_bytes();
    [supplier.as_bytes(), &[0], &bytes[..bytes.len().min(90)]].concat()
}

/// Pauses between tries to tell the supplier, in seconds; then it is given up.
pub const TELL_PAUSES_SECONDS: [i64; 8] = [2, 5, 30, 120, 600, 3_600, 3_600, 21_600];
