//! The ledger: what an account has, and the transfers that made it so; adjustments, audits, and what operators look at.

pub(crate) mod adjust;
mod audit;
mod queues;
pub(crate) mod readd;
pub mod record;
#[cfg(test)]
mod tests;
pub(crate) mod wind_down;

pub use adjust::{ACTOR_MAX, Adjust, AdjustError, REASON_MAX, REFERENCE_MAX};
pub use audit::{AccountAudit, AuditEntry, AuditSummary};
pub use queues::{MoneyException, QUEUE_PAGE_MAX, QueuePage, StuckPurchase, UnclearPurchase};
pub use readd::Finding;
pub use wind_down::{Liabilities, OperatorError, WIND_DOWN, WindDown, WindDownRecord, wind_down_key};

use crate::money::{Currency, Money};
use crate::store::{Head, Transfer, TransferKind};
use crate::time::Timestamp;

/// What an account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Can be spent.
    pub available: Money,
    /// Held by open orders.
    pub held: Money,
    /// Owed, zero or below.
    pub debt: Money,
}

impl Balance {
    /// Of an account's head; an account without transfers has nothing of the platform's currency.
    pub fn of(head: Head, currency: Currency) -> Self {
        let currency = head.currency.unwrap_or(currency);
        Self {
            available: Money::new(head.available, currency),
            held: Money::new(head.held, currency),
            debt: Money::new(head.debt, currency),
        }
    }
}

/// A line of an account's statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// 1, 2, 3 ... without gaps.
    pub number: u64,
    /// What it means.
    pub kind: TransferKind,
    /// What it is about, such as `order:12`.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// How much.
    pub amount: Money,
    /// What can be spent after it.
    pub available_after: Money,
    /// What is held after it.
    pub held_after: Money,
    /// When.
    pub time: Timestamp,
}

impl StatementLine {
    /// Of a transfer on an account; `None` for one between house accounts.
    pub fn of(transfer: &Transfer) -> Option<Self> {
        let entry = transfer.entry?;
        let money = |minor| Money::new(minor, transfer.currency);
        Some(Self {
            number: entry.number,
            kind: transfer.kind,
            subject: transfer.subject.clone(),
            reason: transfer.reason.clone(),
            amount: money(transfer.amount),
            available_after: money(entry.available),
            held_after: money(entry.held),
            time: transfer.time,
        })
    }
}
