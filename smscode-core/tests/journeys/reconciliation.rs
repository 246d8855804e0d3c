//! U20 and the daily comparison: what a supplier's history and balance show and our books do not is found once, waits for an
//! operator, and moves no customer's money.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smscode_core::Settings;
use smscode_core::money::{Currency, Money};
use smscode_core::order::supply::{SUPPLY, SupplyRecord};
use smscode_core::order::{OrderView, Status};
use smscode_core::port::{Charge, MemoryKeyring};
use smscode_core::reconciliation::{Reconciliation, Settlement, SupplierDifference, What};
use smscode_core::store::TransferKind::{Capture, Hold, Release};
use smscode_core::store::{Index, MemoryStore, Range, Row};

use crate::support::{Buy, COST, MONEY, PRICE, SlowStore, TestClock, TestSupplier, World};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::Usd)
}

impl World {
    async fn compared(&self) -> Reconciliation {
        self.platform.reconcile("alpha").await.unwrap()
    }

    async fn differences(&self) -> Vec<SupplierDifference> {
        self.platform.supplier_differences(None, 100).await.unwrap().rows
    }

    /// What waits, as words and amounts.
    async fn waiting(&self) -> Vec<(What, Option<i64>)> {
        let all = self.differences().await;
        all.iter().map(|one| (one.what, one.taken.map(|taken| taken.minor))).collect()
    }

    async fn settle_all(&self, how: Settlement) {
        for one in self.differences().await {
            self.platform.settle_difference(&one.case, how, "anna", "looked at").await.unwrap();
        }
    }

    /// The supplier's name for the purchase of a number.
    fn activation_of(&self, order: &OrderView) -> String {
        let phone = order.phone.as_ref().unwrap();
        let mut found = None;
        self.supplier().script(|script| {
            found = script.sold.iter().find(|(_, sold)| sold.phone == *phone).map(|(id, _)| id.clone());
        });
        found.unwrap()
    }

    /// What the supplier's history says of a purchase from now on.
    fn says(&self, activation: &str, charge: Charge) {
        self.supplier().script(|script| {
            script.past.insert(activation.to_owned(), charge);
        });
    }

    /// Our money there changes by so much.
    fn moves(&self, minor: i64) {
        self.supplier().script(|script| script.balance = Some(script.balance.unwrap_or(1_000_000_000) + minor));
    }

    /// Everything that is bought is paid for.
    async fn paid(&self) -> OrderView {
        let order = self.place().await;
        self.moves(-COST);
        self.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
        self.clock.advance(4).await;
        self.finish(order.id).await.unwrap();
        self.clock.advance(4).await;
        order
    }

    async fn cancelled(&self) -> OrderView {
        let order = self.place().await;
        self.cancel(order.id).await.unwrap();
        self.clock.advance(4).await;
        order
    }

    async fn assert_customer(&self, paid: &[&OrderView], free: &[&OrderView]) {
        let spent = PRICE * i64::try_from(paid.len()).unwrap();
        assert_eq!((self.available().await, self.held().await), (MONEY - spent, 0));
        for order in paid {
            assert_eq!(self.order(order.id).await.status, Status::Completed);
            self.assert_postings(order.id, &[Hold, Capture]).await;
        }
        for order in free {
            assert_eq!(self.order(order.id).await.status, Status::Canceled);
            self.assert_postings(order.id, &[Hold, Release]).await;
        }
    }
}

async fn world() -> World {
    World::timed(0, 60, Settings::default()).await
}

/// A supplier charges for what it had cancelled: found in its history, booked as lost by an operator, and not found again.
#[tokio::test]
async fn u20_a_claw_back_is_found_and_booked_as_lost() {
    let world = world().await;
    let (paid, cancelled) = (world.paid().await, world.cancelled().await);
    let before = world.compared().await;
    assert_eq!((before.listed, before.compared, before.found), (Some(2), 2, 0));
    assert_eq!(before.balance, Some(usd(1_000_000_000 - COST)));
    let activation = world.activation_of(&cancelled);
    world.says(&activation, Charge::Kept(Some(usd(COST))));
    world.moves(-COST);
    assert_eq!(world.compared().await.found, 1, "the balance has moved for this reason alone");
    let [found] = &world.differences().await[..] else { panic!("one difference") };
    assert_eq!((found.what, found.taken, found.age_seconds / 60), (What::KeptThere, Some(usd(COST)), 0));
    assert_eq!((found.activation.as_deref(), found.supplier.as_str()), (Some(activation.as_str()), "alpha"));
    assert_eq!(world.compared().await.found, 0, "once");
    world.assert_supplier("alpha", COST, 0).await;

    let settle = async |case: &str, actor, reason| {
        world.platform.settle_difference(case, Settlement::Booked, actor, reason).await
    };
    assert_eq!(settle("none", "anna", "seen").await.unwrap_err().code(), "not_found");
    assert_eq!(settle(&found.case, "", "seen").await.unwrap_err().code(), "actor");
    assert_eq!(settle(&found.case, "anna", "").await.unwrap_err().code(), "reason");
    settle(&found.case, "anna", "the supplier keeps it").await.unwrap();
    assert_eq!(settle(&found.case, "anna", "again").await.unwrap_err().code(), "not_found");
    world.assert_supplier("alpha", COST, COST).await;
    assert!(world.waiting().await.is_empty());
    assert_eq!(world.compared().await.found, 0, "settled");
    let log = world.platform.audit_log(None, 10).await.unwrap();
    let [entry] = &log[..] else { panic!("{log:?}") };
    assert_eq!(
        (entry.action.as_str(), entry.actor.as_str(), entry.amount),
        ("difference_booked", "anna", Some(usd(COST)))
    );
    assert_eq!(entry.subject.as_ref(), Some(&found.case));

    // the supplier thinks better of it
    world.says(&activation, Charge::Returned);
    world.moves(COST);
    assert_eq!(world.compared().await.found, 1);
    assert_eq!(world.waiting().await, [(What::ReturnedThere, Some(-COST))]);
    world.settle_all(Settlement::Booked).await;
    world.assert_supplier("alpha", COST, 0).await;
    assert_eq!(world.compared().await.found, 0);
    world.assert_customer(&[&paid], &[&cancelled]).await;
    world.assert_postings(cancelled.id, &[Hold, Release]).await;
    world.stop().await;
}

/// Every kind of difference, each settled without a booking, and none of them twice.
#[tokio::test]
async fn u20_each_kind_of_difference_is_found_once() {
    let world = world().await;
    let (dearer, back, gone) = (world.paid().await, world.paid().await, world.paid().await);
    let (kept, cancelled) = (world.cancelled().await, world.cancelled().await);
    let stranger = world.supplier().sell_to_somebody_else("tg");
    let open = world.supplier().sell_to_somebody_else("tg");
    world.clock.step(90, 60_000).await;
    assert_eq!(world.compared().await.found, 0);
    world.says(&world.activation_of(&dearer), Charge::Kept(Some(usd(COST + 7))));
    world.says(&world.activation_of(&back), Charge::Returned);
    let unlisted = world.activation_of(&gone);
    world.supplier().script(|script| script.sold.get_mut(&unlisted).unwrap().unlisted = true);
    world.says(&world.activation_of(&kept), Charge::Kept(None));
    world.says(&stranger, Charge::Kept(Some(usd(5))));
    world.says(&open, Charge::Undecided);
    world.moves(-7 + COST + COST - COST - 5);
    let done = world.compared().await;
    assert_eq!((done.found, done.gone, done.left_out), (5, 0, false));
    let mut found = world.waiting().await;
    found.sort_by_key(|(what, _)| what.word());
    let expected = [
        (What::KeptThere, Some(COST)),
        (What::OtherAmount, Some(7)),
        (What::ReturnedThere, Some(-COST)),
        (What::UnknownHere, Some(5)),
        (What::UnknownThere, Some(-COST)),
    ];
    assert_eq!(found, expected, "the balance is explained by them");
    let text = format!("{:?}", world.differences().await);
    assert!(!text.contains(&unlisted), "an activation leads to a number: {text}");

    // one that is none any more goes by itself, the others are noted
    world.says(&stranger, Charge::Returned);
    world.moves(5);
    let done = world.compared().await;
    assert_eq!((done.found, done.gone), (0, 1));
    world.settle_all(Settlement::Noted).await;
    world.assert_supplier("alpha", 3 * COST, 0).await;
    assert_eq!(world.compared().await.found, 0);
    assert!(world.waiting().await.is_empty());
    world.assert_customer(&[&dearer, &back, &gone], &[&kept, &cancelled]).await;
    world.assert_postings(kept.id, &[Hold, Release]).await;
    world.stop().await;
}

/// Money that comes and goes without a purchase is a difference of the balance; purchases under way are none.
#[tokio::test]
async fn u20_the_balance_moves_without_a_purchase() {
    let world = world().await;
    let paid = world.paid().await;
    // a supplier without a history, too
    assert_eq!(world.compared().await.found, 0);
    let (one, other) = (world.place().await, world.place().await);
    world.moves(-COST);
    assert_eq!(world.compared().await.found, 0, "one of two is charged by now");
    world.moves(-COST);
    assert_eq!(world.compared().await.found, 0);
    world.supplier().plan([Buy::Silence]);
    let unclear = world.place_one().await;
    world.moves(-COST);
    assert_eq!(world.compared().await.found, 0, "nobody knows whether it was bought");
    world.moves(COST);
    for order in [&one, &other] {
        world.cancel(order.id).await.unwrap();
        world.moves(COST);
    }
    world.clock.step(300, 1_000).await;
    assert_eq!(world.compared().await.found, 0);
    world.clock.step(25 * 60, 60_000).await;
    assert_eq!(world.compared().await.found, 0, "the watch over it has ended");

    world.moves(-40_000);
    assert_eq!(world.compared().await.found, 1);
    assert_eq!(world.waiting().await, [(What::Balance, Some(40_000))]);
    assert_eq!(world.differences().await[0].activation, None);
    assert_eq!(world.compared().await.found, 0, "once");
    world.settle_all(Settlement::Booked).await;
    world.assert_supplier("alpha", COST, 40_000).await;
    assert_eq!(world.compared().await.found, 0);
    // topped up
    world.moves(5_000_000);
    assert_eq!(world.compared().await.found, 1);
    assert_eq!(world.waiting().await, [(What::Balance, Some(-5_000_000))]);
    world.settle_all(Settlement::Noted).await;
    assert_eq!(world.compared().await.found, 0);
    world.assert_supplier("alpha", COST, 40_000).await;
    world.assert_postings(unclear, &[Hold, Release]).await;
    world.assert_customer(&[&paid], &[&one, &other]).await;
    world.stop().await;
}

/// Once a day, whatever the hour; and at once after a time away.
#[tokio::test]
async fn each_supplier_is_compared_once_a_day() {
    let world = world().await;
    let read = |world: &World| {
        let mut read = 0;
        world.supplier().script(|script| read = script.histories);
        read
    };
    let order = world.cancelled().await;
    world.clock.step(5, 60_000).await;
    assert_eq!(read(&world), 0, "a fresh store has nothing to compare");
    world.clock.step(24 * 60, 60_000).await;
    assert_eq!(read(&world), 1);
    world.clock.step(23 * 60, 60_000).await;
    assert_eq!(read(&world), 1);
    let world = world.reborn(3 * 3_600, Settings::default()).await;
    world.clock.step(3, 60_000).await;
    assert_eq!(read(&world), 2, "it was due while the process was away");
    world.clock.step(20, 60_000).await;
    assert_eq!(read(&world), 2);
    // one that fails is tried again in an hour
    world.supplier().script(|script| script.history_fails = true);
    world.clock.step(24 * 60, 60_000).await;
    assert_eq!(read(&world), 3);
    world.supplier().script(|script| script.history_fails = false);
    world.clock.step(65, 60_000).await;
    assert_eq!(read(&world), 4);
    assert_eq!(world.platform.reconcile("nobody").await.unwrap_err().code(), "unknown_supplier");
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

/// What cannot be read decides nothing.
#[tokio::test]
async fn a_history_that_cannot_be_read_finds_nothing() {
    let world = world().await;
    let cancelled = world.cancelled().await;
    world.compared().await;
    world.says(&world.activation_of(&cancelled), Charge::Kept(Some(usd(COST))));
    world.supplier().script(|script| script.history_fails = true);
    assert_eq!(world.platform.reconcile("alpha").await.unwrap_err().code(), "supplier_unusable");
    assert!(world.waiting().await.is_empty());
    world.assert_customer(&[], &[&cancelled]).await;
    world.stop().await;
}

/// A supplier that has no history is compared by its balance.
#[tokio::test]
async fn u20_without_a_history_the_balance_tells() {
    let clock = TestClock::new();
    let supplier = TestSupplier::timed("alpha", &clock, 0, 60);
    supplier.script(|script| script.no_history = true);
    let (store, keyring) = (Arc::new(MemoryStore::new()), Arc::new(MemoryKeyring::new()));
    let world = World::on(store, keyring, clock, vec![supplier], Settings::default(), None).await;
    let cancelled = world.cancelled().await;
    assert_eq!(world.compared().await.listed, None);
    world.moves(-COST);
    assert_eq!(world.compared().await.found, 0, "it was bought in this minute, and may be charged by now");
    world.clock.step(2, 60_000).await;
    assert_eq!(world.compared().await.found, 1);
    assert_eq!(world.waiting().await, [(What::Balance, Some(COST))]);
    world.assert_customer(&[], &[&cancelled]).await;
    world.assert_postings(cancelled.id, &[Hold, Release]).await;
    world.stop().await;
}

/// Two nodes and two operators at the same instant: each difference is one, booked once.
#[tokio::test]
async fn u20_twins_at_the_same_instant_book_once() {
    for seed in 0..10 {
        let clock = TestClock::new();
        let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, 60)];
        let store = SlowStore::new(Arc::new(MemoryStore::new()), seed);
        store.shared.store(true, Ordering::Relaxed);
        let keyring = Arc::new(MemoryKeyring::new());
        let world = World::on(store, keyring, clock, suppliers, Settings::default(), None).await;
        let cancelled = world.cancelled().await;
        world.compared().await;
        world.says(&world.activation_of(&cancelled), Charge::Kept(Some(usd(COST))));
        world.moves(-COST);
        let (one, other) = tokio::join!(world.compared(), world.compared());
        assert!((1..=2).contains(&(one.found + other.found)), "seed {seed}: {one:?} {other:?}");
        let [found] = &world.differences().await[..] else { panic!("seed {seed}: {:?}", world.waiting().await) };
        let book = || world.platform.settle_difference(&found.case, Settlement::Booked, "anna", "kept");
        let (one, other) = tokio::join!(book(), book());
        assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1, "seed {seed}: {one:?} {other:?}");
        world.assert_supplier("alpha", 0, COST).await;
        assert_eq!(world.compared().await.found, 0, "seed {seed}");
        world.assert_customer(&[], &[&cancelled]).await;
        world.assert_postings(cancelled.id, &[Hold, Release]).await;
        world.stop().await;
    }
}

/// A settled difference is forgotten once the history does not have it any more; the purchases themselves are kept.
#[tokio::test]
async fn settled_differences_are_forgotten_after_the_days_compared() {
    let world = world().await;
    let cancelled = world.cancelled().await;
    world.compared().await;
    world.says(&world.activation_of(&cancelled), Charge::Kept(Some(usd(COST))));
    world.moves(-COST);
    world.compared().await;
    world.settle_all(Settlement::Noted).await;
    let kept = async |kind| world.store.scan(&Index::Kind(kind), &Range::all(), None, 10).await.unwrap().rows.len();
    world.clock.step(3 * 24 + 12, 3_600_000).await;
    assert_eq!(kept(smscode_core::reconciliation::record::DIFFERENCE).await, 1);
    world.clock.step(37, 3_600_000).await;
    assert_eq!(kept(smscode_core::reconciliation::record::DIFFERENCE).await, 0);
    assert_eq!(kept(SUPPLY).await, 1);
    assert_eq!(world.compared().await.found, 0, "the balance remembers what was noted");
    assert!(world.waiting().await.is_empty());
    world.assert_customer(&[], &[&cancelled]).await;
    world.stop().await;
}

/// Nothing at the supplier's side of a difference says when an order was, nor whose.
#[tokio::test]
async fn differences_carry_minutes_and_no_owner() {
    let world = world().await;
    let cancelled = world.cancelled().await;
    world.compared().await;
    world.says(&world.activation_of(&cancelled), Charge::Kept(Some(usd(COST))));
    world.clock.advance(7).await;
    world.compared().await;
    let page = world.store.scan(&Index::Kind(SUPPLY), &Range::all(), None, 10).await.unwrap();
    let difference = smscode_core::reconciliation::record::DIFFERENCE;
    let found = world.store.scan(&Index::Kind(difference), &Range::all(), None, 10).await.unwrap();
    for row in page.rows.into_iter().chain(found.rows) {
        let Row::Record { key, record, .. } = row else { panic!("a record") };
        assert!(key.owner.is_none());
        if key.kind == SUPPLY {
            let record: SupplyRecord = serde_json::from_slice(record.body.as_bytes()).unwrap();
            assert_eq!(record.created_at.seconds() % 60, 0);
            continue;
        }
        let body: serde_json::Value = serde_json::from_slice(record.body.as_bytes()).unwrap();
        assert_eq!(body["since"].as_i64().unwrap() % 60_000_000, 0);
        assert!(body.get("order").is_none() && body.get("account").is_none(), "{body}");
    }
    assert_eq!(world.waiting().await, [(What::KeptThere, Some(COST))]);
    world.assert_customer(&[], &[&cancelled]).await;
    world.stop().await;
}
