//! The caller's key: the table of the contract's section on idempotency.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use common::Api;
use serde_json::{Value, json};
use smscode_core::money::{Currency, Money};
use smscode_providers::sandbox::{Fault, FaultReply};

fn ids(answer: &common::Answer) -> Vec<i64> {
    answer.data()["orders"].as_array().unwrap().iter().map(|order| order["id"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_nothing_is_deduplicated() {
    let api = Api::sandbox().await;
    let one = api.order("sbx-manual").await;
    let two = api.order("sbx-manual").await;
    assert_ne!(one["id"], two["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_keys_are_refused() {
    let api = Api::sandbox().await;
    let (slot, _) = api.product("sbx-manual").await;
    let before = api.balance().await;
    for key in ["", "a b", "a.b", "ü", &"k".repeat(129)] {
        let header = reqwest::header::HeaderValue::from_bytes(key.as_bytes()).unwrap();
        let request = api.request(reqwest::Method::POST, "/v1/orders/create").header("idempotency-key", header);
        let answer = api.send(request.json(&json!({"product_id": slot}))).await;
        assert_eq!(answer.code(), "VALIDATION_ERROR", "{key}");
    }
    assert_eq!(api.balance().await, before);
    let longest = "K-_9".repeat(32);
    assert_eq!(ids(&api.create("v1", json!({"product_id": slot}), &longest).await).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_gives_the_same_orders_and_is_charged_once() {
    let api = Api::sandbox().await;
    let (slot, umbrella) = api.product("sbx-manual").await;
    for (surface, body, again) in [
        ("v1", json!({"product_id": slot}), json!({"quantity": 1, "product_id": slot, "max_price": null})),
        (
            "v2",
            json!({"catalog_product_id": umbrella, "quantity": 3, "max_price": "0.50"}),
            json!({"max_price": "0.50", "catalog_product_id": umbrella, "quantity": 3, "policy": "cheapest"}),
        ),
    ] {
        let key = format!("same-{surface}");
        let first = api.create(surface, body, &key).await;
        assert!(!first.headers.contains_key("idempotency-replayed"));
        let balance = api.balance().await;
        let second = api.create(surface, again, &key).await;
        assert_eq!(second.headers["idempotency-replayed"], "true");
        assert_eq!(ids(&first), ids(&second));
        assert_eq!(api.balance().await, balance, "charged once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_request_with_the_key_is_refused() {
    let api = Api::sandbox().await;
    let (slot, umbrella) = api.product("sbx-manual").await;
    let first = api.create("v1", json!({"catalog_product_id": umbrella, "max_price": 500}), "used").await;
    let balance = api.balance().await;
    for (surface, body) in [
        ("v1", json!({"catalog_product_id": umbrella})),
        ("v1", json!({"catalog_product_id": umbrella, "max_price": 501})),
        ("v1", json!({"catalog_product_id": umbrella, "max_price": 500, "quantity": 2})),
        ("v1", json!({"catalog_product_id": umbrella, "max_price": 500, "policy": "best_success"})),
        ("v1", json!({"product_id": slot})),
        ("v2", json!({"catalog_product_id": umbrella, "max_price": "500"})),
    ] {
        assert_eq!(
            api.create(surface, body.clone(), "used").await.code(),
            "IDEMPOTENCY_KEY_REUSED",
            "{surface} {body}"
        );
    }
    assert_eq!(api.balance().await, balance);
    let replay = api.create("v1", json!({"catalog_product_id": umbrella, "max_price": 500}), "used").await;
    assert_eq!(ids(&replay), ids(&first));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_belongs_to_its_account() {
    let mut api = Api::sandbox().await;
    let (slot, _) = api.product("sbx-manual").await;
    let first = api.create("v1", json!({"product_id": slot}), "mine").await;
    api.token = api.other_token(10_000).await;
    let second = api.create("v1", json!({"product_id": slot}), "mine").await;
    assert_ne!(ids(&first), ids(&second));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_shows_no_content_of_what_has_ended() {
    let api = Api::sandbox().await;
    let (slot, _) = api.product("sbx-code-now").await;
    let first = api.create("v1", json!({"product_id": slot}), "purged").await;
    let id = first.data()["orders"][0]["id"].clone();
    api.until(&id, |order| order["can_finish"] == true).await;
    api.action("v1", "finish", &id).await.data();
    let replay = api.create("v1", json!({"product_id": slot}), "purged").await;
    let item = &replay.data()["orders"][0];
    assert_eq!((&item["id"], &item["status"]), (&id, &json!("COMPLETED")));
    assert_eq!((&item["phone_number"], &item["otp_code"]), (&Value::Null, &Value::Null));
    assert!(item["otp_received_at"].is_string(), "evidence stays");
    assert_eq!(item["amount"], first.data()["orders"][0]["amount"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_whose_request_had_no_effect_is_free_again() {
    let mut api = Api::sandbox().await;
    let (slot, umbrella) = api.product("sbx-manual").await;
    let poor = api.other_token(100).await;
    let rich = std::mem::replace(&mut api.token, poor);
    let body = json!({"product_id": slot});
    assert_eq!(api.create("v1", body.clone(), "retry").await.code(), "INSUFFICIENT_BALANCE");
    let platform = &api.running.app.platform;
    let account = platform.authenticate(&api.token).await.unwrap().unwrap();
    platform.deposit(account, Money::new(1_000, Currency::Idr), "top-up").await.unwrap();
    assert_eq!(ids(&api.create("v1", body, "retry").await).len(), 1, "after topping up");

    api.token = rich;
    let routed = json!({"catalog_product_id": umbrella});
    api.plan(1, Fault::without_effect(FaultReply::Body(200, "NO_NUMBERS".to_owned())));
    assert_eq!(api.create("v1", routed.clone(), "again").await.code(), "NO_OFFER_AVAILABLE");
    assert_eq!(ids(&api.create("v1", routed, "again").await).len(), 1, "judged afresh");
    let limit = json!({"catalog_product_id": umbrella, "max_price": 1});
    assert_eq!(api.create("v1", limit, "fresh").await.code(), "NO_OFFER_AVAILABLE");
    assert_eq!(ids(&api.create("v1", json!({"catalog_product_id": umbrella}), "fresh").await).len(), 1);
    api.ledger_adds_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_twins_are_charged_once() {
    let api = Api::sandbox().await;
    let (slot, _) = api.product("sbx-manual").await;
    let before = api.balance().await;
    let body = json!({"product_id": slot});
    let twins = (0..8).map(|_| api.create("v1", body.clone(), "twins"));
    let mut found = std::collections::BTreeSet::new();
    for answer in futures(twins).await {
        match answer.status.as_u16() {
            200 => drop(found.insert(ids(&answer)[0])),
            _ => assert_eq!(answer.code(), "REQUEST_IN_PROGRESS"),
        }
    }
    assert_eq!(found.len(), 1, "one order");
    assert_eq!(before - api.balance().await, 208, "one charge");
}

async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        for (one, output) in &mut pending {
            if output.is_none()
                && let std::task::Poll::Ready(ready) = one.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if pending.iter().all(|(_, output)| output.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    pending.into_iter().filter_map(|(_, output)| output).collect()
}
