//! Each scenario can be ordered by its service on each surface that takes orders, and comes to its end.

use std::sync::Arc;

use serde_json::json;
use smscode_core::store::TransferKind::{Capture, Hold, Release};
use smscode_providers::sandbox::SCENARIOS;
use tokio::task::JoinHandle;

use crate::common::Api;
use crate::table::{Do, PLAYS};
use crate::{advance, assert_books, explained, simulator, statement};

/// How an order was answered, in one word for all surfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Placed,
    Refused,
    /// Neither a yes nor a no.
    Unclear,
}

/// What the table says of the first answer.
fn expected(code: &str) -> Said {
    let play = PLAYS.iter().find(|play| play.code == code).unwrap();
    match play.steps[0] {
        Do::Order => Said::Placed,
        Do::Refused(..) => Said::Refused,
        Do::OrderUnclear | Do::Begin => Said::Unclear,
        other => panic!("{code} begins with {other:?}"),
    }
}

/// Orders on `/v1` or `/v2`: the service as they list it.
async fn create(api: Arc<Api>, surface: &'static str, code: &'static str) -> Said {
    let (_, umbrella) = api.product(&code.replace('_', "-")).await;
    let answer = api.create(surface, json!({"catalog_product_id": umbrella}), code).await;
    match answer.status.as_u16() {
        200 => Said::Placed,
        409 if answer.code() == "REQUEST_IN_PROGRESS" => Said::Unclear,
        422 => Said::Refused,
        _ => panic!("{code} on {surface}: {}", answer.text),
    }
}

/// Orders on the market's older protocol.
async fn buy_number(api: Arc<Api>, code: &'static str) -> Said {
    let query = format!("api_key={}&action=getNumber&country=6&service={code}", api.token);
    let answer = api.send(api.client.get(api.url(&format!("/stubs/handler_api.php?{query}")))).await;
    match answer.text.split(':').next().unwrap() {
        "ACCESS_NUMBER" => Said::Placed,
        "NO_NUMBERS" => Said::Refused,
        "SERVER_ERROR" => Said::Unclear,
        _ => panic!("{code} on /stubs: {}", answer.text),
    }
}

/// Orders all of them on one surface. A supplier that leaves calls unanswered gets no purchases for a while, so what does
/// that is ordered last, and given time; last of all the one after which nothing is answered any more.
async fn all_on(surface: &'static str) {
    let api = Arc::new(Api::redb().await);
    let mut codes: Vec<&'static str> = SCENARIOS.iter().map(|one| one.code).collect();
    codes.sort_by_key(|code| (*code == "sbx_supplier_dies", expected(code) == Said::Unclear));
    for (n, code) in codes.iter().copied().enumerate() {
        let ordering = api.clone();
        let call: JoinHandle<Said> = tokio::spawn(async move {
            if surface == "stubs" { buy_number(ordering, code).await } else { create(ordering, surface, code).await }
        });
        // its money is held, or it has been refused
        while statement(&api).await.len() <= n {
            tokio::task::yield_now().await;
        }
        if expected(code) == Said::Unclear {
            advance(&api, 90).await;
        }
        assert_eq!(call.await.unwrap(), expected(code), "{code} on {surface}");
    }
    advance(&api, 2_000).await;
    let orders = statement(&api).await;
    assert_eq!(orders.len(), SCENARIOS.len());
    for ((id, kinds, _), code) in orders.iter().zip(&codes) {
        assert!(kinds[..] == [Hold, Capture] || kinds[..] == [Hold, Release], "{code} on {surface}: {kinds:?}");
        let told = explained(&api, *id).await;
        assert!(told["next"].is_null(), "{code} on {surface} has not ended: {told:#}");
    }
    assert_eq!(simulator(&api).open(), 0);
    assert_books(&api).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_scenario_on_v1() {
    all_on("v1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_scenario_on_v2() {
    all_on("v2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_scenario_on_the_older_protocol() {
    all_on("stubs").await;
}
