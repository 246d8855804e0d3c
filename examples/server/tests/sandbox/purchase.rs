//! What may become of a purchase.

use std::sync::Arc;

use serde_json::json;

use crate::common::{Api, each};
use crate::{advance, assert_paid, assert_returned, ordering, simulator, unclear};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_timeout_charged() {
    each(async |api: Api| {
        let (api, before) = (Arc::new(api), 5_000_000);
        let (id, call) = ordering(&api, "sbx-timeout-charged", "u4").await;
        advance(&api, 21).await;
        assert_eq!(call.await.unwrap().code(), "REQUEST_IN_PROGRESS", "after 20 s");
        advance(&api, 25).await;
        let order = api.read(&id).await;
        assert_eq!(order["status"], "ACTIVE");
        assert!(order["phone_number"].is_string(), "found at the supplier: {order}");
        advance(&api, 30).await;
        assert_paid(&api, &id, before).await;
        assert_eq!(simulator(&api).calls("getNumberV2"), 1, "never sent again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_timeout_uncharged() {
    each(async |api: Api| {
        let api = Arc::new(api);
        let before = api.balance().await;
        let (id, call) = ordering(&api, "sbx-timeout-uncharged", "u4").await;
        advance(&api, 21).await;
        assert_eq!(call.await.unwrap().code(), "REQUEST_IN_PROGRESS");
        advance(&api, 600).await;
        assert_eq!((&api.read(&id).await["status"], api.balance().await < before), (&json!("ACTIVE"), true), "held");
        advance(&api, 900).await;
        assert_returned(&api, &id, "EXPIRED", before).await;
        assert_eq!(simulator(&api).calls("getNumberV2"), 1, "never sent again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_server_error_charged() {
    each(async |api: Api| {
        let before = api.balance().await;
        let id = unclear(&api, "sbx-server-error-charged").await;
        advance(&api, 7).await;
        assert!(api.read(&id).await["phone_number"].is_string(), "found at the supplier");
        advance(&api, 6).await;
        assert_paid(&api, &id, before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_server_error_uncharged() {
    each(async |api: Api| {
        let before = api.balance().await;
        let id = unclear(&api, "sbx-server-error-uncharged").await;
        advance(&api, 1_500).await;
        assert_returned(&api, &id, "EXPIRED", before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_garbled() {
    each(async |api: Api| {
        let before = api.balance().await;
        let id = unclear(&api, "sbx-garbled").await;
        advance(&api, 13).await;
        assert_paid(&api, &id, before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_slow() {
    each(async |api: Api| {
        let api = Arc::new(api);
        let before = api.balance().await;
        let (id, call) = ordering(&api, "sbx-slow", "slow").await;
        advance(&api, 21).await;
        assert_eq!(call.await.unwrap().code(), "REQUEST_IN_PROGRESS", "after 20 s");
        advance(&api, 5).await;
        let (_, umbrella) = api.product("sbx-slow").await;
        let again = api.create("v1", json!({"catalog_product_id": umbrella}), "slow").await;
        assert_eq!(again.data()["orders"][0]["id"], id, "the same key gives the order once it is settled");
        advance(&api, 40).await;
        assert_paid(&api, &id, before).await;
    })
    .await;
}

/// A purchase that brings what was not wanted: refused, its money back, and the number given back at the supplier.
async fn assert_refused(api: &Api, slug: &str, cause: &str, open: usize) {
    let (before, theirs) = (api.balance().await, simulator(api).balance());
    let (_, umbrella) = api.product(slug).await;
    let refused = api.create("v1", json!({"catalog_product_id": umbrella}), "refused").await;
    assert_eq!((refused.code(), &refused.details()["cause"]), ("PROVIDER_ERROR", &json!(cause)));
    assert_eq!(api.balance().await, before, "the hold is released with the answer");
    assert_eq!(simulator(api).open(), open + 1, "bought all the same");
    advance(api, 15).await;
    assert_eq!((simulator(api).open(), simulator(api).balance()), (open, theirs), "and given back");
    api.ledger_adds_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_duplicate_number() {
    each(async |api: Api| {
        let before = api.balance().await;
        let first = api.order("sbx-duplicate-number").await;
        assert_refused(&api, "sbx-duplicate-number", "number_in_use", 1).await;
        api.sms(&first["phone_number"], "Your code is 246810").await;
        advance(&api, 2).await;
        assert_paid(&api, &first["id"], before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_wrong_country() {
    each(async |api: Api| assert_refused(&api, "sbx-wrong-country", "wrong_country", 0).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_charged_above() {
    each(async |api: Api| assert_refused(&api, "sbx-charged-above", "price_above_ceiling", 0).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_sold_out_and_price_above() {
    each(async |api: Api| {
        let before = api.balance().await;
        for (slug, code) in [("sbx-sold-out", "NO_OFFER_AVAILABLE"), ("sbx-price-above", "PROVIDER_ERROR")] {
            let (_, umbrella) = api.product(slug).await;
            let refused = api.create("v1", json!({"catalog_product_id": umbrella}), slug).await;
            assert_eq!(refused.code(), code, "{slug}: {}", refused.text);
            assert_eq!(api.balance().await, before);
        }
        assert_eq!(simulator(&api).open(), 0);
    })
    .await;
}

/// The market's older protocol, and an id, a number and a text in odd forms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_odd_form_on_the_older_protocol() {
    each(async |api: Api| {
        let before = api.balance().await;
        let ask = async |query: &str| {
            let url = format!("/stubs/handler_api.php?api_key={}&{query}", api.token);
            api.send(api.client.get(api.url(&url))).await.text
        };
        let bought = ask("action=getNumber&service=sbx_odd_form&country=6").await;
        let [_, id, phone] = bought.split(':').collect::<Vec<_>>()[..] else { panic!("{bought}") };
        assert!(phone.starts_with("62") && phone.bytes().all(|b| b.is_ascii_digit()), "{phone}");
        advance(&api, 4).await;
        let status = ask(&format!("action=getStatus&id={id}")).await;
        let code = status.strip_prefix("STATUS_OK:").expect("a code");
        assert!(code.starts_with("00") && code.len() == 8, "zeros at the beginning count: {code}");
        assert_paid(&api, &json!(id.parse::<i64>().unwrap()), before).await;
        advance(&api, 5).await;
        assert_eq!(simulator(&api).open(), 0, "finished at the supplier by its long id");
    })
    .await;
}
