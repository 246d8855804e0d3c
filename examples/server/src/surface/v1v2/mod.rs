//! `/v1` and `/v2`: SMSCode's published API. The same routes twice; only the way money is shown differs.

mod actions;
mod catalogue;
mod create;
pub mod input;
mod money;
mod orders;
mod refuse;
mod view;
mod webhook;

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Serialize;
use smscode_core::order::OrderView;

pub use refuse::{refused, refused_account, refused_routed};

use crate::app::App;

/// An order as `/v1` shows it, for the surfaces beside these two.
pub fn order_on_v1(order: &OrderView) -> impl Serialize {
    view::Order::of(order, &money::Pricing::Rupiah)
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Money is whole rupiah.
    V1,
    /// Money is a dollar view beside the rupiah.
    V2,
}

/// All routes of both surfaces.
pub fn router() -> Router<Arc<App>> {
    Router::new().nest("/v1", routes(Surface::V1)).nest("/v2", routes(Surface::V2))
}

fn routes(surface: Surface) -> Router<Arc<App>> {
    Router::new()
        .route("/catalog/countries", get(catalogue::countries))
        .route("/catalog/services", get(catalogue::services))
        .route("/catalog/operators", get(catalogue::operators))
        .route("/catalog/products", get(catalogue::products))
        .route("/catalog/exchange-rate", get(catalogue::exchange_rate))
        .route("/balance", get(orders::balance))
        .route("/orders", get(orders::list))
        .route("/orders/active", get(orders::active))
        .route("/orders/{id}", get(orders::one))
        .route("/orders/create", post(create::create))
        .route("/orders/cancel", post(actions::cancel))
        .route("/orders/finish", post(actions::finish))
        .route("/orders/resend", post(actions::resend))
        .route("/orders/reactivate", post(actions::reactivate))
        .route("/orders/{id}/reactivate-options", get(actions::reactivate_options))
        .route("/webhook", get(webhook::read).patch(webhook::change))
        .route("/webhook/test", post(webhook::test))
        .layer(Extension(surface))
}
