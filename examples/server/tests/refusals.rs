//! Bad input gets a clear error, and nothing is lost. Every code that can be reached now is.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::{Api, sandbox, serve, without_rate};
use reqwest::Method;
use serde_json::json;
use smscode_core::Caps;
use smscode_providers::sandbox::{Fault, FaultReply};
use smscode_server::limit::LimitSettings;

/// Bodies for a create, and the member that is named.
fn bad_bodies(product: i64, umbrella: i64) -> Vec<(String, Option<&'static str>)> {
    vec![
        ("{".to_owned(), None),
        ("".to_owned(), None),
        ("[]".to_owned(), None),
        ("\"x\"".to_owned(), None),
        ("null".to_owned(), None),
        ("{\"catalog_product_id\":1}}".to_owned(), None),
        ("{}".to_owned(), Some("product_id")),
        (format!("{{\"product_id\":{product},\"catalog_product_id\":{umbrella}}}"), Some("product_id")),
        (format!("{{\"product_id\":\"{product}\"}}"), Some("product_id")),
        (format!("{{\"product_id\":{product}.0}}"), Some("product_id")),
        (format!("{{\"product_id\":{product},\"max_price\":5000}}"), Some("max_price")),
        (format!("{{\"product_id\":{product},\"quantity\":0}}"), Some("quantity")),
        (format!("{{\"product_id\":{product},\"quantity\":101}}"), Some("quantity")),
        (format!("{{\"product_id\":{product},\"quantity\":-1}}"), Some("quantity")),
        (format!("{{\"product_id\":{product},\"quantity\":\"2\"}}"), Some("quantity")),
        (format!("{{\"product_id\":{product},\"quantity\":99999999999999999999}}"), Some("quantity")),
        (format!("{{\"catalog_product_id\":{umbrella},\"max_prize\":1}}"), Some("max_prize")),
        (format!("{{\"catalog_product_id\":{umbrella},\"max_price\":0}}"), Some("max_price")),
        (format!("{{\"catalog_product_id\":{umbrella},\"max_price\":\"1\"}}"), Some("max_price")),
        (format!("{{\"catalog_product_id\":{umbrella},\"max_price\":1,\"min_price\":2}}"), Some("min_price")),
        (format!("{{\"catalog_product_id\":{umbrella},\"policy\":\"luck\"}}"), Some("policy")),
        (format!("{{\"catalog_product_id\":{umbrella},\"prefer_provider\":7}}"), Some("prefer_provider")),
        ("{\"product_id\":2000000000}".to_owned(), Some("product_id")),
        ("{\"product_id\":-1}".to_owned(), Some("product_id")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_bodies_are_named() {
    let api = Api::sandbox().await;
    let (product, umbrella) = api.product("sbx-manual").await;
    let before = api.balance().await;
    for (body, field) in bad_bodies(product, umbrella) {
        let answer = api.post_text("/v1/orders/create", body.clone()).await;
        assert_eq!(answer.code(), "VALIDATION_ERROR", "{body}");
        assert_eq!(answer.details()["field"].as_str(), field, "{body}: {}", answer.text);
    }
    let hint = api.post("/v1/orders/create", json!({"catalog_product_id": umbrella, "max_prize": 1})).await;
    assert!(hint.text.contains("did you mean max_price?"), "{}", hint.text);
    for price in ["0", "-1", "1,5", "1e3", " 1", "0.00001", ".5"] {
        let answer = api.post("/v2/orders/create", json!({"catalog_product_id": umbrella, "max_price": price})).await;
        assert_eq!(answer.code(), "VALIDATION_ERROR", "{price}");
    }
    let number = api.post("/v2/orders/create", json!({"catalog_product_id": umbrella, "max_price": 1})).await;
    assert_eq!(number.code(), "VALIDATION_ERROR");
    assert_eq!(api.balance().await, before, "nothing was charged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_bodies_of_actions_are_refused() {
    let api = Api::sandbox().await;
    for action in ["cancel", "finish", "resend", "reactivate"] {
        for body in ["{}", "{\"id\":\"1\"}", "{\"id\":1.5}", "{\"id\":1,\"reason\":\"x\"}", "{\"id\":99999999999}", "x"]
        {
            let answer = api.post_text(&format!("/v1/orders/{action}"), body).await;
            assert_eq!(answer.code(), "VALIDATION_ERROR", "{action} {body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_queries_are_named() {
    let api = Api::sandbox().await;
    let table = [
        ("catalog/services?country_id=x", "country_id"),
        ("catalog/services?country_id=99999999999", "country_id"),
        ("catalog/operators", "country_id"),
        ("catalog/operators?country_id=6", "platform_id"),
        ("catalog/products?limit=ten", "limit"),
        ("catalog/products?page=1.5", "page"),
        ("catalog/products?operator_id=any", "operator_id"),
        ("orders?limit=x", "limit"),
        ("orders?offset=-1", "offset"),
        ("orders?offset=99999999999999999999", "offset"),
        ("orders?status=done", "status"),
    ];
    for (path, field) in table {
        let answer = api.get(&format!("/v1/{path}")).await;
        assert_eq!((answer.code(), answer.details()["field"].as_str()), ("VALIDATION_ERROR", Some(field)), "{path}");
    }
    assert_eq!(api.get("/v1/orders?status=otp_received&limit=1000&offset=99999").await.data(), &json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_are_refused_before_anything_happens() {
    let api = Api::sandbox().await;
    let padded = |size: usize| {
        let mut body = b"{\"product_id\":2000000000}".to_vec();
        body.resize(size, b' ');
        body
    };
    let at_the_limit = api.post_text("/v1/orders/create", padded(1_000_000)).await;
    assert_eq!(at_the_limit.status, 422, "it is read: {}", at_the_limit.text);
    let above = api.post_text("/v1/orders/create", padded(1_000_001)).await;
    assert_eq!((above.status.as_u16(), above.body.is_null()), (413, true), "no envelope");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_valid_token_there_is_nothing() {
    let api = Api::sandbox().await;
    let wrong = "smscAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let bad = ["", "Bearer", "Bearer ", &format!("Bearer {wrong}"), &format!("Basic {}", common::TOKEN), "Bearer ü"];
    for value in bad {
        let request = api.client.get(api.url("/v1/balance"));
        let request = if value.is_empty() {
            request
        } else {
            request.header("authorization", reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        assert_eq!(api.send(request).await.code(), "UNAUTHORIZED", "{value}");
    }
    // the token is judged before the body
    let request = api.client.post(api.url("/v1/orders/create")).body(vec![b' '; 2_000_000]);
    assert_eq!(api.send(request).await.code(), "UNAUTHORIZED");
    let lower = api.client.get(api.url("/v1/balance")).header("authorization", format!("bearer {}", common::TOKEN));
    assert_eq!(api.send(lower).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_and_what_is_somebody_elses_look_the_same() {
    let mut api = Api::sandbox().await;
    let order = api.order("sbx-manual").await;
    let id = order["id"].clone();
    api.token = api.other_token(0).await;
    let texts: Vec<String> = [api.get(&format!("/v1/orders/{id}")).await, api.get("/v1/orders/5").await]
        .into_iter()
        .map(|answer| {
            assert_eq!(answer.code(), "NOT_FOUND");
            answer.text
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
    for action in ["cancel", "finish", "resend", "reactivate"] {
        assert_eq!(api.action("v2", action, &id).await.code(), "NOT_FOUND", "{action}");
    }
    assert_eq!(api.get(&format!("/v1/orders/{id}/reactivate-options")).await.code(), "NOT_FOUND");
    for path in ["x", "1.0", "-1", "+1", "2147483648", "99999999999999999999", "%00", "0"] {
        assert_eq!(api.get(&format!("/v1/orders/{path}")).await.code(), "NOT_FOUND", "{path}");
    }
    assert_eq!(api.get("/v1/nothing").await.code(), "NOT_FOUND");
    assert_eq!(api.get("/v3/balance").await.code(), "NOT_FOUND");
    assert_eq!(api.send(api.request(Method::DELETE, "/v1/balance")).await.code(), "NOT_FOUND");
    assert_eq!(api.get("/v1/orders").await.data(), &json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suppliers_and_offers_that_fail_are_told_apart() {
    let api = Api::sandbox().await;
    let before = api.balance().await;
    let (slot, umbrella) = api.product("sbx-sold-out").await;
    let answer = api.post("/v1/orders/create", json!({"product_id": slot})).await;
    assert_eq!((answer.code(), &answer.details()["cause"]), ("PROVIDER_ERROR", &json!("no_numbers")));
    let answer = api.post("/v1/orders/create", json!({"catalog_product_id": umbrella})).await;
    assert_eq!(answer.code(), "NO_OFFER_AVAILABLE");
    let bulk = api.post("/v1/orders/create", json!({"product_id": slot, "quantity": 3})).await;
    assert_eq!((bulk.code(), &bulk.details()["cause"]), ("PROVIDER_ERROR", &json!("no_numbers")), "all failed alike");
    let (slot, _) = api.product("sbx-price-above").await;
    let answer = api.post("/v1/orders/create", json!({"product_id": slot})).await;
    assert_eq!((answer.code(), &answer.details()["cause"]), ("PROVIDER_ERROR", &json!("price_rejected")));

    assert_eq!(api.balance().await, before, "nothing was charged");
    assert_eq!(api.get("/v1/orders").await.data(), &json!([]), "what never had a number is not listed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_that_nothing_meets_leave_no_offer() {
    let api = Api::sandbox().await;
    let before = api.balance().await;
    let (_, umbrella) = api.product("whatsapp").await;
    let cheap = api.post("/v1/orders/create", json!({"catalog_product_id": umbrella, "max_price": 1})).await;
    assert_eq!(cheap.code(), "NO_OFFER_AVAILABLE");
    let dear = api.post("/v2/orders/create", json!({"catalog_product_id": umbrella, "min_price": "900"})).await;
    assert_eq!(dear.code(), "NO_OFFER_AVAILABLE");
    let operator = api.post("/v1/orders/create", json!({"catalog_product_id": umbrella, "operator_id": 3})).await;
    assert_eq!(operator.code(), "NO_OFFER_AVAILABLE");
    let unknown = api.post("/v1/orders/create", json!({"catalog_product_id": 2_000_000_000})).await;
    assert_eq!(unknown.code(), "NO_OFFER_AVAILABLE");

    api.plan(1, Fault::without_effect(FaultReply::Body(200, "NO_BALANCE".to_owned())));
    let answer = api.post("/v1/orders/create", json!({"catalog_product_id": umbrella})).await;
    assert_eq!((answer.code(), &answer.details()["cause"]), ("PROVIDER_ERROR", &json!("provider_account_balance")));
    assert_eq!(api.balance().await, before, "nothing was charged");
    assert_eq!(api.get("/v1/orders").await.data(), &json!([]), "what never had a number is not listed");
    api.ledger_adds_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_limit_is_rounded_to_the_safe_side() {
    let api = Api::sandbox().await;
    let (_, umbrella) = api.product("sbx-manual").await;
    let shown = api.get("/v2/catalog/products?country_id=6&limit=1").await;
    let price = &shown.data()[0]["price"];
    assert_eq!((price["amount"].as_str(), price["canonical_amount"].as_i64()), (Some("0.0130"), Some(208)));
    let answer = api.post("/v2/orders/create", json!({"catalog_product_id": umbrella, "max_price": "0.0129"})).await;
    assert_eq!(answer.code(), "NO_OFFER_AVAILABLE", "206 rupiah");
    let answer = api.post("/v2/orders/create", json!({"catalog_product_id": umbrella, "max_price": "0.0130"})).await;
    assert_eq!(answer.data()["orders"][0]["amount"]["canonical_amount"], 208);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_little_money_refuses_all_before_any_supplier_is_asked() {
    let mut api = Api::sandbox().await;
    let (slot, _) = api.product("sbx-manual").await;
    api.token = api.other_token(208 * 2).await;
    let simulator = api.running.app.sandbox.as_ref().unwrap().simulator();
    let calls = simulator.calls("getNumberV2");
    let answer = api.post("/v1/orders/create", json!({"product_id": slot, "quantity": 3})).await;
    assert_eq!(answer.code(), "INSUFFICIENT_BALANCE");
    assert_eq!(
        (answer.details()["needed"]["canonical_amount"].as_i64(), simulator.calls("getNumberV2")),
        (Some(624), calls)
    );
    assert_eq!(api.balance().await, 416);
    let fits = api.post("/v1/orders/create", json!({"product_id": slot, "quantity": 2})).await;
    assert_eq!(fits.data()["orders"].as_array().unwrap().len(), 2);
    assert_eq!(api.balance().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reactivation_is_refused_with_the_state() {
    let api = Api::sandbox().await;
    let id = api.order("sbx-code-now").await["id"].clone();
    api.until(&id, |order| order["can_finish"] == true).await;
    api.action("v1", "finish", &id).await.data();
    for answer in [
        api.action("v1", "reactivate", &id).await,
        api.post("/v2/orders/reactivate", json!({"id": id, "max_price": "0.5"})).await,
        api.get(&format!("/v2/orders/{id}/reactivate-options")).await,
    ] {
        assert_eq!((answer.code(), &answer.details()["status"]), ("CONFLICT", &json!("COMPLETED")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_cancels_and_attempts_are_limited() {
    let mut config = sandbox();
    config.limits = Some(LimitSettings { requests_a_minute: 20, attempts_a_minute: 3 });
    config.platform.caps = Caps { open_orders: 2, cancels_a_day: 0 };
    let api = serve(config).await;
    let (slot, _) = api.product("sbx-manual").await;
    let id = api.post("/v1/orders/create", json!({"product_id": slot})).await.data()["orders"][0]["id"].clone();
    let many = api.post("/v1/orders/create", json!({"product_id": slot, "quantity": 2})).await;
    assert_eq!((many.code(), &many.details()["limit"]["max"]), ("RATE_LIMIT_EXCEEDED", &json!(2)));
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let cancel = api.action("v1", "cancel", &id).await;
    assert_eq!((cancel.code(), &cancel.details()["limit"]["max"]), ("RATE_LIMIT_EXCEEDED", &json!(0)));

    let mut limited = None;
    for _ in 0..40 {
        let answer = api.get("/v1/balance").await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("20 a minute");
    assert_eq!(limited.code(), "RATE_LIMIT_EXCEEDED");
    assert!(limited.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() <= 3);

    let wrong = api.client.get(api.url("/v1/balance"));
    for _ in 0..3 {
        assert_eq!(api.send(wrong.try_clone().unwrap()).await.code(), "UNAUTHORIZED");
    }
    assert_eq!(api.send(wrong).await.code(), "RATE_LIMIT_EXCEEDED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_rate_v1_works_and_v2_does_nothing() {
    let (config, simulator) = without_rate().await;
    let api = serve(config).await;
    let (_, umbrella) = api.product("whatsapp").await;
    let created = api.post("/v1/orders/create", json!({"catalog_product_id": umbrella})).await;
    let id = created.data()["orders"][0]["id"].clone();
    let before = (api.balance().await, simulator.calls("getNumberV2"));
    for path in ["/v2/balance", "/v2/catalog/products", "/v2/catalog/exchange-rate", "/v2/orders"] {
        assert_eq!(api.get(path).await.code(), "FX_RATE_UNAVAILABLE", "{path}");
    }
    assert_eq!(api.get("/v1/catalog/exchange-rate").await.code(), "NOT_FOUND");
    let create = api.create("v2", json!({"catalog_product_id": umbrella}), "fx").await;
    assert_eq!(create.code(), "FX_RATE_UNAVAILABLE");
    assert_eq!(api.action("v2", "cancel", &id).await.code(), "FX_RATE_UNAVAILABLE");
    assert_eq!((api.balance().await, simulator.calls("getNumberV2")), before, "nothing was done");
    // what waits for a code does not depend on the rate
    api.until(&id, |order| order["otp_code"].is_string()).await;
    for path in ["/v2/catalog/countries", "/v2/orders/active", "/v2/webhook"] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
    assert_eq!(api.action("v2", "finish", &id).await.data()["status"], "COMPLETED");
    assert_eq!(api.sms(&json!("+620"), "x").await.code(), "NOT_FOUND", "no sandbox, no route");
}
