//! Why an order command was refused.

use super::view::Status;
use crate::money::Money;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Why an order command was refused. Nothing was charged and nothing is lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// No such order, or somebody else's: not to be told apart.
    #[error("there is no such order")]
    NotFound,
    /// A country that is not in the list.
    #[error("there is no country {0}")]
    UnknownCountry(String),
    /// A service that is not in the list.
    #[error("there is no service {0}")]
    UnknownService(String),
    /// A product id that does not exist.
    #[error("there is no product {0}")]
    UnknownProduct(u32),
    /// A service that this platform does not sell.
    #[error("the service {0} is not sold here")]
    BlockedService(String),
    /// Nothing on offer matches; the cheapest price of the pair, if there is any offer at all.
    #[error("no offer matches")]
    NoOffer {
        /// The cheapest present price of what was asked for.
        cheapest: Option<Money>,
    },
    /// Not between 1 and 100.
    #[error("the quantity {found} is not between 1 and {max}")]
    Quantity {
        /// What was asked for.
        found: u32,
        /// The largest.
        max: u32,
    },
    /// A price limit that makes no sense.
    #[error("the price limits make no sense: {0}")]
    PriceLimit(&'static str),
    /// The idempotency key is malformed.
    #[error("the idempotency key must be 1 to 128 letters, digits, - or _")]
    KeyMalformed,
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The first request with this key, or this purchase, is not settled yet.
    #[error("the request is still in progress")]
    InProgress,
    /// Not enough money.
    #[error("{needed} are needed, {available} are available")]
    InsufficientBalance {
        /// Price of everything that was asked for.
        needed: Money,
        /// What can be spent.
        available: Money,
    },
    /// Too many orders open at once, or cancels today.
    #[error("the limit of {max} {what} is reached")]
    Cap {
        /// What is capped: `open orders` or `cancels a day`.
        what: &'static str,
        /// The cap.
        max: i64,
        /// When it may be tried again, in seconds.
        retry_after_seconds: i64,
    },
    /// Every supplier that was asked refused; a stable word such as `no_numbers`.
    #[error("the supplier refused: {cause}")]
    Supplier {
        /// Why.
        cause: &'static str,
    },
    /// The minimum time before a cancel is not over.
    #[error("the order can be cancelled from {at} on")]
    CancelTooEarly {
        /// From when.
        at: Timestamp,
        /// In whole seconds.
        wait_seconds: i64,
    },
    /// The pause between two requests for an SMS is not over.
    #[error("another SMS can be asked for from {at} on")]
    ResendTooEarly {
        /// From when.
        at: Timestamp,
    },
    /// The state of the order forbids it.
    #[error("not possible: the order is {status:?}: {reason}")]
    Conflict {
        /// The present status.
        status: Status,
        /// Why, in a sentence.
        reason: &'static str,
    },
    /// The account may not order.
    #[error("the account is not active")]
    AccountInactive,
    /// The account's books do not add up. Nothing is lost; somebody looks at it.
    #[error("new orders of the account are stopped while its books are checked")]
    AccountFrozen,
    /// The platform takes no new orders any more. Open ones go on to their end.
    #[error("the platform is being wound down and takes no new orders")]
    WindDown,
    /// The store, keyring or another part this needs is away. Nothing happened; or, after an unknown commit, the same
    /// key finds out.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
}

impl OrderError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::UnknownCountry(_) => "unknown_country",
            Self::UnknownService(_) => "unknown_service",
            Self::UnknownProduct(_) => "unknown_product",
            Self::BlockedService(_) => "blocked_service",
            Self::NoOffer { .. } => "no_offer",
            Self::Quantity { .. } => "quantity",
            Self::PriceLimit(_) => "price_limit",
            Self::KeyMalformed => "key_malformed",
            Self::KeyReused => "key_reused",
            Self::InProgress => "in_progress",
            Self::InsufficientBalance { .. } => "insufficient_balance",
            Self::Cap { .. } => "cap",
            Self::Supplier { .. } => "supplier",
            Self::CancelTooEarly { .. } => "cancel_too_early",
            Self::ResendTooEarly { .. } => "resend_too_early",
            Self::Conflict { .. } => "conflict",
            Self::AccountInactive => "account_inactive",
            Self::AccountFrozen => "account_frozen",
            Self::WindDown => "wind_down",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<StoreError> for OrderError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
