//! A1 and A3: what the deletion of an account does to its money, its tokens and its orders.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smscode_core::Settings;
use smscode_core::account::Becomes;
use smscode_core::account::record::{AccountRecord, account_key};
use smscode_core::money::{Currency, Money};
use smscode_core::order::{ItemOutcome, OrderId, PlaceOrders, State, Status};
use smscode_core::port::{CancelOutcome, MemoryKeyring, Rejection};
use smscode_core::store::TransferKind::{Capture, Forfeit, Hold, Release};
use smscode_core::store::{Index, Kind, LoadKey, MemoryStore, Range};
use smscode_core::token::record::{TOKEN, TOKEN_CLAIM, TOKENS_MAX};

use crate::support::{Buy, MONEY, PRICE, SlowStore, TestClock, TestSupplier, World, books, settle};

async fn delete(world: &World) {
    world.platform.delete_account(world.account).await.unwrap();
}

/// How many records of a kind the store has.
async fn count(world: &World, kind: Kind) -> usize {
    let index = Index::Kind(kind);
    world.store.scan(&index, &Range::all(), None, 1_000).await.unwrap().rows.len()
}

#[tokio::test]
async fn a1_delete_without_orders() {
    let world = World::new().await;
    let (platform, account) = (&world.platform, world.account);
    let token = platform.create_token(account, "first").await.unwrap();
    platform.create_token(account, "second").await.unwrap();
    assert_eq!(platform.authenticate(token.reveal()).await.unwrap(), Some(account));
    delete(&world).await;
    assert_eq!(platform.authenticate(token.reveal()).await.unwrap(), None);
    assert_eq!((count(&world, TOKEN).await, count(&world, TOKEN_CLAIM).await), (0, 0));
    assert_eq!(world.forfeited().await, [MONEY]);
    let money = Money::new(1_000, Currency::Idr);
    assert_eq!(platform.deposit(account, money, "late").await.unwrap_err().code(), "not_found");
    assert_eq!(platform.create_token(account, "third").await.unwrap_err().code(), "not_found");
    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err().code(), "account_inactive");
    // again: the same success, and nothing is booked twice
    delete(&world).await;
    world.assert_gone().await;
    let transfers = books::transfers(&*world.store, account).await;
    let last = transfers.last().unwrap();
    assert_eq!((last.kind, last.reason.as_str(), last.actor.as_str()), (Forfeit, "account_deleted", "customer"));
    let nobody = smscode_core::account::AccountId::from_bytes([9; 16]);
    assert_eq!(platform.delete_account(nobody).await.unwrap_err().code(), "not_found");
    books::assert_postings(&world, "account", &[Forfeit]).await;
    world.stop().await;
}

/// An empty account has its final transaction too, of nothing.
#[tokio::test]
async fn a1_delete_an_empty_account() {
    let mut world = World::new().await;
    world.account = world.platform.open_account().await.unwrap();
    delete(&world).await;
    assert_eq!(world.forfeited().await, [0]);
    world.assert_gone().await;
    books::assert_postings(&world, "account", &[Forfeit]).await;
    world.stop().await;
}

#[tokio::test]
async fn a1_preview() {
    let world = World::new().await;
    let (received, active) = (world.place().await, world.place().await);
    world.supplier().deliver(received.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.supplier().plan([Buy::Silence]);
    let unclear = world.place_one().await;
    world.clock.advance(4).await;
    let told = world.platform.deletion_preview(world.account).await.unwrap();
    assert_eq!((told.available.minor, told.held.minor, told.debt.minor), (MONEY - 3 * PRICE, 2 * PRICE, 0));
    let of = |id: OrderId| told.orders.iter().find(|order| order.id == id).unwrap();
    let from = Some(active.created_at.plus_seconds(120));
    assert_eq!(told.orders.len(), 3);
    assert_eq!((of(received.id).becomes, of(received.id).held.minor), (Becomes::Completed, 0));
    assert_eq!((of(active.id).becomes, of(active.id).held.minor), (Becomes::Cancelled { from }, PRICE));
    assert_eq!((of(unclear).becomes, of(unclear).status), (Becomes::LookedUp, Status::Active));
    assert!(told.stays.len() >= 3);
    // looking changes nothing
    assert_eq!(world.platform.deletion_preview(world.account).await.unwrap(), told);
    world.assert_postings(active.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn a1_an_order_with_its_sms_completes_in_the_deletion() {
    let world = World::new().await;
    let (order, again) = (world.place().await, world.place().await);
    for order in [&order, &again] {
        world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    }
    world.clock.advance(4).await;
    world.platform.request_sms(world.account, again.id).await.unwrap();
    let commits_before = world.stored(order.id).await.steps.len();
    delete(&world).await;
    // no clock has moved: it is part of the deletion
    for order in [&order, &again] {
        let stored = world.stored(order.id).await;
        assert_eq!((stored.state, stored.revision), (State::Completed, 1));
        assert!(stored.messages.is_empty() && stored.phone.is_none() && stored.phone_claims.is_empty());
        assert!(stored.key.is_none() && stored.link.is_none() && stored.due_at.is_none());
        assert!(stored.steps.len() > commits_before);
    }
    settle().await;
    assert!(world.supplier().sold().iter().all(|sold| sold.finished), "the supplier is told");
    world.assert_gone().await;
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.assert_postings(again.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn a1_an_order_without_its_sms_is_cancelled_as_soon_as_allowed() {
    let world = World::new().await;
    let order = world.place().await;
    world.clock.advance(10).await;
    delete(&world).await;
    let (platform, account) = (&world.platform, world.account);
    for refused in [
        platform.cancel_order(account, order.id).await.unwrap_err(),
        platform.finish_order(account, order.id).await.unwrap_err(),
        platform.request_sms(account, order.id).await.unwrap_err(),
        platform.wait_for_sms(account, order.id, 0, 1_000).await.unwrap_err(),
    ] {
        assert_eq!(refused.code(), "not_found");
    }
    world.clock.advance(100).await;
    assert_eq!(world.stored(order.id).await.state, State::Active, "the supplier's minimum time");
    world.assert_postings(order.id, &[Hold]).await;
    world.clock.advance(12).await;
    assert_eq!(world.stored(order.id).await.state, State::Cancelled);
    assert!(world.supplier().sold()[0].cancelled);
    world.assert_gone().await;
    world.assert_postings(order.id, &[Hold, Release, Forfeit]).await;
    world.stop().await;
}

/// The SMS decides the money as for anybody, and nobody ever reads it.
#[tokio::test]
async fn a1_an_sms_after_the_deletion_is_paid_for_and_never_shown() {
    let world = World::new().await;
    let order = world.place().await;
    delete(&world).await;
    for text in ["Your code is 415127", "Your code is 999999"] {
        world.supplier().deliver(order.phone.as_ref().unwrap(), None, text);
    }
    world.clock.advance(4).await;
    let stored = world.stored(order.id).await;
    assert_eq!((stored.state, stored.revision), (State::Completed, 2));
    assert!(stored.first_sms_at.is_some() && stored.messages.is_empty() && stored.key.is_none());
    let inputs: Vec<State> = stored.steps.iter().map(|step| step.state).collect();
    assert_eq!(inputs[inputs.len() - 3..], [State::Received, State::Received, State::Completed]);
    assert!(world.supplier().sold()[0].finished, "the supplier is told");
    world.assert_gone().await;
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn a3_a_refund_that_becomes_due_after_the_deletion() {
    // the supplier ends one on its side, refuses to cancel the other until its window ends
    let world = World::timed(0, 60, Settings::default()).await;
    world.supplier().script.lock().unwrap().cancel = Some(CancelOutcome::Refused("busy".into()));
    let (ended, kept) = (world.place().await, world.place().await);
    delete(&world).await;
    world.clock.advance(2).await;
    world.supplier().end(ended.phone.as_ref().unwrap());
    world.clock.advance(15).await;
    assert_eq!(world.stored(ended.id).await.state, State::Cancelled);
    world.assert_postings(ended.id, &[Hold, Release, Forfeit]).await;
    assert_eq!(world.stored(kept.id).await.state, State::Canceling);
    world.assert_postings(kept.id, &[Hold]).await;
    world.clock.advance(60).await;
    world.assert_postings(kept.id, &[Hold, Release, Forfeit]).await;
    world.assert_gone().await;
    let transfers = books::transfers(&*world.store, world.account).await;
    let last = transfers.last().unwrap();
    assert_eq!((last.kind, last.amount, last.reason.as_str()), (Forfeit, PRICE, "account_deleted"));
    assert_eq!(last.id.0, format!("forfeit/{}", kept.id.0).into_bytes());
    assert_eq!(last.time, transfers[transfers.len() - 2].time, "in the ChangeSet of the release");
    world.stop().await;
}

#[tokio::test]
async fn a3_a_cancel_that_was_asked_for_before_the_deletion() {
    let world = World::timed(0, 300, Settings::default()).await;
    let order = world.place().await;
    world.supplier().script.lock().unwrap().cancel = Some(CancelOutcome::Unknown("time out".into()));
    assert!(world.cancel(order.id).await.is_err());
    delete(&world).await;
    world.assert_postings(order.id, &[Hold]).await;
    world.supplier().script.lock().unwrap().cancel = None;
    world.clock.advance(15).await;
    world.assert_postings(order.id, &[Hold, Release, Forfeit]).await;
    world.assert_gone().await;
    world.stop().await;
}

#[tokio::test]
async fn a1_unclear_purchases_of_a_deleted_account() {
    let world = World::timed(0, 1_200, Settings::default()).await;
    world.supplier().plan([Buy::SellSilently]);
    let found = world.place_one().await;
    delete(&world).await;
    assert_eq!(world.stored(found).await.state, State::Unclear);
    world.assert_postings(found, &[Hold]).await;
    world.clock.advance(10).await;
    assert_eq!(world.stored(found).await.state, State::Cancelled);
    assert!(world.supplier().sold()[0].cancelled, "found and cancelled");
    world.assert_gone().await;
    world.assert_postings(found, &[Hold, Release, Forfeit]).await;
    world.stop().await;

    let world = World::new().await;
    world.supplier().plan([Buy::Silence]);
    let lost = world.place_one().await;
    delete(&world).await;
    world.clock.step(1_390, 1_000).await;
    assert_eq!(world.stored(lost).await.state, State::Expired);
    world.assert_gone().await;
    world.assert_postings(lost, &[Hold, Release, Forfeit]).await;
    world.stop().await;
}

/// The deletion while the paid call is under way: what was bought is cancelled; what was refused is given up at once, and
/// no other supplier is asked for nobody.
#[tokio::test]
async fn a1_delete_while_the_supplier_is_called() {
    for refused in [false, true] {
        let world = World::with(2, Settings::default()).await;
        for supplier in &world.suppliers {
            supplier.script.lock().unwrap().answer_ms = 3_000;
            supplier.plan([if refused { Buy::Reject(Rejection::NoNumbers) } else { Buy::Sell }]);
        }
        let placing = async {
            let placed = world.place_orders(World::whatsapp()).await;
            assert_eq!(placed.unwrap_err().code(), "account_inactive", "its number is not shown to nobody");
        };
        let deleting = async {
            settle().await;
            delete(&world).await;
            world.clock.advance(5).await;
        };
        tokio::join!(placing, deleting);
        let id = books::orders(&*world.store, world.account).await[0].0;
        world.clock.advance(125).await;
        let expected = if refused { State::Rejected } else { State::Cancelled };
        assert_eq!(world.stored(id).await.state, expected);
        let asked: usize = world.suppliers.iter().map(|s| s.script.lock().unwrap().requests.len()).sum();
        assert_eq!(asked, 1);
        world.assert_gone().await;
        world.assert_postings(id, &[Hold, Release, Forfeit]).await;
        world.stop().await;
    }
}

/// A replay shows nothing either.
#[tokio::test]
async fn a1_an_idempotency_key_of_a_deleted_account() {
    let world = World::new().await;
    let first = world.place_orders(World::keyed("k1", "v1", "body")).await.unwrap();
    assert!(matches!(first.items[0].outcome, ItemOutcome::Settled(_)));
    delete(&world).await;
    let replayed = world.place_orders(World::keyed("k1", "v1", "body")).await;
    assert_eq!(replayed.unwrap_err().code(), "account_inactive");
    world.clock.advance(125).await;
    world.assert_gone().await;
    world.assert_postings(first.items[0].order, &[Hold, Release, Forfeit]).await;
    world.stop().await;
}

/// More orders than fit into one ChangeSet: those that do not are completed by the sweep right behind it.
#[tokio::test]
async fn a1_delete_with_more_orders_than_fit_and_all_tokens() {
    let clock = TestClock::new();
    let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, 1_200)];
    let store = SlowStore::new(Arc::new(MemoryStore::new()), 11);
    let world =
        World::on(store.clone(), Arc::new(MemoryKeyring::new()), clock, suppliers, Settings::default(), None).await;
    let (platform, account) = (&world.platform, world.account);
    platform.deposit(account, Money::new(10_000_000, Currency::Idr), "more").await.unwrap();
    for n in 0..TOKENS_MAX {
        platform.create_token(account, &n.to_string()).await.unwrap();
    }
    assert_eq!(platform.create_token(account, "one too many").await.unwrap_err().code(), "token");
    let mut ids = Vec::new();
    for _ in 0..5 {
        let placed = world.place_orders(PlaceOrders { quantity: 100, ..World::whatsapp() }).await.unwrap();
        ids.extend(placed.items.iter().map(|item| item.order));
    }
    for sold in world.supplier().sold().iter().take(300) {
        world.supplier().deliver(&sold.phone, None, "Your code is 415127");
    }
    world.clock.advance(12).await;
    let consumed = books::orders(&*world.store, account).await;
    assert_eq!(consumed.iter().filter(|(_, order)| order.state == State::Received).count(), 300);
    let commits = store.commits.load(Ordering::Relaxed);
    delete(&world).await;
    assert_eq!((count(&world, TOKEN).await, count(&world, TOKEN_CLAIM).await), (0, 0));
    let within = books::orders(&*world.store, account).await;
    let within = within.iter().filter(|(_, order)| order.state == State::Completed).count();
    assert!(within >= 140, "{within} completed");
    for _ in 0..40 {
        settle().await;
    }
    let after = books::orders(&*world.store, account).await;
    assert_eq!(after.iter().filter(|(_, order)| order.state == State::Received).count(), 0, "swept without a clock");
    assert!(store.commits.load(Ordering::Relaxed) - commits >= 360, "one of each order that did not fit");
    world.clock.advance(15).await;
    world.assert_gone().await;
    world.assert_postings(ids[0], &[Hold, Capture]).await;
    world.assert_postings(ids[499], &[Hold, Release, Forfeit]).await;
    world.stop().await;
}

/// A crash between the deletion and its sweep is made good by whoever runs next.
#[tokio::test]
async fn a1_a_crash_right_behind_the_deletion() {
    let mut unfinished = 0;
    for seed in 0..12 {
        let world = World::hurried(seed).await;
        let placed = world.place_orders(PlaceOrders { quantity: 5, ..World::whatsapp() }).await.unwrap();
        delete(&world).await;
        for _ in 0..seed {
            tokio::task::yield_now().await;
        }
        let world = world.reborn(1, Settings::default()).await;
        let key = account_key(world.account);
        let snapshot = world.store.load(&[LoadKey::Record(key.clone())]).await.unwrap();
        let stored = snapshot.record(&key).unwrap();
        let record: AccountRecord = serde_json::from_slice(stored.body.as_bytes()).unwrap();
        unfinished += u32::from(record.due_at.is_some());
        world.clock.advance(12).await;
        for item in &placed.items {
            let stored = world.stored(item.order).await;
            assert_eq!(stored.state, State::Cancelled, "seed {seed}: before its window ends");
            world.assert_postings(item.order, &[Hold, Release, Forfeit]).await;
        }
        world.assert_gone().await;
        world.stop().await;
    }
    assert!(unfinished > 0, "no crash came between");
}
