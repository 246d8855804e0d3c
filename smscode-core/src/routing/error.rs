//! Why a command about a supplier was refused.

use crate::store::StoreError;

/// Why a command about a supplier was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    /// No supplier of this name is configured.
    #[error("there is no supplier {0}")]
    UnknownSupplier(String),
    /// The actor is empty or longer than 64 bytes.
    #[error("the actor must have 1 to 64 bytes")]
    Actor,
    /// The store is away.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
}

impl RoutingError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownSupplier(_) => "unknown_supplier",
            Self::Actor => "actor",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<StoreError> for RoutingError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
