//! O5: books that do not add up are found, stop new orders of their account alone, and are found to be right again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use smscode_core::Settings;
use smscode_core::account::AccountId;
use smscode_core::money::{Currency, Money};
use smscode_core::order::{OrderError, PlaceOrders};
use smscode_core::port::{Keyring, MemoryKeyring};
use smscode_core::store::TransferKind::{self, Capture, Hold, Release};
use smscode_core::store::{
    Amount, Bucket, ChangeSet, Cursor, Entry, House, Index, LoadKey, MemoryStore, OperationId, Owner, Page, Place,
    Post, Range, Receipt, Row, Snapshot, Store, StoreError, StoreInfo, Totals, TransferId,
};

use crate::races::wait;
use crate::support::{Buy, MONEY, PRICE, TestClock, TestSupplier, World, books};

/// Writes a transfer behind the engine's back.
async fn forge(world: &World, id: &str, kind: TransferKind, subject: &str, debit: Place, credit: Place, amount: i64) {
    let post = Post {
        id: TransferId(id.as_bytes().to_vec()),
        kind,
        subject: subject.to_owned(),
        reason: "forged".into(),
        actor: "nobody".into(),
        debit,
        credit,
        currency: Currency::Idr,
        amount: Amount::Exact(amount),
    };
    let mut operation = [9; 16];
    operation[..id.len().min(16)].copy_from_slice(&id.as_bytes()[..id.len().min(16)]);
    let mut change_set = ChangeSet::new(OperationId(operation), world.platform.now());
    change_set.push(Entry::Post(post));
    world.store.commit(Arc::new(change_set.seal(smscode_core::store::Body::empty()))).await.unwrap();
}

fn customer(world: &World, bucket: Bucket) -> Place {
    Place::Customer(Owner(world.account.bytes()), bucket)
}

/// The rules that an audit of the account names, each once.
async fn rules(world: &World) -> Vec<&'static str> {
    let audit = world.platform.audit_account(world.account).await.unwrap().unwrap();
    let mut rules: Vec<_> = audit.findings.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Every way an order can go leaves books that add up.
#[tokio::test]
async fn o5_honest_books_have_no_finding() {
    let world = World::timed(0, 60, Settings::default()).await;
    world.supplier().plan([Buy::Sell, Buy::Sell, Buy::SellSilently, Buy::Silence, Buy::NotSent, Buy::Sell]);
    let paid = world.place().await;
    let cancelled = world.place().await;
    for _ in 0..3 {
        let _any = world.place_orders(World::whatsapp()).await;
    }
    let open = world.place().await;
    world.supplier().deliver(paid.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    world.cancel(cancelled.id).await.unwrap();
    assert_eq!(rules(&world).await, [""; 0]);
    let audit = world.platform.audit_account(world.account).await.unwrap().unwrap();
    assert!(audit.transfers >= 9 && !audit.is_partial, "{audit:?}");
    world.clock.step(1_500, 1_000).await;
    let summary = world.platform.audit().await.unwrap();
    assert_eq!((summary.accounts, summary.wrong, summary.busy, summary.totals_are_zero), (1, 0, 0, true));
    assert!(world.platform.exceptions(None, 10).await.unwrap().rows.is_empty());
    world.platform.delete_account(world.account).await.unwrap();
    world.clock.advance(6).await;
    assert_eq!(rules(&world).await, [""; 0], "a deleted account is in the books for good");
    world.assert_postings(open.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn o5_a_mismatch_stops_new_orders_of_that_account_alone() {
    let world = World::timed(0, 1_200, Settings::default()).await;
    let (platform, account) = (&world.platform, world.account);
    let order = world.place().await;
    let other = platform.open_account().await.unwrap();
    platform.deposit(other, Money::new(MONEY, Currency::Idr), "other").await.unwrap();
    // somebody takes the held money without the order having had an SMS
    let (held, revenue) = (customer(&world, Bucket::Held), Place::House(House::revenue()));
    let subject = format!("order:{}", order.id.0);
    forge(&world, "forged/1", Capture, &subject, held, revenue, PRICE).await;
    let summary = platform.audit().await.unwrap();
    assert_eq!((summary.accounts, summary.wrong), (2, 1));
    let rules = rules(&world).await;
    assert!(rules.contains(&"an_open_order_holds") && rules.contains(&"held_is_what_open_orders_hold"), "{rules:?}");

    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err(), OrderError::AccountFrozen);
    assert!(platform.place_orders(other, World::whatsapp()).await.is_ok(), "of that account only");
    // money comes in and is read as ever
    assert!(platform.deposit(account, Money::new(1, Currency::Idr), "more").await.unwrap());
    assert!(platform.balance(account).await.is_ok());

    let queue = platform.exceptions(None, 10).await.unwrap().rows;
    let [row] = &queue[..] else { panic!("{queue:?}") };
    assert!(row.findings.iter().any(|finding| finding.order == Some(order.id)), "{row:?}");
    let text = format!("{queue:?}");
    let id: String = account.bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert!(!text.contains(&id), "no account in a queue");
    let dump = platform.audit_case(&row.case).await.unwrap().unwrap();
    assert!(!dump.findings.is_empty());

    // seen again it is one case
    platform.audit().await.unwrap();
    assert_eq!(platform.exceptions(None, 10).await.unwrap().rows.len(), 1);
    // an operator takes the responsibility
    assert_eq!(platform.lift_freeze("none", "anna", "seen").await.unwrap_err().code(), "not_found");
    platform.lift_freeze(&row.case, "anna", "seen").await.unwrap();
    assert!(platform.exceptions(None, 10).await.unwrap().rows.is_empty());
    world.place().await;
    let log = platform.audit_log(None, 10).await.unwrap();
    assert_eq!((log[0].action.as_str(), log[0].subject.as_deref()), ("freeze_lifted", Some(row.case.as_str())));
    // the next audit judges afresh
    platform.audit().await.unwrap();
    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err(), OrderError::AccountFrozen);
    books::assert_postings(&world, &subject, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn o5_each_sort_of_mismatch_is_found() {
    let (held, available) = (Bucket::Held, Bucket::Available);
    let revenue = || Place::House(House::revenue());
    for n in 0..5 {
        let world = World::timed(0, 1_200, Settings::default()).await;
        let order = world.place().await;
        let subject = format!("order:{}", order.id.0);
        let expected = match n {
            // a hold of no order
            0 => {
                let (from, to) = (customer(&world, available), customer(&world, held));
                forge(&world, "hold/77", Hold, "order:77", from, to, 500).await;
                "a_hold_belongs_to_an_open_order"
            }
            // a release without its order
            1 => {
                let (from, to) = (customer(&world, held), customer(&world, available));
                forge(&world, "forged", Release, &subject, from, to, 100).await;
                "closed_as_held"
            }
            // closed twice
            2 => {
                world.cancel(order.id).await.unwrap();
                let second = world.place().await;
                let (from, to) = (customer(&world, held), customer(&world, available));
                forge(&world, "forged", Release, &subject, from, to, PRICE).await;
                assert_ne!(second.id, order.id);
                "closed_twice"
            }
            // money out of nowhere
            3 => {
                forge(&world, "forged", Hold, "order:78", revenue(), customer(&world, available), 100).await;
                "places_of_its_kind"
            }
            // released, although its SMS was delivered
            _ => {
                world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
                world.clock.advance(4).await;
                world.finish(order.id).await.unwrap();
                let (from, to) = (customer(&world, available), Place::House(House::forfeits()));
                forge(&world, "forged", TransferKind::Forfeit, &subject, from, to, PRICE).await;
                "forfeited_as_released"
            }
        };
        let rules = rules(&world).await;
        assert!(rules.contains(&expected), "{expected}: {rules:?}");
        assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err(), OrderError::AccountFrozen);
        // whatever was forged, the sum is zero all the same
        books::assert_postings(&world, "deposit:first", &[TransferKind::Deposit]).await;
        world.stop().await;
    }
}

/// A store that tells another amount of one transfer than was written, while that is on.
struct Liar {
    inner: MemoryStore,
    lies: AtomicBool,
    sums: AtomicBool,
}

#[async_trait]
impl Store for Liar {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        self.inner.describe().await
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        self.inner.load(keys).await
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        self.inner.commit(change_set).await
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let mut page = self.inner.scan(index, range, after, limit).await?;
        for row in &mut page.rows {
            if let Row::Transfer(transfer) = row
                && transfer.kind == TransferKind::Deposit
                && self.lies.load(Ordering::Relaxed)
            {
                transfer.amount -= 1;
            }
        }
        Ok(page)
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        let mut totals = self.inner.totals().await?;
        for line in totals.currencies.values_mut() {
            line.available += i128::from(self.sums.load(Ordering::Relaxed));
        }
        Ok(totals)
    }
}

#[tokio::test]
async fn o5_the_nightly_job_finds_it_and_takes_it_back() {
    let store =
        Arc::new(Liar { inner: MemoryStore::new(), lies: AtomicBool::new(false), sums: AtomicBool::new(false) });
    let clock = TestClock::new();
    let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, 1_200)];
    let keyring: Arc<dyn Keyring> = Arc::new(MemoryKeyring::new());
    let settings = Settings { audit_every_ms: 3_600_000, ..Settings::default() };
    let world = World::on(store.clone(), keyring, clock, suppliers, settings, None).await;
    let (platform, account): (_, AccountId) = (&world.platform, world.account);
    let order = world.place().await;
    world.clock.step(90, 1_000).await;
    store.lies.store(true, Ordering::Relaxed);
    // not yet: it is daily, here hourly
    world.clock.step(60, 1_000).await;
    assert!(platform.place_orders(account, World::whatsapp()).await.is_ok());
    world.clock.step(3_700, 1_000).await;
    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err(), OrderError::AccountFrozen);
    let row = platform.exceptions(None, 10).await.unwrap().rows.remove(0);
    assert!(row.findings.iter().any(|finding| finding.rule == "available_after"), "{row:?}");
    store.lies.store(false, Ordering::Relaxed);
    world.clock.step(3_700, 1_000).await;
    assert!(platform.exceptions(None, 10).await.unwrap().rows.is_empty());
    assert!(world.place_orders(World::whatsapp()).await.is_ok(), "a clean audit lifts it");

    // sums that are not zero are nobody's in particular
    store.sums.store(true, Ordering::Relaxed);
    assert!(!platform.audit().await.unwrap().totals_are_zero);
    let row = platform.exceptions(None, 10).await.unwrap().rows.remove(0);
    assert_eq!(row.findings[0].rule, "all_accounts_are_zero_together");
    assert!(platform.audit_case(&row.case).await.unwrap().is_none());
    assert!(world.place_orders(World::whatsapp()).await.is_ok());
    store.sums.store(false, Ordering::Relaxed);
    assert!(platform.audit().await.unwrap().totals_are_zero);
    assert!(platform.exceptions(None, 10).await.unwrap().rows.is_empty());
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

/// Audits that go on while orders are placed, paid, cancelled and expire find nothing.
#[tokio::test]
async fn o5_an_audit_beside_everything_finds_nothing() {
    let mut audited = 0;
    for seed in 0..25 {
        let world = World::hurried(seed).await;
        let works = async {
            for n in 0..6 {
                let placed = world.place_orders(PlaceOrders { quantity: 3, ..World::whatsapp() }).await.unwrap();
                wait(seed % 7).await;
                if let Some(sold) = world.supplier().sold().last() {
                    world.supplier().deliver(&sold.phone, None, "Your code is 415127");
                }
                let _ = world.cancel(placed.items[n % 3].order).await;
                world.clock.step(8, 500).await;
            }
        };
        let audits = async {
            let mut done = 0;
            for _ in 0..40 {
                wait(3).await;
                if let Some(audit) = world.platform.audit_account(world.account).await.unwrap() {
                    assert_eq!(audit.findings, [], "seed {seed}");
                    done += 1;
                }
            }
            done
        };
        let ((), done) = tokio::join!(works, audits);
        audited += done;
        world.clock.advance(60).await;
        assert_eq!(rules(&world).await, [""; 0]);
        world.assert_balanced().await;
        books::assert_postings(&world, "deposit:first", &[TransferKind::Deposit]).await;
        world.stop().await;
    }
    assert!(audited > 50, "{audited} audits came to an end");
}
