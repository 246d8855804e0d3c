//! Time that is moved on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smscode_core::port::Clock as _;
use smscode_core::time::Timestamp;
use smscode_providers::clock::SandboxClock;
use smscode_server::Config;
use smscode_server::config::StoreChoice;
use smscode_server::limit::LimitSettings;

use crate::common::{Api, TOKEN, sandbox, serve, without_rate};
use crate::{advance, assert_books, explained, simulator};

fn now(api: &Api) -> Timestamp {
    api.running.app.platform.now()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_minutes_pass_in_a_moment_and_in_their_order() {
    for api in [Api::redb().await, Api::postgres().await] {
        let before = api.balance().await;
        let mut ids = Vec::new();
        for slug in ["sbx-no-sms", "sbx-manual", "sbx-code-later", "sbx-two-sms"] {
            ids.push(api.order(slug).await["id"].clone());
        }
        let (begun, start) = (Instant::now(), now(&api));
        advance(&api, 1_230).await;
        let (took, moved) = (begun.elapsed(), now(&api).ms_since(start));
        println!("1,230 s with 4 open orders passed in {} ms", took.as_millis());
        assert!((1_230_000..1_250_000).contains(&moved), "{moved} ms");
        for (id, status) in ids.iter().zip(["EXPIRED", "EXPIRED", "COMPLETED", "COMPLETED"]) {
            assert_eq!(api.read(id).await["status"], status);
        }
        let paid: i64 = 2 * api.read(&ids[2]).await["amount"].as_i64().unwrap();
        assert_eq!(api.balance().await, before - paid);
        for id in &ids[..2] {
            assert_ended_in_time(&api, id).await;
        }
        assert_eq!(simulator(&api).open(), 0);
        assert_books(&api).await;
    }
}

/// A month in which a purchase is given up, watched for and forgotten, an order runs out, keys come and go, books are
/// audited: while nothing is open it passes in steps of minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_days_pass_in_a_moment_and_in_their_order() {
    const MONTH: i64 = 30 * 86_400;
    let api = Api::redb().await;
    let before = api.balance().await;
    let (_, umbrella) = api.product("sbx-server-error-uncharged").await;
    let unclear = api.create("v1", json!({"catalog_product_id": umbrella}), "month").await;
    assert_eq!(unclear.code(), "REQUEST_IN_PROGRESS");
    let given_up = api.get("/v1/orders?limit=1").await.data()[0]["id"].clone();
    let (code, none) = (api.order("sbx-code-later").await, api.order("sbx-no-sms").await);
    let (begun, start) = (Instant::now(), now(&api));
    let (mut passed, mut longest, mut calls) = (0, Duration::ZERO, 0);
    while passed < MONTH {
        let asked = Instant::now();
        let answer = api.post("/sandbox/advance", json!({"seconds": MONTH - passed})).await;
        passed += answer.data()["advanced_seconds"].as_i64().unwrap();
        (longest, calls) = (longest.max(asked.elapsed()), calls + 1);
    }
    println!("30 days passed in {} ms, in {calls} calls", begun.elapsed().as_millis());
    assert!(longest < Duration::from_secs(60), "an answer comes after 20 s, and what is under way: {longest:?}");
    assert!((0..60_000).contains(&(now(&api).ms_since(start) - MONTH * 1_000)));
    for (id, status) in [(&given_up, "EXPIRED"), (&code["id"], "COMPLETED"), (&none["id"], "EXPIRED")] {
        assert_eq!(api.read(id).await["status"], status);
    }
    assert_ended_in_time(&api, &none["id"]).await;
    assert_eq!(api.balance().await, before - code["amount"].as_i64().unwrap());
    let health = api.running.app.platform.health().await;
    assert!(health.oldest_epoch_seconds <= 5_400, "{} s", health.oldest_epoch_seconds);
    assert_eq!(simulator(&api).open(), 0);
    assert_books(&api).await;
    // and it is in use as before
    let id = api.order("sbx-code-now").await["id"].clone();
    advance(&api, 3).await;
    assert_eq!(api.read(&id).await["status"], "OTP_RECEIVED");
}

/// An expiry was decided within five seconds after the window, as it is in real time.
async fn assert_ended_in_time(api: &Api, id: &Value) {
    let told = explained(api, id.as_i64().unwrap()).await;
    let at = |text: &Value| seconds_of_day(text.as_str().unwrap());
    let steps = told["steps"].as_array().unwrap();
    let late = (at(&steps.last().unwrap()["time"]) - at(&told["order"]["expires_at"])).rem_euclid(86_400);
    assert!((0..=5).contains(&late), "{late} s: {steps:?}");
}

/// Seconds of the day of an RFC 3339 time; enough to tell two times of one order apart.
fn seconds_of_day(text: &str) -> i64 {
    let clock = &text[text.find('T').unwrap() + 1..][..8];
    clock.split(':').fold(0, |all, part| all * 60 + part.parse::<i64>().unwrap())
}

/// Who sleeps when the clock is moved almost to his time sleeps for what is left, and not as long as he meant to.
#[tokio::test]
async fn a_sleeper_whose_time_is_near_does_not_oversleep() {
    let clock = SandboxClock::default();
    let sleep = clock.sleep_until(clock.now().plus_seconds(20));
    let moving = async {
        tokio::task::yield_now().await;
        clock.advance_us(19_950_000);
    };
    let both = async { tokio::join!(sleep, moving) };
    tokio::time::timeout(Duration::from_secs(10), both).await.expect("50 ms are left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_number_of_seconds_moves_nothing() {
    let api = Api::sandbox().await;
    let start = now(&api);
    for body in [
        json!({}),
        json!({"seconds": 0}),
        json!({"seconds": -5}),
        json!({"seconds": 31 * 86_400 + 1}),
        json!({"seconds": "60"}),
        json!({"seconds": 1.5}),
        json!({"seconds": 1, "minutes": 1}),
    ] {
        assert_eq!(api.post("/sandbox/advance", body.clone()).await.code(), "VALIDATION_ERROR", "{body}");
    }
    assert!(now(&api).ms_since(start) < 60_000);
    let (live, _simulator) = without_rate().await;
    let live = serve(live).await;
    assert_eq!(live.post("/sandbox/advance", json!({"seconds": 5})).await.code(), "NOT_FOUND", "live time is real");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_move_it_at_once_wait_for_each_other() {
    let api = Api::sandbox().await;
    let (begun, start) = (Instant::now(), now(&api));
    tokio::join!(advance(&api, 100), advance(&api, 200));
    let moved = now(&api).ms_since(start);
    let real = i64::try_from(begun.elapsed().as_millis()).unwrap();
    assert!((300_000..=300_000 + real + 1_000).contains(&moved), "{moved} ms, {real} of them real");
}

/// What was written by a clock that was ahead is read by one that is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_does_not_turn_time_back() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let config = || Config { store: StoreChoice::Redb(data.join("a.redb")), data_dir: data.clone(), ..sandbox() };
    let api = serve(config()).await;
    let before = api.balance().await;
    advance(&api, 7_200).await;
    let id = api.order("sbx-no-sms").await["id"].clone();
    advance(&api, 60).await;
    let left = now(&api);
    api.running.shutdown().await;
    let api = serve(config()).await;
    assert!(now(&api) >= left, "it goes on where it was");
    assert_eq!(api.token, TOKEN);
    assert_eq!(api.read(&id).await["status"], "ACTIVE");
    // the simulator of the earlier run is gone with its numbers: the supplier does not know this one
    advance(&api, 1_300).await;
    assert_eq!((&api.read(&id).await["status"], api.balance().await), (&json!("EXPIRED"), before));
    assert_books(&api).await;
    api.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_stay_on_real_time() {
    let limits = LimitSettings { requests_a_minute: 20, attempts_a_minute: 60 };
    let api = serve(Config { limits: Some(limits), ..sandbox() }).await;
    while api.get("/v1/balance").await.status == 200 {}
    let begun = Instant::now();
    advance(&api, 600).await;
    let asked = futures_util::future::join_all((0..20).map(|_| api.get("/v1/balance"))).await;
    // one in three seconds becomes free
    let free = 1 + begun.elapsed().as_secs() / 3;
    let passed = asked.iter().filter(|answer| answer.status != 429).count();
    assert!(passed as u64 <= free, "ten minutes that did not pass fill no bucket: {passed}, not {free}");
}
