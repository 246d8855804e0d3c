//! `/openapi.json`: what this server serves, as an OpenAPI 3.1 document.
//!
//! Written here by hand, from the same tables of codes that answers are made of, and held to the served routes and to
//! real answers by a test.

mod admin;
mod beside;
mod published;
mod schemas;
mod shape;

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use serde_json::{Map, Value, json};

use crate::app::App;

/// `/openapi.json`, made once.
pub fn router(sandbox: bool, admin: bool) -> Router<Arc<App>> {
    let text: Arc<str> = document(sandbox, admin).to_string().into();
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    Router::new().route("/openapi.json", get(async move || (headers, text.to_string())))
}

/// The document. `/sandbox` and `/admin` are in it where they are served.
pub fn document(sandbox: bool, admin: bool) -> Value {
    let mut operations = published::routes("v1");
    operations.extend(published::routes("v2"));
    operations.extend(beside::routes());
    if sandbox {
        operations.extend(beside::sandbox());
    }
    if admin {
        operations.extend(admin::routes());
    }
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let (method, path, value) = operation.end();
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[method] = value;
    }
    let mut schemas = schemas::all();
    if admin {
        admin::add_schemas(&mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "smscode",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Temporary phone numbers for receiving verification SMS. /v1 shows money as whole rupiah, /v2 \
                            as dollars beside them; both are the same account.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": shape::refusals(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "The API token, 32 letters and digits."},
                "operators": {"type": "http", "scheme": "bearer", "description": "The operators' token of the settings."},
                "key": {"type": "apiKey", "in": "query", "name": "api_key", "description": "The same token; also in a form."},
            },
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::document;

    /// Calls `see` with every object in a document.
    fn walk(value: &Value, see: &mut impl FnMut(&serde_json::Map<String, Value>)) {
        match value {
            Value::Object(members) => {
                see(members);
                members.values().for_each(|member| walk(member, see));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_is_used() {
        let document = document(true, true);
        let mut used = BTreeSet::new();
        walk(&document, &mut |members| {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                used.insert(pointer.to_owned());
            }
        });
        for kind in ["schemas", "responses"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                // FORBIDDEN and INTERNAL_ERROR are declared by no route of the published API; 403 comes with a suspension
                let exempt = ["403", "AccountEvent"].contains(&&**name);
                assert!(exempt || used.contains(&format!("/components/{kind}/{name}")), "{kind}/{name} is not used");
            }
        }
    }

    #[test]
    fn the_counts_of_the_published_api() {
        let document = document(false, false);
        let paths = document["paths"].as_object().unwrap();
        for surface in ["/v1/", "/v2/"] {
            let own = paths.iter().filter(|(path, _)| path.starts_with(surface));
            let routes: usize = own.map(|(_, methods)| methods.as_object().unwrap().len()).sum();
            assert_eq!(routes, 18, "{surface}");
        }
        let members = |name: &str| document["components"]["schemas"][name]["required"].as_array().unwrap().len();
        let counts = ["OrderV1", "OrderV2", "ActiveOrder", "CreatedOrderV1", "CreatedOrderV2"].map(members);
        assert_eq!(counts, [24, 24, 18, 20, 20]);
        assert!(!paths.keys().any(|path| path.starts_with("/sandbox")));
    }

    #[test]
    fn operation_ids_are_unique_and_objects_closed() {
        let document = document(true, true);
        let mut ids = BTreeSet::new();
        walk(&document["paths"], &mut |members| {
            if let Some(id) = members.get("operationId") {
                assert!(ids.insert(id.to_string()), "{id} is used twice");
            }
        });
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            assert_eq!(schema["additionalProperties"], false, "{name}");
        }
    }
}
