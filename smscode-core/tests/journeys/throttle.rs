//! Calls a second of a supplier, from all nodes together.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smscode_core::Settings;
use smscode_core::money::{Currency, Money};
use smscode_core::order::{ItemOutcome, OrderError, PlaceOrders};
use smscode_core::port::{Keyring, MemoryKeyring};
use smscode_core::store::TransferKind::{Hold, Release};
use smscode_core::store::{MemoryStore, Store};
use smscode_core::time::Timestamp;

use crate::support::{CONCURRENCY, PRICE, SlowStore, TestClock, TestSupplier, World};

/// The most purchases in any one second.
fn most_in_a_second(supplier: &TestSupplier) -> usize {
    let times: Vec<Timestamp> = supplier.script.lock().unwrap().bought_at.clone();
    let within = |from: &Timestamp| times.iter().filter(|at| (0..1_000).contains(&at.ms_since(*from))).count();
    times.iter().map(within).max().unwrap_or(0)
}

async fn limited(a_second: u32, shared: bool, nodes: usize) -> Vec<World> {
    let clock = TestClock::new();
    let supplier = TestSupplier::limited("alpha", &clock, a_second);
    let store = SlowStore::new(Arc::new(MemoryStore::new()), 1);
    store.shared.store(shared, Ordering::Relaxed);
    let store: Arc<dyn Store> = store;
    let keyring: Arc<dyn Keyring> = Arc::new(MemoryKeyring::new());
    let mut worlds: Vec<World> = Vec::new();
    for _ in 0..nodes {
        let account = worlds.first().map(|world| world.account);
        // another node draws other ids
        clock.skip(1);
        let (store, keyring, suppliers) = (store.clone(), keyring.clone(), vec![supplier.clone()]);
        worlds.push(World::on(store, keyring, clock.clone(), suppliers, Settings::default(), account).await);
    }
    let more = Money::new(200 * PRICE, Currency::Idr);
    worlds[0].platform.deposit(worlds[0].account, more, "second").await.unwrap();
    worlds
}

#[tokio::test]
async fn u1_purchases_are_spread_over_seconds() {
    let worlds = limited(5, false, 1).await;
    let world = &worlds[0];
    let (platform, account) = (world.platform.clone(), world.account);
    let many = PlaceOrders::many(World::whatsapp().wanted, 40);
    let call = tokio::spawn(async move { platform.place_orders(account, many).await });
    world.clock.advance(21).await;
    let placed = call.await.unwrap().unwrap();
    let sold = placed.items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Settled(_))).count();
    assert_eq!(sold, 40, "5 a second, less some for polls, for 20 s");
    // what the bucket held when it began, and what a second brings
    assert!(most_in_a_second(world.supplier()) <= 10, "{}", most_in_a_second(world.supplier()));
    // polls have their turn in spite of them
    assert!(world.supplier().script.lock().unwrap().polls >= 3);
    for item in &placed.items {
        world.assert_postings(item.order, &[Hold]).await;
    }
    for world in worlds {
        world.stop().await;
    }
}

#[tokio::test]
async fn u1_what_gets_no_permit_in_time_was_not_sent() {
    let worlds = limited(1, false, 1).await;
    let world = &worlds[0];
    let (platform, account) = (world.platform.clone(), world.account);
    let many = PlaceOrders::many(World::whatsapp().wanted, 40);
    let call = tokio::spawn(async move { platform.place_orders(account, many).await });
    world.clock.advance(21).await;
    let placed = call.await.unwrap().unwrap();
    let (mut sold, mut refused) = (0, 0);
    for item in &placed.items {
        match &item.outcome {
            ItemOutcome::Settled(_) => {
                sold += 1;
                world.assert_postings(item.order, &[Hold]).await;
            }
            ItemOutcome::Rejected(error) => {
                refused += 1;
                assert_eq!(*error, OrderError::Supplier { cause: "provider_unavailable" });
                world.assert_postings(item.order, &[Hold, Release]).await;
            }
            ItemOutcome::Pending(_) => panic!("a purchase that was not sent is not unclear"),
        }
    }
    assert!((10..=21).contains(&sold) && sold + refused == 40, "{sold} and {refused}");
    assert!(most_in_a_second(world.supplier()) <= 2);
    for world in worlds {
        world.stop().await;
    }
}

#[tokio::test]
async fn o1_two_nodes_share_a_suppliers_seconds() {
    let worlds = limited(6, true, 2).await;
    let calls: Vec<_> = worlds
        .iter()
        .map(|world| {
            let (platform, account) = (world.platform.clone(), world.account);
            let many = PlaceOrders::many(World::whatsapp().wanted, 40);
            tokio::spawn(async move { platform.place_orders(account, many).await })
        })
        .collect();
    worlds[0].clock.advance(21).await;
    let mut sold = Vec::new();
    for call in calls {
        let placed = call.await.unwrap().unwrap();
        let settled: Vec<_> =
            placed.items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Settled(_))).collect();
        sold.push(settled.len());
        for item in settled {
            worlds[0].assert_postings(item.order, &[Hold]).await;
        }
    }
    assert!(sold.iter().all(|sold| *sold >= 20), "both nodes have their part: {sold:?}");
    // a second is the clock's: any thousand milliseconds touch two of them
    let most = most_in_a_second(worlds[0].supplier());
    assert!(most <= 12, "{most}");
    worlds[0].assert_balanced().await;
    for world in worlds {
        world.stop().await;
    }
}

/// Purchases under way at once, from all nodes together; what a node that has gone leaves is the others'.
#[tokio::test]
async fn o1_two_nodes_share_a_suppliers_places() {
    let places = usize::try_from(CONCURRENCY).unwrap();
    let mut worlds = limited(0, true, 2).await;
    let clock = worlds[0].clock.clone();
    worlds[0].supplier().script(|script| script.slow_ms = 2_000);
    // the first has to hear of the second
    clock.advance(11).await;
    for nodes in [2, 1] {
        worlds[0].supplier().script(|script| script.most_under_way = 0);
        let calls: Vec<_> = worlds
            .iter()
            .map(|world| {
                let (platform, account) = (world.platform.clone(), world.account);
                let many = PlaceOrders::many(World::whatsapp().wanted, 80);
                tokio::spawn(async move { platform.place_orders(account, many).await })
            })
            .collect();
        clock.advance(21).await;
        for call in calls {
            let placed = call.await.unwrap().unwrap();
            let settled = placed.items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Settled(_)));
            assert_eq!(settled.count(), 80);
            worlds[0].assert_postings(placed.items[0].order, &[Hold]).await;
        }
        let most = worlds[0].supplier().script.lock().unwrap().most_under_way;
        assert_eq!(most, places, "{nodes} nodes");
        if nodes == 2 {
            worlds.pop().unwrap().stop().await;
            clock.step(45, 1_000).await;
        }
    }
    for world in worlds {
        world.stop().await;
    }
}
