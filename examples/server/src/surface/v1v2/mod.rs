//! `/v1` and `/v2`: SMSCode's published API. The same routes twice; only the way money is shown differs.

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// All routes of both surfaces.
pub fn router() -> Router<Arc<App>> {
    Router::new()
}
