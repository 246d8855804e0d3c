//! What an audit gives, and what operators did.

use super::Balance;
use super::readd::Finding;
use crate::money::Money;
use crate::time::Timestamp;

/// What an audit of all accounts found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSummary {
    /// Accounts that were looked at.
    pub accounts: u64,
    /// Transfers that were re-added.
    pub transfers: u64,
    /// Accounts whose books do not add up. Their new orders are stopped.
    pub wrong: u64,
    /// Accounts on which money moved all the time; the next audit looks at them again.
    pub busy: u64,
    /// Whether all accounts of each currency are zero together.
    pub totals_are_zero: bool,
}

/// What an audit of one account found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountAudit {
    /// Transfers that were re-added.
    pub transfers: u64,
    /// Whether the account has too many orders to pair each with its transfers.
    pub is_partial: bool,
    /// What the account's head says.
    pub balance: Balance,
    /// What is wrong, at most 100; empty when the books add up.
    pub findings: Vec<Finding>,
}

/// Something that an operator did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Who agreed, if somebody did.
    pub second: Option<String>,
    /// What: `adjust`, `wind_down_begun`, `wind_down_ended`, `freeze_lifted`, `difference_booked`, `difference_noted`.
    pub action: String,
    /// Which one: the reference of an adjustment, the case of a freeze or of a difference.
    pub subject: Option<String>,
    /// How much, of an adjustment or a difference.
    pub amount: Option<Money>,
    /// Why.
    pub reason: String,
}
