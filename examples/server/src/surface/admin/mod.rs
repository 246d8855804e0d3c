//! `/admin`: for operators. There only where the settings have an operators' token; nothing here says whose an order is.

mod door;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use smscode_core::ledger::{Adjust, AdjustError, OperatorError, QUEUE_PAGE_MAX};
use smscode_core::money::Money;
use smscode_core::reconciliation::{ReconcileError, SettleError, Settlement};
use smscode_core::store::StoreError;
use smscode_core::store::limits::AMOUNT_MAX;
use smscode_core::time::Timestamp;

pub use door::Admin;
use door::Operator;

use super::v1v2::input::{Members, Parameters};
use crate::answer::{Code, Failure, Success};
use crate::app::App;

/// Longest text that an operator sends; the core says which of them are too long.
const TEXT_MAX: usize = 1_000;
/// Queues by name.
const QUEUES: [&str; 4] = ["unclear", "stuck", "exceptions", "differences"];

/// The routes.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/admin/queues", get(queues))
        .route("/admin/cases/{id}", get(case))
        .route("/admin/cases/{id}/lift", post(lift))
        .route("/admin/differences/{id}/settle", post(settle))
        .route("/admin/suppliers/{name}/compare", post(compare))
        .route("/admin/adjust", post(adjust))
        .route("/admin/wind-down", post(wind_down))
        .route("/admin/liabilities", get(liabilities))
        .route("/admin/audit", get(audit))
        .route("/admin/alarms", get(alarms))
        .route("/admin/backup", post(backup))
}

/// The first page of every queue, or a further page of one.
async fn queues(_: Operator, State(app): State<Arc<App>>, parameters: Parameters) -> Result<Response, Failure> {
    let limit = limit(&parameters)?;
    let after = parameters.text("after");
    let wanted = match parameters.text("queue") {
        Some(name) => match QUEUES.into_iter().find(|queue| *queue == name) {
            Some(name) => vec![name],
            None => return Err(Failure::input("queue", format!("queue must be one of {}", QUEUES.join(", ")))),
        },
        None if after.is_some() => return Err(Failure::input("queue", "after goes with the name of one queue")),
        None => QUEUES.to_vec(),
    };
    let mut answer = serde_json::Map::new();
    for name in wanted {
        let page = match name {
            "unclear" => app.platform.unclear_purchases(after, limit).await.map(view::unclear),
            "stuck" => app.platform.stuck_purchases(after, limit).await.map(view::stuck),
            "differences" => app.platform.supplier_differences(after, limit).await.map(view::differences),
            _ => app.platform.exceptions(after, limit).await.map(view::exceptions),
        };
        answer.insert(name.to_owned(), page.map_err(|error| away(&error))?);
    }
    Ok(Success::plain(Value::Object(answer)).into_response())
}

/// A backup of the store, streamed.
async fn backup(_: Operator, State(app): State<Arc<App>>) -> Result<Response, Failure> {
    super::backup::backup(&app).await
}

/// What an audit of a case finds now.
async fn case(_: Operator, State(app): State<Arc<App>>, Path(case): Path<String>) -> Result<Response, Failure> {
    let audit = app.platform.audit_case(&case).await.map_err(|error| refused(&error))?;
    Ok(Success::plain(audit.map_or(Value::Null, |audit| view::account_audit(&audit))).into_response())
}

/// Allows new orders of the account of a case again.
async fn lift(
    _: Operator,
    State(app): State<Arc<App>>,
    Path(case): Path<String>,
    mut body: Members,
) -> Result<Response, Failure> {
    let (actor, reason) = (text(&mut body, "actor")?, text(&mut body, "reason")?);
    body.end()?;
    app.platform.lift_freeze(&case, &actor, &reason).await.map_err(|error| refused(&error))?;
    Ok(Success::plain(json!({"case": case, "lifted": true})).into_response())
}

/// Settles a difference between a supplier and the books.
async fn settle(
    _: Operator,
    State(app): State<Arc<App>>,
    Path(case): Path<String>,
    mut body: Members,
) -> Result<Response, Failure> {
    let how = text(&mut body, "how")?;
    let (actor, reason) = (text(&mut body, "actor")?, text(&mut body, "reason")?);
    body.end()?;
    let how = match how.as_str() {
        "book" => Settlement::Booked,
        "note" => Settlement::Noted,
        _ => return Err(Failure::input("how", "how must be book or note")),
    };
    let settled = app.platform.settle_difference(&case, how, &actor, &reason).await;
    settled.map_err(|error| match &error {
        SettleError::Operator(error) => refused(error),
        SettleError::NoAmount => Failure::input("how", error.to_string()),
    })?;
    Ok(Success::plain(json!({"case": case, "settled": how.word()})).into_response())
}

/// Compares a supplier's history and balance with the books now.
async fn compare(_: Operator, State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Response, Failure> {
    let compared = app.platform.reconcile(&name).await.map_err(|error| match &error {
        ReconcileError::UnknownSupplier(_) => Failure::new(Code::NotFound, error.to_string()),
        _ => {
            tracing::warn!(code = error.code(), %error, "a supplier could not be compared");
            Failure::new(Code::Unavailable, "the supplier could not be compared").with("cause", error.code())
        }
    })?;
    Ok(Success::plain(view::compared(&compared)).into_response())
}

/// Books an adjustment.
async fn adjust(_: Operator, State(app): State<Arc<App>>, mut body: Members) -> Result<Response, Failure> {
    let customer = text(&mut body, "customer")?;
    let minor = body.integer("amount", -AMOUNT_MAX, AMOUNT_MAX)?;
    let minor = minor.ok_or_else(|| Failure::input("amount", "amount is needed"))?;
    let (reason, actor) = (text(&mut body, "reason")?, text(&mut body, "actor")?);
    let second = body.text("second", TEXT_MAX)?;
    let reference = text(&mut body, "reference")?;
    body.end()?;
    let account = match &app.admin {
        Some(admin) => admin.account(&customer).await.map_err(|error| away(&error))?,
        None => None,
    };
    let account = account.ok_or_else(|| Failure::new(Code::NotFound, "there is no such customer"))?;
    let amount = Money::new(minor, app.platform.currency());
    let wanted = Adjust { account, amount, reason, actor, second, reference };
    let booked = app.platform.adjust(&wanted).await.map_err(|error| refused_adjust(&error))?;
    let balance = app.platform.balance(account).await.map_err(|error| super::v1v2::refused_account(&error))?;
    let answer = json!({"booked": booked, "available": balance.available.minor, "currency": amount.currency.code()});
    Ok(Success::plain(answer).into_response())
}

/// Begins or ends the wind-down.
async fn wind_down(_: Operator, State(app): State<Arc<App>>, mut body: Members) -> Result<Response, Failure> {
    let wanted = text(&mut body, "set")?;
    let (actor, reason) = (text(&mut body, "actor")?, text(&mut body, "reason")?);
    body.end()?;
    let changed = match wanted.as_str() {
        "begin" => app.platform.begin_wind_down(&actor, &reason).await,
        "end" => app.platform.end_wind_down(&actor, &reason).await,
        _ => return Err(Failure::input("set", "set must be begin or end")),
    };
    let changed = changed.map_err(|error| refused(&error))?;
    let now = app.platform.wind_down().await.map_err(|error| away(&error))?;
    Ok(Success::plain(json!({"changed": changed, "wind_down": view::wind_down(now.as_ref())})).into_response())
}

/// What is owed to customers.
async fn liabilities(_: Operator, State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let owed = app.platform.liabilities().await.map_err(|error| away(&error))?;
    let now = app.platform.wind_down().await.map_err(|error| away(&error))?;
    let answer = json!({"currencies": view::liabilities(&owed), "wind_down": view::wind_down(now.as_ref())});
    Ok(Success::plain(answer).into_response())
}

/// What operators did, newest first.
async fn audit(_: Operator, State(app): State<Arc<App>>, parameters: Parameters) -> Result<Response, Failure> {
    let before = parameters.integer("before", 0, i64::MAX)?.map(Timestamp);
    let entries = app.platform.audit_log(before, limit(&parameters)?).await.map_err(|error| away(&error))?;
    Ok(Success::plain(view::audit_log(&entries)).into_response())
}

/// Every cause that was ever alarmed.
async fn alarms(_: Operator, State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let states = app.platform.alarms().await.map_err(|error| away(&error))?;
    Ok(Success::plain(view::alarms(&states)).into_response())
}

fn limit(parameters: &Parameters) -> Result<usize, Failure> {
    let limit = parameters.integer("limit", 1, QUEUE_PAGE_MAX as i64)?;
    Ok(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(QUEUE_PAGE_MAX))
}

fn text(body: &mut Members, name: &'static str) -> Result<String, Failure> {
    body.text(name, TEXT_MAX)?.ok_or_else(|| Failure::input(name, format!("{name} is needed")))
}

fn away(error: &StoreError) -> Failure {
    tracing::warn!(code = error.code(), %error, "an operator's request could not be done");
    Failure::new(Code::Unavailable, "temporarily unavailable")
}

fn refused(error: &OperatorError) -> Failure {
    match error {
        OperatorError::NotFound => Failure::new(Code::NotFound, error.to_string()),
        OperatorError::Actor => Failure::input("actor", error.to_string()),
        OperatorError::Reason(_) => Failure::input("reason", error.to_string()),
        OperatorError::Unavailable(_) => {
            tracing::warn!(code = error.code(), %error, "an operator's command could not be done");
            Failure::new(Code::Unavailable, "temporarily unavailable")
        }
    }
}

fn refused_adjust(error: &AdjustError) -> Failure {
    let text = error.to_string();
    match error {
        AdjustError::NotFound => Failure::new(Code::NotFound, text),
        AdjustError::Amount(_) => Failure::input("amount", text),
        AdjustError::Text(field, _) => Failure::input(field, text),
        AdjustError::Actor => Failure::input("actor", text),
        AdjustError::SecondActor { limit } => Failure::input("second", text).with("limit", limit.minor),
        AdjustError::Floor { wanted, available } => Failure::new(Code::InsufficientBalance, text)
            .with("wanted", wanted.minor)
            .with("available", available.minor),
        AdjustError::ReferenceUsed => Failure::new(Code::KeyReused, text).with("field", "reference"),
        AdjustError::Unavailable(_) => {
            tracing::warn!(code = error.code(), %error, "an adjustment could not be booked");
            Failure::new(Code::Unavailable, "temporarily unavailable")
        }
    }
}
