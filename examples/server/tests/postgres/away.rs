//! Postgres is away: at the start, and later under load.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::common::books::{books, open_orders};
use crate::common::crowd::{CREDIT, Place, Progress, TOKEN, clients, simulator};
use crate::common::postgres::Migrated;
use crate::common::program;
use serde_json::Value;
use smscode_test_postgres::{Cluster, ClusterOptions, free_port};
use tokio::task::block_in_place;

const CLIENTS: usize = 20;
const ORDERS_EACH: usize = 10;
/// How long Postgres is away under load: tries of a commit end, and so do answers.
const AWAY: Duration = Duration::from_secs(6);

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

async fn alive(client: &reqwest::Client, url: &str) {
    let begun = Instant::now();
    while client.get(url).send().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not listen");
        pause(10).await;
    }
    assert_eq!(client.get(url).send().await.unwrap().text().await.unwrap(), "up\n");
}

/// Everything but `/healthz` is turned away, each surface in its own words.
async fn turned_away(client: &reqwest::Client, place: &Place) {
    for (method, path) in [
        ("GET", "/v1/balance"),
        ("POST", "/v2/orders/create"),
        ("GET", "/events"),
        ("GET", "/docs"),
        ("GET", "/nothing"),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = client.request(method, place.url(path)).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (503, &"2".parse().unwrap()),
            "{path}"
        );
        assert!(answer.headers().contains_key("x-request-id"));
        let body: Value = answer.json().await.unwrap();
        assert_eq!(
            (&body["success"], &body["error"]["code"]),
            (&false.into(), &"SERVICE_UNAVAILABLE".into()),
            "{path}"
        );
    }
    let bot = client.get(place.url(&format!("/stubs/handler_api.php?api_key={TOKEN}&action=getBalance")));
    let answer = bot.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"2".parse().unwrap()));
    assert_eq!(answer.text().await.unwrap(), "SERVER_ERROR");
    assert_eq!(not_ready(client, place).await.expect("not ready")["store"], "away");
    let figures = client.get(place.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(figures.contains("smscode_store_up 0\n"), "{figures}");
}

/// The details of `/readyz`; none when it is ready.
async fn not_ready(client: &reqwest::Client, place: &Place) -> Option<Value> {
    let answer = client.get(place.url("/readyz")).send().await.unwrap();
    let ready = answer.status().is_success();
    let body: Value = answer.json().await.unwrap();
    if ready {
        assert_eq!(body["data"]["store"], "ok");
        return None;
    }
    assert_eq!(body["error"]["code"], "SERVICE_UNAVAILABLE");
    Some(body["error"]["details"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_waits_for_postgres_and_outlives_its_absence_under_load() {
    let dir = tempfile::tempdir().unwrap();
    let simulator = simulator().await;
    let cluster = block_in_place(|| Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() }));
    let database = Migrated::on(&cluster).await;
    block_in_place(|| cluster.stop());
    let place = Arc::new(Place::new(dir.path(), "server", &simulator, &database.url));
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
    let mut server = place.start();
    alive(&client, &place.url("/healthz")).await;
    for _ in 0..3 {
        turned_away(&client, &place).await;
        pause(500).await;
    }
    let details = not_ready(&client, &place).await.unwrap();
    assert_eq!((&details["code"], &details["recovered"]), (&"store_unavailable".into(), &false.into()));
    assert!(details["reason"].as_str().unwrap().contains("connection refused"), "{details}");
    block_in_place(|| cluster.start_again());
    place.ready(&client).await;

    let product = place.product(&client).await;
    let progress = Arc::new(Progress::default());
    let outage = async {
        while progress.done.load(Ordering::Relaxed) < (CLIENTS * ORDERS_EACH) as u64 / 3 {
            pause(5).await;
        }
        block_in_place(|| cluster.kill());
        let begun = Instant::now();
        let details = not_ready(&client, &place).await.expect("it is away");
        assert_eq!((&details["store"], &details["recovered"]), (&"away".into(), &true.into()));
        tokio::time::sleep(AWAY.saturating_sub(begun.elapsed())).await;
        block_in_place(|| cluster.start_again());
        place.ready(&client).await;
    };
    let (crowd, ()) = tokio::join!(clients(&client, &place, product, (CLIENTS, ORDERS_EACH), &progress), outage);
    let away = progress.away.load(Ordering::Relaxed);
    assert!(away > 0, "nobody was turned away");
    server.kill();
    let store = database.store().await;
    let open = open_orders(&store).await;
    assert_eq!(crowd.completed(), CLIENTS * ORDERS_EACH, "every order comes to its end: {open:?}");
    let books = books(&store, CREDIT).await;
    assert_eq!((books.holds.len() - books.released, books.open()), (CLIENTS * ORDERS_EACH, 0));
    println!(
        "{} orders of {CLIENTS} clients, Postgres away for {} s, {away} answers 503, {:.1} s; {} holds, {} released",
        crowd.completed(),
        AWAY.as_secs(),
        crowd.took.as_secs_f64(),
        books.holds.len(),
        books.released,
    );
    store.close().await;
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_is_logged_once_and_can_be_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (port, nobody) = (free_port(), free_port());
    let mut child = program()
        .args(["--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
        .arg(dir.path().join("data"))
        .env("SMSCODE_STORE", format!("postgres://shop:planted@127.0.0.1:{nobody}/shop"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    alive(&client, &format!("http://127.0.0.1:{port}/healthz")).await;
    pause(2_000).await; // some tries
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert!(block_in_place(|| child.wait()).unwrap().success(), "an orderly end");
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(log.matches("the store is away").count(), 1, "{log}");
    assert!(log.contains("connection refused") && !log.contains("planted"), "{log}");
}
