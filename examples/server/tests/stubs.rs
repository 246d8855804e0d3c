//! The SMS-Activate surface over real HTTP, against the sandbox.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{Api, TOKEN, keys, sandbox, serve, set, wait_for};
use reqwest::Method;
use serde_json::{Value, json};
use smscode_providers::sandbox::{Fault, FaultReply};

const PATH: &str = "/stubs/handler_api.php";

/// Asks as this customer, and gives the body of an answer whose head is as it must be.
async fn ask_as(api: &Api, token: &str, query: &str) -> String {
    let url = api.url(&format!("{PATH}?api_key={token}&{query}"));
    let answer = api.send(api.client.get(url)).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    let kind = if answer.text.starts_with(['{', '[']) { "application/json" } else { "text/plain; charset=utf-8" };
    assert_eq!(answer.headers["content-type"], kind, "{query}");
    answer.text
}

async fn ask(api: &Api, query: &str) -> String {
    ask_as(api, TOKEN, query).await
}

async fn document(api: &Api, query: &str) -> Value {
    serde_json::from_str(&ask(api, query).await).expect("JSON")
}

/// Asks until the answer is this one.
async fn until(api: &Api, query: &str, wanted: &str) {
    wait_for(&format!("{query} answers {wanted}"), async || {
        let text = ask(api, query).await;
        if text == wanted { Ok(()) } else { Err(text) }
    })
    .await;
}

/// Rents a number in Indonesia: id and phone.
async fn rent(api: &Api, service: &str) -> (String, String) {
    let text = ask(api, &format!("action=getNumber&service={service}&country=6")).await;
    let parts: Vec<&str> = text.split(':').collect();
    let [word, id, phone] = parts[..] else {
        panic!("{text} has not three parts");
    };
    assert_eq!(word, "ACCESS_NUMBER");
    assert!(id.bytes().all(|b| b.is_ascii_digit()) && phone.bytes().all(|b| b.is_ascii_digit()), "{text}");
    (id.to_owned(), phone.to_owned())
}

async fn set_status(api: &Api, id: &str, status: &str) -> String {
    ask(api, &format!("action=setStatus&id={id}&status={status}")).await
}

async fn status(api: &Api, id: &str) -> String {
    ask(api, &format!("action=getStatus&id={id}")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_session() {
    let api = Api::sandbox().await;
    let before = api.balance().await;
    let cheap = ask(&api, "action=getNumber&service=sbx_manual&country=6&maxPrice=0.5").await;
    let price = cheap.strip_prefix("WRONG_MAX_PRICE:").expect("the ceiling is too low").to_owned();
    let bought = ask(&api, &format!("action=getNumber&service=sbx_manual&country=6&maxPrice={price}.99")).await;
    let [_, id, phone] = bought.split(':').collect::<Vec<_>>()[..] else {
        panic!("{bought}");
    };
    assert_eq!(set_status(&api, id, "1").await, "ACCESS_READY");
    assert_eq!(status(&api, id).await, "STATUS_WAIT_CODE");
    assert_eq!(set_status(&api, id, "3").await, "BAD_STATUS");
    assert_eq!(set_status(&api, id, "6").await, "BAD_STATUS");
    assert_eq!(set_status(&api, id, "8").await, "EARLY_CANCEL_DENIED");
    api.sms(&json!(phone), "Your code is 41527").await;
    let read = format!("action=getStatus&id={id}");
    until(&api, &read, "STATUS_OK:41527").await;
    assert_eq!(set_status(&api, id, "3").await, "ACCESS_RETRY_GET");
    assert_eq!(status(&api, id).await, "STATUS_WAIT_RETRY:41527");
    assert_eq!(set_status(&api, id, "3").await, "ACCESS_RETRY_GET");
    api.sms(&json!(phone), "Your code is 90211").await;
    until(&api, &read, "STATUS_OK:90211").await;
    for refused in ["8", "-1", "2", "", "x"] {
        assert_eq!(set_status(&api, id, refused).await, "BAD_STATUS", "{refused}");
    }
    for _ in 0..2 {
        assert_eq!(set_status(&api, id, "6").await, "ACCESS_ACTIVATION");
        assert_eq!(status(&api, id).await, "STATUS_CANCEL");
    }
    for late in ["1", "3", "8"] {
        assert_eq!(set_status(&api, id, late).await, "BAD_STATUS", "{late}");
    }
    assert_eq!(before - api.balance().await, price.parse::<i64>().unwrap());
    api.ledger_adds_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_gives_the_money_back_and_may_be_repeated() {
    let api = Api::sandbox().await;
    let before = api.balance().await;
    for status_sent in ["8", "-1"] {
        let (id, _) = rent(&api, "sbx_no_sms").await;
        assert!(api.balance().await < before);
        until(&api, &format!("action=setStatus&id={id}&status={status_sent}"), "ACCESS_CANCEL").await;
        assert_eq!(set_status(&api, &id, "8").await, "ACCESS_CANCEL");
        assert_eq!(set_status(&api, &id, "6").await, "BAD_STATUS");
        assert_eq!(status(&api, &id).await, "STATUS_CANCEL");
        assert_eq!(ask(&api, &format!("action=getStatusV2&id={id}")).await, "STATUS_CANCEL");
        assert_eq!(ask(&api, &format!("action=getFullSms&id={id}")).await, "STATUS_CANCEL");
    }
    assert_eq!(api.balance().await, before);
    api.ledger_adds_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_sending_is_understood() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let api = Api::sandbox().await;
    let expected = ask(&api, "action=getBalance").await;
    let balance = format!("api_key={TOKEN}&action=getBalance");
    let long = format!("{balance}&x={}", "y".repeat(20_000));
    let table = [
        (Method::GET, balance.clone(), None, String::new()),
        (Method::POST, balance.clone(), None, String::new()),
        (Method::POST, balance.clone(), Some(FORM), String::new()),
        (Method::POST, String::new(), Some(FORM), balance.clone()),
        (Method::POST, String::new(), None, balance.clone()),
        (Method::POST, String::new(), Some("text/plain"), balance.clone()),
        (Method::POST, format!("api_key={TOKEN}"), Some(FORM), "action=getBalance".into()),
        (Method::POST, "action=getBalance".into(), Some(FORM), format!("api_key={TOKEN}")),
        (Method::POST, "action=getNumber".into(), Some(FORM), balance.clone()),
        (Method::POST, balance.clone(), Some("application/json"), "{\"action\":\"getNumber\"}".into()),
        (Method::GET, format!("api_key%20={TOKEN}%20&action+=+getBalance+"), None, String::new()),
        (Method::GET, format!("{balance}&ref=1&softId=2&lang=en&forward=0&x=%FF"), None, String::new()),
        (Method::GET, format!("&&{balance}&=&country"), None, String::new()),
        (Method::POST, String::new(), Some(FORM), long),
    ];
    for (method, query, kind, body) in table {
        let url = api.url(&format!("{PATH}?{query}"));
        let mut request = api.client.request(method.clone(), url).body(body.clone());
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer = api.send(request).await;
        assert_eq!(answer.text, expected, "{method} {query} {kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_asking_for_a_number_is_understood() {
    let api = Api::sandbox().await;
    let numbers = [
        "service=wa&country=6",
        "service=WA&country=6",
        "service=wa&country%20=6%20&operator=any",
        "service=wa&country=6&operator=",
        "service=wa&country=0&maxPrice=99999999999999999999",
        "service=wa&country=6&max_price=1e9&maxPrice=1000000",
        "service=wa",
        "service=wa&country=any",
    ];
    for query in numbers {
        let text = ask(&api, &format!("action=getNumber&{query}")).await;
        assert!(text.starts_with("ACCESS_NUMBER:"), "{query}: {text}");
    }
    // without a country it is the cheapest one
    let prices = document(&api, "action=getPrices&service=wa").await;
    let cost = |country: &str| prices[country]["wa"]["cost"].as_i64().unwrap();
    let cheapest = keys(&prices).into_iter().min_by_key(|country| cost(country)).unwrap();
    let bought = document(&api, "action=getNumberV2&service=wa").await;
    assert_eq!(bought["countryCode"], cheapest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_bare_words() {
    let api = Api::sandbox().await;
    let before = api.balance().await;
    let table = [
        ("action=", "BAD_ACTION"),
        ("action=getbalance", "BAD_ACTION"),
        ("action=getRentNumber&service=wa", "BAD_ACTION"),
        ("action=getQiwiRequisites", "BAD_ACTION"),
        ("action=getNumber", "BAD_SERVICE"),
        ("action=getNumber&service=zzz&country=6", "BAD_SERVICE"),
        ("action=getNumber&service=ts&country=6", "BAD_SERVICE"),
        ("action=getNumber&service=wa&country=999", "WRONG_COUNTRY"),
        ("action=getNumber&service=wa&country=Indonesia", "WRONG_COUNTRY"),
        ("action=getNumber&service=wa&country=-1", "WRONG_COUNTRY"),
        ("action=getNumber&service=wa&country=191", "NO_NUMBERS"),
        ("action=getNumber&service=wa&country=6&operator=mts", "NO_NUMBERS"),
        ("action=getNumber&service=wa&country=6&activationType=1", "NO_NUMBERS"),
        ("action=getNumber&service=sbx_sold_out&country=6", "NO_NUMBERS"),
        ("action=getNumber&service=sbx_price_above&country=6", "NO_NUMBERS"),
        ("action=getNumber&service=wa&country=6&orderId=a%20b", "BAD_ID"),
        ("action=getStatus", "WRONG_ACTIVATION_ID"),
        ("action=getStatus&id=abc", "WRONG_ACTIVATION_ID"),
        ("action=getStatus&id=-1", "WRONG_ACTIVATION_ID"),
        ("action=getStatus&id=1", "NO_ACTIVATION"),
        ("action=getStatus&id=99999999999999999999", "NO_ACTIVATION"),
        ("action=getStatusV2&id=1", "NO_ACTIVATION"),
        ("action=getFullSms&id=1", "NO_ACTIVATION"),
        ("action=setStatus&id=1&status=8", "NO_ACTIVATION"),
        ("action=setStatus&id=x&status=8", "WRONG_ACTIVATION_ID"),
        ("action=getTopCountriesByService&service=zzz", "BAD_SERVICE"),
        ("action=getOperators&country=6", r#"{"status":"error","error":"OPERATORS_NOT_FOUND"}"#),
    ];
    for (query, expected) in table {
        assert_eq!(ask(&api, query).await, expected, "{query}");
    }
    assert_eq!(document(&api, "action=getActiveActivations").await["data"], json!([]));
    assert_eq!(api.balance().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_and_too_low_ceilings_are_refused() {
    let api = Api::sandbox().await;
    let stranger = api.other_token(0).await;
    let (foreign, _) = rent(&api, "sbx_manual").await;
    for price in ["0", "1", "0.99", "cheap", "-5", "1e6"] {
        let text = ask(&api, &format!("action=getNumber&service=wa&country=6&maxPrice={price}")).await;
        let least = text.strip_prefix("WRONG_MAX_PRICE:").unwrap_or_else(|| panic!("{price}: {text}"));
        assert!(least.parse::<i64>().unwrap() > 1, "{text}");
    }
    assert_eq!(ask_as(&api, &stranger, "action=getBalance").await, "ACCESS_BALANCE:0");
    assert_eq!(ask_as(&api, &stranger, "action=getNumber&service=wa&country=6").await, "NO_BALANCE");
    // somebody else's activation is as good as none
    for query in ["getStatus", "setStatus&status=8", "setStatus&status=1", "getFullSms"] {
        let query = format!("action={query}&id={foreign}");
        assert_eq!(ask_as(&api, &stranger, &query).await, "NO_ACTIVATION", "{query}");
    }
    for key in ["x", "abcdefghijklmnopqrstuvwxyz012346", "' or 1=1", "%00"] {
        assert_eq!(ask_as(&api, key, "action=getBalance").await, "BAD_KEY", "{key}");
    }
    let bare =
        api.client.get(api.url(&format!("{PATH}?action=getBalance"))).header("cookie", format!("api_key={TOKEN}"));
    assert_eq!(api.send(bare.bearer_auth(TOKEN)).await.text, "NO_KEY");
    assert_eq!(document(&api, "action=getActiveActivations").await["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_request_buys_nothing() {
    let api = Api::sandbox().await;
    let url = api.url(&format!("{PATH}?api_key={TOKEN}&action=getNumber&service=wa&country=6"));
    assert_eq!(api.send(api.client.head(url.clone())).await.status, 405);
    assert_eq!(api.send(api.client.put(url.clone())).await.status, 404);
    let large = api.client.post(url).body(format!("x={}", "y".repeat(100_000)));
    assert_eq!(api.send(large).await.status, 413);
    assert_eq!(document(&api, "action=getActiveActivations").await["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_id_buys_once() {
    let api = Api::sandbox().await;
    let before = api.balance().await;
    let query = "action=getNumberV2&service=sbx_manual&country=6&orderId=shop-17";
    let bought = document(&api, query).await;
    let price = bought["activationCost"].as_i64().unwrap();
    for _ in 0..3 {
        assert_eq!(ask(&api, query).await, "ORDER_ALREADY_EXISTS");
    }
    let same_number = "action=getNumber&service=sbx_manual&country=6&orderId=shop-17";
    assert_eq!(ask(&api, same_number).await, "ORDER_ALREADY_EXISTS");
    let other = "action=getNumberV2&service=wa&country=6&orderId=shop-17";
    assert_eq!(ask(&api, other).await, "ORDER_ALREADY_EXISTS");
    assert_eq!(before - api.balance().await, price);
    let active = document(&api, "action=getActiveActivations").await;
    assert_eq!(active["data"].as_array().unwrap().len(), 1);
    // an order id of a request that came to nothing can be used again
    let sold_out = "action=getNumberV2&service=sbx_sold_out&country=6&orderId=shop-18";
    assert_eq!(ask(&api, sold_out).await, "NO_NUMBERS");
    let again = document(&api, "action=getNumberV2&service=wa&country=6&orderId=shop-18").await;
    assert!(again["activationId"].is_u64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_have_the_types_that_programs_insist_on() {
    let api = Api::sandbox().await;
    let empty = ask(&api, "action=getActiveActivations").await;
    assert_eq!(empty, r#"{"status":"success","activeActivations":[],"data":[]}"#);
    let bought = document(&api, "action=getNumberV2&service=sbx_manual&country=6").await;
    let id = bought["activationId"].as_u64().expect("a number");
    let phone = bought["phoneNumber"].as_str().expect("a string").to_owned();
    assert!(bought["activationCost"].is_u64() && bought["currency"] == 360);
    assert_eq!((&bought["countryCode"], &bought["canGetAnotherSms"]), (&json!("6"), &json!("1")));
    assert_eq!(bought["activationOperator"], "any");
    for time in ["activationTime", "activationEndTime"] {
        let text = bought[time].as_str().unwrap();
        assert!(text.len() == 19 && text.as_bytes()[10] == b' ', "{text}");
    }
    let status = document(&api, &format!("action=getStatusV2&id={id}")).await;
    assert_eq!(status, json!({"verificationType": 0, "sms": null, "call": null}));
    let waiting = document(&api, "action=getActiveActivations").await;
    assert_eq!(waiting["data"][0]["activationStatus"], "4");
    assert_eq!((&waiting["data"][0]["smsCode"], &waiting["data"][0]["smsText"]), (&json!(null), &json!(null)));
    api.sms(&json!(phone), "Code: 415127").await;
    until(&api, &format!("action=getStatus&id={id}"), "STATUS_OK:415127").await;
    assert_eq!(ask(&api, &format!("action=getFullSms&id={id}")).await, "FULL_SMS:Code: 415127");
    let status = document(&api, &format!("action=getStatusV2&id={id}")).await;
    assert_eq!(keys(&status["sms"]), set(&["dateTime", "code", "text"]));
    assert_eq!((&status["sms"]["code"], &status["sms"]["text"]), (&json!("415127"), &json!("Code: 415127")));
    let active = document(&api, "action=getActiveActivations").await;
    assert_eq!(active["status"], "success");
    assert_eq!(active["activeActivations"], active["data"]);
    let row = &active["data"][0];
    assert_eq!(row["activationId"], json!(id.to_string()));
    assert_eq!((&row["serviceCode"], &row["phoneNumber"]), (&json!("sbx_manual"), &json!(phone)));
    assert_eq!((&row["activationStatus"], &row["countryCode"]), (&json!("2"), &json!("6")));
    assert_eq!((&row["smsCode"], &row["smsText"]), (&json!(["415127"]), &json!(["Code: 415127"])));
    assert_eq!(row["receiveSmsDate"], status["sms"]["dateTime"]);
    assert!(row["activationCost"].is_string() && row["currency"] == 360 && row["countryName"] == "Indonesia");
    let second = document(&api, "action=getActiveActivations&start=1&limit=10").await;
    assert_eq!(second["data"], json!([]));
    set_status(&api, &id.to_string(), "6").await;
    let history = document(&api, "action=getHistory&limit=10").await;
    assert_eq!((&history[0]["id"], &history[0]["status"]), (&json!(id), &json!("6")));
    assert_eq!((&history[0]["cost"], &history[0]["phone"]), (&bought["activationCost"], &json!("")));
    assert_eq!(document(&api, "action=getHistory&end=1").await, json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_sms_has_a_time_of_its_own() {
    let api = Api::sandbox().await;
    let (id, phone) = rent(&api, "sbx_manual").await;
    api.sms(&json!(phone), "Your code is 415127").await;
    until(&api, &format!("action=getStatus&id={id}"), "STATUS_OK:415127").await;
    let first = document(&api, &format!("action=getStatusV2&id={id}")).await;
    assert_eq!(set_status(&api, &id, "3").await, "ACCESS_RETRY_GET");
    // the protocol's times have whole seconds
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    api.sms(&json!(phone), "Your code is 415127").await;
    until(&api, &format!("action=getStatus&id={id}"), "STATUS_OK:415127").await;
    let second = document(&api, &format!("action=getStatusV2&id={id}")).await;
    assert_eq!(second["sms"]["text"], first["sms"]["text"]);
    assert!(second["sms"]["dateTime"].as_str() > first["sms"]["dateTime"].as_str());
    let row = document(&api, "action=getActiveActivations").await["data"][0].clone();
    assert_eq!(row["receiveSmsDate"], second["sms"]["dateTime"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sms_without_a_code_is_delivered_all_the_same() {
    let api = Api::sandbox().await;
    let (id, _) = rent(&api, "sbx_text_only").await;
    until(&api, &format!("action=getStatus&id={id}"), "STATUS_OK:Нет кода").await;
    let text = ask(&api, &format!("action=getFullSms&id={id}")).await;
    assert!(text.len() > "FULL_SMS:".len() && text.starts_with("FULL_SMS:"), "{text}");
    let status = document(&api, &format!("action=getStatusV2&id={id}")).await;
    assert!(status["sms"]["code"].is_null() && status["sms"]["text"].is_string());
    assert_eq!(set_status(&api, &id, "3").await, "ACCESS_RETRY_GET");
    assert_eq!(ask(&api, &format!("action=getStatus&id={id}")).await, "STATUS_WAIT_RETRY");
    assert_eq!(set_status(&api, &id, "6").await, "ACCESS_ACTIVATION");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_as_old_programs_expect_them() {
    const OLD: &str =
        "vk ok wa vi tg wb go av fb tw ot ub qw gt sn ig ss ym ma mm uk me mb we bd kp dt ya mt oi fd zz kt pm tn";
    let api = Api::sandbox().await;
    let prices = document(&api, "action=getPrices").await;
    assert!(keys(&prices).len() > 5);
    let leaf = &prices["6"]["wa"];
    assert_eq!(keys(leaf), set(&["cost", "count", "physicalCount"]));
    assert!(leaf["cost"].as_i64() > Some(0) && leaf["count"].as_i64() > Some(0) && leaf["physicalCount"].is_u64());
    let one = document(&api, "action=getPrices&service=wa&country=6").await;
    assert_eq!(one, json!({"6": {"wa": leaf}}));
    for nothing in ["country=191", "country=x", "service=zzz", "service=ts"] {
        assert_eq!(document(&api, &format!("action=getPrices&{nothing}")).await, json!({}), "{nothing}");
    }
    let stock = document(&api, "action=getNumbersStatus&country=6").await;
    for key in OLD.split(' ').map(|code| format!("{code}_0")).chain(["av_1", "ot_1", "ym_1", "ya_1"].map(str::to_owned))
    {
        assert!(stock[&key].is_u64(), "{key} is missing");
    }
    assert_eq!((&stock["wa"], &stock["wa_0"]), (&leaf["count"], &leaf["count"]));
    let countries = document(&api, "action=getCountries").await;
    assert_eq!(keys(&countries).len(), 201);
    assert_eq!(
        countries["6"],
        json!({"id": 6, "rus": "Indonesia", "eng": "Indonesia", "chn": "Indonesia", "visible": 1, "retry": 1, "rent": 0, "multiService": 0})
    );
    assert_eq!(countries["191"]["visible"], 0);
    let services = document(&api, "action=getServicesList&lang=en").await;
    let listed = services["services"].as_array().unwrap();
    assert!(services["status"] == "success" && listed.contains(&json!({"code": "wa", "name": "WhatsApp"})));
    assert!(listed.iter().all(|service| service["code"] != "ts"), "blocked services are not listed");
    let top = document(&api, "action=getTopCountriesByService&service=wa").await;
    assert_eq!(keys(&top["0"]), set(&["country", "count", "price", "retail_price"]));
    let all = document(&api, "action=getTopCountriesByService").await;
    assert_eq!(all["wa"], top);
    // what programs search for in whole replies must not be in a success
    for action in ["getPrices", "getNumbersStatus", "getCountries", "getServicesList"] {
        let text = ask(&api, &format!("action={action}")).await;
        for mark in ["NO_", "BAD", "ERROR", "WRONG", "BANNED", "DENIED"] {
            assert!(!text.contains(mark), "{action} has {mark}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_have_words_too() {
    let mut config = sandbox();
    config.platform.caps.open_orders = 1;
    config.platform.caps.cancels_a_day = 1;
    let api = serve(config).await;
    let (id, _) = rent(&api, "sbx_no_sms").await;
    let second = ask(&api, "action=getNumber&service=sbx_no_sms&country=6").await;
    assert_eq!(second, "CHANNELS_LIMIT");
    until(&api, &format!("action=setStatus&id={id}&status=8"), "ACCESS_CANCEL").await;
    let (id, _) = rent(&api, "sbx_no_sms").await;
    until(&api, &format!("action=setStatus&id={id}&status=8"), "RATE_LIMIT").await;
    api.ledger_adds_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_limited_but_reading_one_activation_is_not() {
    let mut config = sandbox();
    config.limits = Some(smscode_server::limit::LimitSettings { requests_a_minute: 10, attempts_a_minute: 3 });
    let api = serve(config).await;
    let (id, _) = rent(&api, "sbx_manual").await;
    let read = format!("action=getStatus&id={id}");
    assert_eq!(ask(&api, &read).await, "STATUS_WAIT_CODE");
    let mut words = Vec::new();
    for _ in 0..12 {
        words.push(ask(&api, "action=getBalance").await);
    }
    assert!(words[0].starts_with("ACCESS_BALANCE:"));
    assert_eq!(words.last().map(String::as_str), Some("RATE_LIMIT"));
    // once a second is free, whatever else was asked
    until(&api, &read, "STATUS_WAIT_CODE").await;
    // one more may have become free meanwhile
    until(&api, "action=getBalance", "RATE_LIMIT").await;
    until(&api, "action=getStatus&id=1", "RATE_LIMIT").await;
    for _ in 0..3 {
        assert_eq!(ask_as(&api, "wrong", "action=getBalance").await, "BAD_KEY");
    }
    assert_eq!(ask_as(&api, "wrong", "action=getBalance").await, "RATE_LIMIT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_without_an_answer_is_neither_a_yes_nor_a_no() {
    let mut config = sandbox();
    config.platform.answer_due_ms = 1_500;
    let api = serve(config).await;
    let before = api.balance().await;
    api.plan(1, Fault::after_effect(FaultReply::Lost));
    let text = ask(&api, "action=getNumberV2&service=sbx_manual&country=6&orderId=late-1").await;
    assert_eq!(text, "SERVER_ERROR");
    // once it is found it is there, and its order id is taken
    let found = async || document(&api, "action=getActiveActivations").await["data"] != json!([]);
    common::until("it is found", found).await;
    let again = ask(&api, "action=getNumberV2&service=sbx_manual&country=6&orderId=late-1").await;
    assert_eq!(again, "ORDER_ALREADY_EXISTS");
    assert!(api.balance().await < before);
    api.ledger_adds_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_written_years_ago_works() {
    let python = Command::new("python3").arg("--version").output();
    if !python.is_ok_and(|found| found.status.success()) {
        eprintln!("skipped: there is no python3 on this machine");
        return;
    }
    let api = Api::sandbox().await;
    let before = api.balance().await;
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_program.py");
    let url = api.url(PATH);
    let run = move |service: &'static str, seconds: &'static str| {
        let (program, url) = (program.clone(), url.clone());
        tokio::task::spawn_blocking(move || {
            let command = Command::new("python3").arg(program).args([&*url, TOKEN, service, "6", seconds]).output();
            command.expect("it runs")
        })
    };
    let done = run("wa", "20").await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out} {err}");
    let line = |name: &str| {
        out.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{out}")).trim().to_owned()
    };
    assert!(line("code").bytes().all(|b| b.is_ascii_digit()), "{out}");
    assert_eq!(before - api.balance().await, line("paid").parse::<i64>().unwrap());
    let refused = run("sbx_sold_out", "20").await.unwrap();
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("NO_NUMBERS"));
    // it gives up after three seconds and cancels: by then the sandbox allows it
    let none = run("sbx_no_sms", "3").await.unwrap();
    assert_eq!(none.status.code(), Some(4), "{}", String::from_utf8_lossy(&none.stderr));
    let history = document(&api, "action=getHistory").await;
    let ends: Vec<&str> = history.as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(ends, ["8", "6"]);
    api.ledger_adds_up().await;
}
