//! The surfaces, each a router of its own over the same [`App`].

pub mod account;
pub mod admin;
pub mod backup;
pub mod docs;
pub mod events;
pub(crate) mod hooks;
pub mod openapi;
pub mod operation;
pub mod sandbox;
pub mod stubs;
pub mod v1v2;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::Method;
use axum::middleware;

use crate::answer::{Code, Failure};
use crate::app::App;
use crate::observe;

/// A body larger than this is refused before any handler runs.
pub const BODY_MAX: usize = 1_000_000;

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    let mut routes = Router::new()
        .merge(v1v2::router())
        .merge(stubs::router())
        .merge(events::router())
        .merge(account::router())
        .merge(app.hooks.router())
        .merge(operation::router())
        .merge(openapi::router(app.sandbox.is_some(), app.admin.is_some()))
        .merge(docs::router());
    if app.sandbox.is_some() {
        routes = routes.merge(sandbox::router());
    }
    if app.admin.is_some() {
        routes = routes.merge(admin::router());
    }
    routes
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn_with_state(app.meters.clone(), observe::observe))
        .with_state(app)
}

async fn no_route() -> Failure {
    Failure::new(Code::NotFound, "there is no such route")
}

async fn no_method(request: Request) -> Failure {
    let method = match *request.method() {
        Method::GET | Method::POST | Method::PATCH | Method::PUT | Method::DELETE => request.method().as_str(),
        _ => "this method",
    };
    Failure::new(Code::NotFound, format!("this route does not take {method}"))
}
