//! What may become of an order that waits.

use serde_json::json;

use crate::common::{Api, each};
use crate::{advance, assert_paid, assert_returned, moved, simulator};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_two_at_once() {
    each(async |api: Api| {
        let before = api.balance().await;
        let id = api.order("sbx-two-at-once").await["id"].clone();
        advance(&api, 4).await;
        assert_eq!(api.read(&id).await["sms_revision"], 2);
        assert_eq!(moved(&api, &id).await, ["hold", "capture"], "paid once");
        assert_paid(&api, &id, before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_two_sms_and_sbx_text_only() {
    each(async |api: Api| {
        let two = api.order("sbx-two-sms").await["id"].clone();
        let text = api.order("sbx-text-only").await["id"].clone();
        advance(&api, 4).await;
        assert_eq!(api.read(&two).await["sms_revision"], 1);
        advance(&api, 10).await;
        assert_eq!(api.read(&two).await["sms_revision"], 2);
        let order = api.read(&text).await;
        assert_eq!((&order["status"], &order["otp_code"]), (&json!("OTP_RECEIVED"), &json!(null)));
        // nobody ends them: they complete when their window is over
        advance(&api, 1_230).await;
        for id in [&two, &text] {
            assert_eq!(api.read(id).await["status"], "COMPLETED");
            assert_eq!(moved(&api, id).await, ["hold", "capture"]);
        }
        api.ledger_adds_up().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_status_noise() {
    each(async |api: Api| {
        let before = api.balance().await;
        let id = api.order("sbx-status-noise").await["id"].clone();
        advance(&api, 5).await;
        assert_eq!(api.read(&id).await["status"], "ACTIVE", "nothing of it is taken for an end");
        advance(&api, 20).await;
        assert_paid(&api, &id, before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_no_sms() {
    each(async |api: Api| {
        let before = api.balance().await;
        let id = api.order("sbx-no-sms").await["id"].clone();
        advance(&api, 1_190).await;
        assert_eq!(api.read(&id).await["status"], "ACTIVE");
        advance(&api, 20).await;
        assert_returned(&api, &id, "EXPIRED", before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_supplier_ends() {
    each(async |api: Api| {
        let before = api.balance().await;
        let id = api.order("sbx-supplier-ends").await["id"].clone();
        advance(&api, 8).await;
        assert_eq!(api.read(&id).await["status"], "ACTIVE");
        advance(&api, 8).await;
        assert_returned(&api, &id, "CANCELED", before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sbx_supplier_dies() {
    each(async |api: Api| {
        let before = api.balance().await;
        let id = api.order("sbx-supplier-dies").await["id"].clone();
        advance(&api, 1_190).await;
        assert_eq!(api.read(&id).await["status"], "ACTIVE", "it runs to the end of its window");
        advance(&api, 130).await;
        assert_returned(&api, &id, "EXPIRED", before).await;
        // half an hour after it died the supplier is back, and so is what it sells
        advance(&api, 700).await;
        let id = api.order("sbx-code-now").await["id"].clone();
        advance(&api, 3).await;
        assert_paid(&api, &id, before).await;
        assert_eq!(simulator(&api).open(), 0);
    })
    .await;
}
