//! 1,000 orders from 50 parallel clients while the server is killed with SIGKILL ten times, and with it the database
//! server ten times: no order lost, none paid twice, each hold closed once or still open with its order, the sum of all
//! accounts zero.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a test of processes in real time")]
#![allow(clippy::print_stdout, reason = "figures are printed")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::books::books;
use common::crowd::{CREDIT, Crowd, Place, Progress, clients, simulator};
use common::postgres::Migrated;
use smscode_core::store::Store;
use smscode_storage_redb::{RedbOptions, RedbStore};
use smscode_test_postgres::{Cluster, ClusterOptions};
use tokio::task::block_in_place;

const CLIENTS: usize = 50;
const ORDERS_EACH: usize = 20;
const KILLS: u64 = 10;

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap()
}

/// Serves all clients, and meanwhile calls `kill` so often, spread over the run.
async fn killed(place: &Arc<Place>, kills: u64, mut kill: impl AsyncFnMut(u64)) -> (Crowd, Arc<Progress>) {
    let client = client();
    place.ready(&client).await;
    let product = place.product(&client).await;
    let progress = Arc::new(Progress::default());
    let over = AtomicBool::new(false);
    let step = (CLIENTS * ORDERS_EACH) as u64 / (kills + 1);
    let killer = async {
        let mut killed = 0;
        while killed < kills && !over.load(Ordering::Relaxed) {
            if progress.done.load(Ordering::Relaxed) < step * (killed + 1) {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
            kill(killed).await;
            place.ready(&client).await;
            killed += 1;
        }
        killed
    };
    let crowd = async {
        let crowd = clients(&client, place, product, (CLIENTS, ORDERS_EACH), &progress).await;
        over.store(true, Ordering::Relaxed);
        crowd
    };
    let (killed, crowd) = tokio::join!(killer, crowd);
    assert_eq!(killed, kills, "the run was over before it was killed often enough");
    (crowd, progress)
}

async fn check(what: &str, crowd: &Crowd, progress: &Progress, store: &dyn Store) {
    let ids = crowd.ids();
    let books = books(store, CREDIT).await;
    for id in &ids {
        assert!(books.holds.contains_key(&format!("order:{id}")), "order {id} is lost");
    }
    assert_eq!(books.holds.len() - books.released, crowd.seen.len(), "each key has one order that is paid or open");
    println!(
        "{what}: {} orders of {CLIENTS} clients, {} completed, {} unclear, {} answers 503, {:.1} s",
        crowd.seen.len(),
        crowd.completed(),
        crowd.unclear(),
        progress.away.load(Ordering::Relaxed),
        crowd.took.as_secs_f64(),
    );
    println!("{} holds, {} closed, {} open, sum {}", books.holds.len(), books.closed.len(), books.open(), books.sum);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_orders_survive_ten_kills() {
    let dir = tempfile::tempdir().unwrap();
    let simulator = simulator().await;
    let file = dir.path().join("server").join("smscode.redb");
    let place = Arc::new(Place::new(dir.path(), "server", &simulator, &format!("redb:{}", file.display())));
    let mut server = place.start();
    let kill = async |_| {
        server.kill();
        server = place.start();
    };
    let (crowd, progress) = killed(&place, KILLS, kill).await;
    server.kill();
    let store = RedbStore::open(&file, RedbOptions::default()).unwrap();
    check("redb, 10 kills", &crowd, &progress, &store).await;
    println!("calls to buy {}", simulator.calls("getNumber") + simulator.calls("getNumberV2"));
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_orders_survive_ten_kills_of_the_server_and_ten_of_postgres() {
    let dir = tempfile::tempdir().unwrap();
    let simulator = simulator().await;
    let cluster = block_in_place(|| Cluster::start(&ClusterOptions::default()));
    let database = Migrated::on(&cluster).await;
    let place = Arc::new(Place::new(dir.path(), "server", &simulator, &database.url));
    let mut server = place.start();
    let kill = async |n: u64| {
        if n.is_multiple_of(2) {
            server.kill();
            server = place.start();
        } else {
            block_in_place(|| {
                cluster.kill();
                cluster.start_again();
            });
        }
    };
    let (crowd, progress) = killed(&place, 2 * KILLS, kill).await;
    server.kill();
    let store = database.store().await;
    check("postgres, 10 kills of the server, 10 of it", &crowd, &progress, &store).await;
    println!("calls to buy {}", simulator.calls("getNumber") + simulator.calls("getNumberV2"));
    store.close().await;
    simulator.shutdown().await;
}
