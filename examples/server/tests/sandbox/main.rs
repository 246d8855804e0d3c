//! The sandbox over real HTTP: each scenario from its order to its end, every surface, time that is moved on, an account
//! that is deleted.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../common/mod.rs"]
mod common;

mod deletion;
mod page;
mod play;
mod surfaces;
mod table;
mod time;

use serde_json::{Value, json};
use smscode_core::store::TransferKind;
use smscode_core::verify::{verify, verify_places};

use common::Api;
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

/// What the order's own page of reasons says.
async fn explained(api: &Api, id: i64) -> Value {
    api.get(&format!("/account/orders/{id}/explain")).await.data().clone()
}

/// Orders that were placed, oldest first, each with the kinds of its transfers and their amount; a rejected one, too, which
/// is in no list.
async fn statement(api: &Api) -> Vec<(i64, Vec<TransferKind>, i64)> {
    let platform = &api.running.app.platform;
    let account = platform.authenticate(&api.token).await.unwrap().unwrap();
    let mut orders: Vec<(i64, Vec<TransferKind>, i64)> = Vec::new();
    for line in platform.statement(account, 0, 1_000).await.unwrap() {
        let Some(id) = line.subject.strip_prefix("order:") else {
            assert_eq!(line.kind, TransferKind::Deposit, "{line:?}");
            continue;
        };
        let id: i64 = id.parse().unwrap();
        match orders.iter_mut().find(|(known, ..)| *known == id) {
            Some((_, kinds, amount)) => {
                kinds.push(line.kind);
                assert_eq!(line.amount.minor, *amount, "what was held is what is closed");
            }
            None => orders.push((id, vec![line.kind], line.amount.minor)),
        }
    }
    orders
}

/// What `smscode-server verify --at-rest` and the engine's own audit say of the books: that they add up.
async fn assert_books(api: &Api) {
    let store = &api.running.app.store;
    let mut export = store.export().await.unwrap();
    let mut report = verify(&mut *export).await.unwrap();
    drop(export);
    report.add(verify_places(&**store, &report.places).await.unwrap());
    assert!(report.is_clean(), "{report:?}");
    let audit = api.running.app.platform.audit().await.unwrap();
    assert_eq!((audit.wrong, audit.busy, audit.totals_are_zero), (0, 0, true), "{audit:?}");
    api.ledger_adds_up().await;
}
