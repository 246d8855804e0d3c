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

/// Longest phone number with its plus and blanks.
const PHONE_MAX: usize = 40;
/// Longest text: ten SMS joined, in the widest script.
const TEXT_MAX: usize = 6_000;

/// `POST /sandbox/sms`.
pub fn router() -> Router<Arc<App>> {
    Router::new().route("/sandbox/sms", post(sms))
}

/// Lets an SMS arrive at the number of an open order. No token: it is the outside world that sends SMS.
async fn sms(State(app): State<Arc<App>>, mut body: Members) -> Result<Response, Failure> {
    let phone = body.text("phone", PHONE_MAX)?.ok_or_else(|| Failure::input("phone", "phone is needed"))?;
    let text = body.text("text", TEXT_MAX)?.ok_or_else(|| Failure::input("text", "text is needed"))?;
    body.end()?;
    let Some(sandbox) = &app.sandbox else {
        return Err(Failure::new(Code::NotFound, "this is not a sandbox"));
    };
    match sandbox.inject(&phone, &text) {
        Injection::Delivered => {
            let told = json!({"delivered": true, "note": "the order shows it within a second or two"});
            Ok((StatusCode::ACCEPTED, Success::plain(told)).into_response())
        }
        Injection::NoOpenNumber => Err(Failure::new(Code::NotFound, "no open order has this number")),
        Injection::TooMany => Err(Failure::new(Code::Conflict, "the order has as many SMS as it can have")),
    }
}
