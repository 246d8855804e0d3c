//! Answers in the envelopes of the published API. Every surface but the SMS-Activate one answers in these.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

/// What is away is looked for again after so many seconds.
pub(crate) const AWAY_RETRY_SECONDS: i64 = 2;

/// The published API's error codes. There are no others, and clients branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// No or bad token.
    Unauthorized,
    /// Known, but not allowed.
    Forbidden,
    /// Does not exist, or belongs to somebody else.
    NotFound,
    /// Bad or missing input.
    Validation,
    /// The supplier refused or failed.
    Provider,
    /// Nothing matches product, policy and price limits.
    NoOffer,
    /// Same key, other request.
    KeyReused,
    /// Too little money.
    InsufficientBalance,
    /// The state of the resource forbids it.
    Conflict,
    /// The minimum time before a cancel is not over.
    CancelTooEarly,
    /// The first request with this key is not settled.
    InProgress,
    /// Too many requests, or a cap is reached.
    RateLimit,
    /// Try later.
    Unavailable,
    /// No USD/IDR rate.
    FxUnavailable,
    /// Unexpected.
    Internal,
}

impl Code {
    /// All codes that are sent.
    pub const ALL: [Self; 15] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Validation,
        Self::Provider,
        Self::NoOffer,
        Self::KeyReused,
        Self::InsufficientBalance,
        Self::Conflict,
        Self::CancelTooEarly,
        Self::InProgress,
        Self::RateLimit,
        Self::Unavailable,
        Self::FxUnavailable,
        Self::Internal,
    ];

    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Validation => "VALIDATION_ERROR",
            Self::Provider => "PROVIDER_ERROR",
            Self::NoOffer => "NO_OFFER_AVAILABLE",
            Self::KeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::InsufficientBalance => "INSUFFICIENT_BALANCE",
            Self::Conflict => "CONFLICT",
            Self::CancelTooEarly => "CANCEL_TOO_EARLY",
            Self::InProgress => "REQUEST_IN_PROGRESS",
            Self::RateLimit => "RATE_LIMIT_EXCEEDED",
            Self::Unavailable => "SERVICE_UNAVAILABLE",
            Self::FxUnavailable => "FX_RATE_UNAVAILABLE",
            Self::Internal => "INTERNAL_ERROR",
        }
    }

    /// The HTTP status that belongs to it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Validation | Self::Provider | Self::NoOffer | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::InsufficientBalance | Self::Conflict | Self::CancelTooEarly | Self::InProgress => {
                StatusCode::CONFLICT
            }
            Self::RateLimit => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable | Self::FxUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Seconds after which to try again if nothing better is known: every 429 and 503 says one.
    const fn retry_after(self) -> Option<i64> {
        match self {
            Self::RateLimit => Some(60),
            Self::Unavailable => Some(AWAY_RETRY_SECONDS),
            Self::FxUnavailable => Some(30),
            _ => None,
        }
    }
}

/// A refusal, as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What clients branch on.
    pub code: Code,
    /// Text for people.
    pub message: String,
    /// Data to act on; left out when empty.
    pub details: Map<String, Value>,
    /// Seconds after which to try again.
    pub retry_after: Option<i64>,
}

impl Failure {
    /// A refusal with a text for people.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Map::new(), retry_after: code.retry_after() }
    }

    /// Adds something to act on.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds.max(0));
        self
    }

    /// Bad input, with the member or parameter that is bad.
    pub fn input(field: &str, message: impl Into<String>) -> Self {
        Self::new(Code::Validation, message).with("field", field)
    }
}

#[derive(Serialize)]
struct Refused<'a> {
    success: bool,
    error: Told<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    details: &'a Map<String, Value>,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = Json(Refused {
            success: false,
            error: Told { code: self.code.word(), message: &self.message, details: &self.details },
        });
        let mut response = (self.code.status(), body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthorized {
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A success. The envelope is open: what has no place inside `data` goes beside it.
#[derive(Debug, Serialize)]
pub struct Success<D, M> {
    success: bool,
    data: D,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<M>,
}

impl<D: Serialize> Success<D, ()> {
    /// An answer without `meta`.
    pub const fn plain(data: D) -> Self {
        Self { success: true, data, meta: None }
    }
}

impl<D: Serialize, M: Serialize> Success<D, M> {
    /// An answer with `meta` where there is any.
    pub const fn with_meta(data: D, meta: Option<M>) -> Self {
        Self { success: true, data, meta }
    }
}

impl<D: Serialize, M: Serialize> IntoResponse for Success<D, M> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
