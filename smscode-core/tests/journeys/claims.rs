//! U6: one key, one effect.

use futures_util::future::join_all;
use smscode_core::order::{ItemOutcome, OrderError, OrderId, PlaceOrders, Placed, Status};
use smscode_core::port::Rejection;
use smscode_core::store::TransferKind::{Capture, Hold, Release};

use crate::support::{Buy, PRICE, World};

fn ids(placed: &Placed) -> Vec<OrderId> {
    placed.items.iter().map(|item| item.order).collect()
}

#[tokio::test]
async fn u6_same_key_same_request_same_orders() {
    let world = World::new().await;
    let wanted = PlaceOrders { quantity: 3, ..World::keyed("k-1", "create/v1", "three") };
    let first = world.place_orders(wanted.clone()).await.unwrap();
    let again = world.place_orders(wanted.clone()).await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(ids(&again), ids(&first));
    assert_eq!(world.held().await, 3 * PRICE);
    // what is on offer now does not matter
    world.supplier().script.lock().unwrap().offers.clear();
    world.clock.advance(200).await;
    assert_eq!(ids(&world.place_orders(wanted.clone()).await.unwrap()), ids(&first));
    // nor that the money is gone, nor that they have ended: content is null then
    for id in ids(&first) {
        world.cancel(id).await.unwrap();
        world.assert_postings(id, &[Hold, Release]).await;
    }
    let ended = world.place_orders(wanted).await.unwrap();
    for item in &ended.items {
        let ItemOutcome::Settled(view) = &item.outcome else { panic!("{item:?}") };
        assert_eq!((view.status, view.phone.as_deref()), (Status::Canceled, None));
    }
    world.stop().await;
}

#[tokio::test]
async fn u6_other_request_or_other_surface_is_refused() {
    let world = World::new().await;
    let first = world.place_orders(World::keyed("k-1", "create/v1", "one")).await.unwrap();
    for (operation, request) in [("create/v1", "two"), ("create/v2", "one"), ("create/v2", "two")] {
        let other = world.place_orders(World::keyed("k-1", operation, request)).await;
        assert_eq!(other.unwrap_err(), OrderError::KeyReused, "{operation} {request}");
    }
    // a request that cannot even be planned is still another request
    let mut unknown = World::keyed("k-1", "create/v1", "three");
    unknown.wanted = smscode_core::order::Wanted::Product(77_777);
    assert_eq!(world.place_orders(unknown).await.unwrap_err(), OrderError::KeyReused);
    // another operation and another account have keys of their own
    assert!(!world.place_orders(World::keyed("k-1", "reactivate/v1", "one")).await.unwrap().replayed);
    let other = world.platform.open_account().await.unwrap();
    let theirs = world.platform.place_orders(other, World::keyed("k-1", "create/v1", "one")).await;
    assert_eq!(theirs.unwrap_err().code(), "insufficient_balance");
    world.assert_postings(ids(&first)[0], &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u6_keys_that_are_no_keys() {
    let world = World::new().await;
    let long = "k".repeat(129);
    for key in ["", "with space", "ümlaut", "a/b", long.as_str()] {
        let refused = world.place_orders(World::keyed(key, "create/v1", "one")).await;
        assert_eq!(refused.unwrap_err(), OrderError::KeyMalformed, "{key}");
    }
    let longest = "k".repeat(128);
    let placed = world.place_orders(World::keyed(&longest, "create/v1", "one")).await.unwrap();
    world.assert_postings(ids(&placed)[0], &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u6_while_the_first_is_running() {
    let world = World::new().await;
    world.supplier().plan([Buy::SellSilently]);
    let wanted = World::keyed("k-1", "create/v1", "one");
    let first = world.place_orders(wanted.clone()).await.unwrap();
    let again = world.place_orders(wanted.clone()).await.unwrap();
    assert!(again.replayed && matches!(again.items[0].outcome, ItemOutcome::Pending(_)));
    world.clock.advance(6).await;
    let settled = world.place_orders(wanted).await.unwrap();
    assert!(matches!(settled.items[0].outcome, ItemOutcome::Settled(_)));
    assert_eq!(ids(&settled), ids(&first));
    world.assert_postings(ids(&first)[0], &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u6_a_rejected_order_frees_its_key() {
    let world = World::new().await;
    world.supplier().plan([Buy::Reject(Rejection::NoNumbers)]);
    let wanted = World::keyed("k-1", "create/v1", "one");
    let first = world.place_orders(wanted.clone()).await.unwrap();
    assert!(matches!(first.items[0].outcome, ItemOutcome::Rejected(_)));
    // the same key is judged afresh, also with another request
    let second = world.place_orders(World::keyed("k-1", "create/v2", "other")).await.unwrap();
    assert!(!second.replayed && ids(&second) != ids(&first));
    assert_eq!(world.place_orders(wanted).await.unwrap_err(), OrderError::KeyReused);
    world.assert_postings(ids(&first)[0], &[Hold, Release]).await;
    world.assert_postings(ids(&second)[0], &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u6_a_refused_request_does_not_use_its_key() {
    let world = World::new().await;
    let dear = |request| PlaceOrders { quantity: 100, ..World::keyed("k-1", "create/v1", request) };
    assert_eq!(world.place_orders(dear("many")).await.unwrap_err().code(), "insufficient_balance");
    let placed = world.place_orders(World::keyed("k-1", "create/v1", "one")).await.unwrap();
    assert!(!placed.replayed);
    world.assert_postings(ids(&placed)[0], &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u6_a_bulk_of_which_all_are_rejected_is_judged_afresh() {
    let world = World::new().await;
    world.supplier().plan(vec![Buy::Reject(Rejection::NoNumbers); 3]);
    let wanted = PlaceOrders { quantity: 3, ..World::keyed("k-1", "create/v1", "three") };
    let first = world.place_orders(wanted.clone()).await.unwrap();
    let second = world.place_orders(wanted.clone()).await.unwrap();
    assert!(!second.replayed);
    let third = world.place_orders(wanted).await.unwrap();
    assert!(third.replayed && ids(&third) == ids(&second));
    assert_eq!(world.held().await, 3 * PRICE);
    for (old, new) in ids(&first).into_iter().zip(ids(&second)) {
        world.assert_postings(old, &[Hold, Release]).await;
        world.assert_postings(new, &[Hold]).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn u6_a_bulk_with_one_success_keeps_its_key() {
    let world = World::new().await;
    world.supplier().plan([Buy::Reject(Rejection::NoNumbers), Buy::Sell]);
    let wanted = PlaceOrders { quantity: 2, ..World::keyed("k-1", "create/v1", "two") };
    let first = world.place_orders(wanted.clone()).await.unwrap();
    let again = world.place_orders(wanted).await.unwrap();
    assert!(again.replayed);
    assert_eq!(ids(&again), ids(&first));
    let kinds: Vec<bool> = again.items.iter().map(|i| matches!(i.outcome, ItemOutcome::Settled(_))).collect();
    assert_eq!(kinds.iter().filter(|settled| **settled).count(), 1);
    for (id, settled) in ids(&again).into_iter().zip(kinds) {
        world.assert_postings(id, if settled { &[Hold] } else { &[Hold, Release] }).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn u6_parallel_twins_hold_once() {
    for seed in 0..10 {
        let world = World::hurried(seed).await;
        let answers = join_all((0..12).map(|_| world.place_orders(World::keyed("k-1", "create/v1", "one")))).await;
        let mut orders: Vec<OrderId> = answers.iter().flat_map(|a| ids(a.as_ref().unwrap())).collect();
        orders.dedup();
        assert_eq!(orders.len(), 1, "seed {seed}");
        let fresh = answers.iter().filter(|answer| !answer.as_ref().unwrap().replayed).count();
        assert_eq!((fresh, world.held().await), (1, PRICE), "seed {seed}");
        assert_eq!(world.supplier().sold().len(), 1);
        world.supplier().deliver(&world.supplier().sold()[0].phone, None, "415127");
        world.clock.advance(4).await;
        world.assert_postings(orders[0], &[Hold, Capture]).await;
        world.stop().await;
    }
}

/// Retries of a bulk that was rejected as a whole: one of them may place it anew, whatever they do to the claim.
#[tokio::test]
async fn u6_parallel_retries_after_a_rejected_bulk_hold_once() {
    for seed in 0..60 {
        let world = World::hurried(seed).await;
        world.supplier().plan(vec![Buy::Reject(Rejection::NoNumbers); 2]);
        let wanted = PlaceOrders { quantity: 2, ..World::keyed("k-1", "create/v1", "two") };
        world.place_orders(wanted.clone()).await.unwrap();
        let answers = join_all((0..8).map(|_| world.place_orders(wanted.clone()))).await;
        let fresh = answers.iter().filter(|a| a.as_ref().is_ok_and(|placed| !placed.replayed)).count();
        assert_eq!((fresh, world.held().await), (1, 2 * PRICE), "seed {seed}: {answers:?}");
        let placed = answers.iter().flatten().find(|placed| !placed.replayed).unwrap();
        for id in ids(placed) {
            world.assert_postings(id, &[Hold]).await;
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn u6_a_hosts_key_stands_for_all_fields_of_the_call() {
    let world = World::new().await;
    let wanted = PlaceOrders::many(World::whatsapp().wanted, 2).with_key("mine");
    let first = world.place_orders(wanted.clone()).await.unwrap();
    let again = world.place_orders(wanted.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!(ids(&again), ids(&first));
    let fewer = PlaceOrders::one(World::whatsapp().wanted).with_key("mine");
    assert_eq!(world.place_orders(fewer).await, Err(OrderError::KeyReused));
    assert_eq!(world.held().await, 2 * PRICE);
    for id in ids(&first) {
        world.assert_postings(id, &[Hold]).await;
    }
    world.stop().await;
}
