//! Wind-down: no new deposits and orders, while everything that is open goes on to its end.

use serde::{Deserialize, Serialize};

use super::adjust::{REASON_MAX, is_actor, is_text};
use crate::money::Money;
use crate::store::{CurrencyTotals, Key, Kind, StoreError};
use crate::time::Timestamp;

/// Whether the platform is being wound down: one record, among the keys of every placing and every deposit.
pub const WIND_DOWN: Kind = Kind::of("wind_down");

/// Whether the platform is being wound down, as it is stored. It is always there, so that a condition on it locks no more
/// than a shared row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindDownRecord {
    /// Format.
    pub v: u8,
    /// What was decided; `None` while all goes on as ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<WindDown>,
}

/// A wind-down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindDown {
    /// Since when.
    pub since: Timestamp,
    /// Who decided it.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// What the platform owes its customers in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liabilities {
    /// What all customers can spend.
    pub available: Money,
    /// What their open orders hold.
    pub held: Money,
    /// What customers owe, zero or below. Not taken off the others.
    pub debt: Money,
}

impl Liabilities {
    /// Of the sums of a currency. `None` only for sums beyond 64 bits.
    pub(crate) fn of(currency: crate::money::Currency, totals: &CurrencyTotals) -> Option<Self> {
        let money = |sum: i128| i64::try_from(sum).ok().map(|minor| Money::new(minor, currency));
        Some(Self { available: money(totals.available)?, held: money(totals.held)?, debt: money(totals.debt)? })
    }

    /// Available and held together: what is to be paid out or served.
    pub const fn owed(&self) -> Money {
        Money::new(self.available.minor.saturating_add(self.held.minor), self.available.currency)
    }
}

/// Why an operator's command was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// There is no such case.
    #[error("there is no such case")]
    NotFound,
    /// An actor that is missing, too long or not plain.
    #[error("an actor must have 1 to 64 letters, digits, ., -, _ or @")]
    Actor,
    /// A reason that is missing, too long or not plain.
    #[error("a reason must have 1 to {0} bytes without control characters")]
    Reason(usize),
    /// The store is away.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
}

impl OperatorError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Actor => "actor",
            Self::Reason(_) => "reason",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<crate::store::BodyError> for OperatorError {
    fn from(error: crate::store::BodyError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Whether actor and reason can stand in the books.
pub(crate) fn check_operator(actor: &str, reason: &str) -> Result<(), OperatorError> {
    if !is_actor(actor) {
        return Err(OperatorError::Actor);
    }
    if is_text(reason, REASON_MAX) { Ok(()) } else { Err(OperatorError::Reason(REASON_MAX)) }
}

/// The key of the record.
pub fn wind_down_key() -> Key {
    Key::free(WIND_DOWN, "platform")
}
