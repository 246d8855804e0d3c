//! Reading what clients send: bodies, queries, headers. Everything bad is `VALIDATION_ERROR` and names what is bad.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use smscode_core::order::OrderId;

use crate::answer::{Code, Failure};
use crate::app::App;
use crate::nearest::nearest;

/// The header with the caller's key.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest name of a client's that is repeated to it.
const ECHO_MAX: usize = 60;

/// A JSON object from a request's body. Closed: [`Members::end`] refuses what nobody took.
#[derive(Debug)]
pub struct Members {
    found: Map<String, Value>,
    known: Vec<&'static str>,
}

impl FromRequest<Arc<App>> for Members {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let body = Bytes::from_request(request, app).await.map_err(refuse_body)?;
        Self::parse(&body).map_err(IntoResponse::into_response)
    }
}

/// Too large is a bare 413: clients know it by its status, and the contract has no code for it.
fn refuse_body(rejection: BytesRejection) -> Response {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MB\n").into_response();
    }
    Failure::new(Code::Validation, "the body could not be read").into_response()
}

impl Members {
    /// Of a body. Where it cannot be read the place is told, never the content.
    pub fn parse(body: &[u8]) -> Result<Self, Failure> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(found)) => Ok(Self { found, known: Vec::new() }),
            Ok(_) => Err(Failure::new(Code::Validation, "the body must be a JSON object")),
            Err(_) if body.trim_ascii().is_empty() => {
                Err(Failure::new(Code::Validation, "a body is needed: a JSON object"))
            }
            Err(error) => {
                let place = format!("line {}, column {}", error.line(), error.column());
                Err(Failure::new(Code::Validation, format!("the body is not JSON: {place}")))
            }
        }
    }

    /// Takes a member; `null` is as good as absent.
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.found.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a whole number within bounds.
    pub fn integer(&mut self, name: &'static str, min: i64, max: i64) -> Result<Option<i64>, Failure> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match value.as_i64() {
            Some(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(Failure::input(name, format!("{name} must be a whole number from {min} to {max}"))),
        }
    }

    /// Takes a text of at most so many bytes.
    pub fn text(&mut self, name: &'static str, max: usize) -> Result<Option<String>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= max => Ok(Some(text)),
            Some(_) => Err(Failure::input(name, format!("{name} must be a text of at most {max} bytes"))),
        }
    }

    /// Takes a yes or no.
    pub fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Failure::input(name, format!("{name} must be true or false"))),
        }
    }

    /// Refuses what nobody took: ignoring a misspelled `max_price` costs money.
    pub fn end(self) -> Result<(), Failure> {
        let Some(name) = self.found.keys().next() else {
            return Ok(());
        };
        let echo: String = name.chars().filter(|c| !c.is_control()).take(ECHO_MAX).collect();
        let hint = match nearest(name, self.known.iter().copied()) {
            Some(right) => format!("there is no member {echo}; did you mean {right}?"),
            None => format!("there is no member {echo} here"),
        };
        Err(Failure::input(&echo, hint))
    }
}

/// The query of a request. Names that mean nothing are ignored, the last of several of one name counts.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

impl FromRequestParts<Arc<App>> for Parameters {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        match Query::<Vec<(String, String)>>::from_request_parts(parts, app).await {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(_) => Err(Failure::new(Code::Validation, "the query cannot be read")),
        }
    }
}

impl Parameters {
    /// A parameter's text; an empty one is as good as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A whole number within bounds.
    pub fn integer(&self, name: &str, min: i64, max: i64) -> Result<Option<i64>, Failure> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(Failure::input(name, format!("{name} must be a whole number from {min} to {max}"))),
        }
    }

    /// An id, which is an int32 in the contract.
    pub fn id(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.integer(name, i64::from(i32::MIN), i64::from(i32::MAX))
    }
}

/// The order number in a path: what is none is the number of no order.
pub fn order_id(text: &str) -> Result<OrderId, Failure> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number: Option<i32> = text.parse().ok().filter(|_| digits);
    number.and_then(|number| u32::try_from(number).ok()).map(OrderId).ok_or_else(no_order)
}

/// An order that does not exist, or is somebody else's: not to be told apart.
pub fn no_order() -> Failure {
    Failure::new(Code::NotFound, "there is no such order")
}

/// The caller's idempotency key: 1 to 128 of letters, digits, `-` and `_`.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let mut sent = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = sent.next() else {
        return Ok(None);
    };
    let fine = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let bytes = first.as_bytes();
    let well_formed = (1..=128).contains(&bytes.len()) && bytes.iter().all(fine) && sent.next().is_none();
    match first.to_str() {
        Ok(key) if well_formed => Ok(Some(key.to_owned())),
        _ => Err(Failure::input(
            IDEMPOTENCY_KEY,
            "the idempotency key must be 1 to 128 letters, digits, - or _, and there may be only one",
        )),
    }
}
