//! `/account`: our own surface, for dashboards and whoever wants to know more than the published API tells.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use smscode_core::order::{ActionReason, Step};

use super::v1v2::input::order_id;
use super::v1v2::{order_on_v1, refused};
use crate::answer::{Failure, Success};
use crate::app::App;
use crate::auth::Caller;

/// All routes.
pub fn router() -> Router<Arc<App>> {
    Router::new().route("/account/orders/{id}/explain", get(explain))
}

/// Why an order is as it is: its steps with their rules and transfers, and what may be done with it when and why.
async fn explain(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let told = app.platform.explain(account, order_id(&id)?).await.map_err(|error| refused(&error))?;
    let steps: Vec<Value> = told.steps.iter().map(step).collect();
    let allowed: Vec<Value> = told.allowed.iter().map(allowed).collect();
    let data = json!({"order": order_on_v1(&told.order), "steps": steps, "allowed": allowed});
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
