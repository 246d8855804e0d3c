//! U21: a supplier disappears with orders open. It takes every call and answers none.

use std::collections::BTreeMap;
use std::sync::Arc;

use smscode_core::Settings;
use smscode_core::money::{Currency, Money};
use smscode_core::order::{OrderId, OrderView, PlaceOrders, State, Status, Wanted};
use smscode_core::port::MemoryKeyring;
use smscode_core::routing::Standing;
use smscode_core::store::MemoryStore;
use smscode_core::store::TransferKind::{self, Capture, Hold, Release};

use crate::support::{Buy, PRICE, TestClock, TestSupplier, World};

/// How many orders it has when it disappears.
const OPEN: usize = 500;

/// What came of it.
struct Outcome {
    /// From the SMS to its order's event, in ms of virtual time.
    sms_ms: Vec<i64>,
    /// From the window's end to the order's, in ms, at the supplier that lives.
    end_ms: Vec<i64>,
    /// Orders of the one that disappears; of the other one those without an SMS and those with one.
    lost: Vec<OrderId>,
    last: Vec<OrderId>,
    paid: Vec<OrderId>,
    postings: BTreeMap<String, Vec<TransferKind>>,
}

async fn of(world: &World, supplier: &str, count: u32) -> Vec<OrderView> {
    let catalogue = world.platform.catalogue();
    let offers = catalogue.offers(6, "wa");
    let slot = offers.iter().find(|product| product.supplier == supplier).expect("it is not for sale").id;
    let placed = world.place_orders(PlaceOrders::many(Wanted::Product(slot), count)).await.unwrap();
    let views = placed.items.into_iter().map(|item| match item.outcome {
        smscode_core::order::ItemOutcome::Settled(view) => view,
        other => panic!("not settled: {other:?}"),
    });
    views.collect()
}

/// All postings by order, from every page of the statement.
async fn postings(world: &World) -> BTreeMap<String, Vec<TransferKind>> {
    let (mut all, mut after): (BTreeMap<String, Vec<TransferKind>>, u64) = (BTreeMap::new(), 0);
    loop {
        let lines = world.platform.statement(world.account, after, 1_000).await.unwrap();
        let Some(last) = lines.last() else { return all };
        after = last.number;
        for line in lines {
            all.entry(line.subject).or_default().push(line.kind);
        }
    }
}

fn assert_postings(postings: &BTreeMap<String, Vec<TransferKind>>, orders: &[OrderId], expected: &[TransferKind]) {
    for id in orders {
        assert_eq!(postings[&format!("order:{}", id.0)], expected, "{id:?}");
    }
}

/// An order at this supplier, and how long its SMS took, in ms.
async fn until_sms(world: &World, supplier: &TestSupplier) -> (OrderId, i64) {
    // a call that had to wait for the clock would never come back from here
    let order = of(world, supplier.name, 1).await.remove(0);
    supplier.deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    let sent = world.platform.now();
    while world.order(order.id).await.status != Status::OtpReceived {
        world.clock.step(1, 250).await;
        assert!(world.platform.now().ms_since(sent) < 20_000, "no SMS");
    }
    (order.id, world.platform.now().ms_since(sent))
}

/// A shop with 500 orders open, for five minutes, at a supplier that disappears, or does not.
async fn five_minutes(disappears: bool) -> Outcome {
    let clock = TestClock::new();
    let suppliers = ["alpha", "beta"].map(|name| TestSupplier::timed(name, &clock, 120, 300)).to_vec();
    let (store, keyring) = (Arc::new(MemoryStore::new()), Arc::new(MemoryKeyring::new()));
    let world = World::on(store, keyring, clock, suppliers, Settings::default(), None).await;
    let money = Money::new(1_000 * PRICE, Currency::Idr);
    world.platform.deposit(world.account, money, "second").await.unwrap();
    let (alpha, beta) = (&world.suppliers[0], &world.suppliers[1]);
    let mut lost = Vec::new();
    for _ in 0..OPEN / 100 {
        lost.extend(of(&world, "alpha", 100).await.into_iter().map(|view| view.id));
    }
    // these end in the same second as the 500
    let last: Vec<OrderId> = of(&world, "beta", 20).await.into_iter().map(|view| view.id).collect();
    world.clock.advance(5).await;
    alpha.script.lock().unwrap().dead = disappears;
    let mut paid = Vec::new();
    let mut sms_ms = Vec::new();
    for part in 0..8 {
        let (order, took_ms) = until_sms(&world, beta).await;
        sms_ms.push(took_ms);
        world.finish(order).await.unwrap();
        paid.push(order);
        world.clock.step(30, 1_000).await;
        if disappears && part > 0 {
            let health = world.platform.health().await;
            assert_eq!(health.suppliers[0].standing, Standing::Resting, "part {part}");
            let reads = health.suppliers[0].reads.calls;
            assert!((1..=300).contains(&reads), "{reads} reads of 500 orders in five minutes");
        }
    }
    // the windows end, and what cannot be checked is released a minute later, or when the check that began then has failed
    for _ in 0..640 {
        world.clock.step(1, 250).await;
        if world.held().await == 0 {
            break;
        }
    }
    assert_eq!(world.held().await, 0);
    let mut end_ms = Vec::new();
    for id in &last {
        let order = world.order(*id).await;
        assert_eq!(order.state, State::Expired);
        end_ms.push(order.ended_at.unwrap().ms_since(order.expires_at.unwrap()));
    }
    let postings = postings(&world).await;
    for id in &lost {
        let order = world.order(*id).await;
        let late_ms = order.ended_at.unwrap().ms_since(order.expires_at.unwrap());
        assert_eq!(order.state, State::Expired);
        assert!((0..=75_000).contains(&late_ms), "released {late_ms} ms after its window");
    }
    world.assert_balanced().await;
    // it comes back: what is open there is cleaned up, and it sells again
    alpha.script.lock().unwrap().dead = false;
    world.clock.step(70, 1_000).await;
    let health = world.platform.health().await;
    assert!(health.suppliers[0].standing.sells(), "{:?}", health.suppliers[0]);
    let order = of(&world, "alpha", 1).await.remove(0);
    world.assert_balanced().await;
    assert_eq!(world.order(order.id).await.state, State::Active);
    world.stop().await;
    Outcome { sms_ms, end_ms, lost, last, paid, postings }
}

#[tokio::test]
async fn u21_a_supplier_disappears_with_500_orders_open() {
    let with = five_minutes(true).await;
    let without = five_minutes(false).await;
    for run in [&with, &without] {
        assert_eq!((run.lost.len(), run.last.len(), run.paid.len()), (OPEN, 20, 8));
        assert_postings(&run.postings, &run.lost, &[Hold, Release]);
        assert_postings(&run.postings, &run.last, &[Hold, Release]);
        assert_postings(&run.postings, &run.paid, &[Hold, Capture]);
    }
    assert_eq!(with.sms_ms, without.sms_ms, "SMS of the living supplier were slowed");
    for (with, without) in with.end_ms.iter().zip(&without.end_ms) {
        assert!(*with <= without + 1_000, "ends of the living supplier's orders were put off: {with} and {without}");
    }
}

#[tokio::test]
async fn u21_purchases_of_a_supplier_that_has_stopped_to_answer_go_elsewhere() {
    let world = World::with(2, Settings::default()).await;
    world.supplier().script.lock().unwrap().dead = true;
    let (platform, account) = (world.platform.clone(), world.account);
    let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
    world.clock.advance(11).await;
    assert_eq!(world.platform.health().await.suppliers[0].standing, Standing::Resting, "it owes an answer");
    let order = world.place().await;
    assert_eq!(world.suppliers[1].sold().len(), 1, "the other one is asked at once");
    // the first is unclear, and its money comes back at the end of its window
    world.clock.advance(10).await;
    let unclear = call.await.unwrap().unwrap().items[0].order;
    world.assert_postings(unclear, &[Hold]).await;
    world.clock.step(1_400, 1_000).await;
    world.assert_postings(unclear, &[Hold, Release]).await;
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u21_who_waits_behind_it_is_passed_on_in_time() {
    let world = World::with(2, Settings::default()).await;
    let more = Money::new(100 * PRICE, Currency::Idr);
    world.platform.deposit(world.account, more, "second").await.unwrap();
    world.supplier().script.lock().unwrap().dead = true;
    let (platform, account) = (world.platform.clone(), world.account);
    // the supplier takes 64 calls at once
    let many = PlaceOrders::many(World::whatsapp().wanted, 80);
    let call = tokio::spawn(async move { platform.place_orders(account, many).await });
    world.clock.advance(12).await;
    assert_eq!(world.suppliers[1].sold().len(), 16, "while there is time for another supplier");
    world.clock.advance(10).await;
    let placed = call.await.unwrap().unwrap();
    world.clock.step(1_500, 1_000).await;
    for item in &placed.items {
        world.assert_postings(item.order, &[Hold, Release]).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn u21_cancels_and_polls_of_a_failing_supplier_go_on() {
    let world = World::with(2, Settings::default()).await;
    let (first, second) = (world.place().await, world.place().await);
    let alpha = world.supplier();
    alpha.plan(vec![Buy::NotSent; 5]);
    for _ in 0..5 {
        world.place().await;
    }
    world.clock.step(1, 250).await;
    assert_eq!(world.platform.health().await.suppliers[0].standing, Standing::Resting);
    alpha.deliver(first.phone.as_ref().unwrap(), None, "415127");
    world.clock.advance(5).await;
    assert_eq!(world.order(first.id).await.status, Status::OtpReceived);
    world.clock.advance(120).await;
    world.cancel(second.id).await.unwrap();
    world.assert_postings(first.id, &[Hold, Capture]).await;
    world.assert_postings(second.id, &[Hold, Release]).await;
    world.stop().await;
}
