//! The stored form of an account.

use serde::{Deserialize, Serialize};

use super::AccountId;
use crate::store::{Key, Kind};
use crate::time::Timestamp;

/// The kind of account records. Every owned Put Ensures its account.
pub const ACCOUNT: Kind = Kind::of("account");

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Format.
    pub v: u8,
    /// Whether it may order.
    pub status: AccountStatus,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// Whether an account may order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// It may.
    Active,
    /// It may not; open orders run out.
    Suspended,
}

/// The key of an account's record.
pub fn account_key(account: AccountId) -> Key {
    Key::owned(ACCOUNT, account.0, [])
}
