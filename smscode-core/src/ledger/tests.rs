//! The rules of adjustments and of re-adding as tables of values.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::adjust::{actors, check};
use super::readd::{Readd, Said};
use super::wind_down::check_operator;
use super::{Adjust, AdjustError};
use crate::account::AccountId;
use crate::money::{Currency, Money};
use crate::order::OrderId;
use crate::order::decide::State;
use crate::store::limits::AMOUNT_MAX;
use crate::store::{Bucket, Head, House, Place, StatementEntry, Transfer, TransferId, TransferKind};
use crate::time::Timestamp;

const ACCOUNT: AccountId = AccountId::from_bytes([0xa1; 16]);

fn adjust(minor: i64) -> Adjust {
    Adjust {
        account: ACCOUNT,
        amount: Money::new(minor, Currency::Idr),
        reason: "goodwill".into(),
        actor: "anna".into(),
        second: None,
        reference: "t-1".into(),
    }
}

#[test]
fn which_adjustments_make_sense() {
    let with = |change: fn(&mut Adjust)| {
        let mut wanted = adjust(100);
        change(&mut wanted);
        wanted
    };
    let cases: [(Adjust, Option<&str>); 18] = [
        (adjust(100), None),
        (adjust(-100), None),
        (adjust(0), Some("amount")),
        (adjust(i64::MIN), Some("amount")),
        (with(|a| (a.amount.minor, a.second) = (AMOUNT_MAX, Some("ben".into()))), None),
        (with(|a| (a.amount.minor, a.second) = (AMOUNT_MAX + 1, Some("ben".into()))), Some("amount")),
        (with(|a| a.amount.currency = Currency::Usd), Some("amount")),
        (with(|a| a.reason = "   ".into()), Some("text")),
        (with(|a| a.reason = "x".repeat(201)), Some("text")),
        (with(|a| a.reason = "two\nlines".into()), Some("text")),
        (with(|a| a.reference = String::new()), Some("text")),
        (with(|a| a.reference = "x".repeat(101)), Some("text")),
        (with(|a| a.actor = String::new()), Some("actor")),
        (with(|a| a.actor = "anna smith".into()), Some("actor")),
        (with(|a| a.second = Some("x".repeat(65))), Some("actor")),
        (with(|a| a.second = Some("Anna".into())), Some("second_actor")),
        (adjust(1_001), Some("second_actor")),
        (adjust(-1_001), Some("second_actor")),
    ];
    for (wanted, refused) in cases {
        let found = check(&wanted, Currency::Idr, 1_000);
        assert_eq!(found.as_ref().err().map(AdjustError::code), refused, "{wanted:?}");
    }
    assert_eq!(actors(&adjust(1)), "operator:anna");
    assert_eq!(actors(&Adjust { second: Some("ben".into()), ..adjust(1) }), "operator:anna+operator:ben");
}

#[test]
fn who_may_be_named_and_why() {
    let cases = [
        ("anna", "why", None),
        ("", "why", Some("actor")),
        ("a b", "why", Some("actor")),
        ("anna", "", Some("reason")),
    ];
    for (actor, reason, refused) in cases {
        assert_eq!(check_operator(actor, reason).err().map(|e| e.code()), refused, "{actor} {reason}");
    }
}

/// Books in the making: transfers with the entries that an honest store gives them.
/// The rule that is broken, the books that break it, the orders as they are, those that are open.
type Broken = (&'static str, Books, &'static [(u32, State)], &'static [u32]);

/// What is done to books behind their back.
type Spoil = fn(&mut Books);

#[derive(Default)]
struct Books {
    head: Head,
    transfers: Vec<Transfer>,
}

impl Books {
    fn post(&mut self, kind: TransferKind, subject: &str, amount: i64) -> &mut Self {
        let customer = |bucket| Place::Customer(ACCOUNT.0, bucket);
        let (debit, credit) = match kind {
            TransferKind::Hold => (customer(Bucket::Available), customer(Bucket::Held)),
            TransferKind::Capture => (customer(Bucket::Held), Place::House(House::revenue())),
            TransferKind::Release => (customer(Bucket::Held), customer(Bucket::Available)),
            TransferKind::Deposit => (Place::House(House::clearing("host")), customer(Bucket::Available)),
            TransferKind::Forfeit => (customer(Bucket::Available), Place::House(House::forfeits())),
            TransferKind::Reverse => (customer(Bucket::Available), Place::House(House::clearing("host"))),
            TransferKind::Adjust => (Place::House(House::adjustments()), customer(Bucket::Available)),
            TransferKind::Cost => (Place::House(House::float("alpha")), Place::House(House::cost("alpha"))),
        };
        for (place, by) in [(&debit, -amount), (&credit, amount)] {
            if let Place::Customer(_, bucket) = place {
                *self.head.bucket_mut(*bucket) += by;
            }
        }
        self.head.currency = Some(Currency::Idr);
        self.head.last_transfer += 1;
        let Head { available, held, debt, last_transfer, .. } = self.head;
        self.transfers.push(Transfer {
            id: TransferId(last_transfer.to_be_bytes().to_vec()),
            kind,
            subject: subject.into(),
            reason: "any".into(),
            actor: "any".into(),
            debit,
            credit,
            currency: Currency::Idr,
            amount,
            rest: None,
            time: Timestamp::EPOCH,
            entry: Some(StatementEntry { owner: ACCOUNT.0, number: last_transfer, available, held, debt }),
        });
        self
    }

    /// The rules that these books break.
    fn broken(&self, orders: &[(u32, State)], open: &[u32]) -> Vec<&'static str> {
        let mut readd = Readd::default();
        for (id, state) in orders {
            readd.order(OrderId(*id), Said { state: *state, price: 100 });
        }
        for transfer in &self.transfers {
            readd.transfer(transfer);
        }
        let open: BTreeMap<u32, i64> = open.iter().map(|id| (*id, 100)).collect();
        readd.end(self.head, &open);
        let mut rules: Vec<_> = readd.findings.iter().map(|finding| finding.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }
}

fn books() -> Books {
    let mut books = Books::default();
    books.post(TransferKind::Deposit, "deposit:1", 1_000);
    books
}

#[test]
fn honest_books_break_no_rule() {
    use TransferKind::{Adjust, Capture, Forfeit, Hold, Release, Reverse};
    let mut honest = books();
    honest.post(Hold, "order:1", 100).post(Hold, "order:2", 100).post(Capture, "order:1", 100);
    honest.post(Hold, "order:3", 100).post(Release, "order:2", 100).post(Adjust, "adjust:t", 5);
    honest.post(Release, "order:3", 100).post(Forfeit, "order:3", 100).post(Reverse, "deposit:1", 10);
    honest.post(Hold, "order:4", 100);
    let orders = [(1, State::Completed), (2, State::Rejected), (3, State::Expired), (4, State::Active)];
    assert_eq!(honest.broken(&orders, &[4]), [""; 0]);
    // one that was open when it was read and has ended since
    honest.post(Capture, "order:4", 100);
    assert_eq!(honest.broken(&orders, &[]), [""; 0]);
    // one that was placed since, open or ended
    honest.post(Hold, "order:5", 100);
    assert_eq!(honest.broken(&orders, &[5]), [""; 0]);
    honest.post(Release, "order:5", 100);
    assert_eq!(honest.broken(&orders, &[]), [""; 0]);
    assert_eq!(Books::default().broken(&[], &[]), [""; 0]);
}

#[test]
fn every_way_to_break_them_is_named() {
    use TransferKind::{Adjust, Capture, Forfeit, Hold, Release};
    let held = |n: i64| {
        let mut books = books();
        books.post(Hold, "order:1", n);
        books
    };
    let active: &[(u32, State)] = &[(1, State::Active)];
    let completed: &[(u32, State)] = &[(1, State::Completed)];
    let cancelled: &[(u32, State)] = &[(1, State::Cancelled)];
    let mut cases: Vec<Broken> = Vec::new();
    let mut case = |rule, mut books: Books, more: &[(TransferKind, i64)], orders, open| {
        for (kind, amount) in more {
            books.post(*kind, "order:1", *amount);
        }
        cases.push((rule, books, orders, open));
    };
    case("held_twice", held(100), &[(Hold, 100)], active, &[1]);
    case("hold_is_the_price", held(90), &[], active, &[1]);
    case("closed_without_a_hold", books(), &[(Adjust, 1), (Release, 0)], cancelled, &[]);
    case("closed_as_held", held(100), &[(Capture, 90)], completed, &[]);
    case("closed_twice", held(100), &[(Release, 100), (Release, 0)], cancelled, &[]);
    case("closed_as_the_order_says", held(100), &[(Release, 100)], completed, &[]);
    case("closed_as_the_order_says", held(100), &[(Capture, 100)], cancelled, &[]);
    case("forfeited_as_released", held(100), &[(Capture, 100), (Forfeit, 100)], completed, &[]);
    case("forfeited_as_released", held(100), &[(Release, 100), (Forfeit, 100), (Forfeit, 100)], cancelled, &[]);
    case("forfeited_as_released", held(100), &[(Release, 100), (Forfeit, 99)], cancelled, &[]);
    case("kind_of_an_order", held(100), &[(Adjust, 1)], active, &[1]);
    case("an_order_has_a_hold", books(), &[], active, &[1]);
    case("a_hold_belongs_to_an_open_order", held(100), &[], active, &[]);
    case("an_open_order_holds", held(100), &[(Release, 100)], active, &[1]);
    case("an_ended_order_is_closed", held(100), &[], completed, &[1]);
    case("held_is_what_open_orders_hold", held(100), &[], active, &[1, 2]);
    for (rule, books, orders, open) in cases {
        let broken = books.broken(orders, open);
        assert!(broken.contains(&rule), "{rule}: {broken:?}");
    }
}

#[test]
fn what_a_store_tells_wrongly_is_found() {
    let cases: [(&str, Spoil); 8] = [
        ("available_after", |b| b.transfers[0].amount -= 1),
        ("held_after", |b| b.transfers[1].entry.as_mut().unwrap().held += 1),
        ("debt_after", |b| b.transfers[1].entry.as_mut().unwrap().debt -= 1),
        ("number", |b| drop(b.transfers.remove(0))),
        ("not_on_the_account", |b| b.transfers[0].entry = None),
        ("head_available", |b| b.head.available += 1),
        ("head_held", |b| b.head.held += 1),
        ("head_number", |b| b.head.last_transfer += 1),
    ];
    for (rule, change) in cases {
        let mut books = books();
        books.post(TransferKind::Hold, "order:1", 100);
        change(&mut books);
        let broken = books.broken(&[(1, State::Active)], &[1]);
        assert!(broken.contains(&rule), "{rule}: {broken:?}");
    }
    let mut books = books();
    books.post(TransferKind::Hold, "order:1", 100);
    books.transfers[1].debit = Place::House(House::revenue());
    assert!(books.broken(&[(1, State::Active)], &[1]).contains(&"places_of_its_kind"));
    books.transfers[1].currency = Currency::Usd;
    assert!(books.broken(&[(1, State::Active)], &[1]).contains(&"currency"));
}
