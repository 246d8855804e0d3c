//! For operators: is the process up, can it serve, and what are its figures.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};
use smscode_core::SupplierHealth;
use smscode_core::routing::{CallFigures, Standing};
use smscode_core::store::StoreError;
use smscode_core::time::Timestamp;

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
        let standings: Map<String, Value> = health
            .suppliers
            .iter()
            .map(|supplier| (supplier.name.clone(), Value::from(supplier.standing.word())))
            .collect();
        return Success::plain(json!({"store": OK, "recovered": true, "suppliers": standings})).into_response();
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
    page.head("smscode_orphans_total", "counter", "Purchases that were given up, found at a supplier and cancelled.");
    page.line("smscode_orphans_total", "", health.orphans);
    page.head("smscode_late_sms_total", "counter", "SMS that came after the end, destroyed unread.");
    page.line("smscode_late_sms_total", "", health.late_sms);
    supplier_figures(&health.suppliers, app.platform.now(), page);
    push_figures(&health.suppliers, page);
    alarm_figures(app, page).await;
}

/// Alarms of all nodes together; none while the store is away.
async fn alarm_figures(app: &App, page: &mut Page) {
    let Ok(states) = app.platform.alarms().await else { return };
    page.head(
        "smscode_alarms_total",
        "counter",
        "Alarms by their cause and what they are about, of all servers together.",
    );
    for state in states {
        // words and suppliers' names: nothing to escape
        let about = state.about.unwrap_or_default();
        page.line("smscode_alarms_total", &format!("cause=\"{}\",about=\"{about}\"", state.cause), state.count);
    }
}

fn push_figures(suppliers: &[SupplierHealth], page: &mut Page) {
    page.head(
        "smscode_supplier_hints_total",
        "counter",
        "Pushes of the supplier, by whether it is about an open order.",
    );
    for supplier in suppliers {
        let known = supplier.hints.saturating_sub(supplier.hints_unknown);
        for (about, count) in [("open", known), ("unknown", supplier.hints_unknown)] {
            let label = format!("supplier=\"{}\",about=\"{about}\"", supplier.name);
            page.line("smscode_supplier_hints_total", &label, count);
        }
    }
}

/// A figure of a supplier: name, kind, help, and what it is. No value is more honest than a made-up one.
type Figure = (&'static str, &'static str, &'static str, fn(&SupplierHealth, Timestamp) -> Option<String>);

const FIGURES: [Figure; 9] = [
    ("smscode_supplier_up", "gauge", "Whether the supplier's newest call succeeded.", |supplier, _| {
        Some(u8::from(supplier.error.is_none()).to_string())
    }),
    ("smscode_supplier_products", "gauge", "Products that the supplier has in stock.", |supplier, _| {
        Some(supplier.products.to_string())
    }),
    (
        "smscode_supplier_strangers",
        "gauge",
        "Activations in the supplier's list that are not ours, when it was last read.",
        |supplier, _| Some(supplier.strangers.to_string()),
    ),
    ("smscode_supplier_offers_age_seconds", "gauge", "Time since the supplier's offers were read.", |supplier, now| {
        supplier.offers_at.map(|at| (now.ms_since(at).max(0) / 1_000).to_string())
    }),
    ("smscode_supplier_drained", "gauge", "Whether the operator wants no purchases there.", |supplier, _| {
        Some(u8::from(supplier.drained).to_string())
    }),
    ("smscode_supplier_balance", "gauge", "Our money there, in whole units of its currency.", |supplier, _| {
        supplier.balance.map(|(money, _)| money.decimal())
    }),
    (
        "smscode_supplier_low_balance",
        "gauge",
        "Whether that is little, or too little for a purchase.",
        |supplier, _| Some(u8::from(supplier.low_balance).to_string()),
    ),
    (
        "smscode_supplier_orders_ended",
        "gauge",
        "Orders with a number that ended in the last two hours.",
        |supplier, _| Some(supplier.deliveries.ended.to_string()),
    ),
    ("smscode_supplier_orders_delivered", "gauge", "Those of them that had an SMS.", |supplier, _| {
        Some(supplier.deliveries.delivered.to_string())
    }),
];

const STANDINGS: [Standing; 5] =
    [Standing::Selling, Standing::Probing, Standing::Resting, Standing::OutOfFunds, Standing::Drained];

fn supplier_figures(suppliers: &[SupplierHealth], now: Timestamp, page: &mut Page) {
    // names are lower-case letters, digits and hyphens: nothing to escape
    let label = |supplier: &SupplierHealth| format!("supplier=\"{}\"", supplier.name);
    for (name, kind, help, value) in FIGURES {
        page.head(name, kind, help);
        for supplier in suppliers {
            if let Some(value) = value(supplier, now) {
                page.line(name, &label(supplier), value);
            }
        }
    }
    page.head("smscode_supplier_standing", "gauge", "1 for whether purchases are sent there, and why not.");
    for supplier in suppliers {
        for standing in STANDINGS {
            let labels = format!("{},standing=\"{}\"", label(supplier), standing.word());
            page.line("smscode_supplier_standing", &labels, u8::from(supplier.standing == standing));
        }
    }
    call_figures(suppliers, page);
}

/// Calls of the last five minutes, by sort.
fn call_figures(suppliers: &[SupplierHealth], page: &mut Page) {
    let calls = |each: &mut dyn FnMut(String, CallFigures)| {
        for supplier in suppliers {
            let sorts = [("purchase", supplier.purchases), ("read", supplier.reads), ("word", supplier.words)];
            for (sort, calls) in sorts {
                each(format!("supplier=\"{}\",call=\"{sort}\"", supplier.name), calls);
            }
        }
    };
    page.head("smscode_supplier_calls", "gauge", "Calls that ended in the last five minutes.");
    calls(&mut |labels, calls| page.line("smscode_supplier_calls", &labels, calls.calls));
    page.head("smscode_supplier_calls_failed", "gauge", "Those of them without a usable answer.");
    calls(&mut |labels, calls| page.line("smscode_supplier_calls_failed", &labels, calls.failed));
    page.head("smscode_supplier_call_ms", "gauge", "Half, and 95 of 100, of them took at most so long, in classes.");
    calls(&mut |labels, calls| {
        for (part, within_ms) in [("0.5", calls.half_within_ms), ("0.95", calls.most_within_ms)] {
            // beyond the last class no number is true
            if let Some(ms) = within_ms.filter(|ms| *ms < u32::MAX) {
                page.line("smscode_supplier_call_ms", &format!("{labels},part=\"{part}\""), ms);
            }
        }
    });
}
