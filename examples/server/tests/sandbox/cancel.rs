//! What may become of a cancel.

use serde_json::json;

use crate::common::{Api, each};
use crate::{advance, assert_paid, assert_returned, simulator};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_cancel_early() {
    each(async |api: Api| {
        let before = api.balance().await;
        let id = api.order("sbx-cancel-early").await["id"].clone();
        advance(&api, 3).await;
        let early = api.action("v1", "cancel", &id).await;
        assert!(matches!(early.code(), "PROVIDER_ERROR" | "CANCEL_TOO_EARLY"), "{}", early.text);
        assert_eq!(api.read(&id).await["status"], "ACTIVE");
        // it is asked again until the supplier takes it
        advance(&api, 140).await;
        assert_returned(&api, &id, "CANCELED", before).await;
    })
    .await;
}

/// A cancel that the supplier never grants: the money is held until the race is decided, and comes back at the window's end.
async fn assert_undecided(api: &Api, slug: &str) {
    let before = api.balance().await;
    let id = api.order(slug).await["id"].clone();
    advance(api, 3).await;
    assert_eq!(api.action("v1", "cancel", &id).await.code(), "PROVIDER_ERROR");
    advance(api, 300).await;
    assert_eq!((&api.read(&id).await["status"], api.balance().await < before), (&json!("ACTIVE"), true), "held");
    advance(api, 960).await;
    let status = api.read(&id).await["status"].as_str().unwrap().to_owned();
    assert!(matches!(&*status, "CANCELED" | "EXPIRED"), "{status}");
    assert_returned(api, &id, &status, before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_cancel_refused() {
    each(async |api: Api| assert_undecided(&api, "sbx-cancel-refused").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_cancel_sham() {
    each(async |api: Api| assert_undecided(&api, "sbx-cancel-sham").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_cancel_lost() {
    each(async |api: Api| {
        let (before, theirs) = (api.balance().await, simulator(&api).balance());
        let id = api.order("sbx-cancel-lost").await["id"].clone();
        advance(&api, 3).await;
        let unknown = api.action("v1", "cancel", &id).await;
        assert_eq!(unknown.code(), "PROVIDER_ERROR", "done, but nobody knows");
        assert!(api.balance().await < before, "nothing is given back on a guess");
        advance(&api, 30).await;
        assert_returned(&api, &id, "CANCELED", before).await;
        assert_eq!((simulator(&api).open(), simulator(&api).balance()), (0, theirs));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_cancel_sms_won() {
    each(async |api: Api| {
        let before = api.balance().await;
        let id = api.order("sbx-cancel-sms-won").await["id"].clone();
        advance(&api, 3).await;
        let lost = api.action("v1", "cancel", &id).await;
        assert_eq!((lost.code(), &lost.details()["status"]), ("CONFLICT", &json!("OTP_RECEIVED")));
        assert_paid(&api, &id, before).await;
    })
    .await;
}
