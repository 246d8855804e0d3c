//! The same seed gives the same events, orders and money, twice.

use futures_util::future::join_all;
use sha2::{Digest, Sha256};
use smscode_core::Settings;
use smscode_core::order::PlaceOrders;
use smscode_core::port::Rejection;

use crate::support::{Buy, World};

async fn life() -> (String, usize) {
    let world = World::with(2, Settings::default()).await;
    world.suppliers[0].plan([Buy::Sell, Buy::Reject(Rejection::NoNumbers), Buy::SellSilently, Buy::Sell]);
    join_all((0..6).map(|_| world.place_orders(World::whatsapp()))).await;
    let bulk = PlaceOrders { quantity: 10, ..World::whatsapp() };
    world.place_orders(bulk).await.unwrap();
    for (n, sold) in world.suppliers[0].sold().iter().enumerate() {
        if n % 2 == 0 {
            world.suppliers[0].deliver(&sold.phone, None, &format!("Your code is 41512{n}"));
        }
    }
    world.clock.advance(130).await;
    let open = world.platform.open_orders(world.account).await.unwrap();
    join_all(open.iter().take(6).map(|order| world.cancel(order.id))).await;
    join_all(open.iter().skip(4).take(6).map(|order| world.finish(order.id))).await;
    world.clock.step(1_300, 1_000).await;
    let events = world.platform.events(world.account, 0, 1_000).await.unwrap();
    let lines = world.platform.statement(world.account, 0, 1_000).await.unwrap();
    let digest = Sha256::digest(format!("{events:?}{lines:?}"));
    world.assert_balanced().await;
    world.stop().await;
    (format!("{digest:x?}"), events.len())
}

#[tokio::test]
async fn the_same_seed_gives_the_same_events() {
    let (first, second) = (life().await, life().await);
    assert!(first.1 > 40, "{} events", first.1);
    assert_eq!(first, second);
}
