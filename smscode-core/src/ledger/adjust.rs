//! Adjustments: money that an operator books by hand. The rules alone.

use crate::account::AccountId;
use crate::money::{Currency, Money};
use crate::store::{BodyError, StoreError, limits::AMOUNT_MAX};

/// Longest name of an actor.
pub const ACTOR_MAX: usize = 64;
/// Longest reason: the text of a transfer, with room for what a store adds.
pub const REASON_MAX: usize = 200;
/// Longest reference.
pub const REFERENCE_MAX: usize = 100;

/// An adjustment that an operator wants. The reason stands on the customer's statement and stays in the books for good:
/// nothing personal belongs into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjust {
    /// Whose account.
    pub account: AccountId,
    /// How much is added to what can be spent; taken from it if below zero.
    pub amount: Money,
    /// Why, 1 to 200 bytes.
    pub reason: String,
    /// Who wants it: 1 to 64 letters, digits and `.`, `-`, `_`, `@`.
    pub actor: String,
    /// Who has agreed, somebody else. Needed above a limit of the settings.
    pub second: Option<String>,
    /// The operator's name for it, 1 to 100 bytes: the same again is the same adjustment.
    pub reference: String,
}

/// Why an adjustment was not booked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdjustError {
    /// No such account, or a deleted one.
    #[error("there is no such account")]
    NotFound,
    /// An amount of zero, too large, or in another currency than the ledger's.
    #[error("the amount makes no sense here: {0}")]
    Amount(&'static str),
    /// A text that is missing, too long or not plain.
    #[error("the {0} must have 1 to {1} bytes without control characters")]
    Text(&'static str, usize),
    /// An actor that is missing, too long or not plain.
    #[error("an actor must have 1 to 64 letters, digits, ., -, _ or @")]
    Actor,
    /// The second actor is missing above the limit, or is the first.
    #[error("above {limit} a second actor must agree, who is not the first")]
    SecondActor {
        /// Up to which amount one actor is enough.
        limit: Money,
    },
    /// Less is available than is to be taken.
    #[error("{wanted} cannot be taken, {available} are available")]
    Floor {
        /// What was to be taken.
        wanted: Money,
        /// What can be spent.
        available: Money,
    },
    /// The reference was used for another adjustment.
    #[error("the reference was used for another adjustment")]
    ReferenceUsed,
    /// The store is away.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
}

impl AdjustError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Amount(_) => "amount",
            Self::Text(..) => "text",
            Self::Actor => "actor",
            Self::SecondActor { .. } => "second_actor",
            Self::Floor { .. } => "floor",
            Self::ReferenceUsed => "reference_used",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<StoreError> for AdjustError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<BodyError> for AdjustError {
    fn from(error: BodyError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Whether somebody can be named as an actor.
pub(crate) fn is_actor(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'@');
    (1..=ACTOR_MAX).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether a text can stand in the books.
pub(crate) fn is_text(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// Whether an adjustment makes sense, before anything is read. `alone_max` is what one actor may book alone.
pub(crate) fn check(wanted: &Adjust, currency: Currency, alone_max: i64) -> Result<(), AdjustError> {
    if wanted.amount.currency != currency {
        return Err(AdjustError::Amount("another currency than the ledger's"));
    }
    let size = wanted.amount.minor.checked_abs().filter(|size| (1..=AMOUNT_MAX).contains(size));
    let Some(size) = size else {
        return Err(AdjustError::Amount("zero, or too large"));
    };
    if !is_text(&wanted.reason, REASON_MAX) {
        return Err(AdjustError::Text("reason", REASON_MAX));
    }
    if !is_text(&wanted.reference, REFERENCE_MAX) {
        return Err(AdjustError::Text("reference", REFERENCE_MAX));
    }
    if !is_actor(&wanted.actor) || wanted.second.as_ref().is_some_and(|second| !is_actor(second)) {
        return Err(AdjustError::Actor);
    }
    // a name in other letters is the same person
    let agreed = match &wanted.second {
        Some(second) => !second.eq_ignore_ascii_case(&wanted.actor),
        None => size <= alone_max,
    };
    if agreed { Ok(()) } else { Err(AdjustError::SecondActor { limit: Money::new(alone_max, currency) }) }
}

/// Who stands in the books for it.
pub(crate) fn actors(wanted: &Adjust) -> String {
    match &wanted.second {
        Some(second) => format!("operator:{}+operator:{second}", wanted.actor),
        None => format!("operator:{}", wanted.actor),
    }
}
