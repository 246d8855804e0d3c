//! Stored forms beside transfers: what operators did, what an audit found.

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};
use crate::order::OrderId;
use crate::store::{Key, Kind, Owner, Term};
use crate::time::Timestamp;

/// What operators did. Without owner and without a name of any account, so nothing in it outlives the purge of one: it
/// leads to an account by the transfer of the same reference alone, as the statement does.
pub const AUDIT: Kind = Kind::of("audit");
/// The same, newest first.
pub const BY_AUDIT: Kind = Kind::of("audit_time");
/// What somebody must look at because the books do not add up. Owned by the account it is about, so it goes with it;
/// without an owner if it is about all of them.
pub const EXCEPTION: Kind = Kind::of("money_exception");
/// The same by the time since which it is so.
pub const BY_EXCEPTION: Kind = Kind::of("money_exception_since");
/// The same by the name that operators use.
pub const BY_CASE: Kind = Kind::of("money_exception_case");
/// How far the audit has come.
pub const AUDIT_RUN: Kind = Kind::of("audit_run");

/// Findings that are kept of one exception: the audit by hand shows more.
pub const FINDINGS_KEPT: usize = 20;

/// Something that an operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Format.
    pub v: u8,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Who agreed, if somebody had to or did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// What: `adjust`, `wind_down_begun`, `wind_down_ended`, `freeze_lifted`, `difference_booked`, `difference_noted`.
    pub action: String,
    /// Which one: the reference of an adjustment, the case of a freeze or of a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How much, of an adjustment or a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<AmountRecord>,
    /// Why, in the operator's words.
    pub reason: String,
    /// Keyed hash of the request, hexadecimal, where the same again is to be told from another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// Money as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmountRecord {
    /// In units of the currency's exponent.
    pub minor: i64,
    /// Which currency.
    pub currency: Currency,
}

impl AmountRecord {
    /// As money.
    pub const fn money(self) -> Money {
        Money::new(self.minor, self.currency)
    }
}

impl AuditRecord {
    /// Its places in indexes.
    pub fn terms(&self) -> Vec<Term> {
        vec![Term { index: BY_AUDIT, at: self.at.reverse_sort_bytes().to_vec() }]
    }
}

/// Books that do not add up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionRecord {
    /// Format.
    pub v: u8,
    /// The name that operators use: random.
    pub case: String,
    /// Since when it is known.
    pub since: Timestamp,
    /// When an audit saw it last.
    pub seen_at: Timestamp,
    /// What is wrong, the first of it.
    pub findings: Vec<FindingRecord>,
}

/// A finding as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// Which rule.
    pub rule: String,
    /// The order it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The number of the transfer it was seen at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<u64>,
    /// What should be there.
    pub expected: i64,
    /// What is there.
    pub found: i64,
}

impl ExceptionRecord {
    /// Its places in indexes.
    pub fn terms(&self) -> Vec<Term> {
        vec![
            Term { index: BY_EXCEPTION, at: self.since.sort_bytes().to_vec() },
            Term { index: BY_CASE, at: self.case.as_bytes().to_vec() },
        ]
    }
}

/// How far the audit has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRunRecord {
    /// Format.
    pub v: u8,
    /// When this run is or was to begin.
    pub begins_at: Timestamp,
    /// The last account that is done, hexadecimal; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Accounts that are done.
    #[serde(default)]
    pub accounts: u64,
    /// Accounts of this run whose books do not add up.
    #[serde(default)]
    pub wrong: u64,
}

/// The key of an adjustment's audit record: the same reference again is the same adjustment.
pub fn adjust_key(reference: &str) -> Key {
    Key::free(AUDIT, format!("adjust/{reference}"))
}

/// The key of what is wrong with an account; with no owner: with the books as a whole.
pub fn exception_key(owner: Owner) -> Key {
    Key::owned(EXCEPTION, owner, b"audit")
}

/// The key of the audit's progress.
pub fn audit_run_key() -> Key {
    Key::free(AUDIT_RUN, "accounts")
}
