//! U17: a supplier says by itself that something happened. Asked about at once, believed never.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smscode_core::Settings;
use smscode_core::order::Status;
use smscode_core::port::{ActivationId, Keyring, MemoryKeyring};
use smscode_core::store::TransferKind::{Capture, Hold, Release};
use smscode_core::store::{MemoryStore, Store};

use crate::support::{SlowStore, TestClock, TestSupplier, World, settle};

/// The supplier is asked once in ten minutes without a reason.
fn patience() -> Settings {
    Settings { poll_first_ms: 600_000, poll_then_ms: 600_000, poll_late_ms: 600_000, ..Settings::default() }
}

async fn patient() -> World {
    World::with(1, patience()).await
}

fn activation(supplier: &TestSupplier, phone: &str) -> ActivationId {
    let script = supplier.script.lock().unwrap();
    let found = script.sold.iter().find(|(_, sold)| sold.phone == phone);
    ActivationId(found.expect("no such number").0.clone())
}

fn polls(world: &World) -> u64 {
    world.supplier().script.lock().unwrap().polls
}

#[tokio::test]
async fn u17_a_push_brings_the_sms_at_once_and_twice_is_once() {
    let world = patient().await;
    let order = world.place().await;
    world.clock.advance(2).await;
    let phone = order.phone.as_ref().unwrap();
    let id = activation(world.supplier(), phone);
    world.supplier().deliver(phone, None, "Your code is 415127");
    world.clock.advance(30).await;
    assert_eq!(world.order(order.id).await.revision, 0, "nobody has asked");
    for _ in 0..2 {
        assert!(world.platform.supplier_hint("alpha", Some(&id)));
        world.clock.advance(1).await;
        assert_eq!(world.order(order.id).await.code.as_deref(), Some("415127"));
    }
    let view = world.order(order.id).await;
    assert_eq!((view.status, view.revision), (Status::OtpReceived, 1));
    assert_eq!(world.events(order.id).await, ["order.placed", "order.active", "order.otp_received"]);
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u17_a_push_about_nothing_of_ours_asks_nothing() {
    let world = patient().await;
    let order = world.place().await;
    world.clock.advance(2).await;
    let before = polls(&world);
    let stranger = ActivationId("no-such-activation".into());
    for name in [&stranger, &ActivationId("9".repeat(100_000))] {
        assert!(world.platform.supplier_hint("alpha", Some(name)));
    }
    assert!(!world.platform.supplier_hint("nobody", Some(&stranger)));
    world.clock.advance(5).await;
    assert_eq!(polls(&world), before);
    let health = world.platform.health().await;
    assert_eq!((health.suppliers[0].hints, health.suppliers[0].hints_unknown), (2, 2));
    assert_eq!(world.order(order.id).await.status, Status::Active);
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

/// A push whose activation cannot be read means that anything may have happened; a forged one finds what is there.
#[tokio::test]
async fn u17_a_push_that_names_nothing_asks_about_everything_and_a_forged_one_finds_nothing() {
    let world = patient().await;
    let (with_sms, without) = (world.place().await, world.place().await);
    world.clock.advance(2).await;
    let forged = activation(world.supplier(), without.phone.as_ref().unwrap());
    world.platform.supplier_hint("alpha", Some(&forged));
    world.clock.advance(2).await;
    assert_eq!(world.order(without.id).await.revision, 0);
    world.supplier().deliver(with_sms.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.platform.supplier_hint("alpha", None);
    world.clock.advance(1).await;
    assert_eq!(world.order(with_sms.id).await.status, Status::OtpReceived);
    world.clock.step(1_300, 1_000).await;
    world.assert_postings(with_sms.id, &[Hold, Capture]).await;
    world.assert_postings(without.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u17_a_flood_of_pushes_is_some_questions_and_no_commit() {
    let world = patient().await;
    let order = world.place().await;
    world.clock.advance(2).await;
    let id = activation(world.supplier(), order.phone.as_ref().unwrap());
    let before = polls(&world);
    let events = world.events(order.id).await;
    for _ in 0..20 {
        for n in 0..500 {
            world.platform.supplier_hint("alpha", Some(&id));
            world.platform.supplier_hint("alpha", Some(&ActivationId(format!("stranger-{n}"))));
        }
        world.clock.step(1, 100).await;
    }
    settle().await;
    let asked = polls(&world) - before;
    assert!((1..=21).contains(&asked), "{asked} questions in two seconds, one in 100 ms at most");
    assert_eq!(world.events(order.id).await, events);
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

/// The push of an SMS can come before the answer of the purchase is read.
#[tokio::test]
async fn u17_a_push_before_the_purchase_is_answered_loses_nothing() {
    let world = patient().await;
    world.supplier().script.lock().unwrap().answer_ms = 5_000;
    let (platform, account) = (world.platform.clone(), world.account);
    let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
    world.clock.advance(2).await;
    let phone = world.supplier().sold()[0].phone.clone();
    world.supplier().deliver(&phone, None, "Your code is 415127");
    world.platform.supplier_hint("alpha", Some(&activation(world.supplier(), &phone)));
    world.clock.advance(5).await;
    let placed = call.await.unwrap().unwrap();
    let order = placed.items[0].order;
    assert_eq!(world.order(order).await.code.as_deref(), Some("415127"), "a number that was bought is asked about");
    world.assert_postings(order, &[Hold, Capture]).await;
    world.stop().await;
}

/// Of several nodes the one that hears the push asks, whichever polls.
#[tokio::test]
async fn u17_the_node_that_hears_a_push_asks_though_another_polls() {
    for hearing in 0..2 {
        let clock = TestClock::new();
        let suppliers = vec![TestSupplier::new("alpha", &clock)];
        let store = SlowStore::new(Arc::new(MemoryStore::new()), 1);
        store.shared.store(true, Ordering::Relaxed);
        let store: Arc<dyn Store> = store;
        let keyring: Arc<dyn Keyring> = Arc::new(MemoryKeyring::new());
        let (one, two) = (suppliers.clone(), suppliers);
        let one = World::on(store.clone(), keyring.clone(), clock.clone(), one, patience(), None).await;
        let two = World::on(store, keyring, clock, two, patience(), Some(one.account)).await;
        let order = one.place().await;
        one.clock.advance(3).await;
        let phone = order.phone.as_ref().unwrap();
        one.supplier().deliver(phone, None, "Your code is 415127");
        one.clock.advance(5).await;
        assert_eq!(one.order(order.id).await.revision, 0);
        let id = activation(one.supplier(), phone);
        let node = if hearing == 0 { &one } else { &two };
        for _ in 0..3 {
            node.platform.supplier_hint("alpha", Some(&id));
            one.clock.advance(1).await;
        }
        assert_eq!(one.order(order.id).await.code.as_deref(), Some("415127"), "heard by node {hearing}");
        one.assert_postings(order.id, &[Hold, Capture]).await;
        one.stop().await;
        two.stop().await;
    }
}
