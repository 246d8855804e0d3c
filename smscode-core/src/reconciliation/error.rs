//! Why a comparison, or what an operator wants with a difference, came to nothing.

use crate::ledger::OperatorError;
use crate::port::CallError;
use crate::store::{BodyError, StoreError};

/// Why a supplier could not be compared with our books. It is tried again by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// No supplier of that name is configured.
    #[error("there is no supplier {0}")]
    UnknownSupplier(String),
    /// Its history could not be read.
    #[error("its history could not be read: {0}")]
    History(#[from] CallError),
    /// Its history did not come in time.
    #[error("its history did not come in time")]
    TimedOut,
    /// Its history has more than this many activations.
    #[error("its history has more than {0} activations: compare fewer days")]
    TooLong(usize),
    /// The store is away.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
}

impl ReconcileError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownSupplier(_) => "unknown_supplier",
            Self::History(error) => error.code(),
            Self::TimedOut => "supplier_timed_out",
            Self::TooLong(_) => "history_too_long",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<StoreError> for ReconcileError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Why a difference was not settled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// There is no such case, the actor or the reason cannot stand in the books, or the store is away.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// The supplier does not say how much, so there is nothing to book: book it with `Platform::correct_supplier` and note
    /// it.
    #[error("how much it is about is not known, so it cannot be booked")]
    NoAmount,
}

impl SettleError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Operator(error) => error.code(),
            Self::NoAmount => "no_amount",
        }
    }
}

impl From<StoreError> for SettleError {
    fn from(error: StoreError) -> Self {
        Self::Operator(error.into())
    }
}

impl From<BodyError> for SettleError {
    fn from(error: BodyError) -> Self {
        Self::Operator(error.into())
    }
}
