//! For operators: is the process up, can it serve, and what are its figures.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use smscode_core::store::StoreError;

use crate::answer::{Code, Failure, Success};
use crate::app::App;
use crate::meter::Page;

/// `/healthz`, `/readyz`, `/metrics`.
pub fn router() -> Router<Arc<App>> {
    Router::new().merge(alive()).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// `/healthz`: whether the process is up, whatever else is not.
pub(crate) fn alive<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/healthz", get(async || (StatusCode::OK, "up\n")))
}

/// Whether requests can be served: the store answers, recovery is through, and nobody asked to stop.
async fn ready(State(app): State<Arc<App>>) -> Response {
    let health = app.platform.health().await;
    let (running, stopping) = (health.running, app.stopping.begun());
    if health.store.is_ok() && running && !stopping {
        return Success::plain(json!({"store": OK, "recovered": true})).into_response();
    }
    not_ready(health.store.as_ref().err(), running, stopping).into_response()
}

/// The state of a store that answers and has the format of this program.
const OK: &str = "ok";

/// In one word what an operator has to look for: a store that is away comes back or is brought back, an older one is
/// migrated, and a newer one wants a newer program.
const fn state(error: &StoreError) -> &'static str {
    match error {
        StoreError::Format { found, known, .. } if *found < *known => "older",
        StoreError::Format { .. } => "newer",
        StoreError::Unavailable { .. }
        | StoreError::Unusable { .. }
        | StoreError::Corrupt { .. }
        | StoreError::Refused(_) => "away",
    }
}

/// Why requests cannot be served.
pub(crate) fn not_ready(store: Option<&StoreError>, recovered: bool, stopping: bool) -> Failure {
    let failure = Failure::new(Code::Unavailable, "not ready");
    let failure = match store {
        None => failure.with("store", OK),
        Some(error) => failure.with("store", state(error)).with("code", error.code()).with("reason", error.to_string()),
    };
    failure.with("recovered", recovered).with("stopping", stopping)
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let mut page = Page::default();
    platform_figures(&app, &mut page).await;
    app.meters.render(&mut page);
    figures(page)
}

/// A page as Prometheus takes it.
pub(crate) fn figures(page: Page) -> Response {
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, page.text()).into_response()
}

/// Figures that there are also before the store is open.
pub(crate) fn process_figures(page: &mut Page, store_up: bool, running: bool) {
    page.head("smscode_store_up", "gauge", "Whether the store answers.");
    page.line("smscode_store_up", "", u8::from(store_up));
    page.head("smscode_running", "gauge", "Whether recovery is through and the workers run.");
    page.line("smscode_running", "", u8::from(running));
}

async fn platform_figures(app: &App, page: &mut Page) {
    let health = app.platform.health().await;
    process_figures(page, health.store.is_ok(), health.running);
    page.head("smscode_epoch_key_age_seconds", "gauge", "Age of the oldest epoch key; never above 5400.");
    page.line("smscode_epoch_key_age_seconds", "", health.oldest_epoch_seconds);
    let now = app.platform.now();
    page.head(
        "smscode_supplier_hints_total",
        "counter",
        "Pushes of the supplier, by whether it is about an open order.",
    );
    for supplier in &health.suppliers {
        let known = supplier.hints.saturating_sub(supplier.hints_unknown);
        for (about, count) in [("open", known), ("unknown", supplier.hints_unknown)] {
            let label = format!("supplier=\"{}\",about=\"{about}\"", supplier.name);
            page.line("smscode_supplier_hints_total", &label, count);
        }
    }
    let figures: [(&str, &str); 3] = [
        ("smscode_supplier_up", "Whether the supplier's newest call succeeded."),
        ("smscode_supplier_products", "Products that the supplier has in stock."),
        ("smscode_supplier_offers_age_seconds", "Time since the supplier's offers were read."),
    ];
    for (name, help) in figures {
        page.head(name, "gauge", help);
        for supplier in &health.suppliers {
            // names are lower-case letters, digits and hyphens: nothing to escape
            let label = format!("supplier=\"{}\"", supplier.name);
            let age = supplier.offers_at.map(|at| now.ms_since(at).max(0) / 1_000);
            match (name, age) {
                ("smscode_supplier_up", _) => page.line(name, &label, u8::from(supplier.error.is_none())),
                ("smscode_supplier_products", _) => page.line(name, &label, supplier.products),
                (_, Some(age)) => page.line(name, &label, age),
                // never read: no value is more honest than a made-up one
                (_, None) => {}
            }
        }
    }
}
