//! U4, U5, U23: answers that are lost, processes that die.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use smscode_core::Settings;
use smscode_core::order::{ItemOutcome, OrderId, PlaceOrders, State, Status};
use smscode_core::port::{MemoryKeyring, Rejection};
use smscode_core::store::MemoryStore;
use smscode_core::store::TransferKind::{Capture, Hold, Release};

use crate::support::{Buy, MONEY, SlowStore, TestClock, TestSupplier, World, books};

async fn pending(world: &World) -> OrderId {
    let placed = world.place_orders(World::whatsapp()).await.unwrap();
    let ItemOutcome::Pending(view) = &placed.items[0].outcome else { panic!("settled: {placed:?}") };
    assert_eq!(view.state, State::Unclear);
    view.id
}

#[tokio::test]
async fn u4_found_in_the_active_list() {
    let world = World::new().await;
    world.supplier().plan([Buy::SellSilently]);
    let id = pending(&world).await;
    let placed_at = world.platform.now();
    world.assert_postings(id, &[Hold]).await;
    world.clock.advance(6).await;
    let view = world.order(id).await;
    assert_eq!(view.state, State::Active);
    let sold = world.supplier().sold();
    assert_eq!((sold.len(), view.phone.as_deref()), (1, Some(sold[0].phone.as_str())));
    assert!(view.expires_at <= Some(placed_at.plus_seconds(1_200)), "the window that remains");
    world.supplier().deliver(&sold[0].phone, None, "Your code is 415127");
    world.clock.advance(4).await;
    world.assert_postings(id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u4_an_unclear_purchase_never_goes_to_the_next_supplier() {
    let world = World::with(2, Settings::default()).await;
    world.suppliers[0].plan([Buy::Silence]);
    let id = pending(&world).await;
    world.clock.advance(120).await;
    assert!(world.suppliers[1].script.lock().unwrap().requests.is_empty());
    assert_eq!(world.suppliers[0].script.lock().unwrap().requests.len(), 1, "never sent again");
    world.assert_postings(id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u4_never_found_is_released_after_window_and_grace() {
    let world = World::new().await;
    world.supplier().plan([Buy::Silence]);
    let id = pending(&world).await;
    let placed_at = world.platform.now();
    world.clock.step(1_200 + 115, 1_000).await;
    assert_eq!(world.order(id).await.state, State::Unclear);
    assert_eq!(world.cancel(id).await.unwrap_err().code(), "conflict");
    world.clock.step(70, 1_000).await;
    let view = world.order(id).await;
    assert_eq!((view.status, view.failed_reason.as_deref()), (Status::Expired, Some("unknown")));
    let after = view.ended_at.unwrap().ms_since(placed_at);
    assert!((1_320_000..1_322_000).contains(&after), "{after}");
    assert_eq!(world.events(id).await, ["order.placed", "order.expired"]);
    assert_eq!(world.available().await, MONEY);
    world.assert_postings(id, &[Hold, Release]).await;
    world.stop().await;
}

/// The answer to the hold is lost and the store is away for a while: what was placed is found there, and goes on.
#[tokio::test]
async fn u5_a_store_that_goes_away_with_an_answer_is_waited_for() {
    for (commits, placed) in [(1, true), (5, true), (7, true), (8, false)] {
        let clock = TestClock::new();
        let suppliers = vec![TestSupplier::new("alpha", &clock)];
        let store = SlowStore::new(Arc::new(MemoryStore::new()), 1);
        let world =
            World::on(store.clone(), Arc::new(MemoryKeyring::new()), clock, suppliers, Settings::default(), None).await;
        // the first order of a node takes a block of numbers; that is not the commit that is to be lost
        let first = world.place_one().await;
        let before = store.commits.load(Ordering::Relaxed);
        store.go_away(commits);
        let placing = world.place_orders(World::whatsapp());
        let time = async {
            while store.commits.load(Ordering::Relaxed) == before {
                tokio::task::yield_now().await;
            }
            world.clock.step(150, 100).await;
        };
        let (outcome, ()) = tokio::join!(placing, time);
        assert_eq!(outcome.is_ok(), placed, "away for {commits} commits");
        let orders = books::orders(&*world.store, world.account).await;
        let (id, record) = orders.iter().find(|(id, _)| *id != first).expect("it is there");
        assert_eq!(record.state, if placed { State::Active } else { State::Calling }, "away for {commits} commits");
        world.assert_postings(*id, &[Hold]).await;
        world.stop().await;
    }
}

/// The pauses between look-ups grow to minutes; the money is not held for one longer than the deadline.
#[tokio::test]
async fn u4_never_found_is_released_at_the_deadline_of_a_short_window() {
    let settings = Settings { window_ms: 15_000, unclear_grace_ms: 5_000, ..Settings::default() };
    let world = World::with(1, settings).await;
    world.supplier().plan([Buy::Silence]);
    let id = pending(&world).await;
    let placed_at = world.platform.now();
    world.clock.step(19, 1_000).await;
    world.assert_postings(id, &[Hold]).await;
    world.clock.step(4, 1_000).await;
    let after = world.order(id).await.ended_at.unwrap().ms_since(placed_at);
    assert!((20_000..22_000).contains(&after), "{after}");
    world.assert_postings(id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u4_found_with_less_than_three_minutes_left_is_given_back() {
    let world = World::new().await;
    world.supplier().plan([Buy::Silence]);
    let id = pending(&world).await;
    world.clock.step(1_030, 1_000).await;
    // what was bought shows up in the list only now
    let request = smscode_core::port::BuyRequest {
        country: 6,
        service: "wa".into(),
        ceiling: smscode_core::money::Money::new(100_000, smscode_core::money::Currency::Usd),
        reference: String::new(),
    };
    smscode_core::port::Supplier::buy(world.supplier(), &request).await;
    world.clock.step(70, 1_000).await;
    assert_eq!(world.order(id).await.state, State::Cancelled);
    assert!(world.supplier().sold()[0].cancelled);
    assert_eq!(world.events(id).await, ["order.placed", "order.active", "order.canceled"]);
    world.assert_postings(id, &[Hold, Release]).await;
    world.stop().await;
}

/// Without references two unclear purchases of one pair look alike: a number found belongs to one of them alone.
#[tokio::test]
async fn u4_two_unclear_orders_never_share_a_number() {
    for seed in 0..10 {
        let world = World::slow(seed, 1_200).await;
        world.supplier().plan([Buy::SellSilently, Buy::Silence]);
        let placed = world.place_orders(PlaceOrders { quantity: 2, ..World::whatsapp() }).await.unwrap();
        world.clock.advance(7).await;
        let mut active = Vec::new();
        for item in &placed.items {
            let view = world.order(item.order).await;
            active.extend(view.phone);
        }
        assert_eq!(active.len(), 1, "seed {seed}: {} orders have the number", active.len());
        world.supplier().deliver(&active[0], None, "Your code is 415127");
        world.clock.advance(5).await;
        let mut read = 0;
        for item in &placed.items {
            read += u32::from(world.order(item.order).await.revision > 0);
        }
        assert_eq!(read, 1, "seed {seed}");
        for item in &placed.items {
            let paid = world.order(item.order).await.revision > 0;
            world.assert_postings(item.order, if paid { &[Hold, Capture] } else { &[Hold] }).await;
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn u4_many_unclear_orders_get_a_number_each() {
    let world = World::slow(3, 1_200).await;
    world.supplier().plan((0..20).map(|n| if n % 2 == 0 { Buy::SellSilently } else { Buy::Silence }));
    let wanted = PlaceOrders { quantity: 20, ..World::whatsapp() };
    let placed = world.place_orders(wanted).await.unwrap();
    let mut found = BTreeSet::new();
    for _ in 0..40 {
        world.clock.advance(1).await;
        for item in &placed.items {
            if let Some(phone) = world.order(item.order).await.phone {
                found.insert((phone, item.order));
            }
        }
    }
    let phones: BTreeSet<_> = found.iter().map(|(phone, _)| phone).collect();
    assert_eq!(phones.len(), found.len(), "a number in two orders");
    assert!(phones.len() >= 5, "only {} of 10 were found", phones.len());
    for item in &placed.items {
        world.assert_postings(item.order, &[Hold]).await;
    }
    world.stop().await;
}

/// Without references a look-up may find what another call is buying at this moment. Whoever gets it: one number, one
/// order, and the other's money goes back or is looked for further.
#[tokio::test]
async fn u4_a_look_up_meets_what_another_call_is_buying() {
    let world = World::new().await;
    world.supplier().plan([Buy::Silence]);
    let unclear = pending(&world).await;
    world.supplier().script.lock().unwrap().answer_ms = 10_000;
    let (platform, account) = (world.platform.clone(), world.account);
    let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
    world.clock.advance(15).await;
    let placed = call.await.unwrap().unwrap();
    let other = placed.items[0].order;
    let phones: Vec<_> =
        [world.order(unclear).await.phone, world.order(other).await.phone].into_iter().flatten().collect();
    assert_eq!(phones.len(), 1, "one number, two orders");
    assert!(!world.supplier().sold()[0].cancelled, "the number of an order was given back");
    world.supplier().deliver(&phones[0], None, "Your code is 415127");
    world.clock.advance(4).await;
    let read = [world.order(unclear).await.revision, world.order(other).await.revision];
    assert_eq!(read.iter().sum::<u64>(), 1);
    let with_number = if read[0] == 1 { unclear } else { other };
    world.assert_postings(with_number, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u5_a_crash_between_hold_and_answer() {
    for bought in [true, false] {
        let world = World::new().await;
        world.supplier().script.lock().unwrap().slow_ms = 3_600_000;
        let (platform, account) = (world.platform.clone(), world.account);
        let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
        world.clock.advance(1).await;
        let open = world.platform.open_orders(account).await.unwrap();
        assert_eq!((open.len(), open[0].state), (1, State::Calling));
        let id = open[0].id;
        {
            // the call had left; whether it bought something only the supplier knows
            let mut script = world.supplier().script.lock().unwrap();
            script.slow_ms = 0;
        }
        let world = if bought {
            let (store, keyring, clock, suppliers, account) = world.crash().await;
            let request = smscode_core::port::BuyRequest {
                country: 6,
                service: "wa".into(),
                ceiling: smscode_core::money::Money::new(100_000, smscode_core::money::Currency::Usd),
                reference: String::new(),
            };
            smscode_core::port::Supplier::buy(&*suppliers[0], &request).await;
            World::on(store, keyring, clock, suppliers, Settings::default(), Some(account)).await
        } else {
            world.reborn(0, Settings::default()).await
        };
        assert!(call.await.unwrap().is_err(), "the caller learns nothing");
        assert_eq!(world.order(id).await.state, State::Unclear, "looked up, never bought again");
        world.assert_postings(id, &[Hold]).await;
        world.clock.advance(8).await;
        let calls = world.supplier().script.lock().unwrap().requests.len();
        assert_eq!(calls, usize::from(bought), "bought again");
        if bought {
            assert_eq!(world.order(id).await.state, State::Active);
            world.supplier().deliver(&world.supplier().sold()[0].phone, None, "Your code is 415127");
            world.clock.advance(5).await;
            world.finish(id).await.unwrap();
            world.assert_postings(id, &[Hold, Capture]).await;
        } else {
            world.clock.step(1_400, 1_000).await;
            assert_eq!(world.order(id).await.status, Status::Expired);
            world.assert_postings(id, &[Hold, Release]).await;
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn u5_crashes_at_every_moment_of_a_life() {
    // the process dies at each of these seconds and comes back; the money is closed once
    for moment in [1, 3, 5, 8, 12, 16, 19, 20, 21, 30, 36] {
        let clock = crate::support::TestClock::new();
        let suppliers = vec![crate::support::TestSupplier::timed("alpha", &clock, 0, 20)];
        let store = std::sync::Arc::new(smscode_core::store::MemoryStore::new());
        let keyring = std::sync::Arc::new(smscode_core::port::MemoryKeyring::new());
        let mut world = World::on(store, keyring, clock, suppliers, Settings::default(), None).await;
        let (paid, free) = (world.place().await, world.place().await);
        world.supplier().plan([Buy::SellSilently, Buy::Reject(Rejection::NoNumbers)]);
        let unclear = pending(&world).await;
        for second in 0..60 {
            if second == 4 {
                world.supplier().deliver(paid.phone.as_ref().unwrap(), None, "415127");
            }
            if second == moment {
                world = world.reborn(1, Settings::default()).await;
            }
            world.clock.advance(1).await;
        }
        world.assert_postings(paid.id, &[Hold, Capture]).await;
        world.assert_postings(free.id, &[Hold, Release]).await;
        world.clock.step(1_400, 1_000).await;
        world.assert_postings(unclear, &[Hold, Release]).await;
        world.assert_purchases_booked("alpha").await;
        assert_eq!(world.held().await, 0);
        world.stop().await;
    }
}

#[tokio::test]
async fn u23_down_over_the_windows_end() {
    let world = World::new().await;
    let (with_sms, empty) = (world.place().await, world.place().await);
    world.clock.advance(60).await;
    let phone = with_sms.phone.clone().unwrap();
    world.supplier().deliver(&phone, None, "Your code is 415127");
    let world = world.reborn(1_800, Settings::default()).await;
    world.clock.advance(1).await;
    let view = world.order(with_sms.id).await;
    assert_eq!((view.status, view.code.as_deref()), (Status::OtpReceived, Some("415127")));
    assert_eq!(world.order(empty.id).await.status, Status::Expired);
    world.clock.advance(13).await;
    assert_eq!(world.order(with_sms.id).await.code.as_deref(), Some("415127"), "15 s to read it");
    world.clock.advance(4).await;
    assert_eq!(world.order(with_sms.id).await.status, Status::Completed);
    world.assert_postings(with_sms.id, &[Hold, Capture]).await;
    world.assert_postings(empty.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u23_no_expiry_before_one_check() {
    let world = World::new().await;
    let order = world.place().await;
    let phone = order.phone.clone().unwrap();
    world.supplier().deliver(&phone, None, "Your code is 415127");
    world.supplier().script.lock().unwrap().poll_fails = true;
    let world = world.reborn(1_205, Settings::default()).await;
    world.clock.advance(20).await;
    assert_eq!(world.order(order.id).await.status, Status::Active, "the supplier has not been read");
    world.supplier().script.lock().unwrap().poll_fails = false;
    world.clock.advance(6).await;
    assert_eq!(world.order(order.id).await.status, Status::OtpReceived);
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u23_away_far_beyond_the_end_and_the_supplier_is_away_too() {
    let world = World::new().await;
    let (with_sms, empty) = (world.place().await, world.place().await);
    world.supplier().plan([Buy::SellSilently]);
    let unclear = pending(&world).await;
    world.supplier().deliver(with_sms.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.supplier().script.lock().unwrap().gone = true;
    let world = world.reborn(3_000, Settings::default()).await;
    world.clock.advance(50).await;
    for id in [with_sms.id, empty.id, unclear] {
        assert!(!world.order(id).await.status.is_terminal(), "given up before the supplier was asked");
        world.assert_postings(id, &[Hold]).await;
    }
    world.supplier().script.lock().unwrap().gone = false;
    world.clock.advance(8).await;
    assert_eq!(world.order(with_sms.id).await.code.as_deref(), Some("415127"));
    assert_eq!(world.order(empty.id).await.status, Status::Expired);
    world.assert_postings(with_sms.id, &[Hold, Capture]).await;
    world.assert_postings(empty.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u23_a_supplier_that_stays_away_has_its_grace_from_our_return() {
    let world = World::new().await;
    let order = world.place().await;
    world.supplier().plan([Buy::SellSilently]);
    let unclear = pending(&world).await;
    world.supplier().script.lock().unwrap().gone = true;
    let world = world.reborn(3_000, Settings::default()).await;
    world.clock.advance(55).await;
    assert_eq!(world.held().await, 2 * crate::support::PRICE);
    world.clock.advance(20).await;
    for id in [order.id, unclear] {
        assert_eq!(world.order(id).await.status, Status::Expired, "60 s of grace are enough");
        world.assert_postings(id, &[Hold, Release]).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn u5_lost_keys_release_what_was_not_shown() {
    let world = World::timed(0, 30, Settings::default()).await;
    let order = world.place().await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "415127");
    let (store, _, clock, suppliers, account) = world.crash().await;
    let keyring = std::sync::Arc::new(smscode_core::port::MemoryKeyring::new());
    let world = World::on(store, keyring, clock, suppliers, Settings::default(), Some(account)).await;
    world.clock.advance(100).await;
    assert_eq!(world.order(order.id).await.status, Status::Expired);
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

/// A look-up without references takes what another order is just buying. The other one's money goes back, and what the
/// first had bought is watched for.
#[tokio::test]
async fn u4_what_a_look_up_took_for_its_own_leaves_a_watch() {
    let world = World::new().await;
    world.supplier().plan([Buy::Silence]);
    let unclear = world.place_one().await;
    world.supplier().script(|script| script.answer_ms = 15_000);
    let (platform, account) = (world.platform.clone(), world.account);
    let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
    world.clock.advance(10).await;
    let found = world.order(unclear).await;
    assert_eq!((found.state, world.watches().await), (State::Active, 0));
    world.clock.advance(10).await;
    let placed = call.await.unwrap().unwrap();
    assert!(matches!(placed.items[0].outcome, ItemOutcome::Rejected(_)), "its number is another's");
    world.assert_postings(placed.items[0].order, &[Hold, Release]).await;
    assert_eq!(world.watches().await, 1, "nobody waits for what the first has bought");
    let orphan = world.supplier().sell_to_somebody_else("wa");
    world.clock.step(80, 1_000).await;
    assert!(world.supplier().script.lock().unwrap().sold[&orphan].cancelled);
    assert_eq!(world.watches().await, 0);
    world.supplier().deliver(found.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(12).await;
    world.assert_postings(unclear, &[Hold, Capture]).await;
    world.stop().await;
}
