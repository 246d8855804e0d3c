//! What surrounds every request: its id, its time limit, its count and its line in the log.
//!
//! Nothing of a request is logged but method, route template, status and time: no address as asked for, no query, no
//! header, no body.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use smscode_core::port::Entropy;
use smscode_providers::clock::OsEntropy;

use crate::answer::{Code, Failure};
use crate::meter::Meters;
use crate::surface::stubs;

/// The longest time from a request's head to its answer's. Placing orders answers after 20 s at the latest.
const ANSWER_LIMIT: Duration = Duration::from_secs(35);
/// Names a request in the log and for support.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs a request.
#[allow(clippy::disallowed_methods, reason = "times requests; decides nothing")]
pub(crate) async fn observe(State(meters): State<Arc<Meters>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let id = request_id();
    // a task of its own: a client that goes away does not stop what has begun
    let answer = tokio::spawn(next.run(request));
    let mut response = match tokio::time::timeout(ANSWER_LIMIT, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panicked)) => Failure::new(Code::Internal, "unexpected; it was logged").into_response(),
        Err(_late) if route == stubs::PATH => stubs::broken(),
        Err(_late) => Failure::new(Code::Unavailable, "this took too long").into_response(),
    };
    let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    meters.answered(method.as_str(), &route, status, took_us);
    log(&method, &route, status, took_us, &id);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// 16 random hexadecimal digits; what the client sent as an id is not taken over.
fn request_id() -> String {
    let mut bytes = [0; 8];
    OsEntropy.fill(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}

fn log(method: &Method, route: &str, status: u16, took_us: u64, id: &str) {
    let took_ms = took_us / 1_000;
    // what is away is logged where it is noticed, not once more for each request
    if status >= 500 && status != 503 {
        tracing::warn!(target: "access", %method, route, status, took_ms, id);
    } else {
        tracing::debug!(target: "access", %method, route, status, took_ms, id);
    }
}
