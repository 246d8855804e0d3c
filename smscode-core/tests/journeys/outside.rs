//! U20, U21, U24, U25: what is outside goes wrong: suppliers that vanish or change their minds, clocks, rates.

use std::sync::atomic::Ordering;

use smscode_core::Settings;
use smscode_core::money::{Currency, Money};
use smscode_core::order::supply::{Booked, SupplyState};
use smscode_core::order::{State, Status};
use smscode_core::store::TransferKind::{Capture, Hold, Release};

use crate::support::{Buy, COST, MONEY, PRICE, World};

/// A supplier is gone for good, with orders open. What it has delivered is paid for; everything else is released at the
/// window's end, and what it keeps is written off.
#[tokio::test]
async fn u21_a_supplier_disappears_with_orders_open() {
    let world = World::with(2, Settings::default()).await;
    let delivered = world.place().await;
    world.supplier().deliver(delivered.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    let (waits, cancelling) = (world.place().await, world.place().await);
    world.supplier().plan([Buy::SellSilently]);
    let unclear = world.place_one().await;
    world.clock.advance(1).await;
    assert!(world.suppliers[1].sold().is_empty(), "all of them are the first supplier's");
    world.supplier().script(|script| script.gone = true);
    world.clock.advance(125).await;
    assert!(world.cancel(cancelling.id).await.is_err());
    // others are sold meanwhile
    let elsewhere = world.place().await;
    assert_eq!(world.suppliers[1].sold().len(), 1);
    world.clock.step(1_300, 1_000).await;
    assert_eq!(world.order(delivered.id).await.status, Status::Completed);
    assert_eq!(world.order(waits.id).await.status, Status::Expired);
    assert_eq!(world.order(cancelling.id).await.state, State::Cancelled);
    world.clock.step(200, 1_000).await;
    assert_eq!(world.order(unclear).await.status, Status::Expired);
    world.clock.step(10 * 60, 60_000).await;
    assert_eq!((world.available().await, world.held().await), (MONEY - PRICE, 0));
    let purchases = world.purchases().await;
    let gone: Vec<_> = purchases.iter().filter(|one| one.supplier == "alpha").collect();
    assert!(gone.iter().all(|one| one.state == SupplyState::GivenUp), "{gone:?}");
    assert_eq!(gone.iter().filter(|one| one.booked == Some(Booked::Cost)).count(), 1);
    world.assert_supplier("alpha", COST, 2 * COST).await;
    world.assert_postings(delivered.id, &[Hold, Capture]).await;
    for free in [waits.id, cancelling.id, unclear, elsewhere.id] {
        world.assert_postings(free, &[Hold, Release]).await;
    }
    world.stop().await;
}

/// A supplier charges later for what it had cancelled, and takes a delivered one back: its ledger and nobody else's.
#[tokio::test]
async fn u20_a_claw_back_is_an_entry_of_the_supplier_alone() {
    let world = World::timed(0, 60, Settings::default()).await;
    let (paid, cancelled) = (world.place().await, world.place().await);
    world.supplier().deliver(paid.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    world.finish(paid.id).await.unwrap();
    world.cancel(cancelled.id).await.unwrap();
    world.clock.advance(4).await;
    world.assert_supplier("alpha", COST, 0).await;
    let usd = |minor| Money::new(minor, Currency::Usd);
    let correct = async |taken, reference| world.platform.correct_supplier("alpha", taken, reference).await;
    assert_eq!(correct(usd(COST), "history row 2, charged").await, Ok(true));
    assert_eq!(correct(usd(COST), "history row 2, charged").await, Ok(false), "once");
    world.assert_supplier("alpha", COST, COST).await;
    assert_eq!(correct(usd(-30_000), "history row 2, part of it back").await, Ok(true));
    world.assert_supplier("alpha", COST, COST - 30_000).await;
    for (supplier, taken, reference, code) in [
        ("nobody", usd(5), "r", "unknown_supplier"),
        ("alpha", usd(0), "r", "amount"),
        ("alpha", usd(i64::MIN), "r", "amount"),
        ("alpha", Money::new(5, Currency::Idr), "r", "amount"),
        ("alpha", usd(5), "", "reference"),
    ] {
        let refused = world.platform.correct_supplier(supplier, taken, reference).await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
    assert_eq!((world.available().await, world.held().await), (MONEY - PRICE, 0), "the customer's money has moved");
    assert_eq!(world.order(paid.id).await.status, Status::Completed);
    assert_eq!(world.order(cancelled.id).await.status, Status::Canceled);
    world.assert_postings(paid.id, &[Hold, Capture]).await;
    world.assert_postings(cancelled.id, &[Hold, Release]).await;
    world.stop().await;
}

/// What a supplier says of an end is taken as a duration from its answer on, and our clock decides.
#[tokio::test]
async fn u24_the_suppliers_end_is_a_duration() {
    // what it states, and what our window is
    for (stated, window_seconds) in [(Some(300), 300), (Some(9_000), 1_200), (None, 1_200)] {
        let world = World::new().await;
        world.supplier().script(|script| {
            script.states_window = stated;
            script.slow_ms = 3_000;
        });
        let (platform, account) = (world.platform.clone(), world.account);
        let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
        world.clock.advance(4).await;
        let order = call.await.unwrap().unwrap().single().unwrap();
        // placed at 0, answered at 3
        assert_eq!(order.expires_at, Some(order.created_at.plus_seconds(3 + window_seconds)), "{stated:?}");
        world.clock.step(window_seconds - 3, 1_000).await;
        assert_eq!(world.order(order.id).await.status, Status::Active, "{stated:?}");
        world.clock.advance(8).await;
        assert_eq!(world.order(order.id).await.status, Status::Expired, "{stated:?}");
        world.assert_postings(order.id, &[Hold, Release]).await;
        world.stop().await;
    }
}

/// Without a rate nothing new is sold, and everything that is open ends as ever.
#[tokio::test]
async fn u25_the_rate_is_missing() {
    let world = World::timed(0, 300, Settings::default()).await;
    let (paid, cancelled, expired) = (world.place().await, world.place().await, world.place().await);
    world.supplier().plan([Buy::SellSilently]);
    let unclear = world.place_one().await;
    world.rates.missing.store(true, Ordering::Relaxed);
    world.supplier().deliver(paid.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(8).await;
    assert_eq!(world.order(paid.id).await.status, Status::OtpReceived);
    assert_eq!(world.order(unclear).await.state, State::Active, "found and taken");
    assert_eq!(world.cancel(cancelled.id).await.unwrap().status, Status::Canceled);
    assert_eq!(world.finish(paid.id).await.unwrap().price.minor, PRICE);
    // the rate went after the offer was made: nothing is bought, and the money is back in the same call
    let refused = world.place_orders(World::whatsapp()).await.unwrap();
    let id = refused.items[0].order;
    assert!(refused.single().is_err());
    world.assert_postings(id, &[Hold, Release]).await;
    world.clock.step(310, 1_000).await;
    assert_eq!(world.order(expired.id).await.status, Status::Expired);
    assert_eq!(world.platform.rate(Currency::Usd, Currency::Idr), None);
    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err().code(), "no_offer");
    assert_eq!((world.available().await, world.held().await), (MONEY - PRICE, 0));
    world.assert_supplier("alpha", COST, 0).await;
    world.assert_postings(paid.id, &[Hold, Capture]).await;
    for free in [cancelled.id, expired.id, unclear] {
        world.assert_postings(free, &[Hold, Release]).await;
    }
    world.stop().await;
}
