//! Journeys over HTTP, named by their numbers.
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

use common::{Api, each, sandbox, serve, until, wait_for};
use serde_json::{Value, json};
use smscode_core::store::TransferKind::{Capture, Hold, Release};
use smscode_providers::sandbox::{Fault, FaultReply};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j5_an_order_its_sms_and_its_end() {
    each(async |api: Api| {
        let begin = api.balance().await;
        let order = api.order("whatsapp").await;
        let (id, price) = (order["id"].clone(), order["amount"].as_i64().unwrap());
        assert_eq!((&order["status"], order["can_cancel"].as_bool()), (&json!("ACTIVE"), Some(false)));
        assert_eq!(order["cancel_available_at"], order["replace_available_at"]);
        assert_eq!(api.balance().await, begin - price, "held at once");

        let received = api.until(&id, |order| order["status"] == "OTP_RECEIVED").await;
        assert_eq!(received["sms_revision"], 1);
        let code = received["otp_code"].as_str().unwrap();
        assert!(received["otp_message"].as_str().unwrap().contains(code));
        assert_eq!((&received["can_finish"], &received["can_cancel"]), (&json!(true), &json!(false)));
        assert_eq!(api.balance().await, begin - price, "captured, not charged again");
        assert_eq!(api.action("v1", "cancel", &id).await.code(), "CONFLICT", "an SMS closes the cancel");

        assert_eq!(api.action("v1", "finish", &id).await.data(), &json!({"order_id": id, "status": "COMPLETED"}));
        let ended = api.read(&id).await;
        for gone in ["phone_number", "otp_code", "otp_message"] {
            assert!(ended[gone].is_null(), "{gone}");
        }
        assert_eq!((&ended["sms_revision"], &ended["otp_received_at"]), (&json!(1), &received["otp_received_at"]));
        assert_eq!(api.get("/v1/orders/active").await.data(), &json!([]));
        let completed = api.get("/v1/orders?status=completed").await;
        assert_eq!(completed.data()[0]["id"], id);
        assert_eq!(api.balance().await, begin - price);
        api.assert_postings(&id, &[Hold, Capture]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j6_a_second_code() {
    let api = Api::sandbox().await;
    let order = api.order("sbx-manual").await;
    let id = &order["id"];
    assert_eq!(api.sms(&order["phone_number"], "Your code is 135790").await.status, 202);
    let first = api.until(id, |order| order["sms_revision"] == 1).await;
    let paid = api.balance().await;

    let resent = api.action("v2", "resend", id).await;
    assert_eq!(resent.data(), &json!({"order_id": id, "status": "ACTIVE", "resent": true}));
    let waiting = api.read(id).await;
    assert_eq!((&waiting["status"], &waiting["otp_code"]), (&json!("ACTIVE"), &json!("135790")), "the old code stays");
    assert_eq!((&waiting["can_finish"], &waiting["can_cancel"]), (&json!(true), &json!(false)));
    assert!(waiting["resend_available_at"].is_string() && waiting["can_resend"] == false);
    let early = api.action("v1", "resend", id).await;
    assert_eq!(early.code(), "CONFLICT");
    assert!(early.details()["resend_available_at"].is_string());

    // the same digits again are another SMS, told by the revision
    let phone = order["phone_number"].as_str().unwrap().trim_start_matches('+');
    assert_eq!(api.sms(&json!(phone), "Again: your code is 135790").await.status, 202);
    let second = api.until(id, |order| order["sms_revision"] == 2).await;
    assert_eq!((&second["status"], &second["otp_code"]), (&json!("OTP_RECEIVED"), &json!("135790")));
    assert_eq!(second["otp_received_at"], first["otp_received_at"], "the first SMS's time never moves");
    assert_eq!(api.balance().await, paid, "further SMS are free");
    api.assert_postings(id, &[Hold, Capture]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn u3_two_parallel_orders_and_money_for_one() {
    each(async |mut api: Api| {
        let (slot, _) = api.product("sbx-manual").await;
        api.token = api.other_token(300).await;
        let body = json!({"product_id": slot});
        let (one, two) = tokio::join!(api.create("v1", body.clone(), "one"), api.create("v1", body.clone(), "two"),);
        let placed = [&one, &two].into_iter().find(|answer| answer.status == 200).unwrap();
        api.assert_postings(&placed.data()["orders"][0]["id"], &[Hold]).await;
        let mut codes: Vec<String> = [one, two]
            .iter()
            .map(|answer| if answer.status == 200 { "ok".to_owned() } else { answer.code().to_owned() })
            .collect();
        codes.sort();
        assert_eq!(codes, ["INSUFFICIENT_BALANCE", "ok"]);
        assert_eq!(api.balance().await, 92);
        api.ledger_adds_up().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u6_a_client_that_timed_out_tries_again() {
    each(async |api: Api| {
        let (slot, _) = api.product("sbx-manual").await;
        let before = api.balance().await;
        api.plan(1, Fault::slow(4_000));
        let body = json!({"product_id": slot});
        let impatient = api.request(reqwest::Method::POST, "/v1/orders/create").header("idempotency-key", "u6");
        let bought = || api.running.app.sandbox.as_ref().unwrap().simulator().calls("getNumberV2");
        let (before_it, impatient) = (bought(), tokio::spawn(impatient.json(&body).send()));
        until("the supplier is asked", async || bought() > before_it).await;
        // the supplier is asked; who has asked for it hangs up
        impatient.abort();
        assert_eq!(api.create("v1", body.clone(), "u6").await.code(), "REQUEST_IN_PROGRESS");
        let other = json!({"product_id": slot, "quantity": 2});
        assert_eq!(api.create("v1", other, "u6").await.code(), "IDEMPOTENCY_KEY_REUSED");
        let settled = wait_for("it is settled", async || {
            let answer = api.create("v1", body.clone(), "u6").await;
            if answer.status == 200 {
                return Ok(answer);
            }
            assert_eq!(answer.code(), "REQUEST_IN_PROGRESS");
            Err(answer)
        })
        .await;
        let list = api.get("/v1/orders").await;
        assert_eq!(list.data().as_array().unwrap().len(), 1, "one order for one key");
        assert_eq!(list.data()[0]["id"], settled.data()["orders"][0]["id"]);
        assert_eq!(before - api.balance().await, 208);
        api.assert_postings(&settled.data()["orders"][0]["id"], &[Hold]).await;
        // a new key is a second order by contract
        api.create("v1", body, "u6-new").await.data();
        assert_eq!(before - api.balance().await, 416);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u7_a_bulk_of_ten_of_which_six_succeed() {
    each(async |api: Api| {
        let (_, umbrella) = api.product("sbx-manual").await;
        let before = api.balance().await;
        api.plan(4, Fault::without_effect(FaultReply::Body(200, "NO_NUMBERS".to_owned())));
        let body = json!({"catalog_product_id": umbrella, "quantity": 10});
        let answer = api.create("v1", body.clone(), "u7").await;
        let orders = answer.data()["orders"].as_array().unwrap();
        assert_eq!((orders.len(), &answer.data()["failed_count"]), (6, &json!(4)));
        let failures = answer.body["failures"].as_array().unwrap();
        assert_eq!(failures.len(), 4);
        for failure in failures {
            assert_eq!(
                (&failure["code"], &failure["details"]["cause"]),
                (&json!("NO_OFFER_AVAILABLE"), &json!("no_numbers"))
            );
        }
        assert_eq!(before - api.balance().await, 6 * 208, "four went back at once");
        assert_eq!(api.get("/v1/orders?limit=100").await.data().as_array().unwrap().len(), 6);

        // six independent orders
        api.sms(&orders[0]["phone_number"], "Code 998877").await;
        api.until(&orders[0]["id"], |order| order["otp_code"] == "998877").await;
        assert_eq!(api.read(&orders[1]["id"]).await["status"], "ACTIVE");
        let replay = api.create("v1", body, "u7").await;
        let ids = |answer: &Value| -> Vec<Value> {
            answer["orders"].as_array().unwrap().iter().map(|order| order["id"].clone()).collect()
        };
        assert_eq!(ids(replay.data()), ids(answer.data()));
        assert_eq!(replay.data()["failed_count"], 4);
        api.assert_postings(&orders[0]["id"], &[Hold, Capture]).await;
        api.assert_postings(&orders[1]["id"], &[Hold]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u9_a_cancel_before_the_earliest_time() {
    let api = Api::sandbox().await;
    let order = api.order("sbx-no-sms").await;
    let id = &order["id"];
    let before = api.balance().await;
    let early = api.action("v1", "cancel", id).await;
    assert_eq!(early.code(), "CANCEL_TOO_EARLY");
    assert_eq!(early.details()["cancel_available_at"], order["cancel_available_at"]);
    assert!((1..=2).contains(&early.details()["wait_seconds"].as_i64().unwrap()));
    assert_eq!((&api.read(id).await["status"], api.balance().await), (&json!("ACTIVE"), before), "nothing moved");
    // a supplier that finds it too early all the same
    let early = api.order("sbx-cancel-early").await;
    api.until_cancellable(&early["id"]).await;
    let refused = api.action("v1", "cancel", &early["id"]).await;
    assert!(matches!(refused.code(), "PROVIDER_ERROR" | "CANCEL_TOO_EARLY"), "{}", refused.text);
    assert_eq!(api.read(&early["id"]).await["status"], "ACTIVE", "safe to try again");
    api.assert_postings(id, &[Hold]).await;
    api.assert_postings(&early["id"], &[Hold]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u10_a_cancel_that_the_supplier_accepts() {
    each(async |api: Api| {
        let begin = api.balance().await;
        let id = api.order("sbx-no-sms").await["id"].clone();
        api.until_cancellable(&id).await;
        let cancelled = api.action("v2", "cancel", &id).await;
        let data = cancelled.data();
        assert_eq!((&data["order_id"], &data["status"]), (&id, &json!("CANCELED")));
        assert_eq!(data["new_balance"]["canonical_amount"], begin);
        assert_eq!(data["refund_amount"]["canonical_amount"], api.read(&id).await["amount"]);
        assert_eq!(api.balance().await, begin, "given back in full");
        let order = api.read(&id).await;
        assert!(order["canceled_at"].is_string() && order["phone_number"].is_null());
        let again = api.action("v2", "cancel", &id).await;
        assert_eq!((again.code(), &again.details()["status"]), ("CONFLICT", &json!("CANCELED")), "given back once");
        assert_eq!(api.balance().await, begin);
        api.assert_postings(&id, &[Hold, Release]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u15_an_sms_without_a_code() {
    let api = Api::sandbox().await;
    let begin = api.balance().await;
    let order = api.order("sbx-text-only").await;
    let received = api.until(&order["id"], |order| order["sms_revision"] == 1).await;
    assert_eq!((&received["status"], &received["otp_code"]), (&json!("OTP_RECEIVED"), &Value::Null));
    assert!(!received["otp_message"].as_str().unwrap().is_empty(), "the text is shown");
    assert_eq!(api.action("v1", "cancel", &order["id"]).await.code(), "CONFLICT", "delivered is delivered");
    assert_eq!(api.balance().await, begin - order["amount"].as_i64().unwrap());
    api.assert_postings(&order["id"], &[Hold, Capture]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u22_finish_twice_and_resend_after_the_end() {
    let api = Api::sandbox().await;
    let waiting = api.order("sbx-manual").await;
    assert_eq!(api.action("v1", "finish", &waiting["id"]).await.code(), "CONFLICT", "no SMS yet");
    assert_eq!(api.action("v1", "resend", &waiting["id"]).await.code(), "CONFLICT");
    let id = api.order("sbx-code-now").await["id"].clone();
    api.until(&id, |order| order["can_finish"] == true).await;
    api.action("v1", "finish", &id).await.data();
    let balance = api.balance().await;
    for action in ["finish", "resend", "cancel"] {
        let answer = api.action("v1", action, &id).await;
        assert_eq!((answer.code(), &answer.details()["status"]), ("CONFLICT", &json!("COMPLETED")), "{action}");
    }
    assert_eq!(api.balance().await, balance);
    api.assert_postings(&waiting["id"], &[Hold]).await;
    api.assert_postings(&id, &[Hold, Capture]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_client_may_poll_every_order_each_second() {
    let mut config = sandbox();
    config.limits = Some(smscode_server::limit::LimitSettings { requests_a_minute: 30, attempts_a_minute: 60 });
    let api = serve(config).await;
    let order = api.order("sbx-manual").await;
    // 30 a minute for everything, and beside it this order once a second
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(1_010)).await;
        api.read(&order["id"]).await;
    }
    let mut free = 0;
    while api.get("/v1/balance").await.status == 200 {
        free += 1;
        assert!(free < 40, "limited at last");
    }
    assert!(free >= 25, "polling took nothing of it: {free}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_injected_sms_needs_an_open_number() {
    let api = Api::sandbox().await;
    assert_eq!(api.sms(&json!("+6281000000000"), "x").await.code(), "NOT_FOUND");
    assert_eq!(api.sms(&json!(""), "x").await.code(), "NOT_FOUND");
    for body in [json!({}), json!({"phone": "1"}), json!({"phone": 1, "text": "x"}), json!({"phone": "1", "test": "x"})]
    {
        assert_eq!(api.post("/sandbox/sms", body.clone()).await.code(), "VALIDATION_ERROR", "{body}");
    }
}
