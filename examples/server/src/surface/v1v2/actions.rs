//! What can be done with an order: cancel, finish, ask for another SMS. Buying a number again is not built.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use smscode_core::order::{OrderId, OrderView};

use super::Surface;
use super::input::{Members, idempotency_key, no_order, order_id};
use super::money::{BALANCE, PRICE, Pricing, Shown, read_dollars};
use super::orders::fx_meta;
use super::refuse::{refused, refused_account};
use crate::answer::{Code, Failure, Success};
use crate::app::App;
use crate::auth::Caller;

const PRICE_TEXT_MAX: usize = 64;

/// The body of all actions: `{"id": int32}`.
fn only_id(mut body: Members) -> Result<OrderId, Failure> {
    let id = take_id(&mut body)?;
    body.end()?;
    id
}

/// The id within; a negative one is the number of no order, which is told after the rest of the body was judged.
fn take_id(body: &mut Members) -> Result<Result<OrderId, Failure>, Failure> {
    let id = body.integer("id", i64::from(i32::MIN), i64::from(i32::MAX))?;
    let id = id.ok_or_else(|| Failure::input("id", "id is needed"))?;
    Ok(u32::try_from(id).map(OrderId).map_err(|_| no_order()))
}

/// The order, if it has not ended. The core takes a repeated finish or cancel as done; the published API says conflict,
/// and a refund that is told twice is counted twice.
async fn open_order(app: &App, account: smscode_core::account::AccountId, id: OrderId) -> Result<OrderView, Failure> {
    let order = app.platform.order(account, id).await.map_err(|error| refused(&error))?;
    if order.status.is_terminal() {
        let message = format!("not possible: the order is {}", order.status.word());
        return Err(Failure::new(Code::Conflict, message).with("status", order.status.word()));
    }
    Ok(order)
}

#[derive(Serialize)]
struct Cancelled {
    order_id: u32,
    status: &'static str,
    refund_amount: Shown,
    new_balance: Shown,
}

/// `POST /orders/cancel`. The rate comes first: without one nothing is done on `/v2`.
pub(super) async fn cancel(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    Extension(surface): Extension<Surface>,
    body: Members,
) -> Result<Response, Failure> {
    let id = only_id(body)?;
    let pricing = Pricing::of(surface, &app.platform)?;
    open_order(&app, account, id).await?;
    let order = app.platform.cancel_order(account, id).await.map_err(|error| refused(&error))?;
    let balance = app.platform.balance(account).await.map_err(|error| refused_account(&error))?;
    let data = Cancelled {
        order_id: order.id.0,
        status: order.status.word(),
        refund_amount: pricing.show(order.price, PRICE),
        new_balance: pricing.show(balance.available, BALANCE),
    };
    Ok(Success::with_meta(data, fx_meta(&pricing)).into_response())
}

/// `POST /orders/finish`.
pub(super) async fn finish(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    body: Members,
) -> Result<Response, Failure> {
    let id = only_id(body)?;
    open_order(&app, account, id).await?;
    let order = app.platform.finish_order(account, id).await.map_err(|error| refused(&error))?;
    Ok(Success::plain(json!({"order_id": order.id.0, "status": order.status.word()})).into_response())
}

/// `POST /orders/resend`.
pub(super) async fn resend(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    body: Members,
) -> Result<Response, Failure> {
    let id = only_id(body)?;
    let (order, resent) = app.platform.request_sms(account, id).await.map_err(|error| refused(&error))?;
    let data = json!({"order_id": order.id.0, "status": order.status.word(), "resent": resent});
    Ok(Success::plain(data).into_response())
}

/// `POST /orders/reactivate`: judged as far as it can be, then refused, because no number supports it yet.
pub(super) async fn reactivate(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    Extension(surface): Extension<Surface>,
    headers: HeaderMap,
    mut body: Members,
) -> Result<Response, Failure> {
    let id = take_id(&mut body)?;
    match surface {
        Surface::V1 => drop(body.integer("max_price", 1, i64::MAX)?),
        Surface::V2 => {
            if let Some(text) = body.text("max_price", PRICE_TEXT_MAX)? {
                read_dollars("max_price", &text)?;
            }
        }
    }
    body.end()?;
    idempotency_key(&headers)?;
    not_reactivable(&app, account, id?).await
}

/// `GET /orders/{id}/reactivate-options`.
pub(super) async fn reactivate_options(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    not_reactivable(&app, account, order_id(&id)?).await
}

async fn not_reactivable(
    app: &App,
    account: smscode_core::account::AccountId,
    id: OrderId,
) -> Result<Response, Failure> {
    let order = app.platform.order(account, id).await.map_err(|error| refused(&error))?;
    Err(Failure::new(Code::Conflict, "this number cannot be reactivated").with("status", order.status.word()))
}
