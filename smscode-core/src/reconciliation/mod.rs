//! Reconciliation: each supplier's history and balance beside what our books say of it, daily. What does not agree is a
//! difference, which waits for an operator. It is between a supplier and us: no difference names an account or an order, and
//! none moves a customer's money.

pub(crate) mod decide;
mod error;
pub mod record;
#[cfg(test)]
mod tests;

use std::fmt;

pub use decide::What;
pub use error::{ReconcileError, SettleError};

use crate::money::Money;
use crate::time::Timestamp;

/// How an operator settles a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The supplier is right: what it has taken, or given back, is booked between `float:` and `loss:`.
    Booked,
    /// Nothing is booked: the supplier is to put it right, or the money came from us.
    Noted,
}

impl Settlement {
    /// Stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Noted => "noted",
        }
    }
}

/// Something on which a supplier and our books do not agree.
#[derive(Clone, PartialEq, Eq)]
pub struct SupplierDifference {
    /// Its name in commands.
    pub case: String,
    /// Which supplier.
    pub supplier: String,
    /// The supplier's name for the activation; `None` for one of the balance.
    pub activation: Option<String>,
    /// What does not agree.
    pub what: What,
    /// What the supplier has, by itself, taken beyond our books; below zero: less. `None` if it does not say how much.
    pub taken: Option<Money>,
    /// When it was found, to the minute.
    pub since: Timestamp,
    /// How long ago, in seconds.
    pub age_seconds: i64,
    /// What to do.
    pub action: &'static str,
}

impl fmt::Debug for SupplierDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the activation leads to the number
        write!(f, "SupplierDifference({}, {}, {:?})", self.supplier, self.what.word(), self.taken)
    }
}

/// What a comparison with one supplier came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// Which supplier.
    pub supplier: String,
    /// Activations in its history; `None` if it has none to read.
    pub listed: Option<usize>,
    /// Of our purchases and its activations, those that could be compared: over at both sides.
    pub compared: usize,
    /// Differences found by this comparison, or found to be others than before.
    pub found: usize,
    /// Differences that are none any more.
    pub gone: usize,
    /// Whether there were more differences than are kept.
    pub left_out: bool,
    /// Our money there as it was read for this; `None` if it could not be compared: the supplier does not tell it, or a
    /// purchase is under way of which nobody knows the cost.
    pub balance: Option<Money>,
}
