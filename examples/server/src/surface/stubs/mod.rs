//! `/stubs/handler_api.php`: the protocol that the market's existing bots and shops speak.
//!
//! Everything is one address. Query and form are one set of parameters; the key is the API token in `api_key` and
//! nothing else, since this surface buys by `GET`. Every business answer has HTTP 200. Money is in the ledger's currency.

mod active;
mod buy;
mod input;
mod lists;
mod money;
mod refuse;
mod reply;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use smscode_core::account::AccountId;
use smscode_core::order::{OrderError, OrderId};

use crate::answer::Code;
use crate::app::App;
use crate::auth;
use crate::limit::real_now;
use buy::Form;
use input::Parameters;
use refuse::Step;
use reply::{Reply, word};

/// The one address.
pub(crate) const PATH: &str = "/stubs/handler_api.php";

/// `GET` and `POST` of the one address.
pub fn router() -> Router<Arc<App>> {
    Router::new().route(PATH, get(serve).post(serve))
}

/// This protocol's way to say that something is broken.
pub(crate) fn broken() -> Response {
    Reply::Broken.into_response()
}

async fn serve(State(app): State<Arc<App>>, request: Request) -> Response {
    // axum lends GET's handler to HEAD, and a HEAD must not buy
    if *request.method() == Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let (parts, body) = request.into_parts();
    let Some(form) = form(&parts.headers, body).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, Reply::word(word::BAD_ACTION)).into_response();
    };
    let sent = Parameters::read(parts.uri.query().unwrap_or_default().as_bytes(), &form);
    let Some(key) = sent.text(&["api_key"]) else {
        return Reply::word(word::NO_KEY).into_response();
    };
    match auth::authenticate(&app, auth::address(&parts), key).await {
        Ok(account) => act(&app, account, &sent).await.into_response(),
        Err(failure) => match failure.code {
            Code::Unauthorized => Reply::word(word::BAD_KEY).into_response(),
            Code::RateLimit => Reply::word(word::RATE_LIMIT).into_response(),
            _ => Reply::Broken.into_response(),
        },
    }
}

/// The form in a body, whatever its type is called; JSON and files are none. `None` if it is too large or broken off.
async fn form(headers: &HeaderMap, body: Body) -> Option<Vec<u8>> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let bytes = axum::body::to_bytes(body, input::BODY_MAX).await.ok()?;
    let other = kind.contains("json") || kind.contains("multipart");
    Some(if other { Vec::new() } else { bytes.to_vec() })
}

async fn act(app: &App, account: AccountId, sent: &Parameters) -> Reply {
    let action = sent.text(&["action"]).unwrap_or_default();
    let now = real_now();
    // reading one activation is free once a second: programs do it in a loop for twenty minutes
    let permit = match (action, id(sent)) {
        ("getStatus" | "getStatusV2" | "getFullSms", Ok(order)) => app.limits.poll(account, order, now),
        _ => app.limits.request(account, now),
    };
    if permit.is_err() {
        return Reply::word(word::RATE_LIMIT);
    }
    let platform = &app.platform;
    match action {
        "getBalance" | "getBalanceAndCashBack" => balance(app, account).await,
        "getNumber" => buy::number(platform, account, sent, Form::Words).await,
        "getNumberV2" => buy::number(platform, account, sent, Form::Json).await,
        "setStatus" => set_status(app, account, sent).await,
        "getStatus" | "getStatusV2" | "getFullSms" => read(app, account, sent, action).await,
        "getActiveActivations" => active::active(platform, account, sent).await,
        "getHistory" => active::history(platform, account, sent).await,
        "getPrices" => lists::prices(platform, sent),
        "getNumbersStatus" => lists::stock(platform, sent),
        "getTopCountriesByService" | "getTopCountriesByServiceRank" => lists::top_countries(platform, sent),
        "getCountries" => lists::countries(platform),
        "getServicesList" => lists::services(platform, sent),
        "getOperators" => lists::operators(),
        _ => Reply::word(word::BAD_ACTION),
    }
}

async fn balance(app: &App, account: AccountId) -> Reply {
    match app.platform.balance(account).await {
        Ok(balance) => Reply::detail("ACCESS_BALANCE", balance.available.decimal()),
        Err(error) => {
            tracing::warn!(code = error.code(), "a balance could not be read");
            Reply::Broken
        }
    }
}

/// The activation that is meant: digits. More digits than an order number has are the number of no order.
fn id(sent: &Parameters) -> Result<OrderId, Reply> {
    let text = sent.text(&["id", "activationId"]).unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Reply::word(word::WRONG_ACTIVATION_ID));
    }
    text.parse().map(OrderId).map_err(|_| Reply::word(word::NO_ACTIVATION))
}

async fn read(app: &App, account: AccountId, sent: &Parameters, action: &str) -> Reply {
    let order = match id(sent) {
        Ok(order) => order,
        Err(reply) => return reply,
    };
    let order = match app.platform.order(account, order).await {
        Ok(order) => order,
        Err(error) => return refuse::other(&error),
    };
    match action {
        "getStatus" => status::status(&order),
        "getFullSms" => status::full_sms(&order),
        _ => status::status_v2(&order, status::newest_sms_at(&app.platform, account, &order).await),
    }
}

async fn set_status(app: &App, account: AccountId, sent: &Parameters) -> Reply {
    let order = match id(sent) {
        Ok(order) => order,
        Err(reply) => return reply,
    };
    let platform = &app.platform;
    match sent.text(&["status"]).unwrap_or_default() {
        "1" => ready(app, account, order).await,
        "3" => more(app, account, order).await,
        "6" => match platform.finish_order(account, order).await {
            Ok(_) => Reply::word(word::ACCESS_ACTIVATION),
            Err(error) => refuse::step(Step::Finish, &error),
        },
        "8" | "-1" => match platform.cancel_order(account, order).await {
            Ok(_) => Reply::word(word::ACCESS_CANCEL),
            Err(error) => refuse::step(Step::Cancel, &error),
        },
        _ => Reply::word(word::BAD_STATUS),
    }
}

/// "I have requested the SMS": a marker without effect while the activation is open. The SMS may be faster than it.
async fn ready(app: &App, account: AccountId, order: OrderId) -> Reply {
    match app.platform.order(account, order).await {
        Ok(order) if order.status.is_terminal() => Reply::word(word::BAD_STATUS),
        Ok(_) => Reply::word(word::ACCESS_READY),
        Err(error) => refuse::other(&error),
    }
}

/// Another SMS. One that is asked for already and has not come is asked for again at no harm.
async fn more(app: &App, account: AccountId, order: OrderId) -> Reply {
    match app.platform.request_sms(account, order).await {
        Ok((_, true)) => Reply::word(word::ACCESS_RETRY_GET),
        Ok((order, false)) if order.awaiting_more => Reply::word(word::ACCESS_RETRY_GET),
        Ok((_, false)) => Reply::word(word::SERVER_ERROR),
        Err(error @ OrderError::ResendTooEarly { .. }) => match app.platform.order(account, order).await {
            Ok(order) if order.awaiting_more => Reply::word(word::ACCESS_RETRY_GET),
            _ => refuse::step(Step::More, &error),
        },
        Err(error) => refuse::step(Step::More, &error),
    }
}
