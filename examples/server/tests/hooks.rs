//! U17 over HTTP: suppliers that push, truly, twice, too early and forged.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Answer, Api, TOKEN, sandbox, serve, until};
use reqwest::Method;
use serde_json::json;
use smscode_core::money::Currency;
use smscode_core::store::TransferKind::{Capture, Hold};
use smscode_core::token::Token;
use smscode_providers::ApiKey;
use smscode_providers::sandbox::{Fault, Pushes, Sandbox as Simulator, SandboxConfig, SandboxHandle};
use smscode_providers::sms::sms_activate::SMS_ACTIVATE;
use smscode_server::Config;
use smscode_server::config::{Customer, Hidden, PushPath, supplier};
use smscode_test_postgres::free_port;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const PATH: &str = "planted0push0path0planted0push0p";
/// The server asks a supplier once in ten minutes by itself.
const SELDOM_MS: i64 = 600_000;

/// A code that never comes by itself.
const NEVER_MS: i64 = 3_600_000;

/// A live server, and a supplier that tells it of each SMS so many times. A code comes so long after the purchase.
async fn pushed(times: u32, code_after_ms: i64) -> (Api, SandboxHandle) {
    let address = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{address}/hooks/sms/{PATH}");
    let pushes = (times > 0).then(|| Pushes { url: ApiKey::new(&url), times });
    let mut simulated = SandboxConfig { pushes, ..SandboxConfig::new(ApiKey::new(KEY)) };
    simulated.settings.code_after_ms = code_after_ms;
    let simulator = Simulator::start(simulated).await.unwrap();
    let mut config = Config {
        listen: address.parse().unwrap(),
        suppliers: vec![supplier("sim", &SMS_ACTIVATE, &simulator.base_url(), KEY, Currency::Usd)],
        pushes: vec![PushPath { supplier: "sim".to_owned(), path: Hidden::new(PATH) }],
        customers: vec![Customer {
            name: "shop".to_owned(),
            token: Token::read(TOKEN).unwrap(),
            opening_minor: 1_000_000,
        }],
        demo_token: None,
        ..sandbox()
    };
    for pause in
        [&mut config.platform.poll_first_ms, &mut config.platform.poll_then_ms, &mut config.platform.poll_late_ms]
    {
        *pause = SELDOM_MS;
    }
    (serve(config).await, simulator)
}

async fn hook(api: &Api, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    api.send(api.client.request(method, api.url(path)).body(body)).await
}

/// The figure of `about` in the pushes that the server has heard.
async fn heard(api: &Api, about: &str) -> u64 {
    let page = api.get("/metrics").await.text;
    let name = format!("smscode_supplier_hints_total{{supplier=\"sim\",about=\"{about}\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&*name)).expect("a figure").parse().unwrap()
}

fn asked_of(simulator: &SandboxHandle) -> u64 {
    simulator.calls("getActiveActivations") + simulator.calls("getStatusV2")
}

/// Waits until the supplier has been asked about a new order by itself, which happens once and then seldom. How often it
/// has been asked.
async fn asked_once(simulator: &SandboxHandle) -> u64 {
    until("the supplier is asked", async || asked_of(simulator) > 0).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    asked_of(simulator)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u17_a_push_brings_the_sms_and_twice_is_once() {
    let (api, simulator) = pushed(2, 1_000).await;
    let before = api.balance().await;
    let order = api.order("whatsapp").await;
    let received = api.until(&order["id"], |order| order["status"] == "OTP_RECEIVED").await;
    assert_eq!(received["sms_revision"], 1);
    until("both are heard", async || heard(&api, "open").await + heard(&api, "unknown").await >= 2).await;
    assert_eq!(api.read(&order["id"]).await["sms_revision"], 1, "told twice, there once");
    assert_eq!(api.balance().await, before - order["amount"].as_i64().unwrap());
    // the next SMS is told, too: not sooner than the supplier likes to be asked again
    api.action("v1", "resend", &order["id"]).await.data();
    api.until(&order["id"], |order| order["sms_revision"] == 2).await;
    api.action("v1", "finish", &order["id"]).await.data();
    api.assert_postings(&order["id"], &[Hold, Capture]).await;
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u17_without_a_push_it_waits() {
    let (api, simulator) = pushed(0, NEVER_MS).await;
    let order = api.order("whatsapp").await;
    asked_once(&simulator).await;
    let phone = order["phone_number"].as_str().unwrap();
    simulator.inject(phone.trim_start_matches('+'), "Your code is 135790");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(api.read(&order["id"]).await["sms_revision"], 0, "nobody has asked");
    // one that names no activation asks about all
    assert_eq!(hook(&api, Method::GET, &format!("/hooks/sms/{PATH}"), "").await.status, 200);
    api.until(&order["id"], |order| order["otp_code"] == "135790").await;
    api.assert_postings(&order["id"], &[Hold, Capture]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u17_a_push_before_the_purchase_is_answered() {
    let (api, simulator) = pushed(1, 0).await;
    simulator.plan(Some("getNumberV2"), 1, Fault::slow(4_000));
    let told = until("the push is heard", async || heard(&api, "unknown").await > 0);
    let (order, ()) = tokio::join!(api.order("whatsapp"), told);
    assert_eq!((heard(&api, "unknown").await, heard(&api, "open").await), (1, 0), "it came before");
    api.until(&order["id"], |order| order["status"] == "OTP_RECEIVED").await;
    api.assert_postings(&order["id"], &[Hold, Capture]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u17_a_forged_path_is_no_path() {
    let (api, _simulator) = pushed(0, NEVER_MS).await;
    let order = api.order("whatsapp").await;
    let (sandboxed, body) = (Api::sandbox().await, r#"{"activationId":3900000000,"text":"x"}"#);
    for method in [Method::POST, Method::GET] {
        let nowhere = hook(&api, method.clone(), "/hooks/nowhere", body).await;
        assert_eq!(nowhere.code(), "NOT_FOUND");
        for path in [&PATH[1..], &PATH.to_uppercase(), "x", "%00", &"y".repeat(4_000)] {
            let forged = hook(&api, method.clone(), &format!("/hooks/sms/{path}"), body).await;
            assert_eq!((forged.status, &forged.text), (nowhere.status, &nowhere.text), "{path}");
        }
        let none = hook(&sandboxed, method, &format!("/hooks/sms/{PATH}"), body).await;
        assert_eq!(none.text, nowhere.text, "a server whose suppliers do not push has no such address");
    }
    assert_eq!(heard(&api, "open").await + heard(&api, "unknown").await, 0);
    api.assert_postings(&order["id"], &[Hold]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u17_what_means_nothing_is_answered_and_changes_nothing() {
    let (api, simulator) = pushed(0, NEVER_MS).await;
    let order = api.order("whatsapp").await;
    let before = api.balance().await;
    let asked = asked_once(&simulator).await;
    let path = format!("/hooks/sms/{PATH}");
    let mut answered_after = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        let stranger = json!({"activationId": 1, "service": "go", "text": "Your code is 415127", "code": "415127"});
        assert_eq!(hook(&api, Method::POST, &path, stranger.to_string()).await.status, 200);
        answered_after.push(begun.elapsed());
    }
    answered_after.sort();
    println!("50 pushes, answered after {:?} (median), {:?} (the slowest)", answered_after[25], answered_after[49]);
    // half of them: a machine that stands still for a moment is no slow answer
    assert!(answered_after[25] < Duration::from_millis(100), "{answered_after:?}");
    until("all are heard", async || heard(&api, "unknown").await >= 50).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(asked_of(&simulator), asked, "nothing of ours was named, so nothing is asked");
    assert_eq!((heard(&api, "open").await, heard(&api, "unknown").await), (0, 50));
    // an SMS that a push invents is not at the supplier, so it is not there
    let id = simulator.with_model(|model| model.sold().next().map(|sold| sold.id)).unwrap();
    for body in
        [format!(r#"{{"activationId":{id},"text":"Your code is 999999","code":"999999"}}"#), "\u{0}<html>".into()]
    {
        assert_eq!(hook(&api, Method::POST, &path, body).await.status, 200);
    }
    assert_eq!(hook(&api, Method::POST, &path, vec![b'x'; 65 * 1_024]).await.status, 413);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let still = api.read(&order["id"]).await;
    assert_eq!((&still["status"], &still["sms_revision"]), (&json!("ACTIVE"), &json!(0)));
    assert_eq!(api.balance().await, before);
    // whoever pushes is not kept until the supplier has been asked
    const SLOW_MS: u32 = 10_000;
    for action in ["getActiveActivations", "getStatusV2"] {
        simulator.plan(Some(action), 1, Fault::slow(SLOW_MS));
    }
    let begun = Instant::now();
    assert_eq!(hook(&api, Method::POST, &path, format!(r#"{{"activationId":{id}}}"#)).await.status, 200);
    assert!(begun.elapsed() < Duration::from_millis(SLOW_MS.into()), "it waited for the supplier");
    api.assert_postings(&order["id"], &[Hold]).await;
}
