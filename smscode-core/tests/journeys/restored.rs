//! A store that was restored from a backup: what was open in it is asked at the supplier before anything is given up. O3,
//! U23 and the money part of A7.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smscode_core::Settings;
use smscode_core::order::{State, Status, skip_numbers};
use smscode_core::port::{Clock, MemoryKeyring};
use smscode_core::store::TransferKind::{Capture, Hold, Release};
use smscode_core::store::copy::{Backup, Portable, Restore, carry, summary};
use smscode_core::store::{Body, ChangeSet, MemoryStore, OperationId, Store};
use smscode_core::verify::{verify, verify_places};

use crate::support::{TestClock, TestSupplier, World};

async fn world(store: &Arc<MemoryStore>) -> World {
    let clock = TestClock::new();
    let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, 1_200)];
    World::on(store.clone(), Arc::new(MemoryKeyring::new()), clock, suppliers, Settings::default(), None).await
}

async fn backup(store: &MemoryStore, clock: &TestClock) -> Vec<u8> {
    let mut backup = Backup::of(store, clock.now(), BTreeMap::new()).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(more) = backup.next().await.unwrap() {
        bytes.extend(more);
    }
    bytes
}

/// What a restore does: an empty store is filled, and its order numbers go on further ahead.
async fn restored(bytes: &[u8], clock: &TestClock) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let mut restore = Restore::into(&*store).await.unwrap();
    restore.push(bytes).await.unwrap();
    restore.finish().await.unwrap();
    let mut set = ChangeSet::new(OperationId([0xEE; 16]), clock.now());
    set.push(skip_numbers());
    store.commit(Arc::new(set.seal(Body::empty()))).await.unwrap();
    store
}

/// Everything in a store adds up.
async fn assert_clean(store: &MemoryStore) {
    let report = verify(&mut *store.export().await.unwrap()).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    let places = verify_places(store, &report.places).await.unwrap();
    assert!(places.is_empty(), "{places:?}");
}

#[tokio::test]
async fn u23_restored_orders_are_asked_at_the_supplier() {
    let store = Arc::new(MemoryStore::new());
    let world = world(&store).await;
    let (sms_later, cancelled_later, finished_later, empty) =
        (world.place().await, world.place().await, world.place().await, world.place().await);
    let bytes = backup(&store, &world.clock).await;

    // life goes on after the backup, and is lost
    world.cancel(cancelled_later.id).await.unwrap();
    world.supplier().deliver(finished_later.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    world.finish(finished_later.id).await.unwrap();
    world.assert_postings(finished_later.id, &[Hold, Capture]).await;
    let lost: BTreeSet<_> = [world.place().await.id, world.place().await.id].into();
    world.clock.advance(4).await;
    let (_, keyring, clock, suppliers, account) = world.crash().await;
    suppliers[0].deliver(sms_later.phone.as_ref().unwrap(), None, "Your code is 808080");
    clock.skip(1_800);

    let store = restored(&bytes, &clock).await;
    assert_clean(&store).await;
    let world = World::on(store.clone(), keyring, clock, suppliers, Settings::default(), Some(account)).await;
    world.clock.advance(2).await;
    // an SMS came meanwhile: paid for, and shown
    let view = world.order(sms_later.id).await;
    assert_eq!((view.status, view.code.as_deref()), (Status::OtpReceived, Some("808080")));
    world.clock.advance(20).await;
    // the supplier's answer decides what was lost
    for id in [cancelled_later.id, finished_later.id, empty.id] {
        assert!(world.order(id).await.status.is_terminal(), "{id:?}");
        world.assert_postings(id, &[Hold, Release]).await;
    }
    world.assert_postings(sms_later.id, &[Hold, Capture]).await;
    for _ in 0..3 {
        let id = world.place().await.id;
        assert!(!lost.contains(&id), "a number is given to another order");
        world.assert_postings(id, &[Hold]).await;
    }
    assert_clean(&store).await;
    world.stop().await;
}

#[tokio::test]
async fn u5_a_purchase_under_way_in_a_backup_is_looked_up() {
    let store = Arc::new(MemoryStore::new());
    let world = world(&store).await;
    world.supplier().script.lock().unwrap().answer_ms = 10_000;
    let (platform, account) = (world.platform.clone(), world.account);
    let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
    world.clock.advance(1).await;
    let open = world.platform.open_orders(account).await.unwrap();
    assert_eq!((open.len(), open[0].state), (1, State::Calling));
    let bytes = backup(&store, &world.clock).await;
    let (_, keyring, clock, suppliers, account) = world.crash().await;
    drop(call.await);
    clock.skip(30);
    let store = restored(&bytes, &clock).await;
    let world = World::on(store.clone(), keyring, clock, suppliers, Settings::default(), Some(account)).await;
    let id = open[0].id;
    assert_eq!(world.order(id).await.state, State::Unclear, "looked up, never sent again");
    world.clock.advance(6).await;
    assert_eq!(world.order(id).await.state, State::Active);
    assert_eq!(world.supplier().script.lock().unwrap().requests.len(), 1);
    world.supplier().deliver(&world.supplier().sold()[0].phone, None, "Your code is 415127");
    world.clock.advance(4).await;
    world.assert_postings(id, &[Hold, Capture]).await;
    assert_clean(&store).await;
    world.stop().await;
}

#[tokio::test]
async fn o3_open_intents_go_on_in_the_store_that_they_were_moved_to() {
    let store = Arc::new(MemoryStore::new());
    let world = world(&store).await;
    let (paid, open) = (world.place().await, world.place().await);
    world.supplier().plan([crate::support::Buy::SellSilently]);
    let unclear = world.place_one().await;
    world.supplier().deliver(paid.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(2).await;
    let (_, keyring, clock, suppliers, account) = world.crash().await;
    let target = Arc::new(MemoryStore::new());
    let (carried, totals) = carry(&*store, &*target, &[]).await.unwrap().finish().await.unwrap();
    assert_eq!(carried, summary(&*store, &[]).await.unwrap(), "rows and hash before and after");
    assert_eq!(totals, store.totals().await.unwrap());
    assert_clean(&target).await;
    let world = World::on(target.clone(), keyring, clock, suppliers, Settings::default(), Some(account)).await;
    world.clock.advance(6).await;
    assert_eq!(world.order(unclear).await.state, State::Active, "found by its look-up");
    world.finish(paid.id).await.unwrap();
    world.clock.step(1_210, 1_000).await;
    world.assert_postings(paid.id, &[Hold, Capture]).await;
    world.assert_postings(open.id, &[Hold, Release]).await;
    world.assert_postings(unclear, &[Hold, Release]).await;
    assert_clean(&target).await;
    world.stop().await;
}
