//! Several nodes on one store, nodes that stop or die, callers that go away, suppliers that do not listen.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use smscode_core::Settings;
use smscode_core::money::{Currency, Money};
use smscode_core::order::supply::{SUPPLY, SupplyRecord, SupplyState};
use smscode_core::order::{ItemOutcome, OrderId, PlaceOrders, State, Status};
use smscode_core::port::{Keyring, MemoryKeyring};
use smscode_core::store::TransferKind::{Capture, Hold, Release};
use smscode_core::store::{Index, MemoryStore, Range, Row, Store};

use crate::support::{Buy, MONEY, PRICE, SlowStore, TestClock, TestSupplier, World};

/// Two nodes of one platform on one store.
async fn two(seed: u64, shared: bool, window_seconds: u32) -> (World, World) {
    let clock = TestClock::new();
    let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, window_seconds)];
    let store = SlowStore::new(Arc::new(MemoryStore::new()), seed);
    store.shared.store(shared, Ordering::Relaxed);
    let store: Arc<dyn Store> = store;
    let keyring: Arc<dyn Keyring> = Arc::new(MemoryKeyring::new());
    let settings = Settings::default;
    let one = World::on(store.clone(), keyring.clone(), clock.clone(), suppliers.clone(), settings(), None).await;
    let other = World::on(store, keyring, clock, suppliers, settings(), Some(one.account)).await;
    (one, other)
}

#[tokio::test]
async fn o1_two_nodes_at_once_do_no_harm() {
    for (seed, shared) in [(1, true), (2, true), (3, false), (4, false), (5, false)] {
        let (one, other) = two(seed, shared, 30).await;
        one.supplier().plan([Buy::Sell, Buy::SellSilently, Buy::Sell, Buy::Silence, Buy::Sell, Buy::Sell]);
        let placed = join_all([&one, &other, &one, &other, &one, &other, &one, &other].map(World::place_one)).await;
        let placed: Vec<OrderId> = placed.into_iter().collect();
        one.clock.advance(8).await;
        for sold in one.supplier().sold().iter().take(3) {
            one.supplier().deliver(&sold.phone, None, "Your code is 415127");
        }
        one.clock.advance(8).await;
        // the same wish at both nodes at once
        for id in &placed {
            let _ = tokio::join!(one.cancel(*id), other.cancel(*id));
        }
        let _ = tokio::join!(one.finish(placed[0]), other.finish(placed[0]));
        one.clock.advance(70).await;
        one.clock.step(1_400, 1_000).await;
        let mut captured = 0;
        for id in &placed {
            let closing = one.closing(*id).await;
            captured += i64::from(closing == Capture);
            let view = one.order(*id).await;
            assert_eq!(view.state == State::Completed, closing == Capture, "seed {seed}");
            one.assert_postings(*id, &[Hold, closing]).await;
            let names = one.events(*id).await;
            let mut distinct = names.clone();
            distinct.dedup();
            assert_eq!(names, distinct, "seed {seed}: an event twice");
        }
        assert_eq!((one.held().await, one.available().await), (0, MONEY - captured * PRICE), "seed {seed}");
        let calls = one.supplier().script.lock().unwrap().requests.len();
        assert_eq!(calls, 8, "seed {seed}: bought twice");
        one.assert_purchases_booked("alpha").await;
        one.stop().await;
        other.stop().await;
    }
}

/// A supplier that gives one number out twice at the same moment, to two nodes: one order gets it.
#[tokio::test]
async fn u8_twins_at_two_nodes() {
    for seed in 0..24 {
        let (one, other) = two(seed, seed % 2 == 0, 60).await;
        one.supplier().plan([Buy::Number("6281299999999"), Buy::Number("6281299999999")]);
        let placed = join_all([&one, &other].map(World::place_one)).await;
        let with_number = one.platform.open_orders(one.account).await.unwrap();
        let with_number = with_number.iter().filter(|order| order.phone.is_some()).count();
        assert_eq!(with_number, 1, "seed {seed}: one number, two customers");
        one.clock.advance(8).await;
        let sold = one.supplier().sold();
        assert_eq!(sold.iter().filter(|sold| sold.cancelled).count(), 1, "seed {seed}: only the twin goes back");
        one.clock.step(80, 1_000).await;
        for id in placed {
            one.assert_postings(id, &[Hold, Release]).await;
        }
        one.stop().await;
        other.stop().await;
    }
}

/// Both find what calls that were given up have bought: each is booked and cancelled once, and nobody else's.
#[tokio::test]
async fn o1_two_nodes_find_each_orphan_once() {
    for (seed, shared) in [(1, true), (2, false), (3, false)] {
        let (one, other) = two(seed, shared, 60).await;
        one.supplier().script(|script| script.list_hides = true);
        one.supplier().plan(vec![Buy::SellSilently; 4]);
        let placed = join_all([&one, &other, &one, &other].map(World::place_one)).await;
        one.clock.step(1_400, 1_000).await;
        assert_eq!(one.watches().await, 4, "seed {seed}");
        let stranger = one.supplier().sell_to_somebody_else("tg");
        one.supplier().script(|script| script.list_hides = false);
        one.clock.step(80, 1_000).await;
        let cancelled = one.supplier().sold().iter().filter(|sold| sold.cancelled).count();
        assert_eq!((cancelled, one.watches().await), (4, 0), "seed {seed}");
        assert!(!one.supplier().script.lock().unwrap().sold[&stranger].cancelled);
        let found = one.platform.health().await.orphans + other.platform.health().await.orphans;
        assert_eq!(found, 4, "seed {seed}: booked twice");
        one.assert_purchases_booked("alpha").await;
        for id in placed {
            one.assert_postings(id, &[Hold, Release]).await;
        }
        one.stop().await;
        other.stop().await;
    }
}

#[tokio::test]
async fn o1_the_other_node_takes_over_what_a_dead_one_had_begun() {
    let (one, other) = two(3, true, 60).await;
    let (paid, free) = (one.place().await, one.place().await);
    one.supplier().script.lock().unwrap().slow_ms = 3_600_000;
    let (platform, account) = (one.platform.clone(), one.account);
    let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
    one.clock.advance(2).await;
    let calling = one.platform.open_orders(account).await.unwrap();
    let calling = calling.iter().find(|order| order.state == State::Calling).unwrap().id;
    drop(one.crash().await);
    assert!(call.await.unwrap().is_err());
    other.supplier().deliver(paid.phone.as_ref().unwrap(), None, "Your code is 415127");
    other.clock.advance(40).await;
    assert_eq!(other.order(paid.id).await.status, Status::OtpReceived, "nobody polls");
    assert_eq!(other.order(calling).await.state, State::Calling, "its sender might still be at it");
    other.clock.advance(40).await;
    assert_eq!(other.order(calling).await.state, State::Unclear);
    assert_eq!(other.order(free.id).await.status, Status::Expired);
    other.clock.step(1_400, 1_000).await;
    other.assert_postings(paid.id, &[Hold, Capture]).await;
    other.assert_postings(free.id, &[Hold, Release]).await;
    other.assert_postings(calling, &[Hold, Release]).await;
    other.stop().await;
}

#[tokio::test]
async fn o2_stopping_lets_calls_end_and_begins_no_others() {
    let world = World::timed(0, 1_200, Settings::default()).await;
    let more = Money::new(100 * PRICE, Currency::Idr);
    world.platform.deposit(world.account, more, "second").await.unwrap();
    world.supplier().script.lock().unwrap().slow_ms = 3_000;
    let wanted = PlaceOrders { quantity: 100, ..World::whatsapp() };
    let (platform, account) = (world.platform.clone(), world.account);
    let call = tokio::spawn(async move { platform.place_orders(account, wanted).await });
    world.clock.advance(1).await;
    // the supplier takes 64 calls at once
    let (store, keyring, clock, suppliers) =
        (world.store.clone(), world.keyring.clone(), world.clock.clone(), world.suppliers.clone());
    tokio::join!(world.stop(), clock.advance(6));
    let placed = call.await.unwrap().unwrap();
    let sold = placed.items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Settled(_))).count();
    let rejected = placed.items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Rejected(_))).count();
    assert_eq!((sold, rejected, suppliers[0].sold().len()), (64, 36, 64));
    let world = World::on(store, keyring, clock, suppliers, Settings::default(), Some(account)).await;
    assert_eq!(world.held().await, 64 * PRICE);
    for item in &placed.items {
        let settled = matches!(item.outcome, ItemOutcome::Settled(_));
        let expected: &[_] = if settled { &[Hold] } else { &[Hold, Release] };
        world.assert_postings(item.order, expected).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn u6_a_caller_who_goes_away_stops_nothing() {
    let world = World::timed(0, 60, Settings::default()).await;
    world.supplier().script.lock().unwrap().slow_ms = 3_000;
    let (platform, account) = (world.platform.clone(), world.account);
    let wanted = World::keyed("k-1", "create/v1", "one");
    let again = wanted.clone();
    let call = tokio::spawn(async move { platform.place_orders(account, wanted).await });
    world.clock.advance(1).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    world.clock.advance(4).await;
    // the same key finds the order
    let placed = world.place_orders(again).await.unwrap();
    let ItemOutcome::Settled(view) = &placed.items[0].outcome else { panic!("{placed:?}") };
    assert!(placed.replayed && view.phone.is_some());
    world.clock.advance(70).await;
    world.assert_postings(view.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn j5_a_supplier_that_does_not_listen_never_touches_money() {
    let world = World::new().await;
    let order = world.place().await;
    world.supplier().script.lock().unwrap().finish_fails = true;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    assert_eq!(world.finish(order.id).await.unwrap().status, Status::Completed);
    world.clock.step(9 * 60, 60_000).await;
    let finishes = world.supplier().script.lock().unwrap().finishes;
    assert_eq!(finishes, 9, "told at once and after each pause, then given up");
    let page = world.store.scan(&Index::Kind(SUPPLY), &Range::all(), None, 10).await.unwrap();
    let [Row::Record { record, .. }] = &page.rows[..] else { panic!("{} rows", page.rows.len()) };
    let supply: SupplyRecord = serde_json::from_slice(record.body.as_bytes()).unwrap();
    assert_eq!((supply.state, supply.due_at), (SupplyState::GivenUp, None));
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn d1_a_deposit_is_booked_once() {
    let world = World::hurried(4).await;
    let money = Money::new(5_000, Currency::Idr);
    let booked = join_all((0..20).map(|_| world.platform.deposit(world.account, money, "same"))).await;
    assert_eq!(booked.into_iter().filter(|booked| *booked.as_ref().unwrap()).count(), 1);
    assert_eq!(world.available().await, MONEY + 5_000);
    let other = world.platform.open_account().await.unwrap();
    for (account, minor) in [(other, 5_000), (world.account, 5_001)] {
        let again = world.platform.deposit(account, Money::new(minor, Currency::Idr), "same").await;
        assert_eq!(again.unwrap_err().code(), "reference_used");
    }
    for (minor, currency) in [(0, Currency::Idr), (-1, Currency::Idr), (i64::MAX, Currency::Idr), (5, Currency::Usd)] {
        let refused = world.platform.deposit(world.account, Money::new(minor, currency), "odd").await;
        assert_eq!(refused.unwrap_err().code(), "amount");
    }
    world.assert_balanced().await;
    world.stop().await;
}
