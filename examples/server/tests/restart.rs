//! On the embedded store: a restart keeps everything, a store stays what it is, slow clients are cut off.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use std::time::{Duration, Instant};

use common::{sandbox, serve, without_rate};
use smscode_server::config::{HttpSettings, StoreChoice};
use smscode_server::{Config, start};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn on_disk(dir: &std::path::Path) -> Config {
    let data_dir = dir.join("data");
    Config { store: StoreChoice::Redb(data_dir.join("smscode.redb")), data_dir, demo_token: None, ..sandbox() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_customer_token_money_and_orders() {
    let dir = tempfile::tempdir().unwrap();
    let mut api = serve(on_disk(dir.path())).await;
    let token = api.running.demo_token.clone().unwrap().reveal().to_owned();
    api.token.clone_from(&token);
    let order = api.order("sbx-manual").await;
    api.sms(&order["phone_number"], "Your code is 424242").await;
    let received = api.until(&order["id"], |order| order["otp_code"] == "424242").await;
    let balance = api.balance().await;
    let began = Instant::now();
    api.running.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(5));

    let mut api = serve(on_disk(dir.path())).await;
    assert_eq!(api.running.demo_token.as_ref().unwrap().reveal(), token, "kept for the sandbox");
    assert!(api.running.banner().unwrap().contains(&token));
    api.token = token;
    assert_eq!(api.balance().await, balance, "credited once");
    let again = api.read(&order["id"]).await;
    assert_eq!((&again["otp_code"], &again["phone_number"]), (&received["otp_code"], &received["phone_number"]));
    assert_eq!(api.action("v1", "finish", &order["id"]).await.data()["status"], "COMPLETED");
    api.ledger_adds_up().await;
    api.running.shutdown().await;

    // another token for the same customer
    let config = Config { demo_token: smscode_core::token::Token::read(common::TOKEN), ..on_disk(dir.path()) };
    let api = serve(config).await;
    assert_eq!(api.balance().await, balance);
    api.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sandbox_store_is_never_served_live_nor_the_reverse() {
    let dir = tempfile::tempdir().unwrap();
    let play = on_disk(dir.path());
    serve(play.clone()).await.running.shutdown().await;
    let (live, _simulator) = without_rate().await;
    let live = |store: &Config| Config { store: store.store.clone(), data_dir: store.data_dir.clone(), ..live.clone() };
    let refused = start(live(&play)).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), "store_mode");
    assert!(refused.to_string().contains("is a sandbox store"), "{refused}");

    let other = tempfile::tempdir().unwrap();
    let real = live(&on_disk(other.path()));
    let api = serve(real).await;
    assert_eq!(api.balance().await, 1_000_000, "the customer of the settings");
    api.running.shutdown().await;
    let refused = start(on_disk(other.path())).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), "store_mode");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_use_is_a_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    let first = serve(on_disk(dir.path())).await;
    let refused = start(on_disk(dir.path())).await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    let taken = Config { listen: first.running.addr, ..sandbox() };
    assert_eq!(start(taken).await.map(|_| ()).unwrap_err().code(), "listen");
    first.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_heads_and_idle_connections_are_cut_off_and_connections_are_counted() {
    let config = Config {
        http: HttpSettings { head_limit_ms: 300, connections_max: 2, ..HttpSettings::default() },
        ..sandbox()
    };
    let api = serve(config).await;
    let began = Instant::now();
    let connect = async || tokio::net::TcpStream::connect(api.running.addr).await.unwrap();
    let (mut slow, mut idle) = (connect().await, connect().await);
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    // both places are taken: the third is served once they are cut off
    let answer = api.get("/healthz").await;
    assert_eq!(answer.text, "up\n");
    assert!(began.elapsed() >= Duration::from_millis(280), "{:?}", began.elapsed());
    let mut rest = Vec::new();
    for stream in [&mut slow, &mut idle] {
        let ended = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "it is closed");
    }
    api.running.shutdown().await;
}
