//! Accounts: opened by the host for now; deleted by their customer.

mod deletion;
pub mod record;
#[cfg(test)]
mod tests;

pub(crate) use deletion::becomes;
pub use deletion::{Becomes, DeletionPreview, OpenOrder, STAYS, Stays};

use std::fmt;

use crate::store::{BodyError, Owner, StoreError};

/// An account, as the host holds it in memory. Internal: never show it to anybody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub(crate) Owner);

impl AccountId {
    /// From the 16 bytes that the host has kept.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Owner(bytes))
    }

    /// The 16 bytes, for the host's own records.
    pub const fn bytes(self) -> [u8; 16] {
        self.0.0
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountId(..)")
    }
}

/// Why an account command was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// No such account, or a deleted one.
    #[error("there is no such account")]
    NotFound,
    /// An amount that is not above zero, or in another currency than the account's.
    #[error("the amount makes no sense here: {0}")]
    Amount(&'static str),
    /// A token that is not 32 letters and digits, or is in use by another account.
    #[error("the token is not usable: {0}")]
    Token(&'static str),
    /// The deposit's reference was used before, with another amount or account.
    #[error("the deposit's reference was used before")]
    ReferenceUsed,
    /// The platform takes no new money any more.
    #[error("the platform is being wound down and takes no deposits")]
    WindDown,
    /// The store is away.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
}

impl AccountError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Amount(_) => "amount",
            Self::Token(_) => "token",
            Self::ReferenceUsed => "reference_used",
            Self::WindDown => "wind_down",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<BodyError> for AccountError {
    fn from(error: BodyError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
