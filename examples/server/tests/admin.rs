//! `/admin` over real HTTP: who comes in, and what operators do and see.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use common::{Answer, Api, sandbox, serve};
use reqwest::Method;
use serde_json::{Value, json};
use smscode_server::Config;
use smscode_server::config::Hidden;

const ADMIN: &str = "operators-0123456789abcdef0123456789";

async fn api() -> Api {
    serve(Config { admin_token: Some(Hidden::new(ADMIN)), ..sandbox() }).await
}

async fn ask(api: &Api, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let mut request = api.client.request(method, api.url(path)).bearer_auth(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    api.send(request).await
}

async fn get(api: &Api, path: &str) -> Answer {
    ask(api, ADMIN, Method::GET, path, None).await
}

async fn post(api: &Api, path: &str, body: Value) -> Answer {
    ask(api, ADMIN, Method::POST, path, Some(body)).await
}

const PATHS: [&str; 4] = ["/admin/queues", "/admin/liabilities", "/admin/audit", "/admin/alarms"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_nothing_without_an_operators_token() {
    let api = Api::sandbox().await;
    for path in PATHS {
        assert_eq!(ask(&api, ADMIN, Method::GET, path, None).await.code(), "NOT_FOUND", "{path}");
    }
    let document = api.get("/openapi.json").await.text;
    assert!(!document.contains("/admin"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_operators_token_opens() {
    let api = api().await;
    let customer = api.token.clone();
    for path in PATHS {
        assert!(get(&api, path).await.status.is_success(), "{path}");
        for wrong in [customer.as_str(), "", &ADMIN[1..], &ADMIN.to_uppercase()] {
            assert_eq!(ask(&api, wrong, Method::GET, path, None).await.code(), "UNAUTHORIZED", "{path}");
        }
    }
    // it opens nothing else
    assert_eq!(ask(&api, ADMIN, Method::GET, "/v1/balance", None).await.code(), "UNAUTHORIZED");
    // and who guesses is slowed down as everywhere
    let mut last = ask(&api, "wrong", Method::GET, "/admin/audit", None).await;
    for _ in 0..80 {
        if last.status == 429 {
            break;
        }
        last = ask(&api, "wrong", Method::GET, "/admin/audit", None).await;
    }
    assert_eq!(last.code(), "RATE_LIMIT_EXCEEDED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adjustment_over_http() {
    let api = api().await;
    let before = api.balance().await;
    let wanted = json!({
        "customer": "demo", "amount": -1_000, "reason": "goodwill taken back", "actor": "anna", "reference": "t-1",
    });
    let done = post(&api, "/admin/adjust", wanted.clone()).await;
    assert_eq!(done.data(), &json!({"booked": true, "available": before - 1_000, "currency": "IDR"}));
    assert_eq!(post(&api, "/admin/adjust", wanted.clone()).await.data()["booked"], false);
    assert_eq!(api.balance().await, before - 1_000);

    let changed = |name: &str, value: Value| {
        let mut body = wanted.clone();
        body[name] = value;
        body
    };
    let cases = [
        (changed("amount", json!(-2_000)), "IDEMPOTENCY_KEY_REUSED"),
        (changed("customer", json!("nobody")), "NOT_FOUND"),
        (changed("amount", json!(0)), "VALIDATION_ERROR"),
        (changed("reason", json!("")), "VALIDATION_ERROR"),
        (changed("actor", json!("a b")), "VALIDATION_ERROR"),
        (changed("amont", json!(1)), "VALIDATION_ERROR"),
    ];
    for (body, code) in cases {
        assert_eq!(post(&api, "/admin/adjust", body.clone()).await.code(), code, "{body}");
    }
    let mut large = changed("amount", json!(600_000));
    large["reference"] = json!("t-2");
    let refused = post(&api, "/admin/adjust", large.clone()).await;
    assert_eq!((refused.code(), &refused.details()["limit"]), ("VALIDATION_ERROR", &json!(500_000)));
    large["second"] = json!("ben");
    assert_eq!(post(&api, "/admin/adjust", large).await.data()["booked"], true);
    let mut floor = changed("amount", json!(-4_000_000_000_i64));
    floor["second"] = json!("ben");
    floor["reference"] = json!("t-3");
    let refused = post(&api, "/admin/adjust", floor).await;
    assert_eq!((refused.code(), &refused.details()["available"]), ("INSUFFICIENT_BALANCE", &json!(before + 599_000)));

    let log = get(&api, "/admin/audit?limit=1").await;
    let newest = &log.data()["entries"][0];
    assert_eq!(
        (&newest["action"], &newest["subject"], &newest["second"]),
        (&json!("adjust"), &json!("t-2"), &json!("ben"))
    );
    let older = get(&api, &format!("/admin/audit?before={}", newest["at_us"])).await;
    assert_eq!(older.data()["entries"].as_array().unwrap().len(), 1);
    api.ledger_adds_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wind_down_over_http() {
    let api = api().await;
    let order = api.order("sbx-manual").await;
    let owed = get(&api, "/admin/liabilities").await;
    let line = owed.data()["currencies"][0].clone();
    assert_eq!((&line["owed"], &owed.data()["wind_down"]), (&json!(5_000_000), &Value::Null));
    let begin = json!({"set": "begin", "actor": "anna", "reason": "the end"});
    assert_eq!(post(&api, "/admin/wind-down", begin.clone()).await.data()["changed"], true);
    assert_eq!(post(&api, "/admin/wind-down", begin).await.data()["changed"], false);

    let (_, pair) = api.product("sbx-manual").await;
    let refused = api.post("/v1/orders/create", json!({"catalog_product_id": pair})).await;
    assert_eq!((refused.code(), &refused.details()["cause"]), ("CONFLICT", &json!("wind_down")));
    let path = format!("/stubs/handler_api.php?api_key={}&action=getNumber&service=sbx_manual&country=6", api.token);
    assert_eq!(api.get(&path).await.text.trim(), "NO_NUMBERS");
    // what is open goes on
    api.sms(&order["phone_number"], "Your code is 123456").await;
    api.until(&order["id"], |order| order["status"] == "OTP_RECEIVED").await;
    assert_eq!(api.action("v1", "finish", &order["id"]).await.status, 200);

    let end = json!({"set": "end", "actor": "ben", "reason": "it goes on"});
    assert_eq!(post(&api, "/admin/wind-down", end).await.data()["wind_down"], Value::Null);
    assert_eq!(
        post(&api, "/admin/wind-down", json!({"set": "x", "actor": "a", "reason": "b"})).await.code(),
        "VALIDATION_ERROR"
    );
    api.order("sbx-manual").await;
    let log = get(&api, "/admin/audit").await;
    let did: Vec<&Value> = log.data()["entries"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(did, [&json!("wind_down_ended"), &json!("wind_down_begun")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_over_http() {
    let api = api().await;
    let all = get(&api, "/admin/queues").await;
    for queue in ["unclear", "stuck", "exceptions", "differences"] {
        assert_eq!(all.data()[queue], json!({"rows": [], "next": null}), "{queue}");
    }
    let one = get(&api, "/admin/queues?queue=stuck&limit=5").await;
    assert_eq!(one.data().as_object().unwrap().len(), 1);
    for (path, code) in [
        ("/admin/queues?queue=other", "VALIDATION_ERROR"),
        ("/admin/queues?after=x", "VALIDATION_ERROR"),
        ("/admin/queues?limit=1000", "VALIDATION_ERROR"),
        ("/admin/cases/none", "NOT_FOUND"),
    ] {
        assert_eq!(get(&api, path).await.code(), code, "{path}");
    }
    for path in ["/admin/differences/none/settle", "/admin/suppliers/none/compare"] {
        let body = json!({"how": "note", "actor": "anna", "reason": "seen"});
        assert_eq!(post(&api, path, body).await.code(), "NOT_FOUND", "{path}");
    }
    let lift = json!({"actor": "anna", "reason": "seen"});
    assert_eq!(post(&api, "/admin/cases/none/lift", lift).await.code(), "NOT_FOUND");
}

/// Lets time pass in the sandbox.
async fn advance(api: &Api, seconds: i64) {
    let mut left = seconds;
    while left > 0 {
        let request = api.client.post(api.url("/sandbox/advance")).json(&json!({"seconds": left}));
        left -= api.send(request).await.data()["advanced_seconds"].as_i64().unwrap();
    }
}

/// A refund that the supplier takes back shows in its history; an operator finds it in the queue and books it as lost. The
/// customer's money stays as it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claw_back_is_found_and_settled_over_http() {
    let api = api().await;
    let before = api.balance().await;
    let paid = api.order("sbx-code-now").await["id"].clone();
    advance(&api, 3).await;
    api.action("v1", "finish", &paid).await.data();
    let clawed = api.order("sbx-clawback").await["id"].clone();
    advance(&api, 3).await;
    api.action("v1", "cancel", &clawed).await.data();
    let spent = before - api.balance().await;
    let compare = async || post(&api, "/admin/suppliers/sandbox/compare", json!({})).await.data().clone();
    // the charge comes 30 s after the cancel
    let first = compare().await;
    assert_eq!((&first["listed"], &first["found"]), (&json!(2), &json!(0)), "{first}");
    assert_eq!(first["balance"]["currency"], "USD");
    advance(&api, 100).await;
    let done = compare().await;
    assert_eq!((&done["found"], &done["gone"], &done["left_out"]), (&json!(1), &json!(0), &json!(false)), "{done}");
    assert_eq!(compare().await["found"], 0, "once");

    let queue = get(&api, "/admin/queues?queue=differences").await.data()["differences"].clone();
    let row = &queue["rows"][0];
    assert_eq!(
        (&row["what"], &row["supplier"], queue["rows"].as_array().unwrap().len()),
        (&json!("kept_there"), &json!("sandbox"), 1)
    );
    let taken = row["taken"]["minor"].as_i64().unwrap();
    assert!(taken > 0 && row["age_seconds"].as_i64().unwrap() >= 0 && row["activation"].is_string(), "{row}");
    assert!(row["action"].as_str().unwrap().contains("the customer's money stays as it is"));
    let alarms = get(&api, "/admin/alarms").await;
    let alarm = &alarms.data()["alarms"][0];
    assert_eq!(
        (&alarm["cause"], &alarm["about"], &alarm["count"]),
        (&json!("supplier_difference"), &json!("sandbox"), &json!(1))
    );
    let figures = api.get("/metrics").await.text;
    assert!(figures.contains("smscode_alarms_total{cause=\"supplier_difference\",about=\"sandbox\"} 1"), "{figures}");

    let path = format!("/admin/differences/{}/settle", row["case"].as_str().unwrap());
    let wrong = json!({"how": "forget", "actor": "anna", "reason": "seen"});
    assert_eq!(post(&api, &path, wrong).await.code(), "VALIDATION_ERROR");
    let book = json!({"how": "book", "actor": "anna", "reason": "the supplier keeps it"});
    assert_eq!(post(&api, &path, book.clone()).await.data()["settled"], "booked");
    assert_eq!(post(&api, &path, book).await.code(), "NOT_FOUND", "once");
    assert_eq!(compare().await["found"], 0);
    let all = get(&api, "/admin/queues").await;
    assert_eq!(all.data()["differences"]["rows"], json!([]));
    let log = get(&api, "/admin/audit").await;
    let entry = &log.data()["entries"][0];
    assert_eq!((&entry["action"], &entry["amount"]["minor"]), (&json!("difference_booked"), &json!(taken)));
    let totals = api.running.app.platform.totals().await.unwrap();
    let lost =
        totals.currencies[&smscode_core::money::Currency::Usd].house[&smscode_core::store::House::loss("sandbox")];
    assert_eq!(lost, i128::from(taken));

    assert_eq!(api.balance().await, before - spent);
    assert_eq!(api.read(&paid).await["status"], "COMPLETED");
    assert_eq!(api.read(&clawed).await["status"], "CANCELED");
    api.ledger_adds_up().await;
}
