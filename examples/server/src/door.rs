//! The way in. It is closed until the store is there: meanwhile the process answers that it is up and not ready, and
//! turns everything else away, each surface in its own words.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Router, middleware};
use smscode_core::store::{Effect, StoreError};

use crate::answer::{Code, Failure};
use crate::meter::{Meters, Page};
use crate::observe;
use crate::surface::{operation, stubs};

/// Serves one thing while it is closed, and another once it is open.
pub(crate) struct Door {
    closed: Router,
    open: OnceLock<Router>,
    waiting: Arc<Waiting>,
}

/// Why it is still closed.
struct Waiting {
    meters: Arc<Meters>,
    error: Mutex<StoreError>,
}

impl Door {
    /// Closed.
    pub(crate) fn new(meters: Arc<Meters>) -> Self {
        let reason = "it is being opened".to_owned();
        let error = StoreError::Unavailable { store: "server", effect: Effect::No, reason };
        let waiting = Arc::new(Waiting { meters, error: Mutex::new(error) });
        Self { closed: closed(waiting.clone()), open: OnceLock::new(), waiting }
    }

    /// Says why it is still closed.
    pub(crate) fn tell(&self, error: StoreError) {
        *self.waiting.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// Opens it, once.
    pub(crate) fn open(&self, router: Router) {
        let _open_already = self.open.set(router);
    }

    /// What serves now.
    pub(crate) fn router(&self) -> Router {
        self.open.get().unwrap_or(&self.closed).clone()
    }
}

fn closed(waiting: Arc<Waiting>) -> Router {
    Router::new()
        .merge(operation::alive())
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route(stubs::PATH, any(async || stubs::broken()))
        .fallback(async || Failure::new(Code::Unavailable, "temporarily unavailable"))
        .layer(middleware::from_fn_with_state(waiting.meters.clone(), observe::observe))
        .with_state(waiting)
}

async fn ready(State(waiting): State<Arc<Waiting>>) -> Response {
    let error = waiting.error.lock().unwrap_or_else(PoisonError::into_inner).clone();
    operation::not_ready(Some(&error), false, false).into_response()
}

async fn metrics(State(waiting): State<Arc<Waiting>>) -> Response {
    let mut page = Page::default();
    operation::process_figures(&mut page, false, false);
    waiting.meters.render(&mut page);
    operation::figures(page)
}
