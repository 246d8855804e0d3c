//! `/openapi.json` says what is served: held against the router's own list of routes and against real answers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Api, TOKEN, sandbox, serve, without_rate};
use reqwest::Method;
use serde_json::{Value, json};
use smscode_server::surface;

type Routes = BTreeSet<(String, String)>;

/// Method and path of everything that the router serves, from what it says of itself when it is printed:
/// `RouteId(3): "/v1/balance"` and `RouteId(3): MethodRouter(... allow_header: Bytes(b"GET,HEAD") ...)`.
fn served(api: &Api) -> Routes {
    let text = format!("{:?}", surface::router(api.running.app.clone()));
    let (mut paths, mut methods) = (BTreeMap::new(), BTreeMap::new());
    // behind the routes come those of the fallbacks, with numbers of their own
    let routes = text.split(" PathRouter {").nth(1).expect("the router tells its routes");
    for part in routes.split("RouteId(").skip(1) {
        let (id, rest) = part.split_once("): ").unwrap_or((part, ""));
        if let Some(path) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
            paths.insert(id.to_owned(), path.to_owned());
        }
        if let Some((_, allowed)) = rest.split_once("allow_header: Bytes(b\"") {
            let allowed = allowed.split('"').next().unwrap().to_lowercase();
            methods.insert(id.to_owned(), allowed.split(',').map(str::to_owned).collect::<Vec<_>>());
        }
    }
    let found: Routes = paths
        .into_iter()
        .flat_map(|(id, path)| {
            methods[&id].iter().map(move |method| (method.clone(), path.clone())).collect::<Vec<_>>()
        })
        // HEAD comes with GET
        .filter(|(method, _)| method != "head")
        .collect();
    assert!(found.contains(&("patch".to_owned(), "/v2/webhook".to_owned())), "{routes:.3000}");
    found
}

fn described(document: &Value) -> Routes {
    let mut found = Routes::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            found.insert((method.clone(), path.clone()));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_has_every_route_and_no_other() {
    let sandboxed = Api::sandbox().await;
    let (live, _simulator) = without_rate().await;
    let live = serve(live).await;
    for api in [&sandboxed, &live] {
        let document = api.get("/openapi.json").await;
        assert_eq!(document.body["openapi"], "3.1.0");
        assert_eq!(described(&document.body), served(api));
    }
    let count = described(&sandboxed.get("/openapi.json").await.body).len();
    assert_eq!(count, 36 + 2 + 1 + 3 + 3 + 6 + 2, "published, older, events, account, operation, documents, sandbox");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_described_route_answers() {
    let api = Api::sandbox().await;
    let document = api.get("/openapi.json").await.body;
    for (method, path) in described(&document) {
        let operation = &document["paths"][&path][&method];
        let url = api.url(&path.replace("{id}", "1"));
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let mut request = api.client.request(method.clone(), url);
        if operation.get("requestBody").is_some() {
            request = request.json(&json!({}));
        }
        // without a token: nothing is bought, and what wants one says so
        let answer = api.send(request).await;
        let status = answer.status.as_u16();
        let secured = !operation["security"].as_array().unwrap().is_empty();
        assert_ne!(status, 404, "{method} {path}: {}", answer.text);
        assert_ne!(status, 405, "{method} {path}");
        if secured && !path.starts_with("/stubs") {
            assert_eq!(answer.code(), "UNAUTHORIZED", "{method} {path}");
        }
        let listed = operation["responses"].get(status.to_string()).is_some();
        assert!(listed, "{method} {path} answers {status}, which the document does not know");
    }
}

/// Whether a value is as a schema says; only the words of JSON Schema that the document uses.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(&reference[1..]).expect("it leads somewhere");
        return check(document, target, value, place);
    }
    if let Some(wanted) = schema.get("const") {
        assert_eq!(value, wanted, "{place}");
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{place}: {value} is none of {words:?}");
    }
    if let Some(kinds) = schema.get("type") {
        let kinds: Vec<&str> = kinds.as_array().map_or_else(
            || vec![kinds.as_str().unwrap()],
            |kinds| kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        );
        assert!(kinds.iter().any(|kind| is(value, kind)), "{place}: {value} is not {kinds:?}");
    }
    if schema["format"] == "int32" && !value.is_null() {
        assert!(i32::try_from(value.as_i64().unwrap()).is_ok(), "{place}: {value} has more than 32 bits");
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        for (index, item) in items.iter().enumerate() {
            check(document, schema, item, &format!("{place}[{index}]"));
        }
    }
    let Some(members) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(members.contains_key(name.as_str().unwrap()), "{place} lacks {name}");
    }
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(schema) => check(document, schema, member, &format!("{place}.{name}")),
            None => assert_ne!(schema["additionalProperties"], false, "{place} has {name} beside its members"),
        }
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the document has a type {other}"),
    }
}

/// Sends a request and checks its answer against what the document says of this route.
async fn checked(api: &Api, document: &Value, method: &str, template: &str, id: &Value, body: Option<Value>) -> Value {
    let (path, query) = template.split_once('?').unwrap_or((template, ""));
    let url = format!("{}?{query}", path.replace("{id}", &id.to_string()));
    let mut request = api.request(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), &url);
    let operation = &document["paths"][path][method];
    if let Some(body) = body {
        check(document, &operation["requestBody"]["content"]["application/json"]["schema"], &body, "body");
        request = request.json(&body);
    }
    let answer = api.send(request).await;
    let place = format!("{method} {path} {}", answer.status);
    let mut described = &operation["responses"][answer.status.as_str()];
    if let Some(reference) = described["$ref"].as_str() {
        described = document.pointer(&reference[1..]).unwrap();
    }
    let schema = &described["content"]["application/json"]["schema"];
    assert!(!schema.is_null(), "{place} is not described: {}", answer.text);
    check(document, schema, &answer.body, &place);
    answer.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_both_surfaces_are_as_described() {
    let api = Api::sandbox().await;
    let document = api.get("/openapi.json").await.body;
    let (product, umbrella) = api.product("sbx-manual").await;
    let none = json!(1);
    for surface in ["v1", "v2"] {
        let route = |path: &str| format!("/{surface}{path}");
        let reads = [
            "/catalog/countries",
            "/catalog/services?country_id=6",
            "/catalog/operators?country_id=6&platform_id=1",
            "/catalog/operators",
            "/catalog/products?limit=5",
            "/catalog/exchange-rate",
            "/balance",
            "/orders?status=nothing",
            "/webhook",
        ];
        for path in reads {
            checked(&api, &document, "get", &route(path), &none, None).await;
        }
        let price = if surface == "v1" { json!(1) } else { json!("0.0001") };
        let dear = json!({"catalog_product_id": umbrella, "max_price": price});
        let refused = checked(&api, &document, "post", &route("/orders/create"), &none, Some(dear)).await;
        assert_eq!(refused["error"]["code"], "NO_OFFER_AVAILABLE");
        let wanted = json!({"product_id": product, "quantity": 2});
        let created = checked(&api, &document, "post", &route("/orders/create"), &none, Some(wanted)).await;
        let orders = created["data"]["orders"].as_array().unwrap().clone();
        let (first, second) = (&orders[0]["id"], &orders[1]["id"]);
        api.sms(&orders[0]["phone_number"], "Your code is 415127").await;
        api.until(first, |order| order["otp_code"].is_string()).await;
        for path in ["/orders", "/orders/active", "/orders/{id}"] {
            checked(&api, &document, "get", &route(path), first, None).await;
        }
        api.until_cancellable(second).await;
        let steps = [
            ("/orders/resend", first),
            ("/orders/finish", first),
            ("/orders/cancel", second),
            ("/orders/cancel", &none),
        ];
        for (path, id) in steps {
            checked(&api, &document, "post", &route(path), id, Some(json!({"id": id}))).await;
        }
        for path in ["/orders/{id}", "/orders", "/orders/{id}/reactivate-options"] {
            checked(&api, &document, "get", &route(path), first, None).await;
        }
        checked(&api, &document, "get", &route("/orders/{id}"), &none, None).await;
        checked(&api, &document, "post", &route("/orders/reactivate"), first, Some(json!({"id": first}))).await;
        checked(&api, &document, "post", &route("/webhook/test"), &none, None).await;
        let change = |url: &str| Some(json!({"webhook_url": url}));
        checked(&api, &document, "patch", &route("/webhook"), &none, change("")).await;
        checked(&api, &document, "patch", &route("/webhook"), &none, change("https://example.org/")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_beside_the_published_api_are_as_described() {
    let api = Api::sandbox().await;
    let document = api.get("/openapi.json").await.body;
    let none = json!(1);
    let stranger = Some(json!({"phone": "+62000", "text": "x"}));
    checked(&api, &document, "post", "/sandbox/sms", &none, stranger).await;
    let order = api.order("sbx-manual").await;
    let sms = Some(json!({"phone": order["phone_number"], "text": "x"}));
    checked(&api, &document, "post", "/sandbox/sms", &none, sms).await;
    checked(&api, &document, "get", "/readyz", &none, None).await;
    checked(&api, &document, "post", "/sandbox/advance", &none, Some(json!({"seconds": 1}))).await;
    for id in [&order["id"], &none] {
        checked(&api, &document, "get", "/account/orders/{id}/explain", id, None).await;
    }
    checked(&api, &document, "get", "/account/deletion", &none, None).await;
    let refused = checked(&api, &document, "delete", "/account", &none, Some(json!({"forfeit": false}))).await;
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["details"]["field"]),
        (&json!("VALIDATION_ERROR"), &json!("forfeit"))
    );
    // an event of the stream
    let mut stream = api.request(Method::GET, "/events?after=0").send().await.unwrap();
    let mut text = String::new();
    while !text.contains("\"sequence\"") || !text.ends_with("\n\n") {
        text.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().expect("it goes on")));
    }
    let data = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap();
    let schema = &document["components"]["schemas"]["AccountEvent"];
    let event: Value = serde_json::from_str(data).unwrap();
    check(&document, schema, &event, "event");
    check(&document, &document["components"]["schemas"]["OrderV1"], &event["order"], "event.order");
    drop(stream);
    checked(&api, &document, "delete", "/account", &none, Some(json!({"forfeit": true}))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_come_from_here_and_link_to_what_is_there() {
    let api = serve(sandbox()).await;
    let mut waiting = vec!["/docs".to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = api.send(api.client.get(api.url(&path))).await;
        assert_eq!(answer.status, 200, "{path}");
        if path == "/openapi.json" {
            continue;
        }
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self';"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        for elsewhere in ["//", "http:"] {
            let found = answer.text.match_indices(elsewhere).filter(|(at, _)| {
                let (before, after) = (&answer.text[..*at], &answer.text[*at..]);
                // comments of scripts, and the address that the page puts its own in place of
                !(before.ends_with('\n')
                    || before.ends_with(' ')
                    || before.ends_with("http:")
                    || after.starts_with("http://127.0.0.1:8080"))
            });
            assert_eq!(found.count(), 0, "{path} names {elsewhere}");
        }
        for inline in ["<script>", "style=", "onclick=", "<style"] {
            assert!(!answer.text.contains(inline), "{path} has {inline}, which its policy forbids");
        }
        let base = reqwest::Url::parse(&api.url(&path)).unwrap();
        for attribute in ["href=\"", "src=\""] {
            for link in answer.text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                waiting.push(base.join(link).unwrap().path().to_owned());
            }
        }
    }
    let expected =
        ["/docs", "/docs/docs.css", "/docs/docs.js", "/docs/reference", "/docs/reference.js", "/openapi.json"];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
    let page = api.send(api.client.get(api.url("/docs"))).await;
    assert!(!page.text.contains(TOKEN));
}
