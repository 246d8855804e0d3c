//! The stored form of an account.

use serde::{Deserialize, Serialize};

use super::AccountId;
use crate::store::{Key, Kind, Term};
use crate::time::Timestamp;

/// The kind of account records. Every owned Put Ensures its account.
pub const ACCOUNT: Kind = Kind::of("account");
/// Accounts by the time at which something is due for them.
pub const BY_ACCOUNT_DUE: Kind = Kind::of("account_due");

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Format.
    pub v: u8,
    /// Whether it may order.
    pub status: AccountStatus,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// From when somebody must look at it: after the deletion, until each open order goes on without a reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Since when it may not order because its books do not add up. A clean audit lifts it, or an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_at: Option<Timestamp>,
}

impl AccountRecord {
    /// A new account.
    pub fn opened(now: Timestamp) -> Self {
        Self { v: 1, status: AccountStatus::Active, created_at: now, deleted_at: None, due_at: None, frozen_at: None }
    }

    /// Whether it is deleted: there is no way back, and for its customer there is no such account.
    pub fn is_deleted(&self) -> bool {
        self.status == AccountStatus::Deleted
    }

    /// Its places in indexes.
    pub fn terms(&self) -> Vec<Term> {
        let due = self.due_at.map(|due| Term { index: BY_ACCOUNT_DUE, at: due.sort_bytes().to_vec() });
        due.into_iter().collect()
    }
}

/// Whether an account may order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// It may.
    Active,
    /// It may not; open orders run out.
    Suspended,
    /// Deleted by its customer. Open orders go on without a reader, and what comes back is forfeited.
    Deleted,
}

/// The key of an account's record.
pub fn account_key(account: AccountId) -> Key {
    Key::owned(ACCOUNT, account.0, [])
}

/// Reads an account's key back.
pub fn read_account_key(key: &Key) -> AccountId {
    AccountId(key.owner)
}
