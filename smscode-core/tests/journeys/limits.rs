//! Caps, and a store that cannot write.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smscode_core::Settings;
use smscode_core::order::{OrderError, PlaceOrders, Status};
use smscode_core::port::MemoryKeyring;
use smscode_core::store::MemoryStore;
use smscode_core::store::TransferKind::{Hold, Release};

use crate::support::{MONEY, SlowStore, TestClock, TestSupplier, World};

fn capped(open_orders: i64, cancels_a_day: i64) -> Settings {
    let mut settings = Settings::default();
    settings.caps.open_orders = open_orders;
    settings.caps.cancels_a_day = cancels_a_day;
    settings
}

#[tokio::test]
async fn the_cap_of_open_orders() {
    let world = World::timed(0, 1_200, capped(3, 100)).await;
    let two = PlaceOrders { quantity: 2, ..World::whatsapp() };
    let placed = world.place_orders(two.clone()).await.unwrap();
    let refused = world.place_orders(two.clone()).await.unwrap_err();
    assert!(matches!(refused, OrderError::Cap { what: "open orders", max: 3, .. }), "{refused:?}");
    assert_eq!(world.platform.open_orders(world.account).await.unwrap().len(), 2, "all or nothing");
    let third = world.place().await;
    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err().code(), "cap");
    // every way to end frees a place
    world.cancel(third.id).await.unwrap();
    world.supplier().deliver(&world.supplier().sold()[0].phone, None, "415127");
    world.clock.advance(4).await;
    for item in &placed.items {
        if world.order(item.order).await.status == Status::OtpReceived {
            world.finish(item.order).await.unwrap();
        }
    }
    world.supplier().plan([crate::support::Buy::Reject(smscode_core::port::Rejection::NoNumbers)]);
    world.place_orders(World::whatsapp()).await.unwrap();
    assert!(world.place_orders(two).await.is_ok());
    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err().code(), "cap");
    world.assert_postings(third.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn the_cap_of_cancels_a_day() {
    let world = World::timed(0, 86_400, {
        let mut settings = capped(100, 2);
        settings.window_ms = 86_400_000;
        settings
    })
    .await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(world.place().await);
    }
    world.cancel(orders[0].id).await.unwrap();
    world.cancel(orders[1].id).await.unwrap();
    // what was cancelled already costs nothing
    world.cancel(orders[1].id).await.unwrap();
    let refused = world.cancel(orders[2].id).await.unwrap_err();
    let OrderError::Cap { what, max, retry_after_seconds } = refused else { panic!("{refused:?}") };
    assert_eq!((what, max), ("cancels a day", 2));
    assert_eq!(world.order(orders[2].id).await.state, smscode_core::order::State::Active);
    world.assert_postings(orders[2].id, &[Hold]).await;
    // the time that the answer names is right: the next UTC day
    world.clock.step(retry_after_seconds / 60 - 1, 60_000).await;
    assert_eq!(world.cancel(orders[2].id).await.unwrap_err().code(), "cap");
    world.clock.step(2, 60_000).await;
    world.cancel(orders[2].id).await.unwrap();
    world.assert_postings(orders[2].id, &[Hold, Release]).await;
    assert_eq!(world.available().await, MONEY);
    world.stop().await;
}

/// A disk that is full: reads go on, due work is tried again once a second and not in a tight loop, nothing is lost.
#[tokio::test]
async fn a_store_that_cannot_write_is_not_hammered() {
    let clock = TestClock::new();
    let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, 20)];
    let store = SlowStore::new(Arc::new(MemoryStore::new()), 1);
    let keyring = Arc::new(MemoryKeyring::new());
    let world = World::on(store.clone(), keyring, clock, suppliers, Settings::default(), None).await;
    let order = world.place().await;
    store.broken.store(true, Ordering::Relaxed);
    let before = store.commits.load(Ordering::Relaxed);
    world.clock.advance(30).await;
    let tried = store.commits.load(Ordering::Relaxed) - before;
    assert!((5..60).contains(&tried), "{tried} commits were tried in 10 s");
    assert_eq!(world.order(order.id).await.status, Status::Active);
    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err().code(), "unavailable");
    store.broken.store(false, Ordering::Relaxed);
    world.clock.advance(10).await;
    assert_eq!(world.order(order.id).await.status, Status::Expired);
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}
