//! Two servers, one being the other's supplier, all over HTTP: a shop sells what a sandbox has.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Api, TOKEN, sandbox, serve, wait_for};
use serde_json::{Value, json};
use smscode_core::catalogue::{Category, ServiceEntry};
use smscode_core::money::Currency;
use smscode_core::store::TransferKind;
use smscode_core::token::Token;
use smscode_providers::sms::sms_activate::{Dialect, SMSCODE};
use smscode_server::Config;
use smscode_server::config::{Customer, supplier};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The shop's customer; the sandbox's is the shop itself.
const CUSTOMER: &str = "ZYXWVUTSRQPONMLKJIHGFEDCBA543210";
const OPENING: i64 = 1_000_000;
/// A sandbox takes cancels early, and the shop need not wait two minutes for it.
const EARLY: Dialect = Dialect { cancel_after_seconds: 2, ..SMSCODE };

/// The sandbox, and the shop that buys from it with the sandbox's demo token.
async fn chain() -> (Api, Api) {
    let sandbox_server = Api::sandbox().await;
    let address = sandbox_server.running.addr;
    let shop = shop(address, |_| {}).await;
    (sandbox_server, shop)
}

/// A shop whose supplier answers here.
async fn shop(supplier_at: SocketAddr, adapt: impl FnOnce(&mut Config)) -> Api {
    let mut config = sandbox();
    config.rates.clear();
    config.demo_token = None;
    let address = format!("http://{supplier_at}/stubs/handler_api.php");
    config.suppliers = vec![supplier("upstream", &EARLY, &address, TOKEN, Currency::Idr)];
    config.customers =
        vec![Customer { name: "shop".to_owned(), token: Token::read(CUSTOMER).unwrap(), opening_minor: OPENING }];
    config.platform.poll_first_ms = 1_000;
    config.platform.resend_pause_ms = 1_000;
    config.platform.extra_services = ["sbx_manual", "sbx_no_sms"]
        .into_iter()
        .zip(60_000..)
        .map(|(code, id)| ServiceEntry {
            id,
            code: code.to_owned(),
            slug: code.replace('_', "-"),
            name: code.to_owned(),
            category: Category::Other,
            blocked: false,
        })
        .collect();
    adapt(&mut config);
    let mut shop = serve(config).await;
    shop.token = CUSTOMER.to_owned();
    shop
}

/// A line between two servers that loses the answer to the first purchase, once it has taken place.
async fn losing_line(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lost = Arc::new(AtomicBool::new(false));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(to).await.unwrap();
            tokio::spawn(carry(client, server, lost.clone()));
        }
    });
    address
}

/// Requests one way and answers the other, in turn, as a client without pipelining sends them. An answer here is smaller
/// than a read, but for lists of prices, which come before any purchase.
async fn carry(mut client: TcpStream, mut server: TcpStream, lost: Arc<AtomicBool>) {
    let (mut request, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut loses = false;
    loop {
        tokio::select! {
            biased;
            read = client.read(&mut request) => match read {
                Ok(length @ 1..) => {
                    let buys = request[..length].windows(11).any(|part| part == b"getNumberV2");
                    loses = buys && !lost.swap(buys, Ordering::SeqCst);
                    if server.write_all(&request[..length]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            read = server.read(&mut answer) => match read {
                Ok(length @ 1..) if !loses => {
                    if client.write_all(&answer[..length]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_between_them_buys_once() {
    let sandbox = Api::sandbox().await;
    let line = losing_line(sandbox.running.addr).await;
    let shop = shop(line, |config| config.platform.answer_due_ms = 2_000).await;
    let (_, umbrella) = shop.product("whatsapp").await;
    let wanted = json!({"catalog_product_id": umbrella});
    let first = shop.create("v1", wanted.clone(), "lost-1").await;
    assert_eq!(first.code(), "REQUEST_IN_PROGRESS");
    // the same key again, as clients are told: once it is found it is theirs
    let order = wait_for("it is found", async || {
        let again = shop.create("v1", wanted.clone(), "lost-1").await;
        if again.status == 200 {
            return Ok(again.data()["orders"][0].clone());
        }
        assert_eq!(again.code(), "REQUEST_IN_PROGRESS");
        Err(again)
    })
    .await;
    upstream(&sandbox, &order["phone_number"]).await;
    assert_eq!(sandbox.get("/v1/orders").await.data().as_array().unwrap().len(), 1, "bought once");
    shop.until(&order["id"], |order| order["otp_code"].is_string()).await;
    shop.action("v1", "finish", &order["id"]).await.data();
    let kinds: Vec<TransferKind> = transfers(&shop).await.into_iter().map(|(kind, _)| kind).skip(1).collect();
    assert_eq!(kinds, [TransferKind::Hold, TransferKind::Capture]);
    shop.ledger_adds_up().await;
    sandbox.ledger_adds_up().await;
}

/// The only order of the sandbox's list with this number.
async fn upstream(sandbox: &Api, phone: &Value) -> Value {
    let orders = sandbox.get("/v1/orders").await;
    let found: Vec<Value> =
        orders.data().as_array().unwrap().iter().filter(|o| o["phone_number"] == *phone).cloned().collect();
    assert_eq!(found.len(), 1, "the number was bought once");
    found[0].clone()
}

/// The kinds of all transfers of a server's customer, with their amounts.
async fn transfers(api: &Api) -> Vec<(TransferKind, i64)> {
    let platform = &api.running.app.platform;
    let account = platform.authenticate(&api.token).await.unwrap().unwrap();
    let lines = platform.statement(account, 0, 100).await.unwrap();
    lines.iter().map(|line| (line.kind, line.amount.minor)).collect()
}

async fn held(api: &Api) -> i64 {
    let platform = &api.running.app.platform;
    let account = platform.authenticate(&api.token).await.unwrap().unwrap();
    platform.balance(account).await.unwrap().held.minor
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_flows_through_and_both_ledgers_balance() {
    let (sandbox, shop) = chain().await;
    let before = sandbox.balance().await;
    let order = shop.order("whatsapp").await;
    let price = order["amount"].as_i64().unwrap();
    assert_eq!(shop.balance().await, OPENING - price);
    let bought = upstream(&sandbox, &order["phone_number"]).await;
    let cost = bought["amount"].as_i64().unwrap();
    assert!(cost < price, "{cost} below {price}");
    let received = shop.until(&order["id"], |order| order["otp_code"].is_string()).await;
    let read = sandbox.read(&bought["id"]).await;
    assert_eq!((&received["otp_code"], &received["otp_message"]), (&read["otp_code"], &read["otp_message"]));
    assert_eq!(shop.action("v1", "finish", &order["id"]).await.data()["status"], "COMPLETED");
    // the shop tells its supplier, afterwards
    sandbox.until(&bought["id"], |order| order["status"] == "COMPLETED").await;
    for (api, amount, left) in [(&sandbox, cost, before - cost), (&shop, price, OPENING - price)] {
        assert_eq!(held(api).await, 0);
        assert_eq!(api.balance().await, left);
        let ours = transfers(api).await;
        assert_eq!(ours[1..], [(TransferKind::Hold, amount), (TransferKind::Capture, amount)]);
        api.ledger_adds_up().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_sms_comes_through_the_chain() {
    let (sandbox, shop) = chain().await;
    let order = shop.order("sbx-manual").await;
    let phone = &order["phone_number"];
    sandbox.sms(phone, "Your code is 415127").await;
    shop.until(&order["id"], |order| order["otp_code"] == "415127").await;
    let resent = shop.action("v1", "resend", &order["id"]).await;
    assert_eq!(resent.data()["resent"], true);
    sandbox.sms(phone, "Your code is 902118").await;
    let second = shop.until(&order["id"], |order| order["otp_code"] == "902118").await;
    assert_eq!((&second["sms_revision"], &second["status"]), (&json!(2), &json!("OTP_RECEIVED")));
    let third = shop.action("v1", "cancel", &order["id"]).await;
    assert_eq!(third.code(), "CONFLICT");
    shop.action("v1", "finish", &order["id"]).await;
    shop.ledger_adds_up().await;
    sandbox.ledger_adds_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_at_one_end_is_a_cancel_at_the_other() {
    let (sandbox, shop) = chain().await;
    let before = sandbox.balance().await;
    let order = shop.order("sbx-no-sms").await;
    let bought = upstream(&sandbox, &order["phone_number"]).await;
    wait_for("it is cancelled", async || {
        let answer = shop.action("v1", "cancel", &order["id"]).await;
        if answer.status == 200 {
            return Ok(());
        }
        assert_eq!(answer.status, 409, "{}", answer.text);
        Err(answer)
    })
    .await;
    assert_eq!(sandbox.read(&bought["id"]).await["status"], "CANCELED");
    assert_eq!((sandbox.balance().await, shop.balance().await), (before, OPENING));
    for api in [&sandbox, &shop] {
        assert_eq!(held(api).await, 0);
        api.ledger_adds_up().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supplier_without_money_is_not_the_customers_affair() {
    let (sandbox, shop) = chain().await;
    // somebody else spends what the shop has there
    let platform = &sandbox.running.app.platform;
    let account = platform.authenticate(TOKEN).await.unwrap().unwrap();
    let (_, umbrella) = sandbox.product("whatsapp").await;
    let price = sandbox.order("whatsapp").await["amount"].as_i64().unwrap();
    loop {
        let left = platform.balance(account).await.unwrap().available.minor / price;
        if left == 0 {
            break;
        }
        let body = json!({"catalog_product_id": umbrella, "quantity": left.min(100)});
        sandbox.post("/v1/orders/create", body).await.data();
    }
    let (_, umbrella) = shop.product("whatsapp").await;
    let refused = shop.post("/v1/orders/create", json!({"catalog_product_id": umbrella})).await;
    assert!(["PROVIDER_ERROR", "NO_OFFER_AVAILABLE"].contains(&refused.code()), "{}", refused.text);
    assert!(!refused.text.contains("balance is"), "{}", refused.text);
    assert_eq!((shop.balance().await, held(&shop).await), (OPENING, 0));
    shop.ledger_adds_up().await;
}
