//! Stored forms: differences, and how far the comparison with a supplier has come. Without owner and order id, their times
//! cut to the minute, as everything at the supplier's side.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::decide::{Span, What};
use crate::money::{Currency, Money};
use crate::store::{Key, Kind, Term};
use crate::time::Timestamp;

/// Differences between a supplier and our books.
pub const DIFFERENCE: Kind = Kind::of("supply_difference");
/// Those that wait for an operator, by the time since which they are known.
pub const BY_DIFFERENCE: Kind = Kind::of("supply_difference_since");
/// The same by the name that operators use.
pub const BY_DIFFERENCE_CASE: Kind = Kind::of("supply_difference_case");
/// How far the comparison with a supplier has come.
pub const RECONCILIATION: Kind = Kind::of("reconciliation");

/// A difference. One that was settled is kept while the supplier's history has its activation, so that it is not found
/// again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceRecord {
    /// Format.
    pub v: u8,
    /// The name that operators use: random.
    pub case: String,
    /// Which supplier.
    pub supplier: String,
    /// The supplier's name for the activation; none if it is about the balance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<String>,
    /// What does not agree.
    pub what: What,
    /// What the supplier has taken beyond our books and what was settled before, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_minor: Option<i64>,
    /// The supplier's currency.
    pub currency: Currency,
    /// What was settled of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub settled_minor: i64,
    /// Of this, what was settled without being booked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub noted_minor: i64,
    /// When it was settled last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// Whether it waits for an operator.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_open: bool,
    /// Since when it waits.
    pub since: Timestamp,
}

impl fmt::Debug for DifferenceRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the activation leads to the number
        write!(f, "DifferenceRecord({}, {:?}, {:?}, open {})", self.supplier, self.what, self.taken_minor, self.is_open)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
const fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

impl DifferenceRecord {
    /// What the supplier has taken by it, as money.
    pub fn taken(&self) -> Option<Money> {
        self.taken_minor.map(|minor| Money::new(minor, self.currency))
    }

    /// What the supplier has taken by it that is not in our books.
    pub(crate) fn unbooked_minor(&self) -> i64 {
        let open = if self.is_open { self.taken_minor.unwrap_or_default() } else { 0 };
        open.saturating_add(self.noted_minor)
    }

    /// Its places in indexes.
    pub fn terms(&self) -> Vec<Term> {
        if !self.is_open {
            return Vec::new();
        }
        vec![
            Term { index: BY_DIFFERENCE, at: self.since.sort_bytes().to_vec() },
            Term { index: BY_DIFFERENCE_CASE, at: self.case.as_bytes().to_vec() },
        ]
    }
}

/// How far the comparison with a supplier has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconciliationRecord {
    /// Format.
    pub v: u8,
    /// When the next one is to begin.
    pub due_at: Timestamp,
    /// When the newest one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_at: Option<Timestamp>,
    /// What the supplier has taken by differences that are not in our books.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unbooked_minor: i64,
    /// What has come in there in all: our balance, and all that it has taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_in: Option<Span>,
}

impl ReconciliationRecord {
    /// Of a supplier that was never compared.
    pub(crate) const fn new(due_at: Timestamp) -> Self {
        Self { v: 1, due_at, compared_at: None, unbooked_minor: 0, came_in: None }
    }
}

/// The key of the difference of an activation. Ids beyond 80 bytes are cut: no supplier has such.
pub fn difference_key(supplier: &str, activation: &str) -> Key {
    let bytes = activation.as_bytes();
    Key::free(DIFFERENCE, [supplier.as_bytes(), b"\0a", &bytes[..bytes.len().min(80)]].concat())
}

/// The key of a difference of the balance.
pub fn balance_key(supplier: &str, case: &str) -> Key {
    Key::free(DIFFERENCE, [supplier.as_bytes(), b"\0b", case.as_bytes()].concat())
}

/// The key of a supplier's progress.
pub fn reconciliation_key(supplier: &str) -> Key {
    Key::free(RECONCILIATION, supplier)
}
