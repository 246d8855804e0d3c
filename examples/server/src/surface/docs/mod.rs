//! `/docs`: pages for people, from files that are part of the program. Nothing comes from elsewhere, and the browser is
//! told to allow nothing else.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The pages and what they are made of.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/docs", get(async || page(HTML, include_str!("index.html"))))
        .route("/docs/reference", get(async || page(HTML, include_str!("reference.html"))))
        .route("/docs/reference.js", get(async || page(SCRIPT, include_str!("reference.js"))))
        .route("/docs/docs.js", get(async || page(SCRIPT, include_str!("docs.js"))))
        .route("/docs/docs.css", get(async || page(STYLE, include_str!("docs.css"))))
}

fn page(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
    ];
    (headers, text).into_response()
}
