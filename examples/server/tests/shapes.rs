//! The wire contract: exactly the members of the published API in each view, on both surfaces.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use common::{Answer, Api, keys, set};
use serde_json::{Value, json};

const FLAGS: [&str; 8] = [
    "can_finish",
    "can_resend",
    "can_cancel",
    "can_replace",
    "can_reactivate",
    "resend_available_at",
    "cancel_available_at",
    "replace_available_at",
];
const ORDER: [&str; 16] = [
    "id",
    "status",
    "created_at",
    "product_id",
    "catalog_product_id",
    "operator_id",
    "operator_name",
    "phone_number",
    "amount",
    "otp_code",
    "otp_message",
    "sms_revision",
    "otp_received_at",
    "expires_at",
    "canceled_at",
    "failed_reason",
];
const ACTIVE: [&str; 10] = [
    "id",
    "status",
    "operator_id",
    "operator_name",
    "otp_code",
    "otp_message",
    "sms_revision",
    "otp_received_at",
    "expires_at",
    "failed_reason",
];
const CREATED: [&str; 12] = [
    "id",
    "status",
    "product_id",
    "catalog_product_id",
    "operator_id",
    "operator_name",
    "phone_number",
    "amount",
    "otp_code",
    "otp_received_at",
    "expires_at",
    "failed_reason",
];

fn has(value: &Value, own: &[&str], count: usize) {
    let mut expected = set(own);
    expected.extend(set(&FLAGS));
    assert_eq!(keys(value), expected, "{value}");
    assert_eq!(expected.len(), count);
    for flag in &FLAGS[..5] {
        assert!(value[flag].is_boolean(), "{flag}: {value}");
    }
    for time in &FLAGS[5..] {
        assert!(value[time].is_null() || value[time].is_string(), "{time}: {value}");
    }
}

fn is_money(value: &Value, decimals: usize) {
    assert_eq!(keys(value), set(&["amount", "currency", "canonical_amount", "canonical_currency"]));
    let amount = value["amount"].as_str().expect("a text");
    assert_eq!(amount.split_once('.').expect("a point").1.len(), decimals, "{amount}");
    assert!(value["canonical_amount"].is_i64() || value["canonical_amount"].is_u64());
    assert_eq!((&value["currency"], &value["canonical_currency"]), (&json!("USD"), &json!("IDR")));
}

/// `meta` of the answer: with the rate on `/v2`, with these beside it.
fn has_meta(answer: &Answer, surface: &str, beside: &[&str]) {
    let mut expected = set(beside);
    if surface == "v2" {
        expected.insert("fx".to_owned());
        let fx = &answer.body["meta"]["fx"];
        assert_eq!(fx, &json!({"pair": "USD/IDR", "rate": 16_000, "rate_as_of": null}));
    }
    if expected.is_empty() {
        assert_eq!(keys(&answer.body), set(&["success", "data"]), "no meta where it is not specified");
    } else {
        assert_eq!(keys(&answer.body["meta"]), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalogue_has_exactly_its_members() {
    let api = Api::sandbox().await;
    for surface in ["v1", "v2"] {
        let countries = api.get(&format!("/{surface}/catalog/countries")).await;
        has_meta(&countries, "v1", &[]);
        let all = countries.data().as_array().unwrap();
        for country in all {
            assert_eq!(keys(country), set(&["id", "code", "name", "dial_code", "emoji", "active"]));
        }
        let indonesia = all.iter().find(|country| country["id"] == 6).unwrap();
        let expected = json!({
            "id": 6, "code": "id", "name": "Indonesia", "dial_code": "62", "emoji": "🇮🇩", "active": true,
        });
        assert_eq!(indonesia, &expected);

        let services = api.get(&format!("/{surface}/catalog/services")).await;
        has_meta(&services, "v1", &[]);
        let all = services.data().as_array().unwrap();
        let whatsapp = all.iter().find(|service| service["code"] == "whatsapp").unwrap();
        assert_eq!(whatsapp, &json!({"id": 2, "code": "whatsapp", "name": "WhatsApp", "active": true}));
        let here = api.get(&format!("/{surface}/catalog/services?country_id=6")).await;
        let here = here.data().as_array().unwrap().len();
        assert!(here > 20 && here < all.len(), "with a country only what is sold there");

        let products = api.get(&format!("/{surface}/catalog/products?limit=3&page=2")).await;
        has_meta(&products, surface, &["page", "limit", "count"]);
        assert_eq!((&products.body["meta"]["page"], &products.body["meta"]["count"]), (&json!(2), &json!(3)));
        for product in products.data().as_array().unwrap() {
            let members = [
                "id",
                "name",
                "country_id",
                "platform_id",
                "available",
                "price",
                "active",
                "catalog_product_id",
                "operator_id",
                "operator_name",
            ];
            assert_eq!(keys(product), set(&members));
            match surface {
                "v1" => assert!(product["price"].is_i64() || product["price"].is_u64()),
                _ => is_money(&product["price"], 4),
            }
        }
        let operators = api.get(&format!("/{surface}/catalog/operators?country_id=6&platform_id=2")).await;
        has_meta(&operators, "v1", &[]);
        assert_eq!(operators.data(), &json!([]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_has_exactly_its_members() {
    let api = Api::sandbox().await;
    let rate = api.get("/v1/catalog/exchange-rate").await;
    let expected = json!({"pair": "USD/IDR", "base_currency": "USD", "quote_currency": "IDR", "rate": 16_000});
    assert_eq!(rate.data(), &expected);
    assert_eq!(api.get("/v1/catalog/exchange-rate?pair=EUR/IDR").await.code(), "NOT_FOUND");
    let rate = api.get("/v2/catalog/exchange-rate?pair=EUR/IDR").await;
    assert_eq!(rate.data(), &json!({"pair": "USD/IDR", "rate": 16_000, "rate_as_of": null}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_clamped_and_sorted() {
    let api = Api::sandbox().await;
    for (query, page, limit) in [
        ("", 1, 1_000),
        ("?limit=0&page=0", 1, 1),
        ("?limit=-5&page=-9", 1, 1),
        ("?limit=99999&page=1", 1, 10_000),
        ("?limit=9223372036854775807&page=9223372036854775807", 9_223_372_036_854_775_807_i64, 10_000),
    ] {
        let answer = api.get(&format!("/v1/catalog/products{query}")).await;
        assert_eq!(
            (&answer.body["meta"]["page"], &answer.body["meta"]["limit"]),
            (&json!(page), &json!(limit)),
            "{query}"
        );
    }
    let prices = async |sort: &str| -> Vec<i64> {
        let answer = api.get(&format!("/v1/catalog/products?sort={sort}")).await;
        answer.data().as_array().unwrap().iter().map(|product| product["price"].as_i64().unwrap()).collect()
    };
    let cheapest_first = prices("price_asc").await;
    assert!(cheapest_first.is_sorted());
    assert!(prices("price_desc").await.iter().rev().is_sorted());
    assert_eq!(prices("cheapest").await, cheapest_first, "an unknown word falls back");
    let cheapest = api.get("/v1/catalog/products?limit=1").await;
    assert!(cheapest.data()[0]["name"].as_str().unwrap().contains("only injected SMS"), "sbx_manual is the cheapest");
    let none = ["country_id=99999", "country_id=-1", "platform_id=77777", "operator_id=1"];
    for query in none {
        assert_eq!(api.get(&format!("/v1/catalog/products?{query}")).await.data(), &json!([]), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_have_exactly_their_members_on_both_surfaces() {
    let api = Api::sandbox().await;
    let (_, umbrella) = api.product("sbx-manual").await;
    for surface in ["v1", "v2"] {
        let balance = api.get(&format!("/{surface}/balance")).await;
        has_meta(&balance, surface, &[]);
        match surface {
            "v1" => assert_eq!(keys(balance.data()), set(&["currency", "balance"])),
            _ => {
                assert_eq!(keys(balance.data()), set(&["balance"]));
                is_money(&balance.data()["balance"], 2);
            }
        }
        let created = api.create(surface, json!({"catalog_product_id": umbrella}), &format!("shape-{surface}")).await;
        has_meta(&created, surface, &[]);
        assert_eq!(keys(created.data()), set(&["orders", "failed_count"]));
        let item = &created.data()["orders"][0];
        has(item, &CREATED, 20);
        assert!(item["phone_number"].as_str().unwrap().starts_with("+62"));
        assert!(item["otp_code"].is_null() && item["expires_at"].is_string());
        let id = item["id"].clone();
        assert!(id.as_i64().unwrap() < i64::from(i32::MAX));

        let list = api.get(&format!("/{surface}/orders?limit=1")).await;
        let one = api.get(&format!("/{surface}/orders/{id}")).await;
        has_meta(&list, surface, &[]);
        has_meta(&one, surface, &[]);
        has(&list.data()[0], &ORDER, 24);
        has(one.data(), &ORDER, 24);
        assert_eq!(list.data()[0]["id"], id, "newest first");
        for amount in [&item["amount"], &one.data()["amount"]] {
            match surface {
                "v1" => assert!(amount.is_i64() || amount.is_u64()),
                _ => is_money(amount, 4),
            }
        }
        let active = api.get(&format!("/{surface}/orders/active")).await;
        has_meta(&active, "v1", &[]);
        has(&active.data()[0], &ACTIVE, 18);
        act(&api, surface, &id).await;
    }
}

/// Cancel, finish and resend of the surface.
async fn act(api: &Api, surface: &str, id: &Value) {
    api.until_cancellable(id).await;
    let cancelled = api.action(surface, "cancel", id).await;
    has_meta(&cancelled, surface, &[]);
    assert_eq!(keys(cancelled.data()), set(&["order_id", "status", "refund_amount", "new_balance"]));
    assert_eq!((&cancelled.data()["order_id"], &cancelled.data()["status"]), (id, &json!("CANCELED")));
    if surface == "v2" {
        is_money(&cancelled.data()["refund_amount"], 4);
        is_money(&cancelled.data()["new_balance"], 2);
    }
    let order = api.order("sbx-code-now").await;
    let id = &order["id"];
    api.until(id, |order| order["status"] == "OTP_RECEIVED").await;
    let resent = api.action(surface, "resend", id).await;
    has_meta(&resent, "v1", &[]);
    assert_eq!(resent.data(), &json!({"order_id": id, "status": "ACTIVE", "resent": true}));
    let finished = api.action(surface, "finish", id).await;
    has_meta(&finished, "v1", &[]);
    assert_eq!(finished.data(), &json!({"order_id": id, "status": "COMPLETED"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_webhook_configuration_is_empty_and_cannot_be_set_yet() {
    let api = Api::sandbox().await;
    let empty = json!({
        "webhook_url": null, "webhook_secret": null, "webhook_disabled_at": null, "webhook_disabled_reason": null,
        "webhook_consecutive_failures": 0,
    });
    let patch = async |body: Value| api.send(api.request(reqwest::Method::PATCH, "/v1/webhook").json(&body)).await;
    assert_eq!(api.get("/v2/webhook").await.data(), &empty);
    assert_eq!(patch(json!({"webhook_url": ""})).await.data(), &empty);
    assert_eq!(patch(json!({})).await.code(), "VALIDATION_ERROR");
    assert_eq!(patch(json!({"webhook_url": null})).await.code(), "VALIDATION_ERROR");
    assert_eq!(patch(json!({"webhook_url": "http://example.com"})).await.code(), "VALIDATION_ERROR");
    assert_eq!(patch(json!({"webhook_url": "https://example.com"})).await.code(), "SERVICE_UNAVAILABLE");
    let test = api.request(reqwest::Method::POST, "/v1/webhook/test").header("content-type", "application/json");
    assert_eq!(api.send(test).await.code(), "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_money_is_the_same_on_both_surfaces() {
    let api = Api::sandbox().await;
    // what may be done with it does not change any more between two reads
    api.until_cancellable(&api.order("sbx-manual").await["id"]).await;
    for path in [
        "catalog/countries",
        "catalog/services?country_id=6",
        "catalog/operators?country_id=6&platform_id=2",
        "orders/active",
        "webhook",
    ] {
        let (one, two) = (api.get(&format!("/v1/{path}")).await, api.get(&format!("/v2/{path}")).await);
        assert_eq!(one.text, two.text, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operation_routes_answer() {
    let api = Api::sandbox().await;
    assert_eq!(api.get("/healthz").await.text, "up\n");
    assert_eq!(
        api.get("/readyz").await.data(),
        &json!({"store": "ok", "recovered": true, "suppliers": {"sandbox": "selling"}})
    );
    api.get("/v1/balance").await;
    let metrics = api.get("/metrics").await.text;
    for line in [
        "smscode_store_up 1",
        "smscode_running 1",
        "smscode_supplier_up{supplier=\"sandbox\"} 1",
        "smscode_http_request_seconds_count{method=\"GET\",route=\"/v1/balance\",status=\"200\"} 1",
        "smscode_epoch_key_age_seconds ",
        "smscode_supplier_offers_age_seconds{supplier=\"sandbox\"} ",
        "smscode_supplier_standing{supplier=\"sandbox\",standing=\"selling\"} 1",
        "smscode_supplier_standing{supplier=\"sandbox\",standing=\"resting\"} 0",
        "smscode_supplier_drained{supplier=\"sandbox\"} 0",
        "smscode_supplier_calls{supplier=\"sandbox\",call=\"read\"} ",
        "smscode_supplier_calls_failed{supplier=\"sandbox\",call=\"read\"} 0",
        "smscode_supplier_call_ms{supplier=\"sandbox\",call=\"read\",part=\"0.95\"} ",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}
