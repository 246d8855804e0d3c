//! Alarms: a record, a figure and a message, once per cause and hour, whichever node finds it and whatever it dies of.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smscode_core::Settings;
use smscode_core::port::{Charge, MemoryKeyring};
use smscode_core::store::MemoryStore;
use smscode_core::store::TransferKind::{Hold, Release};

use crate::support::{COST, SlowStore, TestClock, TestSupplier, World};

fn told(cause: &str, about: Option<&str>, count: u64) -> (String, Option<String>, u64) {
    (cause.to_owned(), about.map(str::to_owned), count)
}

/// Our balance is low for hours: told once in each, and by its supplier.
#[tokio::test]
async fn a_cause_is_told_once_an_hour() {
    let world = World::with(2, Settings::default()).await;
    let order = world.place().await;
    world.suppliers[0].script(|script| script.balance = Some(COST / 2));
    world.clock.step(10, 60_000).await;
    assert_eq!(world.alarms.told(), [told("supplier_funds", Some("alpha"), 1)]);
    world.suppliers[0].script(|script| script.balance = Some(100 * COST));
    world.clock.step(10, 60_000).await;
    world.suppliers[0].script(|script| script.balance = Some(0));
    world.clock.step(20, 60_000).await;
    assert_eq!(world.alarms.told().len(), 1, "the same cause, within the hour");
    let states = world.platform.alarms().await.unwrap();
    let [state] = &states[..] else { panic!("{states:?}") };
    assert_eq!((state.cause.as_str(), state.about.as_deref(), state.count), ("supplier_funds", Some("alpha"), 1));
    assert!(!state.is_waiting && state.text.contains("(0.05 USD)"), "{state:?}");
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

/// Two nodes see the same on one store: one alarm, told by one of them.
#[tokio::test]
async fn several_nodes_tell_it_once() {
    let clock = TestClock::new();
    let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, 60)];
    let store = SlowStore::new(Arc::new(MemoryStore::new()), 3);
    store.shared.store(true, Ordering::Relaxed);
    let keyring = Arc::new(MemoryKeyring::new());
    let settings = || Settings { low_balances: [("alpha".to_owned(), 1_000)].into(), ..Settings::default() };
    let one = World::on(store.clone(), keyring.clone(), clock.clone(), suppliers.clone(), settings(), None).await;
    let account = Some(one.account);
    let other = World::on(store, keyring, clock, suppliers, settings(), account).await;
    let order = one.place().await;
    one.supplier().script(|script| script.balance = Some(10));
    one.clock.step(55, 60_000).await;
    let all = [one.alarms.told(), other.alarms.told()].concat();
    assert_eq!(all, [told("supplier_funds", Some("alpha"), 1)]);
    one.clock.step(60, 60_000).await;
    let all = [one.alarms.told(), other.alarms.told()].concat();
    assert_eq!(all.len(), 2);
    assert!(all.contains(&told("supplier_funds", Some("alpha"), 2)), "{all:?}");
    one.assert_postings(order.id, &[Hold, Release]).await;
    one.stop().await;
    other.stop().await;
}

/// What did not arrive is told again, also by the next life of the process.
#[tokio::test]
async fn an_alarm_outlives_its_node() {
    let world = World::timed(0, 60, Settings::default()).await;
    let order = world.place().await;
    world.cancel(order.id).await.unwrap();
    world.clock.advance(4).await;
    world.platform.reconcile("alpha").await.unwrap();
    let mut activation = String::new();
    world.supplier().script(|script| activation = script.sold.keys().next().unwrap().clone());
    world.supplier().script(|script| {
        script.past.insert(activation, Charge::Kept(None));
    });
    world.alarms.fails.store(true, Ordering::Relaxed);
    assert_eq!(world.platform.reconcile("alpha").await.unwrap().found, 1);
    world.clock.advance(30).await;
    assert_eq!(world.alarms.tries.load(Ordering::Relaxed), 2, "at once and after 10 s");
    world.alarms.fails.store(false, Ordering::Relaxed);
    world.alarms.hangs.store(true, Ordering::Relaxed);
    world.clock.advance(120).await;
    assert_eq!(world.alarms.tries.load(Ordering::Relaxed), 3, "one that hangs is given up after 10 s");
    assert!(world.platform.alarms().await.unwrap()[0].is_waiting);
    // the balance, too, shows it; but the cause was alarmed within the hour
    let world = world.reborn(600, Settings::default()).await;
    world.clock.advance(5).await;
    assert_eq!(world.alarms.told(), [told("supplier_difference", Some("alpha"), 1)]);
    world.clock.advance(60).await;
    assert_eq!(world.alarms.told().len(), 1, "told is told");
    assert!(!world.platform.alarms().await.unwrap()[0].is_waiting);
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}
