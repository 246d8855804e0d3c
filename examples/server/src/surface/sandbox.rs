//! `/sandbox`: for testers, only in sandbox mode.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::json;
use smscode_providers::sandbox::Injection;

use super::v1v2::input::Members;
use crate::answer::{Code, Failure, Success};
use crate::app::App;
use crate::sandbox::{SECONDS_MAX, Sandbox};

/// Longest phone number with its plus and blanks.
const PHONE_MAX: usize = 40;
/// Longest text: ten SMS joined, in the widest script.
const TEXT_MAX: usize = 6_000;

/// `POST /sandbox/sms` and `POST /sandbox/advance`.
pub fn router() -> Router<Arc<App>> {
    Router::new().route("/sandbox/sms", post(sms)).route("/sandbox/advance", post(advance))
}

/// Lets an SMS arrive at the number of an open order. No token: it is the outside world that sends SMS.
async fn sms(State(app): State<Arc<App>>, mut body: Members) -> Result<Response, Failure> {
    let phone = body.text("phone", PHONE_MAX)?.ok_or_else(|| Failure::input("phone", "phone is needed"))?;
    let text = body.text("text", TEXT_MAX)?.ok_or_else(|| Failure::input("text", "text is needed"))?;
    body.end()?;
    match of(&app)?.inject(&phone, &text) {
        Injection::Delivered => {
            let told = json!({"delivered": true, "note": "the order shows it within a second or two"});
            Ok((StatusCode::ACCEPTED, Success::plain(told)).into_response())
        }
        Injection::NoOpenNumber => Err(Failure::new(Code::NotFound, "no open order has this number")),
        Injection::TooMany => Err(Failure::new(Code::Conflict, "the order has as many SMS as it can have")),
    }
}

/// Lets time pass. No token: it is nobody's.
async fn advance(State(app): State<Arc<App>>, mut body: Members) -> Result<Response, Failure> {
    let seconds = body.integer("seconds", 1, SECONDS_MAX)?;
    let seconds = seconds.ok_or_else(|| Failure::input("seconds", "seconds is needed"))?;
    body.end()?;
    match of(&app)?.advance(seconds, &app.platform).await {
        Ok(done) => {
            let told = json!({"advanced_seconds": done.seconds, "now": done.now.rfc3339()});
            Ok(Success::plain(told).into_response())
        }
        Err(error) => {
            tracing::warn!(code = error.code(), %error, "time cannot be moved");
            Err(Failure::new(Code::Unavailable, "temporarily unavailable"))
        }
    }
}

fn of(app: &App) -> Result<&Sandbox, Failure> {
    app.sandbox.as_ref().ok_or_else(|| Failure::new(Code::NotFound, "this is not a sandbox"))
}
