//! What happens after an order's end: nothing, for its customer.

use serde_json::Value;

use crate::common::{Api, each};
use crate::{advance, assert_ended, assert_paid, assert_returned, simulator};

/// Orders a service and cancels it after three seconds; its id.
async fn cancelled(api: &Api, slug: &str) -> Value {
    let id = api.order(slug).await["id"].clone();
    advance(api, 3).await;
    api.action("v1", "cancel", &id).await.data();
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_sms_after_cancel() {
    each(async |api: Api| {
        let (before, theirs) = (api.balance().await, simulator(&api).balance());
        let id = cancelled(&api, "sbx-sms-after-cancel").await;
        assert_returned(&api, &id, "CANCELED", before).await;
        advance(&api, 40).await;
        assert!(simulator(&api).balance().minor < theirs.minor, "the supplier charges for it");
        assert_returned(&api, &id, "CANCELED", before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_sms_after_expiry() {
    each(async |api: Api| {
        let (before, theirs) = (api.balance().await, simulator(&api).balance());
        let id = api.order("sbx-sms-after-expiry").await["id"].clone();
        advance(&api, 1_210).await;
        assert_returned(&api, &id, "EXPIRED", before).await;
        advance(&api, 40).await;
        assert!(simulator(&api).balance().minor < theirs.minor, "the supplier charges for it");
        assert_returned(&api, &id, "EXPIRED", before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_clawback() {
    each(async |api: Api| {
        let (before, theirs) = (api.balance().await, simulator(&api).balance());
        let id = cancelled(&api, "sbx-clawback").await;
        assert_eq!(simulator(&api).balance(), theirs, "refunded");
        advance(&api, 40).await;
        assert!(simulator(&api).balance().minor < theirs.minor, "and taken back");
        assert_returned(&api, &id, "CANCELED", before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_silent_refund() {
    each(async |api: Api| {
        let (before, theirs) = (api.balance().await, simulator(&api).balance());
        let id = api.order("sbx-silent-refund").await["id"].clone();
        advance(&api, 4).await;
        assert_paid(&api, &id, before).await;
        advance(&api, 40).await;
        assert_eq!(simulator(&api).balance(), theirs, "the supplier has given it back");
        assert_ended(&api, &id, "COMPLETED", "capture").await;
    })
    .await;
}
