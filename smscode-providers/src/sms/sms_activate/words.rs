//! The words of the protocol and what they mean. Closed: a word that is not here means nothing.

/// What a word of a reply means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The key is wrong or missing.
    BadKey,
    /// The account is blocked, or a pair of country and service is.
    Blocked,
    /// Our account there has no money.
    NoFunds,
    /// Sold out at present.
    NoNumbers,
    /// The ceiling is below the price; the detail may name the price.
    PriceAboveCeiling,
    /// Too many requests, or too many activations at once.
    Throttled,
    /// Not sold in this country, or not at all.
    NotSold,
    /// Our request is wrong.
    BadRequest,
    /// The id is unknown.
    NoActivation,
    /// The step is not allowed in this state.
    BadStatus,
    /// Too early to cancel.
    TooEarly,
    /// Not cancelled because an SMS is there.
    SmsArrived,
    /// The time for cancelling is over.
    TooLate,
    /// The reference of a purchase was used before.
    ReferenceUsed,
    /// Nothing is open.
    EmptyList,
    /// Something broke at the supplier: after a purchase nobody knows what happened.
    Broken,
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

/// The words that all dialects share. A dialect's own list is looked at first.
const COMMON: &[(&str, Meaning)] = &[
    ("BAD_KEY", Meaning::BadKey),
    ("NO_KEY", Meaning::BadKey),
    ("WRONG_API_KEY", Meaning::BadKey),
    ("BAD_API_KEY", Meaning::BadKey),
    ("ACCOUNT_INACTIVE", Meaning::Blocked),
    ("BANNED", Meaning::Blocked),
    ("NO_BALANCE", Meaning::NoFunds),
    ("NO_MONEY", Meaning::NoFunds),
    ("NO_BALANCE_FORWARD", Meaning::NoFunds),
    ("NO_NUMBERS", Meaning::NoNumbers),
    ("NOT_AVAILABLE", Meaning::NoNumbers),
    ("OUT_OF_STOCK", Meaning::NoNumbers),
    ("SIM_OFFLINE", Meaning::NoNumbers),
    ("NO_CONNECTION", Meaning::NoNumbers),
    ("WRONG_MAX_PRICE", Meaning::PriceAboveCeiling),
    ("MAX_PRICE_EXCEEDED", Meaning::PriceAboveCeiling),
    ("CHANNELS_LIMIT", Meaning::Throttled),
    ("TOO_MANY_ACTIVE_RENTALS", Meaning::Throttled),
    ("RATE_LIMIT", Meaning::Throttled),
    ("RATE_LIMITED", Meaning::Throttled),
    ("1020", Meaning::Throttled),
    ("BAD_SERVICE", Meaning::NotSold),
    ("WRONG_SERVICE", Meaning::NotSold),
    ("BAD_COUNTRY", Meaning::NotSold),
    ("WRONG_COUNTRY", Meaning::NotSold),
    ("SERVICE_NOT_AVAILABLE", Meaning::NotSold),
    ("SERVICE_UNAVAILABLE_REGION", Meaning::NotSold),
    ("WHATSAPP_NOT_AVAILABLE", Meaning::NotSold),
    ("NO_YULA_MAIL", Meaning::NotSold),
    ("service is incorrect", Meaning::NotSold),
    ("country is incorrect", Meaning::NotSold),
    ("WRONG_EXCEPTION_PHONE", Meaning::BadRequest),
    ("UNPROCESSABLE_ENTITY", Meaning::BadRequest),
    ("BAD_ID", Meaning::BadRequest),
    ("WRONG_ACTION", Meaning::BadRequest),
    ("NO_ACTION", Meaning::BadRequest),
    ("BAD_ACTION", Meaning::BadRequest),
    ("NO_ACTIVATION", Meaning::NoActivation),
    ("WRONG_ACTIVATION_ID", Meaning::NoActivation),
    ("INVALID_ACTIVATION_ID", Meaning::NoActivation),
    ("NOT_FOUND", Meaning::NoActivation),
    ("BAD_STATUS", Meaning::BadStatus),
    ("ACTIVATION_NOT_ACTIVE", Meaning::BadStatus),
    ("EARLY_CANCEL_DENIED", Meaning::TooEarly),
    ("OTP_RECEIVED", Meaning::SmsArrived),
    ("NEW_OTP_RECEIVED", Meaning::SmsArrived),
    ("FREE_CANCELLATION_EXPIRED", Meaning::TooLate),
    ("CANT_CANCEL", Meaning::TooLate),
    ("ORDER_ALREADY_EXISTS", Meaning::ReferenceUsed),
    ("NO_ACTIVATIONS", Meaning::EmptyList),
    ("ERROR_SQL", Meaning::Broken),
    ("SQL_ERROR", Meaning::Broken),
    ("SERVER_ERROR", Meaning::Broken),
    ("SERVER ERROR", Meaning::Broken),
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
