//! The stored forms of a token: an owned record, and a claim that leads from the hash to it.

use serde::{Deserialize, Serialize};

use super::Token;
use crate::account::AccountId;
use crate::store::{Key, Kind};
use crate::time::Timestamp;

/// Owned tokens: deleting them revokes them.
pub const TOKEN: Kind = Kind::of("token");

/// Name of the counter of tokens.
pub const TOKENS: &str = "tokens";

/// Tokens of one account: a token per program is plenty, and a deletion takes all of them in one ChangeSet.
pub const TOKENS_MAX: i64 = 100;

/// Claims: hash to owner.
pub const TOKEN_CLAIM: Kind = Kind::of("token_claim");

/// A token of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Format.
    pub v: u8,
    /// What the owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whose token a hash is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenClaim {
    /// Format.
    pub v: u8,
    /// The account, 32 hexadecimal digits.
    pub owner: String,
}

/// The key of the owned record.
pub fn token_key(account: AccountId, token: &Token) -> Key {
    Key::owned(TOKEN, account.0, token.hash())
}

/// The key of the claim.
pub fn claim_key(token: &Token) -> Key {
    Key::free(TOKEN_CLAIM, token.hash())
}

/// The key of the claim, from the key of the owned record.
pub fn claim_of(owned: &Key) -> Key {
    Key::free(TOKEN_CLAIM, owned.id.clone())
}
