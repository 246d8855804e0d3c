//! Reading: the balance, orders.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use smscode_core::order::Status;

use super::Surface;
use super::input::{Parameters, order_id};
use super::money::{BALANCE, Fx, Pricing, Shown};
use super::refuse::{refused, refused_account};
use super::view::{Active, Order};
use crate::answer::{Failure, Success};
use crate::app::App;
use crate::auth::{Bearer, Caller};
use crate::limit::real_now;

/// Orders in a list, unless the client says how many.
const LIST_DEFAULT: i64 = 20;
/// Orders in a list at most; more is cut to this, not refused.
const LIST_MAX: i64 = 100;

/// The `meta` of answers whose only extra is the rate.
pub(super) fn fx_meta(pricing: &Pricing) -> Option<serde_json::Value> {
    pricing.fx().map(|fx: &Fx| json!({"fx": fx}))
}

/// `GET /balance`: what can be spent. A hold lowers it at once, its release raises it.
pub(super) async fn balance(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    Extension(surface): Extension<Surface>,
) -> Result<Response, Failure> {
    let pricing = Pricing::of(surface, &app.platform)?;
    let balance = app.platform.balance(account).await.map_err(|error| refused_account(&error))?;
    let data = match pricing.show(balance.available, BALANCE) {
        Shown::Rupiah(amount) => json!({"currency": balance.available.currency.code(), "balance": amount}),
        money @ Shown::Dollars { .. } => json!({"balance": money}),
    };
    Ok(Success::with_meta(data, fx_meta(&pricing)).into_response())
}

/// `GET /orders`: newest first, those that never had a number left out.
pub(super) async fn list(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    Extension(surface): Extension<Surface>,
    query: Parameters,
) -> Result<Response, Failure> {
    let limit = query.integer("limit", i64::MIN, i64::MAX)?.unwrap_or(LIST_DEFAULT).clamp(1, LIST_MAX);
    let offset = query.integer("offset", 0, i64::MAX)?.unwrap_or(0);
    let status = match query.text("status") {
        None => None,
        Some(word) => Some(Status::from_word(word).ok_or_else(|| unknown_status(word))?),
    };
    let pricing = Pricing::of(surface, &app.platform)?;
    let clip = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
    let orders =
        app.platform.orders(account, status, clip(offset), clip(limit)).await.map_err(|error| refused(&error))?;
    let shown: Vec<Order<'_>> = orders.iter().map(|order| Order::of(order, &pricing)).collect();
    Ok(Success::with_meta(shown, fx_meta(&pricing)).into_response())
}

fn unknown_status(word: &str) -> Failure {
    let known = Status::ALL.map(Status::word);
    let hint = match crate::nearest::nearest(word, known.into_iter()) {
        Some(right) => format!("there is no such status; did you mean {right}?"),
        None => format!("there is no such status; there are {}", known.join(", ")),
    };
    Failure::input("status", hint)
}

/// `GET /orders/active`: everything open, without money and numbers.
pub(super) async fn active(Caller(account): Caller, State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let orders = app.platform.open_orders(account).await.map_err(|error| refused(&error))?;
    let shown: Vec<Active<'_>> = orders.iter().map(Active::of).collect();
    Ok(Success::plain(shown).into_response())
}

/// `GET /orders/{id}`: what waiting clients poll, so it depends on as little as possible.
pub(super) async fn one(
    Bearer(account): Bearer,
    State(app): State<Arc<App>>,
    Extension(surface): Extension<Surface>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = order_id(&id)?;
    app.limits.poll(account, id, real_now())?;
    let pricing = Pricing::of(surface, &app.platform)?;
    let order = app.platform.order(account, id).await.map_err(|error| refused(&error))?;
    Ok(Success::with_meta(Order::of(&order, &pricing), fx_meta(&pricing)).into_response())
}
