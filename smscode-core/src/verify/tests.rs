#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
//! Books with one thing wrong each.

use async_trait::async_trait;

use super::*;
use crate::account::AccountId;
use crate::account::record::{AccountRecord, account_key};
use crate::money::Currency;
use crate::order::OrderId;
use crate::order::decide::State;
use crate::order::record::{EventRecord, OPEN_ORDERS, OrderRecord, order_key};
use crate::store::copy::Part;
use crate::store::{
    Body, Bucket, CounterKey, CurrencyTotals, Event, Head, House, Kind, Place, Record, StatementEntry, Term, Totals,
    Transfer, TransferId, TransferKind,
};
use crate::time::Timestamp;

const ACCOUNT_ID: AccountId = AccountId(Owner([7; 16]));
const NOON: Timestamp = Timestamp::from_seconds(1_780_000_000);
const PRICE: i64 = 300;

/// The rows of a store that was never one.
#[derive(Clone)]
struct Rows {
    rows: Vec<StoredRow>,
    totals: Totals,
}

#[async_trait]
impl Export for Rows {
    fn totals(&self) -> &Totals {
        &self.totals
    }

    /// One row at a time.
    async fn part(&mut self, section: Section, after: Option<&[u8]>) -> Result<Part, StoreError> {
        let behind =
            |row: &&StoredRow| row.table() == section.table() && after.is_none_or(|after| row.key().as_slice() > after);
        let row = self.rows.iter().filter(behind).min_by_key(|row| row.key()).cloned();
        Ok(Part { next: row.as_ref().map(StoredRow::key), rows: row.into_iter().collect() })
    }
}

fn order(id: u32, state: State, sequence: u64) -> OrderRecord {
    let ended = state.is_terminal().then_some(NOON);
    OrderRecord {
        v: 1,
        state,
        created_at: NOON,
        product: 1,
        umbrella: 1,
        country: 6,
        service: "wa".into(),
        price_minor: PRICE,
        currency: Currency::Idr,
        supplier: "alpha".into(),
        routed: true,
        due_at: if ended.is_some() { None } else { Some(NOON.plus_seconds(i64::from(id))) },
        ended_at: ended,
        sequence,
        ..serde_json::from_str(BARE).unwrap()
    }
}

/// What an order's record needs at least.
const BARE: &str = r#"{"v":1,"state":"active","created_at":0,"product":1,"umbrella":1,"country":6,"service":"wa",
"price_minor":1,"currency":"IDR","supplier":"a","routed":true,"revision":0,"sequence":0,"steps":[]}"#;

impl Rows {
    fn put<T: serde::Serialize>(&mut self, key: crate::store::Key, record: &T, terms: Vec<Term>) {
        let record = Record { version: 1, body: Body::write(record).unwrap(), terms };
        self.rows.push(StoredRow::Record(key, record));
    }

    fn order(&mut self, id: u32, state: State, events: u64) {
        let record = order(id, state, events);
        let terms = record.terms(ACCOUNT_ID, OrderId(id));
        self.put(order_key(ACCOUNT_ID, OrderId(id)), &record, terms);
    }

    fn row(&mut self, what: impl Fn(&StoredRow) -> bool) -> &mut StoredRow {
        self.rows.iter_mut().find(|row| what(row)).unwrap()
    }

    fn transfer(&mut self, number: u64) -> &mut Transfer {
        let is = |row: &StoredRow| matches!(row, StoredRow::Transfer(t) if t.entry.is_some_and(|entry| entry.number == number));
        let StoredRow::Transfer(transfer) = self.row(is) else { panic!("no transfer") };
        transfer
    }

    fn head(&mut self) -> &mut Head {
        let StoredRow::Head(_, head) = self.row(|row| matches!(row, StoredRow::Head(..))) else { panic!("no head") };
        head
    }

    fn line(&mut self) -> &mut CurrencyTotals {
        self.totals.currencies.get_mut(&Currency::Idr).unwrap()
    }

    /// Replaces what stands in an order.
    fn reorder(&mut self, id: u32, change: impl Fn(&mut OrderRecord)) {
        let key = order_key(ACCOUNT_ID, OrderId(id));
        let StoredRow::Record(_, record) = self.row(|row| matches!(row, StoredRow::Record(k, _) if *k == key)) else {
            panic!("no record")
        };
        let mut read: OrderRecord = record.body.read().unwrap();
        change(&mut read);
        record.body = Body::write(&read).unwrap();
        record.terms = read.terms(ACCOUNT_ID, OrderId(id));
    }
}

/// A deposit of 1,000; an order that was paid, one that was released, one that is open.
fn books() -> Rows {
    use TransferKind::{Capture, Deposit, Hold, Release};
    let mut rows = Rows { rows: Vec::new(), totals: Totals::default() };
    let owner = ACCOUNT_ID.0;
    rows.put(account_key(ACCOUNT_ID), &AccountRecord::opened(NOON), vec![]);
    for (id, state) in [(1, State::Completed), (2, State::Expired), (3, State::Active)] {
        rows.order(id, state, 1);
        let body = Body::write(&EventRecord { v: 1, order: OrderId(id), sequence: 1, name: "order.placed".into() });
        rows.rows.push(StoredRow::Event(Event { owner, number: u64::from(id), body: body.unwrap(), time: NOON }));
    }
    let bucket = |bucket| Place::Customer(owner, bucket);
    let (available, held) = (bucket(Bucket::Available), bucket(Bucket::Held));
    let (revenue, host) = (Place::House(House::revenue()), Place::House(House::clearing("host")));
    let lines = [
        (Deposit, "deposit:a", &host, &available, 1_000, (1_000, 0)),
        (Hold, "order:1", &available, &held, PRICE, (700, 300)),
        (Capture, "order:1", &held, &revenue, PRICE, (700, 0)),
        (Hold, "order:2", &available, &held, PRICE, (400, 300)),
        (Release, "order:2", &held, &available, PRICE, (700, 0)),
        (Hold, "order:3", &available, &held, PRICE, (400, 300)),
    ];
    for (number, (kind, subject, debit, credit, amount, after)) in (1..).zip(lines) {
        let entry = StatementEntry { owner, number, available: after.0, held: after.1, debt: 0 };
        rows.rows.push(StoredRow::Transfer(Transfer {
            id: TransferId(format!("{number}").into()),
            kind,
            subject: subject.into(),
            reason: "why".into(),
            actor: "who".into(),
            debit: debit.clone(),
            credit: credit.clone(),
            currency: Currency::Idr,
            amount,
            rest: None,
            time: NOON,
            entry: Some(entry),
        }));
    }
    let head =
        Head { currency: Some(Currency::Idr), available: 400, held: 300, debt: 0, last_transfer: 6, last_event: 3 };
    rows.rows.push(StoredRow::Head(owner, head));
    rows.rows.push(StoredRow::Counter(CounterKey::of(owner, OPEN_ORDERS), 1));
    rows.totals.add_head(&head);
    let line = rows.line();
    line.house.insert(House::revenue(), 300);
    line.house.insert(House::clearing("host"), -1_000);
    (line.transfers, line.open_holds) = (6, 1);
    rows
}

async fn codes(mut rows: Rows) -> Vec<&'static str> {
    let report = verify(&mut rows).await.unwrap();
    for finding in &report.findings {
        assert!(!finding.to_string().contains("0707"), "an account is named: {finding}");
    }
    report.findings.into_iter().map(|finding| finding.code).collect()
}

#[tokio::test]
async fn books_that_fit_are_clean() {
    let report = verify(&mut books()).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    let counts = (report.accounts, report.orders, report.transfers, report.events, report.records);
    assert_eq!(counts, (1, 3, 6, 3, 4));
}

/// What is done to books that fit, and the findings that must come of it.
type Wrong = (&'static str, fn(&mut Rows), &'static [&'static str]);

const WRONG: &[Wrong] = &[
    ("a record that is no JSON", |rows| rows.put(crate::store::Key::free(Kind::of("host_x"), []), &1, vec![]), &[]),
    (
        "an account's record that is none",
        |rows| {
            let StoredRow::Record(_, record) = &mut rows.rows[0] else { panic!() };
            record.body = Body::from_stored(b"{\"v\":1}");
        },
        &["unreadable"],
    ),
    (
        "a record that is cut",
        |rows| {
            let StoredRow::Record(_, record) = &mut rows.rows[0] else { panic!() };
            record.body = Body::from_stored(b"{\"v\":1");
        },
        &["unreadable"],
    ),
    (
        "an order at another place",
        |rows| {
            let key = order_key(ACCOUNT_ID, OrderId(3));
            let row = rows.row(|row| matches!(row, StoredRow::Record(k, _) if *k == key));
            let StoredRow::Record(_, record) = row else { panic!() };
            record.terms.pop();
        },
        &["terms"],
    ),
    ("a deposit that grew", |rows| rows.transfer(1).amount = 1_001, &["available_after", "house"]),
    (
        "a line that is missing",
        |rows| rows.rows.retain(|row| !matches!(row, StoredRow::Transfer(t) if t.subject == "deposit:a")),
        &["number", "available_after", "transfers", "house"],
    ),
    (
        "an event that is missing",
        |rows| rows.rows.retain(|row| !matches!(row, StoredRow::Event(event) if event.number == 2)),
        &["event_number", "sequence"],
    ),
    ("another currency", |rows| rows.transfer(1).currency = Currency::Usd, &["currency", "house", "transfers"]),
    ("a head that was written over", |rows| rows.head().available = 401, &["head_available", "customers"]),
    (
        "nothing held for an open order",
        |rows| rows.reorder(2, |order| order.state = State::Active),
        &["an_open_order_holds", "held_is_what_open_orders_hold", "open_orders"],
    ),
    (
        "released and paid",
        |rows| rows.reorder(2, |order| order.state = State::Completed),
        &["closed_as_the_order_says"],
    ),
    (
        "closed but open",
        |rows| rows.reorder(3, |order| order.state = State::Expired),
        &["an_ended_order_is_closed", "held_is_what_open_orders_hold", "open_orders"],
    ),
    ("another price", |rows| rows.reorder(1, |order| order.price_minor = 299), &["hold_is_the_price"]),
    (
        "an order that is held twice",
        |rows| rows.transfer(4).subject = "order:1".into(),
        &["held_twice", "closed_without_a_hold"],
    ),
    (
        "a hold of no order",
        |rows| rows.transfer(6).subject = "order:9".into(),
        &["no_order", "an_order_has_a_hold", "a_hold_belongs_to_an_open_order"],
    ),
    (
        "a capture that goes elsewhere",
        |rows| rows.transfer(3).credit = Place::House(House::forfeits()),
        &["places_of_its_kind", "house"],
    ),
    ("an order with another number of events", |rows| rows.reorder(1, |order| order.sequence = 2), &["sequence"]),
    (
        "a counter that counts otherwise",
        |rows| rows.rows.retain(|row| !matches!(row, StoredRow::Counter(..))),
        &["open_orders"],
    ),
    ("money of nobody", |rows| drop(rows.rows.remove(0)), &["no_account"]),
    (
        "a house account that was written over",
        |rows| *rows.line().house.entry(House::revenue()).or_default() += 1,
        &["house", "not_zero"],
    ),
    ("a wrong count of transfers", |rows| rows.line().transfers = 7, &["transfers"]),
    ("a wrong count of open holds", |rows| rows.line().open_holds = 0, &["open_holds"]),
    ("customers' money that is not theirs", |rows| rows.line().available = 1, &["customers", "not_zero"]),
];

#[tokio::test]
async fn what_does_not_fit_is_found() {
    for (what, wrong, wanted) in WRONG {
        let mut rows = books();
        wrong(&mut rows);
        let found = codes(rows).await;
        for code in *wanted {
            assert!(found.contains(code), "{what}: {code} is not among {found:?}");
        }
        if wanted.is_empty() {
            assert!(found.is_empty(), "{what}: {found:?}");
        }
    }
}

#[tokio::test]
async fn findings_are_counted_beyond_those_that_are_kept() {
    let mut rows = books();
    for id in 100..1_100 {
        rows.order(id, State::Expired, 1);
    }
    let report = verify(&mut rows).await.unwrap();
    assert_eq!((report.findings.len(), report.found), (1_000, 3_000), "no hold, no closing, no event");
}
