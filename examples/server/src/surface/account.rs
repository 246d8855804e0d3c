//! `/account`: our own surface, for dashboards and whoever wants to know more than the published API tells.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use serde_json::{Value, json};
use smscode_core::account::{Becomes, OpenOrder};
use smscode_core::order::{ActionReason, Step};

use super::v1v2::input::{Members, order_id};
use super::v1v2::{order_on_v1, refused, refused_account};
use crate::answer::{Failure, Success};
use crate::app::App;
use crate::auth::Caller;

/// All routes.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/account", delete(delete_account))
        .route("/account/deletion", get(preview))
        .route("/account/orders/{id}/explain", get(explain))
}

/// What the deletion of the account would do now: what is given up, what becomes of open orders, what stays.
async fn preview(Caller(account): Caller, State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let told = app.platform.deletion_preview(account).await.map_err(|error| refused_account(&error))?;
    let orders: Vec<Value> = told.orders.iter().map(open_order).collect();
    let stays: Vec<Value> = told.stays.iter().map(|one| json!({"what": one.what, "why": one.why})).collect();
    let data = json!({
        "currency": told.available.currency.code(),
        "available": told.available.minor,
        "held": told.held.minor,
        "debt": told.debt.minor,
        "orders": orders,
        "stays": stays,
    });
    Ok(Success::plain(data).into_response())
}

/// Deletes the account whose token this is. The money that goes with it is to be given up in so many words.
async fn delete_account(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    mut body: Members,
) -> Result<Response, Failure> {
    let consents = body.flag("forfeit")?;
    body.end()?;
    if consents != Some(true) {
        let message = "deleting the account gives up its money, see /account/deletion: \"forfeit\" must be true";
        return Err(Failure::input("forfeit", message));
    }
    app.platform.delete_account(account).await.map_err(|error| refused_account(&error))?;
    Ok(Success::plain(json!({"deleted": true})).into_response())
}

fn open_order(order: &OpenOrder) -> Value {
    let from = match order.becomes {
        Becomes::Cancelled { from } => from,
        Becomes::Completed | Becomes::LookedUp => None,
    };
    json!({
        "order_id": order.id.0,
        "status": order.status.word(),
        "held": order.held.minor,
        "becomes": order.becomes.word(),
        "from": from.map(|at| at.rfc3339()),
    })
}

/// Why an order is as it is: its state, its steps with their rules and transfers, what happens to it by itself, and what
/// may be done with it when and why.
async fn explain(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let told = app.platform.explain(account, order_id(&id)?).await.map_err(|error| refused(&error))?;
    let steps: Vec<Value> = told.steps.iter().map(step).collect();
    let allowed: Vec<Value> = told.allowed.iter().map(allowed).collect();
    let next = told.next.map(|next| json!({"what": next.what, "at": next.at.map(|at| at.rfc3339())}));
    let data = json!({
        "order": order_on_v1(&told.order),
        "state": told.order.state.word(),
        "steps": steps,
        "next": next,
        "allowed": allowed,
    });
    Ok(Success::plain(data).into_response())
}

fn step(step: &Step) -> Value {
    json!({
        "time": step.time.rfc3339(),
        "sequence": step.sequence,
        "event": (!step.event.is_empty()).then_some(&step.event),
        "state": step.state,
        "rule": step.rule,
        "transfer": step.transfer,
    })
}

fn allowed(action: &ActionReason) -> Value {
    json!({
        "action": action.action,
        "allowed": action.allowed,
        "from": action.from.map(|at| at.rfc3339()),
        "reason": action.reason,
    })
}
