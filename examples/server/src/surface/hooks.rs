//! `/hooks`: suppliers that say by themselves that an SMS came.
//!
//! Each supplier has a path of its own that nobody else knows; there is no signature in this market. What arrives there is a
//! hint: the supplier is asked, and what it answers counts. So a push is read for the activation that it names and for
//! nothing else, is kept nowhere but in memory, and is answered before anything is done about it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use sha2::{Digest, Sha256};
use smscode_providers::sms::sms_activate::pushed;

use super::no_route;
use crate::app::App;
use crate::config::PushPath;

/// A push has one SMS in it.
const BODY_MAX: usize = 64 * 1024;

/// The suppliers that push, by the hashes of their paths.
pub(crate) struct Hooks(Vec<([u8; 32], String)>);

impl Hooks {
    pub(crate) fn new(paths: &[PushPath]) -> Self {
        Self(paths.iter().map(|one| (hash(one.path.reveal()), one.supplier.clone())).collect())
    }

    /// Whose path it is. Hashes are compared, each with all: how long it takes says nothing about a path.
    fn supplier(&self, path: &str) -> Option<&str> {
        let asked = hash(path);
        self.0.iter().fold(None, |found, (known, supplier)| {
            let differ = known.iter().zip(&asked).fold(0, |differ, (a, b)| differ | (a ^ b));
            if differ == 0 { Some(supplier.as_str()) } else { found }
        })
    }

    /// The route, if a supplier pushes at all: without one the address is like any other that is not there.
    pub(crate) fn router(&self) -> Router<Arc<App>> {
        if self.0.is_empty() {
            return Router::new();
        }
        let route = post(hear).get(hear).layer(DefaultBodyLimit::max(BODY_MAX));
        Router::new().route("/hooks/sms/{path}", route)
    }
}

fn hash(path: &str) -> [u8; 32] {
    Sha256::digest(path.as_bytes()).into()
}

/// Hears a push. 200 for whatever comes on a supplier's path, also what cannot be read or is about nobody's activation: it
/// would be sent again for hours.
async fn hear(
    State(app): State<Arc<App>>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let Some(supplier) = app.hooks.supplier(&path) else {
        return no_route().await.into_response();
    };
    let activation = pushed(query.as_deref().unwrap_or_default(), &body);
    app.platform.supplier_hint(supplier, activation.as_ref());
    (StatusCode::OK, "OK").into_response()
}

#[cfg(test)]
mod tests {
    use super::Hooks;
    use crate::config::{Hidden, PushPath};

    #[test]
    fn a_path_is_its_suppliers_and_nothing_like_it_is() {
        let path = |supplier: &str, path: &str| PushPath { supplier: supplier.to_owned(), path: Hidden::new(path) };
        let hooks = Hooks::new(&[path("a", &"a".repeat(32)), path("b", &"b".repeat(32))]);
        let cases = [
            ("a".repeat(32), Some("a")),
            ("b".repeat(32), Some("b")),
            ("a".repeat(31), None),
            ("A".repeat(32), None),
            (String::new(), None),
        ];
        for (asked, expected) in cases {
            assert_eq!(hooks.supplier(&asked), expected, "{asked}");
        }
    }
}
