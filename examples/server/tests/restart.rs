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

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{PATIENCE, sandbox, serve, without_rate};
use serde_json::Value;
use smscode_core::port::Entropy;
use smscode_core::store::{Body, ChangeSet, Entry, Expect, Key, Kind, LoadKey, OperationId, Store};
use smscode_core::time::Timestamp;
use smscode_core::token::Token;
use smscode_providers::clock::OsEntropy;
use smscode_server::config::{HttpSettings, StoreChoice};
use smscode_server::{Config, start};
use smscode_storage_redb::{RedbOptions, RedbStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn on_disk(dir: &Path) -> Config {
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
    assert!(began.elapsed() < PATIENCE, "an end that waits for nobody");

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
    let config = Config { demo_token: Token::read(common::TOKEN), ..on_disk(dir.path()) };
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

/// Takes the marks out of a store, which is how earlier versions left it. The demo customer's account, as their note
/// had it.
async fn as_earlier(dir: &Path) -> Value {
    let path = dir.join("data").join("smscode.redb");
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(&path, RedbOptions::default()).unwrap());
    let [mark, customer] = [("host_server", "mode"), ("host_customer", "demo")].map(|(k, i)| Key::free(Kind::of(k), i));
    let snapshot = store.load(&[LoadKey::Record(mark.clone()), LoadKey::Record(customer.clone())]).await.unwrap();
    let account: Value = serde_json::from_slice(snapshot.record(&customer).unwrap().body.as_bytes()).unwrap();
    let mut deletes = ChangeSet::new(OperationId(random()), Timestamp::EPOCH);
    for key in [mark, customer] {
        let expect = Expect::Version(snapshot.record(&key).unwrap().version);
        deletes.push(Entry::Delete { key, expect });
    }
    store.commit(Arc::new(deletes.seal(Body::empty()))).await.unwrap();
    account["account"].clone()
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    OsEntropy.fill(&mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_note_of_an_earlier_version_is_taken_over_once() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config { demo_token: Token::read(common::TOKEN), ..on_disk(dir.path()) };
    let refused = async || start(config()).await.map(|_| ()).unwrap_err().code();
    let note = dir.path().join("data").join("smscode.redb.mode");
    let write = |mode: &str, account: &Value| {
        std::fs::write(&note, format!("# by the server\nmode = \"{mode}\"\n[customers]\ndemo = {account}\n")).unwrap();
    };
    let api = serve(config()).await;
    assert!(!note.exists(), "marks are in the store");
    api.order("sbx-manual").await;
    let balance = api.balance().await;
    api.running.shutdown().await;

    let account = as_earlier(dir.path()).await;
    assert_eq!(refused().await, "store_mark_missing");
    write("sandbox", &account);
    for _ in 0..2 {
        let api = serve(config()).await;
        assert_eq!(api.balance().await, balance, "the customer's account was taken over");
        assert!(!note.exists(), "once");
        api.running.shutdown().await;
    }

    as_earlier(dir.path()).await;
    write("live", &account);
    for _ in 0..2 {
        assert_eq!(refused().await, "store_mode");
        assert!(!note.exists(), "taken over, although it is not what was wanted");
    }

    // a note whose store was taken away says nothing of the one that is made now
    std::fs::remove_file(dir.path().join("data").join("smscode.redb")).unwrap();
    write("live", &account);
    serve(config()).await.running.shutdown().await;
    assert!(!note.exists());
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
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "it is closed");
    }
    api.running.shutdown().await;
}
