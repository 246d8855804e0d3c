//! Webhook configuration. Webhooks are not delivered yet, so none can be set; what a client asks is judged all the same.

use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::input::Members;
use crate::answer::{Code, Failure, Success};
use crate::auth::Caller;

const URL_MAX: usize = 2_048;
const SECRET_MAX: usize = 256;
/// Seconds after which to ask again: not before another version is installed.
const NOT_SOON: i64 = 86_400;

/// `GET /webhook`: nothing is configured.
pub(super) async fn read(_: Caller) -> Response {
    nothing()
}

fn nothing() -> Response {
    Success::plain(json!({
        "webhook_url": null,
        "webhook_secret": null,
        "webhook_disabled_at": null,
        "webhook_disabled_reason": null,
        "webhook_consecutive_failures": 0,
    }))
    .into_response()
}

/// `PATCH /webhook`: clearing what is empty works, setting is refused.
pub(super) async fn change(_: Caller, mut body: Members) -> Result<Response, Failure> {
    let url = body.text("webhook_url", URL_MAX)?;
    let secret = body.text("webhook_secret", SECRET_MAX)?;
    body.end()?;
    if url.is_none() && secret.is_none() {
        return Err(Failure::input("webhook_url", "webhook_url or webhook_secret is needed"));
    }
    if url.as_deref().is_some_and(|url| !url.is_empty() && !url.starts_with("https://")) {
        return Err(Failure::input("webhook_url", "webhook_url must begin with https://"));
    }
    let sets = [url, secret].into_iter().flatten().any(|text| !text.is_empty());
    if sets {
        return Err(Failure::new(Code::Unavailable, "this server does not deliver webhooks yet").after(NOT_SOON));
    }
    Ok(nothing())
}

/// `POST /webhook/test`: there is no address to send to.
pub(super) async fn test(_: Caller) -> Failure {
    Failure::input("webhook_url", "no webhook_url is set")
}
