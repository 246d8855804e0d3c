//! Each scenario of the sandbox over real HTTP, in memory and on Postgres, with time moved on; named by its service.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "../common/mod.rs"]
mod common;

mod after;
mod cancel;
mod page;
mod purchase;
mod status;
mod time;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use common::{Answer, Api};
use smscode_providers::sandbox::SandboxHandle;

/// Lets time pass: in several calls where the machine is busy.
async fn advance(api: &Api, seconds: i64) {
    let mut left = seconds;
    while left > 0 {
        let request = api.client.post(api.url("/sandbox/advance")).json(&json!({"seconds": left}));
        let answer = api.send(request).await;
        let passed = answer.data()["advanced_seconds"].as_i64().unwrap();
        assert!((1..=left).contains(&passed), "{}", answer.text);
        left -= passed;
    }
}

fn simulator(api: &Api) -> &SandboxHandle {
    api.running.app.sandbox.as_ref().expect("a sandbox").simulator()
}

/// Begins to order a service, as a client that waits for its answer; gives the order as soon as it is in the list.
async fn ordering(api: &Arc<Api>, slug: &str, key: &'static str) -> (Value, JoinHandle<Answer>) {
    let (_, umbrella) = api.product(slug).await;
    let client = api.clone();
    let call = tokio::spawn(async move { client.create("v1", json!({"catalog_product_id": umbrella}), key).await });
    (newest(api).await, call)
}

/// The id of the newest order.
async fn newest(api: &Api) -> Value {
    let begun = Instant::now();
    loop {
        let list = api.get("/v1/orders?limit=1").await;
        if let Some(order) = list.data().get(0) {
            return order["id"].clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "no order");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Orders a service whose purchase has no clear answer; its id.
async fn unclear(api: &Api, slug: &str) -> Value {
    let (_, umbrella) = api.product(slug).await;
    let answer = api.create("v1", json!({"catalog_product_id": umbrella}), "unclear").await;
    assert_eq!(answer.code(), "REQUEST_IN_PROGRESS");
    newest(api).await
}

/// What moved for an order, in order, as `explain` tells it.
async fn moved(api: &Api, id: &Value) -> Vec<String> {
    let told = api.get(&format!("/account/orders/{id}/explain")).await;
    let steps = told.data()["steps"].as_array().unwrap();
    let transfers = steps.iter().filter_map(|step| step["transfer"].as_str());
    transfers.map(|transfer| transfer.split(' ').next().unwrap().to_owned()).collect()
}

/// How an order ended: its status, and how its hold was closed. Nothing can be read of it any more.
async fn assert_ended(api: &Api, id: &Value, status: &str, closing: &str) {
    let order = api.read(id).await;
    assert_eq!(order["status"], status, "{order}");
    for gone in ["phone_number", "otp_code", "otp_message"] {
        assert!(order[gone].is_null(), "{gone}");
    }
    assert_eq!(moved(api, id).await, ["hold", closing]);
    api.ledger_adds_up().await;
}

/// An order that has its code is finished and paid once.
async fn assert_paid(api: &Api, id: &Value, before: i64) {
    let order = api.read(id).await;
    assert_eq!(order["status"], "OTP_RECEIVED", "{order}");
    let code = order["otp_code"].as_str().expect("a code");
    assert!(order["otp_message"].as_str().unwrap().contains(code));
    api.action("v1", "finish", id).await.data();
    assert_ended(api, id, "COMPLETED", "capture").await;
    assert_eq!(api.balance().await, before - order["amount"].as_i64().unwrap());
}

/// An order that went back costs nothing.
async fn assert_returned(api: &Api, id: &Value, status: &str, before: i64) {
    assert_ended(api, id, status, "release").await;
    assert_eq!(api.balance().await, before, "all of it is back");
}
