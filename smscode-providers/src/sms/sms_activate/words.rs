//! The words of the protocol and what they mean. Closed: a word that is not here means nothing.

use crate::refusal::Refusal;

/// What a word of a reply means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A refusal.
    Refused(Refusal),
    /// Nothing is open.
    EmptyList,
    /// A number was bought.
    Number,
    /// A balance follows.
    Balance,
    /// The step "ready" was taken; to a cancel a polite refusal.
    Ready,
    /// Another SMS is awaited.
    RetryAccepted,
    /// Finished.
    Finished,
    /// Cancelled now.
    Cancelled,
    /// No SMS yet, or none but the one whose code follows.
    Waiting,
    /// An SMS is there; its code follows.
    Received,
    /// Over: cancelled, expired or completed.
    Ended,
}

/// A word for a refusal.
const fn no(word: &'static str, refusal: Refusal) -> (&'static str, Meaning) {
    (word, Meaning::Refused(refusal))
}

/// The words that all dialects share. A dialect's own list is looked at first.
const COMMON: &[(&str, Meaning)] = &[
    no("BAD_KEY", Refusal::Credentials),
    no("NO_KEY", Refusal::Credentials),
    no("WRONG_API_KEY", Refusal::Credentials),
    no("BAD_API_KEY", Refusal::Credentials),
    no("ACCOUNT_INACTIVE", Refusal::Credentials),
    no("BANNED", Refusal::Credentials),
    no("NO_BALANCE", Refusal::NoFunds),
    no("NO_MONEY", Refusal::NoFunds),
    no("NO_BALANCE_FORWARD", Refusal::NoFunds),
    no("NO_NUMBERS", Refusal::NoNumbers),
    no("NOT_AVAILABLE", Refusal::NoNumbers),
    no("OUT_OF_STOCK", Refusal::NoNumbers),
    no("SIM_OFFLINE", Refusal::NoNumbers),
    no("NO_CONNECTION", Refusal::NoNumbers),
    no("WRONG_MAX_PRICE", Refusal::PriceAboveCeiling),
    no("MAX_PRICE_EXCEEDED", Refusal::PriceAboveCeiling),
    no("CHANNELS_LIMIT", Refusal::Throttled),
    no("TOO_MANY_ACTIVE_RENTALS", Refusal::Throttled),
    no("RATE_LIMIT", Refusal::Throttled),
    no("RATE_LIMITED", Refusal::Throttled),
    no("1020", Refusal::Throttled),
    no("BAD_SERVICE", Refusal::NotSold),
    no("WRONG_SERVICE", Refusal::NotSold),
    no("BAD_COUNTRY", Refusal::NotSold),
    no("WRONG_COUNTRY", Refusal::NotSold),
    no("SERVICE_NOT_AVAILABLE", Refusal::NotSold),
    no("SERVICE_UNAVAILABLE_REGION", Refusal::NotSold),
    no("WHATSAPP_NOT_AVAILABLE", Refusal::NotSold),
    no("NO_YULA_MAIL", Refusal::NotSold),
    no("service is incorrect", Refusal::NotSold),
    no("country is incorrect", Refusal::NotSold),
    no("WRONG_EXCEPTION_PHONE", Refusal::BadRequest),
    no("UNPROCESSABLE_ENTITY", Refusal::BadRequest),
    no("BAD_ID", Refusal::BadRequest),
    no("WRONG_ACTION", Refusal::BadRequest),
    no("NO_ACTION", Refusal::BadRequest),
    no("BAD_ACTION", Refusal::NoSuchCall),
    no("NO_ACTIVATION", Refusal::NotFound),
    no("WRONG_ACTIVATION_ID", Refusal::NotFound),
    no("INVALID_ACTIVATION_ID", Refusal::NotFound),
    no("NOT_FOUND", Refusal::NotFound),
    no("BAD_STATUS", Refusal::NotOpen),
    no("ACTIVATION_NOT_ACTIVE", Refusal::NotOpen),
    no("EARLY_CANCEL_DENIED", Refusal::TooEarly),
    no("OTP_RECEIVED", Refusal::SmsArrived),
    no("NEW_OTP_RECEIVED", Refusal::SmsArrived),
    no("FREE_CANCELLATION_EXPIRED", Refusal::TooLate),
    no("CANT_CANCEL", Refusal::TooLate),
    no("ORDER_ALREADY_EXISTS", Refusal::ReferenceUsed),
    ("NO_ACTIVATIONS", Meaning::EmptyList),
    no("ERROR_SQL", Refusal::Broken),
    no("SQL_ERROR", Refusal::Broken),
    no("SERVER_ERROR", Refusal::Broken),
    no("SERVER ERROR", Refusal::Broken),
    ("ACCESS_NUMBER", Meaning::Number),
    ("ACCESS_BALANCE", Meaning::Balance),
    ("ACCESS_READY", Meaning::Ready),
    ("ACCESS_RETRY_GET", Meaning::RetryAccepted),
    ("ACCESS_ACTIVATION", Meaning::Finished),
    ("ACCESS_CANCEL", Meaning::Cancelled),
    ("STATUS_WAIT_CODE", Meaning::Waiting),
    ("STATUS_WAIT_RETRY", Meaning::Waiting),
    ("STATUS_WAIT_RESEND", Meaning::Waiting),
    ("STATUS_WAIT_READY", Meaning::Waiting),
    ("STATUS_WAIT_SCREEN", Meaning::Waiting),
    ("STATUS_ACCESS", Meaning::Waiting),
    ("STATUS_ACCESS_SCREEN", Meaning::Waiting),
    ("STATUS_OK", Meaning::Received),
    ("STATUS_CANCEL", Meaning::Ended),
];

/// What the word means, with its spelling in our own table, so that nothing of a reply gets into an error.
pub(super) fn look_up(own: &'static [(&'static str, Meaning)], word: &str) -> Option<(&'static str, Meaning)> {
    own.iter().chain(COMMON).find(|(known, _)| *known == word).copied()
}
