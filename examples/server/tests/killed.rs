//! 1,000 orders from 50 parallel clients while the server is killed with SIGKILL ten times: no order lost, none paid
//! twice, each hold closed once or still open with its order, the sum of all accounts zero.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a test of processes in real time")]
#![allow(clippy::print_stdout, reason = "figures are printed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smscode_core::money::Currency;
use smscode_core::store::{Index, Range, Row, Store, TransferKind};
use smscode_providers::ApiKey;
use smscode_providers::sandbox::{Sandbox, SandboxConfig, SandboxHandle};
use smscode_storage_redb::{RedbOptions, RedbStore};
use tokio::task::JoinSet;

const CLIENTS: usize = 50;
const ORDERS_EACH: usize = 20;
const KILLS: u32 = 10;
const TOKEN: &str = "Kill0Test1Token2Of3Thirty2Chars0";
const KEY: &str = "0123456789abcdef0123456789abcdef";
const CREDIT: i64 = 50_000_000;
/// One client waits so long for an order: far beyond a restart and the first look-ups of an unclear purchase. A purchase
/// that was never sent stays open with its hold until its window ends.
const PATIENCE: Duration = Duration::from_secs(60);

struct Place {
    dir: PathBuf,
    config: PathBuf,
    addr: SocketAddr,
}

impl Place {
    fn new(dir: &Path, simulator: &SandboxHandle) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let config = dir.join("smscode.toml");
        let text = format!(
            "listen = \"{addr}\"\ndata_dir = \"{data}\"\nkeyring_dir = \"{keys}\"\nrequests_a_minute = 1000000\n\
             attempts_a_minute = 0\nlog = \"warn\"\n[rates]\nusd_idr = 16000\n[caps]\nopen_orders = 5000\n\
             [timing]\npoll_first_ms = 300\npoll_then_ms = 500\npoll_late_ms = 500\n\
             [[supplier]]\nname = \"sim\"\ndialect = \"sms-activate\"\nbase_url = \"{base}\"\napi_key = \"{KEY}\"\n\
             currency = \"USD\"\npoll_floor_ms = 200\n\
             [[customer]]\nname = \"shop\"\ntoken = \"{TOKEN}\"\nopening_credit = {CREDIT}\n",
            data = dir.join("data").display(),
            keys = dir.join("keys").display(),
            base = simulator.base_url(),
        );
        fs::write(&config, text).unwrap();
        Self { dir: dir.to_owned(), config, addr }
    }

    fn start(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_smscode-server"))
            .arg("--config")
            .arg(&self.config)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    async fn ready(&self, client: &reqwest::Client) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if let Ok(answer) = client.get(self.url("/readyz")).send().await
                && answer.status().is_success()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server is not ready after a minute");
    }
}

/// What one client saw of one of its orders.
struct Seen {
    key: String,
    /// `None` if it was still in progress when the client gave up.
    id: Option<i64>,
    completed: bool,
}

async fn call(client: &reqwest::Client, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
    let _ = client;
    let answer = request.bearer_auth(TOKEN).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.json().await.ok()?))
}

/// Places an order under one key until it is answered, whatever happens to the server, waits for its SMS and finishes.
async fn one_order(client: &reqwest::Client, place: &Place, key: String, product: i64) -> Seen {
    let begun = Instant::now();
    let pause = || tokio::time::sleep(Duration::from_millis(100));
    let id = loop {
        let request = client
            .post(place.url("/v1/orders/create"))
            .header("idempotency-key", &key)
            .json(&json!({"catalog_product_id": product}));
        match call(client, request).await {
            Some((200, body)) => break body["data"]["orders"][0]["id"].as_i64().expect("an id"),
            Some((409, body)) if body["error"]["code"] == "REQUEST_IN_PROGRESS" => {
                if begun.elapsed() > PATIENCE {
                    return Seen { key, id: None, completed: false };
                }
                pause().await;
            }
            Some((422, body)) if body["error"]["code"] == "PROVIDER_ERROR" => pause().await,
            Some((503 | 500, _)) | None => pause().await,
            Some((status, body)) => panic!("{key}: {status} {body}"),
        }
    };
    loop {
        if begun.elapsed() > PATIENCE {
            return Seen { key, id: Some(id), completed: false };
        }
        let Some((200, body)) = call(client, client.get(place.url(&format!("/v1/orders/{id}")))).await else {
            pause().await;
            continue;
        };
        match body["data"]["status"].as_str() {
            Some("OTP_RECEIVED") => {
                let finish = client.post(place.url("/v1/orders/finish")).json(&json!({"id": id}));
                drop(call(client, finish).await); // its answer may be lost; the next read tells
            }
            Some("COMPLETED") => {
                return Seen { key, id: Some(id), completed: true };
            }
            Some("CANCELED" | "EXPIRED") => {
                return Seen { key, id: Some(id), completed: false };
            }
            _ => pause().await,
        }
    }
}

async fn clients(client: &reqwest::Client, place: &Arc<Place>, product: i64, done: &Arc<AtomicU64>) -> Vec<Seen> {
    let mut tasks = JoinSet::new();
    for n in 0..CLIENTS {
        let (client, place, done) = (client.clone(), Arc::clone(place), Arc::clone(done));
        tasks.spawn(async move {
            let mut seen = Vec::new();
            for m in 0..ORDERS_EACH {
                seen.push(one_order(&client, &place, format!("client-{n}-{m}"), product).await);
                done.fetch_add(1, Ordering::Relaxed);
            }
            seen
        });
    }
    let mut seen = Vec::new();
    while let Some(some) = tasks.join_next().await {
        seen.extend(some.unwrap());
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_orders_survive_ten_kills() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = SandboxConfig::new(ApiKey::new(KEY));
    config.settings.stock = 100_000;
    config.settings.code_after_ms = 200;
    let simulator = Sandbox::start(config).await.unwrap();
    let place = Arc::new(Place::new(dir.path(), &simulator));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();

    let mut server = place.start();
    place.ready(&client).await;
    let list = client.get(place.url("/v1/catalog/products?country_id=6&limit=100"));
    let (_, body) = call(&client, list).await.unwrap();
    let product = body["data"].as_array().unwrap().iter().find(|p| p["name"].as_str().unwrap().starts_with("WhatsApp"));
    let product = product.expect("WhatsApp is sold")["catalog_product_id"].as_i64().unwrap();

    let done = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let killer = {
        let (place, client, done, over) = (Arc::clone(&place), client.clone(), Arc::clone(&done), Arc::clone(&over));
        tokio::spawn(async move {
            let mut kills = 0;
            // spread over the run: after each eleventh of the orders
            let step = (CLIENTS * ORDERS_EACH) as u64 / u64::from(KILLS + 1);
            while kills < KILLS && !over.load(Ordering::Relaxed) {
                if done.load(Ordering::Relaxed) < step * u64::from(kills + 1) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    continue;
                }
                server.kill().unwrap();
                server.wait().unwrap();
                kills += 1;
                server = place.start();
                place.ready(&client).await;
            }
            (kills, server)
        })
    };
    let seen = clients(&client, &place, product, &done).await;
    over.store(true, Ordering::Relaxed);
    let (kills, mut server) = killer.await.unwrap();
    let took = begun.elapsed();
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(kills, KILLS, "the run was over before it was killed often enough");

    let keys: BTreeSet<&str> = seen.iter().map(|seen| &*seen.key).collect();
    let ids: BTreeSet<i64> = seen.iter().filter_map(|seen| seen.id).collect();
    let unclear = seen.iter().filter(|seen| seen.id.is_none()).count();
    assert_eq!(keys.len(), CLIENTS * ORDERS_EACH);
    assert_eq!(ids.len() + unclear, CLIENTS * ORDERS_EACH, "an order for each key");
    let completed = seen.iter().filter(|seen| seen.completed).count();
    println!(
        "{} orders of {CLIENTS} clients, {kills} kills, {completed} completed, {unclear} unclear, {:.1} s; calls to buy {}",
        seen.len(),
        took.as_secs_f64(),
        simulator.calls("getNumber") + simulator.calls("getNumberV2"),
    );
    check_books(&place.dir.join("data").join("smscode.redb"), &ids, keys.len()).await;
    simulator.shutdown().await;
}

/// Reads the store itself: every hold closed at most once, what is open is held, everything adds up to zero.
async fn check_books(path: &Path, ids: &BTreeSet<i64>, keys: usize) {
    let store = RedbStore::open(path, RedbOptions::default()).unwrap();
    let totals = store.totals().await.unwrap();
    let line = &totals.currencies[&Currency::Idr];
    assert_eq!(line.sum(), 0, "the sum of all accounts");
    let heads = store.scan(&Index::Heads, &Range::all(), None, 1_000).await.unwrap().rows;
    let mut holds: BTreeMap<String, i64> = BTreeMap::new();
    let mut closed: BTreeMap<String, u32> = BTreeMap::new();
    let (mut held, mut captured, mut released) = (0, 0, 0);
    for row in heads {
        let Row::Head(owner, head) = row else { panic!("a head") };
        held += head.held;
        let mut after = None;
        loop {
            let page = store.scan(&Index::Transfers(owner), &Range::all(), after.as_ref(), 1_000).await.unwrap();
            for row in page.rows {
                let Row::Transfer(transfer) = row else { panic!("a transfer") };
                match transfer.kind {
                    TransferKind::Hold => {
                        assert!(holds.insert(transfer.subject, transfer.amount).is_none(), "held twice");
                    }
                    TransferKind::Capture => {
                        captured += transfer.amount;
                        *closed.entry(transfer.subject).or_default() += 1;
                    }
                    TransferKind::Release => {
                        released += 1;
                        *closed.entry(transfer.subject).or_default() += 1;
                    }
                    TransferKind::Deposit => assert_eq!(transfer.amount, CREDIT, "credited once"),
                    other => panic!("{other:?} was not expected"),
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    assert!(closed.values().all(|times| *times == 1), "a hold was closed twice");
    assert!(closed.keys().all(|order| holds.contains_key(order)), "something was closed that was not held");
    for id in ids {
        assert!(holds.contains_key(&format!("order:{id}")), "order {id} is lost");
    }
    assert_eq!(holds.len() - released, keys, "each key has one order that is paid or open");
    let open: i64 = holds.iter().filter(|(order, _)| !closed.contains_key(*order)).map(|(_, amount)| amount).sum();
    assert_eq!(held, open, "what is held is what is open");
    assert_eq!(line.open_holds, (holds.len() - closed.len()) as u64);
    assert_eq!(
        i128::from(captured),
        line.house(&smscode_core::store::House::revenue()),
        "revenue is what was captured"
    );
    println!("{} holds, {} closed, {} open, sum {}", holds.len(), closed.len(), holds.len() - closed.len(), line.sum());
}
