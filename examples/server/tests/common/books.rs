//! Reads a store itself: every hold closed at most once, what is open is held, everything adds up to zero.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use smscode_core::money::Currency;
use smscode_core::store::{Cursor, House, Index, Kind, Range, Row, Store, TransferKind};

/// What the books say.
#[derive(Debug)]
pub struct Books {
    /// Holds by what they are for, such as `order:12`.
    pub holds: BTreeMap<String, i64>,
    /// Of these, the ones that were closed by a capture or a release.
    pub closed: BTreeSet<String>,
    /// Of these, the ones that were released.
    pub released: usize,
    /// The sum of all accounts.
    pub sum: i128,
}

/// Reads the books and checks what must be true of them whatever has happened. A deposit is `credit`, once per account.
pub async fn books(store: &dyn Store, credit: i64) -> Books {
    let totals = store.totals().await.unwrap();
    let line = &totals.currencies[&Currency::Idr];
    assert_eq!(line.sum(), 0, "the sum of all accounts");
    let mut books = Books { holds: BTreeMap::new(), closed: BTreeSet::new(), released: 0, sum: line.sum() };
    let (mut held, mut captured) = (0, 0);
    for row in all(store, &Index::Heads).await {
        let Row::Head(owner, head) = row else { panic!("a head") };
        held += head.held;
        for row in all(store, &Index::Transfers(owner)).await {
            let Row::Transfer(transfer) = row else { panic!("a transfer") };
            match transfer.kind {
                TransferKind::Hold => {
                    let before = books.holds.insert(transfer.subject, transfer.amount);
                    assert!(before.is_none(), "held twice");
                }
                TransferKind::Capture | TransferKind::Release => {
                    let released = transfer.kind == TransferKind::Release;
                    books.released += usize::from(released);
                    captured += if released { 0 } else { transfer.amount };
                    assert!(books.closed.insert(transfer.subject), "a hold was closed twice");
                }
                TransferKind::Deposit => assert_eq!(transfer.amount, credit, "credited once"),
                other => panic!("{other:?} was not expected"),
            }
        }
    }
    let orders = orders(store).await;
    assert!(books.closed.iter().all(|order| books.holds.contains_key(order)), "closed, but not held");
    assert!(books.holds.keys().all(|order| orders.contains(order)), "a hold without an order");
    let open: i64 = books.holds.iter().filter(|(order, _)| !books.closed.contains(*order)).map(|(_, n)| n).sum();
    assert_eq!(held, open, "what is held is what is open");
    assert_eq!(line.open_holds, books.open() as u64);
    assert_eq!(i128::from(captured), line.house(&House::revenue()), "revenue is what was captured");
    books
}

impl Books {
    pub fn open(&self) -> usize {
        self.holds.len() - self.closed.len()
    }
}

/// The steps of orders that are open, for whoever looks why.
pub async fn open_orders(store: &dyn Store) -> Vec<String> {
    let rows = all(store, &Index::Kind(Kind::of("order"))).await;
    let steps = rows.into_iter().filter_map(|row| {
        let Row::Record { record, .. } = row else { panic!("a record") };
        let order: Value = serde_json::from_slice(record.body.as_bytes()).unwrap();
        order["ended_at"].is_null().then(|| order["steps"].to_string())
    });
    steps.collect()
}

/// All orders there are, named as in transfers.
async fn orders(store: &dyn Store) -> BTreeSet<String> {
    let rows = all(store, &Index::Kind(Kind::of("order"))).await;
    let names = rows.into_iter().map(|row| {
        let Row::Record { key, .. } = row else { panic!("a record") };
        format!("order:{}", u32::from_be_bytes(key.id.try_into().unwrap()))
    });
    names.collect()
}

async fn all(store: &dyn Store, index: &Index) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = store.scan(index, &Range::all(), after.as_ref(), 1_000).await.unwrap();
        rows.extend(page.rows);
        match page.next {
            Some(next) => after = Some(next),
            None => return rows,
        }
    }
}
