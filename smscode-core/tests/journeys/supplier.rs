//! U2, U4, U8, U12, U17, U19: what a supplier is paid, what it keeps, and what turns up there that nobody waits for any more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smscode_core::Settings;
use smscode_core::order::supply::{Booked, SupplyState};
use smscode_core::order::{ItemOutcome, OrderId, PlaceOrders, State, Status};
use smscode_core::port::{CancelOutcome, MemoryKeyring};
use smscode_core::store::TransferKind::{Capture, Cost, Hold, Release};
use smscode_core::store::{Entry, MemoryStore};

use crate::support::{Buy, COST, MONEY, SlowStore, TestClock, TestSupplier, World};

/// Window, grace and the longest pause between two look-ups, in seconds.
const GIVEN_UP: i64 = 1_200 + 120 + 65;

/// Places one order whose purchase never becomes clear, and lets the time pass after which it is given up. The supplier's
/// list stays behind.
async fn given_up(world: &World, buy: Buy) -> OrderId {
    world.supplier().script(|script| script.list_hides = true);
    world.supplier().plan([buy]);
    let placed = world.place_orders(World::whatsapp()).await.unwrap();
    assert!(matches!(placed.items[0].outcome, ItemOutcome::Pending(_)), "{placed:?}");
    let id = placed.items[0].order;
    world.clock.step(GIVEN_UP, 1_000).await;
    let view = world.order(id).await;
    assert_eq!((view.status, view.failed_reason.as_deref()), (Status::Expired, Some("unknown")));
    id
}

fn is_cancelled(world: &World, activation: &str) -> bool {
    world.supplier().script.lock().unwrap().sold[activation].cancelled
}

#[tokio::test]
async fn u4_an_orphan_is_cancelled_when_it_shows_up() {
    let world = World::new().await;
    let id = given_up(&world, Buy::SellSilently).await;
    assert_eq!(world.watches().await, 1);
    assert!(!world.supplier().sold()[0].cancelled, "nobody knows it yet");
    world.supplier().script(|script| script.list_hides = false);
    world.clock.step(75, 1_000).await;
    assert!(world.supplier().sold()[0].cancelled, "the orphan lives");
    let purchases = world.purchases().await;
    assert_eq!(purchases.len(), 1);
    assert!(purchases[0].orphan && purchases[0].cost_assumed);
    assert_eq!((purchases[0].state, purchases[0].booked), (SupplyState::Cancelled, Some(Booked::Nothing)));
    assert_eq!(world.watches().await, 0, "it is explained");
    assert_eq!(world.platform.health().await.orphans, 1);
    world.assert_supplier("alpha", 0, 0).await;
    assert_eq!(world.available().await, MONEY);
    world.assert_postings(id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u4_an_orphan_that_is_not_cancelled_is_the_operators_loss() {
    let world = World::new().await;
    let id = given_up(&world, Buy::SellSilently).await;
    world.supplier().script(|script| {
        script.list_hides = false;
        script.cancel = Some(CancelOutcome::Refused("no".into()));
    });
    world.clock.step(10 * 60, 60_000).await;
    let purchases = world.purchases().await;
    assert_eq!((purchases[0].state, purchases[0].booked), (SupplyState::GivenUp, Some(Booked::Loss)));
    world.assert_supplier("alpha", 0, COST).await;
    assert_eq!(world.available().await, MONEY, "never the customer's");
    world.assert_postings(id, &[Hold, Release]).await;
    world.stop().await;
}

/// A cancel that comes too early is repeated.
#[tokio::test]
async fn u4_an_orphan_that_is_too_young_is_cancelled_later() {
    let world = World::new().await;
    let id = given_up(&world, Buy::SellSilently).await;
    world.supplier().script(|script| {
        script.list_hides = false;
        script.cancel = Some(CancelOutcome::TooEarly);
    });
    world.clock.step(100, 1_000).await;
    assert!(!world.supplier().sold()[0].cancelled);
    world.supplier().script(|script| script.cancel = None);
    world.clock.step(160, 1_000).await;
    assert!(world.supplier().sold()[0].cancelled);
    world.assert_supplier("alpha", 0, 0).await;
    world.assert_postings(id, &[Hold, Release]).await;
    world.stop().await;
}

/// One list serves all watches: once a minute at first, then every five, for a day; then the watches are gone.
#[tokio::test]
async fn u4_a_watch_ends_after_a_day() {
    let world = World::new().await;
    world.supplier().plan([Buy::Silence, Buy::Silence]);
    let placed = world.place_orders(PlaceOrders { quantity: 3, ..World::whatsapp() }).await.unwrap();
    let unclear: Vec<_> = placed.items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Pending(_))).collect();
    world.clock.step(GIVEN_UP, 1_000).await;
    assert_eq!((unclear.len(), world.watches().await), (2, 2));
    world.supplier().script(|script| script.lists = 0);
    world.clock.step(9 * 6, 10_000).await;
    let often = world.supplier().script.lock().unwrap().lists;
    assert!((8..=10).contains(&often), "{often} in nine minutes");
    world.clock.step(60 * 6, 10_000).await;
    let seldom = world.supplier().script.lock().unwrap().lists - often;
    assert!((11..=14).contains(&seldom), "{seldom} in the next hour");
    world.clock.step(23 * 120, 30_000).await;
    assert_eq!(world.watches().await, 0);
    world.supplier().script(|script| script.lists = 0);
    world.clock.step(30, 60_000).await;
    assert_eq!(world.supplier().script.lock().unwrap().lists, 0, "nothing is watched");
    for item in unclear {
        world.assert_postings(item.order, &[Hold, Release]).await;
    }
    world.assert_supplier("alpha", 0, 0).await;
    world.stop().await;
}

/// What the operator does with the account otherwise is left alone, whatever it is, and counted.
#[tokio::test]
async fn u17_what_is_not_ours_is_never_touched() {
    for gives_references in [false, true] {
        let world = World::new().await;
        world.supplier().script(|script| script.gives_references = gives_references);
        let id = given_up(&world, Buy::SellSilently).await;
        let (like_ours, other) =
            (world.supplier().sell_to_somebody_else("wa"), world.supplier().sell_to_somebody_else("tg"));
        let ours = world.place().await;
        world.supplier().script(|script| script.list_hides = false);
        world.clock.step(400, 1_000).await;
        assert!(world.supplier().sold()[0].cancelled, "the orphan");
        assert!(!is_cancelled(&world, &other) && !is_cancelled(&world, &like_ours), "a stranger's was cancelled");
        assert_eq!(world.order(ours.id).await.state, State::Active);
        assert_eq!(world.platform.health().await.suppliers[0].strangers, 2);
        world.assert_postings(id, &[Hold, Release]).await;
        world.assert_postings(ours.id, &[Hold]).await;
        world.stop().await;
    }
}

/// Who still waits comes first: what shows up may be what an open order is looking for.
#[tokio::test]
async fn u4_open_orders_come_before_the_watch() {
    let world = World::new().await;
    let gone = given_up(&world, Buy::SellSilently).await;
    world.supplier().plan([Buy::Silence]);
    let waits = world.place_one().await;
    assert_eq!(world.order(waits).await.state, State::Unclear);
    // its next look-up is far away when the list shows what the other has bought
    world.clock.step(130, 1_000).await;
    world.supplier().script(|script| script.list_hides = false);
    world.clock.step(75, 1_000).await;
    assert_eq!(world.order(waits).await.state, State::Active);
    assert!(!world.supplier().sold()[0].cancelled);
    assert_eq!(world.watches().await, 1, "nothing has explained it");
    world.assert_postings(gone, &[Hold, Release]).await;
    world.assert_postings(waits, &[Hold]).await;
    world.stop().await;
}

/// A call that is under way when the list is read: what it is buying shows there, and belongs to it.
#[tokio::test]
async fn u4_a_call_under_way_comes_before_the_watch() {
    let world = World::new().await;
    let gone = given_up(&world, Buy::Silence).await;
    world.supplier().script(|script| {
        script.list_hides = false;
        script.answer_ms = 19_000;
    });
    let (platform, account) = (world.platform.clone(), world.account);
    for _ in 0..4 {
        let platform = platform.clone();
        let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
        world.clock.advance(20).await;
        let placed = call.await.unwrap().unwrap();
        let ItemOutcome::Settled(view) = &placed.items[0].outcome else { panic!("{placed:?}") };
        assert_eq!(view.state, State::Active);
        world.assert_postings(view.id, &[Hold]).await;
    }
    assert!(world.supplier().sold().iter().all(|sold| !sold.cancelled));
    world.assert_postings(gone, &[Hold, Release]).await;
    world.stop().await;
}

/// A supplier without a list: nothing can be looked up, which `explain` says, and the window's end decides.
#[tokio::test]
async fn u4_a_supplier_without_a_list() {
    let clock = TestClock::new();
    let supplier = TestSupplier::new("alpha", &clock);
    supplier.script(|script| script.no_list = true);
    let store = Arc::new(MemoryStore::new());
    let world =
        World::on(store, Arc::new(MemoryKeyring::new()), clock, vec![supplier], Settings::default(), None).await;
    world.supplier().plan([Buy::SellSilently]);
    let id = world.place_one().await;
    let told = world.platform.explain(world.account, id).await.unwrap().next.unwrap();
    assert!(told.what.contains("no list"), "{}", told.what);
    assert_eq!(told.at, Some(world.order(id).await.created_at.plus_seconds(1_320)));
    world.clock.step(1_300, 1_000).await;
    assert_eq!(world.order(id).await.state, State::Unclear);
    world.clock.step(30, 1_000).await;
    assert_eq!(world.order(id).await.status, Status::Expired);
    world.clock.step(60, 60_000).await;
    assert_eq!(world.supplier().script.lock().unwrap().lists, 0, "it was asked for what it does not have");
    assert_eq!(world.watches().await, 0);
    world.assert_postings(id, &[Hold, Release]).await;
    world.stop().await;
}

/// Found by its reference, and not what was wanted: it goes back as if the answer had come.
#[tokio::test]
async fn u8_a_number_that_is_found_and_does_not_fit_goes_back() {
    for gives_references in [true, false] {
        let world = World::new().await;
        world.supplier().script(|script| script.gives_references = gives_references);
        world.supplier().plan([Buy::NumberSilently("79120000001")]);
        let id = world.place_one().await;
        world.clock.advance(8).await;
        let view = world.order(id).await;
        if gives_references {
            assert_eq!((view.state, view.failed_reason.as_deref()), (State::Rejected, Some("wrong_country")));
            assert!(world.supplier().sold()[0].cancelled);
            world.assert_postings(id, &[Hold, Release]).await;
        } else {
            // it may be anybody's
            assert_eq!((view.state, world.supplier().sold()[0].cancelled), (State::Unclear, false));
            world.assert_postings(id, &[Hold]).await;
        }
        world.assert_supplier("alpha", 0, 0).await;
        world.stop().await;
    }
}

/// The look-ups come when the journeys say.
#[tokio::test]
async fn u4_look_ups_on_schedule() {
    let world = World::new().await;
    world.supplier().plan([Buy::Silence]);
    let id = world.place_one().await;
    let mut seen = Vec::new();
    for second in 1..=310 {
        let before = world.supplier().script.lock().unwrap().lists;
        world.clock.step(1, 1_000).await;
        if world.supplier().script.lock().unwrap().lists > before {
            seen.push(second);
        }
    }
    assert_eq!(seen, [5, 15, 45, 120, 180, 240, 300]);
    world.assert_postings(id, &[Hold]).await;
    world.stop().await;
}

/// Many purchases that are unclear at once are looked up in one list: it is as long as there are orders, and a read for
/// each would be what the supplier falls over next.
#[tokio::test]
async fn u4_one_list_serves_all_look_ups() {
    const ORDERS: u32 = 40;
    let mut settings = Settings::default();
    // it is let fail so often
    settings.breaker.failures_in_row = 2 * ORDERS;
    settings.breaker.calls_min = 2 * ORDERS;
    let world = World::with(1, settings).await;
    world.supplier().plan(std::iter::repeat_n(Buy::SellSilently, ORDERS as usize));
    world.supplier().script(|script| (script.list_takes_ms, script.gives_references) = (500, true));
    let placed = world.place_orders(PlaceOrders { quantity: ORDERS, ..World::whatsapp() }).await.unwrap();
    world.clock.step(80, 100).await;
    // the first began alone, the others while it was under way
    let lists = world.supplier().script.lock().unwrap().lists;
    assert!(lists <= 3, "{lists} reads");
    for item in &placed.items {
        assert_eq!(world.order(item.order).await.state, State::Active);
        world.assert_postings(item.order, &[Hold]).await;
    }
    world.stop().await;
}

/// What was bought above the ceiling and is not taken back.
#[tokio::test]
async fn u2_what_the_supplier_does_not_take_back_is_a_loss() {
    let world = World::new().await;
    world.supplier().plan([Buy::Cost(COST * 2)]);
    world.supplier().script(|script| script.cancel = Some(CancelOutcome::Refused("no".into())));
    let placed = world.place_orders(World::whatsapp()).await.unwrap();
    let id = placed.items[0].order;
    assert!(matches!(placed.items[0].outcome, ItemOutcome::Rejected(_)), "{placed:?}");
    assert_eq!(world.available().await, MONEY, "the customer has his money at once");
    world.assert_supplier("alpha", 0, 0).await;
    world.clock.step(10 * 60, 60_000).await;
    world.assert_supplier("alpha", 0, COST * 2).await;
    world.assert_postings(id, &[Hold, Release]).await;

    // one that is taken back costs nothing
    world.supplier().script(|script| script.cancel = None);
    world.supplier().plan([Buy::Cost(COST * 2)]);
    let id = world.place_one().await;
    world.clock.advance(1).await;
    world.assert_supplier("alpha", 0, COST * 2).await;
    world.assert_postings(id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn j5_what_an_sms_has_cost_is_booked_once() {
    let world = World::timed(0, 60, Settings::default()).await;
    let (finished, by_window, cancelled, expired) =
        (world.place().await, world.place().await, world.place().await, world.place().await);
    for order in [&finished, &by_window] {
        world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    }
    world.clock.advance(4).await;
    world.assert_supplier("alpha", 0, 0).await;
    world.finish(finished.id).await.unwrap();
    world.cancel(cancelled.id).await.unwrap();
    world.clock.advance(2).await;
    world.assert_supplier("alpha", COST, 0).await;
    world.clock.advance(70).await;
    world.assert_supplier("alpha", 2 * COST, 0).await;
    assert!(world.purchases().await.iter().all(|one| one.booked.is_some() && one.due_at.is_none()));
    for paid in [finished.id, by_window.id] {
        world.assert_postings(paid, &[Hold, Capture]).await;
    }
    for free in [cancelled.id, expired.id] {
        world.assert_postings(free, &[Hold, Release]).await;
    }
    world.stop().await;
}

/// A supplier that does not say what it takes has taken what it offers the number for.
#[tokio::test]
async fn j5_a_cost_that_is_not_said_is_that_of_the_offer() {
    let world = World::new().await;
    world.supplier().script(|script| script.silent_on_cost = true);
    let order = world.place().await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    world.finish(order.id).await.unwrap();
    world.clock.advance(2).await;
    assert!(world.purchases().await[0].cost_assumed);
    world.assert_supplier("alpha", COST, 0).await;
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u19_what_the_supplier_may_keep_is_a_loss() {
    let world = World::new().await;
    let order = world.place().await;
    world.supplier().end(order.phone.as_ref().unwrap());
    world.clock.advance(30).await;
    assert_eq!(world.order(order.id).await.state, State::Cancelled);
    assert_eq!(world.available().await, MONEY);
    world.assert_supplier("alpha", 0, COST).await;
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

/// An SMS that reaches the supplier after the order has expired: it keeps its money, the customer keeps his, nobody sees it.
#[tokio::test]
async fn u12_an_sms_after_the_expiry_is_the_operators_loss() {
    let world = World::timed(0, 60, Settings::default()).await;
    let order = world.place().await;
    world.supplier().script(|script| script.cancel = Some(CancelOutcome::TooEarly));
    world.clock.advance(62).await;
    assert_eq!(world.order(order.id).await.status, Status::Expired);
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.supplier().script(|script| script.cancel = None);
    world.clock.advance(60).await;
    assert_eq!(world.platform.health().await.late_sms, 1, "counted once, however often it is seen");
    // it cannot be cancelled any more, and is not left open there until its window ends
    assert!(world.supplier().sold()[0].finished, "open at the supplier");
    let purchases = world.purchases().await;
    assert_eq!((purchases[0].state, purchases[0].booked), (SupplyState::Finished, Some(Booked::Loss)));
    world.assert_supplier("alpha", 0, COST).await;
    let view = world.order(order.id).await;
    assert_eq!((view.revision, view.text), (0, None));
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

/// A process that dies between the order's end and the booking; two nodes that book at once.
#[tokio::test]
async fn o2_a_purchase_is_booked_once_whoever_dies() {
    for moment in 0..40 {
        let world = World::slow(moment, 60).await;
        let order = world.place().await;
        world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
        world.clock.advance(4).await;
        let (platform, account) = (world.platform.clone(), world.account);
        let finish = tokio::spawn(async move { platform.finish_order(account, order.id).await });
        for _ in 0..moment {
            tokio::task::yield_now().await;
        }
        let world = world.reborn(1, Settings::default()).await;
        drop(finish.await);
        world.clock.advance(70).await;
        world.assert_supplier("alpha", COST, 0).await;
        world.assert_postings(order.id, &[Hold, Capture]).await;
        world.stop().await;
    }
}

/// The ChangeSet that books a purchase is its own: nobody's account is in it, and its time is a full minute.
#[tokio::test]
async fn sms_3_what_is_booked_leads_to_no_order() {
    let clock = TestClock::new();
    let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, 60)];
    let store = SlowStore::new(Arc::new(MemoryStore::new()), 5);
    store.keeps.store(true, Ordering::Relaxed);
    let keyring = Arc::new(MemoryKeyring::new());
    let world = World::on(store.clone(), keyring, clock, suppliers, Settings::default(), None).await;
    world.clock.step(29, 250).await;
    let order = world.place().await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    world.finish(order.id).await.unwrap();
    world.clock.advance(10).await;
    world.assert_supplier("alpha", COST, 0).await;
    let kept = store.kept();
    let books = |entry: &&Entry| matches!(entry, Entry::Post(post) if post.kind == Cost);
    let booking: Vec<_> = kept.iter().filter(|set| set.entries.iter().find(books).is_some()).collect();
    assert_eq!(booking.len(), 1);
    assert_eq!(booking[0].time.0 % 60_000_000, 0, "an exact time");
    for entry in &booking[0].entries {
        let owner = match entry {
            Entry::Put { key, .. } | Entry::Delete { key, .. } | Entry::Ensure { key, .. } => key.owner,
            Entry::DeleteOwned { owner, .. } | Entry::Append { owner, .. } => *owner,
            Entry::Count { counter, .. } => counter.owner,
            Entry::Post(_) => continue,
        };
        assert!(owner.is_none(), "an account");
    }
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}
