//! `/sandbox`: for testers, only in sandbox mode.

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// `POST /sandbox/sms`.
pub fn router() -> Router<Arc<App>> {
    Router::new()
}
