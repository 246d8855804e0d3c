//! Replies: bare words as `text/plain`, JSON as `application/json`, HTTP 200 unless something is broken.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::answer::AWAY_RETRY_SECONDS;

/// The words that are sent alone or before a colon.
pub(super) mod word {
    pub(crate) const NO_KEY: &str = "NO_KEY";
    pub(crate) const BAD_KEY: &str = "BAD_KEY";
    pub(crate) const BAD_ACTION: &str = "BAD_ACTION";
    pub(crate) const BAD_SERVICE: &str = "BAD_SERVICE";
    pub(crate) const BAD_STATUS: &str = "BAD_STATUS";
    pub(crate) const BAD_ID: &str = "BAD_ID";
    pub(crate) const WRONG_COUNTRY: &str = "WRONG_COUNTRY";
    pub(crate) const WRONG_MAX_PRICE: &str = "WRONG_MAX_PRICE";
    pub(crate) const WRONG_ACTIVATION_ID: &str = "WRONG_ACTIVATION_ID";
    pub(crate) const NO_ACTIVATION: &str = "NO_ACTIVATION";
    pub(crate) const NO_NUMBERS: &str = "NO_NUMBERS";
    pub(crate) const NO_BALANCE: &str = "NO_BALANCE";
    pub(crate) const ORDER_ALREADY_EXISTS: &str = "ORDER_ALREADY_EXISTS";
    pub(crate) const CHANNELS_LIMIT: &str = "CHANNELS_LIMIT";
    pub(crate) const RATE_LIMIT: &str = "RATE_LIMIT";
    pub(crate) const ACCOUNT_INACTIVE: &str = "ACCOUNT_INACTIVE";
    pub(crate) const EARLY_CANCEL_DENIED: &str = "EARLY_CANCEL_DENIED";
    pub(crate) const SERVER_ERROR: &str = "SERVER_ERROR";
    pub(crate) const ACCESS_READY: &str = "ACCESS_READY";
    pub(crate) const ACCESS_RETRY_GET: &str = "ACCESS_RETRY_GET";
    pub(crate) const ACCESS_ACTIVATION: &str = "ACCESS_ACTIVATION";
    pub(crate) const ACCESS_CANCEL: &str = "ACCESS_CANCEL";
    pub(crate) const STATUS_WAIT_CODE: &str = "STATUS_WAIT_CODE";
    pub(crate) const STATUS_WAIT_RETRY: &str = "STATUS_WAIT_RETRY";
    pub(crate) const STATUS_CANCEL: &str = "STATUS_CANCEL";
    /// What the original says in place of a code where it found none; programs that know it fetch the text.
    pub(crate) const NO_CODE: &str = "Нет кода";
}

/// A reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// A word, with or without detail.
    Word(Cow<'static, str>),
    /// A JSON document.
    Json(String),
    /// Something that we need is away: `SERVER_ERROR` with HTTP 503 and the time after which to try again. It says nothing
    /// of what has happened.
    Broken,
}

impl Reply {
    /// A bare word.
    pub(super) const fn word(word: &'static str) -> Self {
        Self::Word(Cow::Borrowed(word))
    }

    /// A word with what follows its colon.
    pub(super) fn detail(word: &str, detail: impl std::fmt::Display) -> Self {
        Self::Word(Cow::Owned(format!("{word}:{detail}")))
    }

    /// A document.
    pub(super) fn json(document: &impl Serialize) -> Self {
        serde_json::to_string(document).map_or(Self::Broken, Self::Json)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let (status, kind, body) = match self {
            Self::Word(text) => (StatusCode::OK, "text/plain; charset=utf-8", text.into_owned()),
            Self::Json(text) => (StatusCode::OK, "application/json", text),
            Self::Broken => {
                let body = word::SERVER_ERROR.to_owned();
                (StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", body)
            }
        };
        let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
        let mut response = (status, headers, body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(AWAY_RETRY_SECONDS));
        }
        response
    }
}
