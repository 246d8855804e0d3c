//! Clients that go away at random moments.

use std::time::Duration;

use crate::common::books::books;
use crate::common::postgres::Migrated;
use crate::common::{TOKEN, on_postgres, serve, wait_for};
use serde_json::json;
use smscode_core::Caps;
use smscode_core::port::Entropy;
use smscode_providers::clock::OsEntropy;
use smscode_server::limit::LimitSettings;
use smscode_server::sandbox::CREDIT_MINOR;
use smscode_storage_postgres::PostgresOptions;
use smscode_test_postgres::shared;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, block_in_place};

const REQUESTS: u64 = 5_000;
const AT_ONCE: usize = 24;
/// A client goes away within this many milliseconds: before, while and after most answers come.
const STAYS_MS: u64 = 40;

/// splitmix64: a number for each request, whatever order they run in.
fn chance(seed: u64, n: u64, of: u64) -> u64 {
    let mut z = seed.wrapping_add((n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % of
}

fn request(seed: u64, n: u64, product: i64, known: &serde_json::Value) -> String {
    let post = |path: &str, body: serde_json::Value| {
        let body = body.to_string();
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: application/json\r\n\
             idempotency-key: vanish-{}\r\ncontent-length: {length}\r\n\r\n{body}",
            // some send the same again
            n - n % 3,
        )
    };
    let get = |path: String| format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    match chance(seed, n, 20) {
        0..=3 => post("/v1/orders/create", json!({"catalog_product_id": product})),
        4 => get(format!("/stubs/handler_api.php?api_key={TOKEN}&action=getNumber&service=sbx_manual&country=6")),
        5 => post("/v1/orders/cancel", json!({"id": known})),
        6 => get("/events?after=0".to_owned()),
        7 => get("/readyz".to_owned()),
        8..=10 => get("/v1/orders?limit=50".to_owned()),
        11..=14 => get(format!("/v2/orders/{known}")),
        _ => get("/v1/balance".to_owned()),
    }
}

/// Sends a request, or a part of it, and goes away.
async fn vanish(address: std::net::SocketAddr, request: String, seed: u64, n: u64) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let whole = request.len();
    let part = if chance(seed ^ 1, n, 10) == 0 { chance(seed ^ 2, n, whole as u64) as usize } else { whole };
    let _cut_off = stream.write_all(&request.as_bytes()[..part]).await;
    tokio::time::sleep(Duration::from_millis(chance(seed ^ 3, n, STAYS_MS))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_clients_vanish_and_nothing_stays_behind() {
    let mut bytes = [0; 8];
    OsEntropy.fill(&mut bytes);
    let seed = u64::from_be_bytes(bytes);
    println!("seed {seed}");
    let (server, dir) = (block_in_place(shared), tempfile::tempdir().unwrap());
    let database = Migrated::on(server).await;
    let mut config = on_postgres(&database, dir.path());
    config.postgres = PostgresOptions { committers: 1, readers: 1, ..PostgresOptions::default() };
    config.limits = Some(LimitSettings { requests_a_minute: 1_000_000, attempts_a_minute: 0 });
    // however many of them come through
    config.platform.caps = Caps { open_orders: i64::try_from(REQUESTS).unwrap(), ..Caps::default() };
    let api = serve(config).await;
    let simulator = api.running.app.sandbox.as_ref().unwrap().simulator();
    simulator.with_model(|model| model.set_stock(6, "sbx_manual", u32::try_from(REQUESTS).unwrap()));
    let (_, product) = api.product("sbx-manual").await;
    let known = api.order("sbx-manual").await["id"].clone();

    let mut clients = JoinSet::new();
    for n in 0..REQUESTS {
        if clients.len() >= AT_ONCE {
            clients.join_next().await.unwrap().unwrap();
        }
        clients.spawn(vanish(api.running.addr, request(seed, n, product, &known), seed, n));
    }
    while let Some(gone) = clients.join_next().await {
        gone.unwrap();
    }
    // the next request is served; while what they have left behind fills the queues, it is told when to come again
    let mut turned_away = 0;
    while api.get("/v1/balance").await.status == 503 {
        turned_away += 1;
        assert!(turned_away < 100, "not served");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let placed = api.order("sbx-no-sms").await;
    assert_eq!(api.read(&placed["id"]).await["status"], "ACTIVE");

    let sql = async |text: &str| server.sql(database.database.name(), text).await;
    let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let idle = sql(&format!("SELECT count(*) {others} AND state LIKE 'idle in transaction%'")).await;
    assert_eq!(idle, ["0"], "a transaction was left open");
    let connections = sql(&format!("SELECT application_name, count(*) {others} GROUP BY 1")).await;
    api.running.shutdown().await;
    // the database sees a moment later that a connection is closed
    wait_for("no connections after the end", async || {
        let left = sql(&format!("SELECT application_name, state {others}")).await;
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;

    let store = database.store().await;
    let books = books(&store, CREDIT_MINOR).await;
    println!(
        "{REQUESTS} requests, {} holds each with its order, {} open, sum {}; {turned_away} turned away after them; connections {connections:?}",
        books.holds.len(),
        books.open(),
        books.sum
    );
    assert!(books.holds.len() > 100, "few orders came through");
    store.close().await;
}
