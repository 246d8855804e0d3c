//! Every stored form as hex, a row a line. What is written must equal the file; what is in the file must read as it does.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use smscode_core::conformance::golden;
use smscode_core::money::Currency;
use smscode_core::store::ordered::Table;
use smscode_core::store::{
    Amount, Body, Bucket, ChangeSet, CounterKey, Entry, Expect, House, Index, Key, Kind, LoadKey, OperationId, Owner,
    Place, Post, Range, Store, Term, TransferId, TransferKind,
};
use smscode_core::time::Timestamp;

use super::disk::Disk;
use super::owner;
use crate::tables::{FORMAT, definition};
use crate::{RedbOptions, RedbStore};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn open(disk: &Disk) -> RedbStore {
    let options = RedbOptions::default();
    RedbStore::with_opener(disk.opener(&options), options).unwrap()
}

fn transfer(id: &str, kind: TransferKind, debit: Place, credit: Place, currency: Currency, amount: Amount) -> Entry {
    Entry::Post(Post {
        id: TransferId(id.into()),
        kind,
        subject: format!("order:{id}"),
        reason: "sms_received".into(),
        actor: "operator:anna".into(),
        debit,
        credit,
        currency,
        amount,
    })
}

fn record(kind: &'static str, owner: Owner, id: &[u8], version: u64, terms: &[(&'static str, &[u8])]) -> Entry {
    Entry::Put {
        key: Key::owned(Kind::of(kind), owner, id),
        expect: Expect::Absent,
        version,
        body: Body::from_text("{\"v\":1,\"text\":\"ж\"}").unwrap(),
        terms: terms.iter().map(|(index, at)| Term { index: Kind::of(index), at: at.to_vec() }).collect(),
    }
}

/// The other currencies, all that is in a bucket, and house accounts alone.
fn second() -> ChangeSet {
    let bucket = |number, bucket| Place::Customer(owner(number), bucket);
    let house = |house| Place::House(house);
    let (available, idr) = (Bucket::Available, Currency::Idr);
    use TransferKind::{Adjust, Deposit, Forfeit};
    let mut second = ChangeSet::new(OperationId([0xB2; 16]), Timestamp(1_778_490_000_000_002));
    for (number, currency) in [(2, Currency::Usd), (3, Currency::Usdt), (4, Currency::Rub)] {
        let (id, credit) = (format!("d{number}"), bucket(number, available));
        second.push(transfer(&id, Deposit, house(House::clearing("host")), credit, currency, Amount::Exact(7)));
    }
    second.push(transfer(
        "f",
        Forfeit,
        bucket(4, available),
        Place::House(House::forfeits()),
        Currency::Rub,
        Amount::All,
    ));
    second.push(transfer(
        "a",
        Adjust,
        house(House::revenue()),
        Place::House(House::adjustments()),
        idr,
        Amount::Exact(1),
    ));
    second
}

/// All kinds of rows, all kinds of transfers, all currencies, all places.
fn commits() -> Vec<ChangeSet> {
    let (revenue, host) = (|| Place::House(House::revenue()), || Place::House(House::clearing("host")));
    let bucket = |number, bucket| Place::Customer(owner(number), bucket);
    let (available, held, debt) = (Bucket::Available, Bucket::Held, Bucket::Debt);
    let mut first = ChangeSet::new(OperationId([0xA1; 16]), Timestamp(1_778_490_000_000_001));
    let order = [("due", &b"a\0b"[..]), ("newest", &[0xFF; 3])];
    first.entries = vec![
        record("order", owner(1), b"\0one", 0x0102_0304_0506_0708, &order),
        record("claim", Owner::NONE, b"", u64::MAX, &[]),
        Entry::Count {
            counter: CounterKey { owner: owner(1), name: "cancels".into(), period: "2026-11-22".into() },
            delta: 258,
            max: Some(300),
        },
    ];
    let idr = Currency::Idr;
    use TransferKind::{Capture, Deposit, Hold, Release, Reverse};
    first.entries.extend([
        transfer("d", Deposit, host(), bucket(1, available), idr, Amount::Exact(1_000)),
        transfer("h", Hold, bucket(1, available), bucket(1, held), idr, Amount::Exact(258)),
        transfer("c", Capture, bucket(1, held), revenue(), idr, Amount::Exact(200)),
        transfer("l", Release, bucket(1, held), bucket(1, available), idr, Amount::Exact(8)),
        transfer("r", Reverse, bucket(1, available), host(), idr, Amount::UpTo(2_000, bucket(1, debt))),
    ]);
    let body = Body::from_text("{\"type\":\"order\"}").unwrap();
    first.push(Entry::Append { owner: owner(1), body });
    let outcome = |text| Body::from_text(text).unwrap();
    vec![first.seal(outcome("{\"order\":\"one\"}")), second().seal(outcome("{}"))]
}

fn dump(store: &RedbStore) -> String {
    let view = store.engine.view().unwrap();
    let mut text = format!("format {FORMAT}\n");
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    };
    for table in Table::ALL {
        for row in view.table(table).unwrap().range::<&[u8]>(..).unwrap() {
            let (key, value) = row.unwrap();
            writeln!(text, "{} {} {}", table.name(), hex(key.value()), hex(value.value())).unwrap();
        }
    }
    text
}

/// All that the port shows of the store, as text.
async fn reading(store: &RedbStore) -> String {
    let mut text = String::new();
    let counter = CounterKey { owner: owner(1), name: "cancels".into(), period: "2026-11-22".into() };
    let counted = store.load(&[LoadKey::Counter(counter.clone())]).await.unwrap().counter(&counter);
    writeln!(text, "cancels: {counted}").unwrap();
    let mut indexes = vec![Index::Heads];
    indexes.extend(["order", "claim"].map(|kind| Index::Kind(Kind::of(kind))));
    indexes.extend(["due", "newest"].map(|index| Index::Term(Kind::of(index))));
    for number in 1..=4 {
        indexes.extend([Index::Transfers(owner(number)), Index::Events(owner(number))]);
    }
    for index in indexes {
        let page = store.scan(&index, &Range::all(), None, 1_000).await.unwrap();
        writeln!(text, "{index:?}: {:#?}", page.rows).unwrap();
        for row in &page.rows {
            if let smscode_core::store::Row::Record { key, record, .. } = row {
                let body = String::from_utf8(record.body.as_bytes().to_vec()).unwrap();
                writeln!(text, "id {:02x?}, body {body}", key.id).unwrap();
            }
        }
    }
    writeln!(text, "{:#?}", store.totals().await.unwrap()).unwrap();
    for change_set in commits() {
        let receipt = store.commit(Arc::new(change_set)).await.unwrap();
        assert!(receipt.replayed);
        let outcome = String::from_utf8(receipt.outcome.as_bytes().to_vec()).unwrap();
        writeln!(text, "outcome {outcome}, {receipt:#?}").unwrap();
    }
    text
}

#[tokio::test]
async fn the_written_forms_have_not_moved() {
    let store = open(&Disk::new(1));
    for change_set in commits() {
        store.commit(Arc::new(change_set)).await.unwrap();
    }
    golden::check(folder(), &format!("format-{FORMAT}-rows.txt"), dump(&store).as_bytes()).unwrap();
}

/// Reads the rows of the file, not what is written today.
#[tokio::test]
async fn rows_of_every_format_read_as_they_did() {
    let store = open(&Disk::new(1));
    let rows = std::fs::read_to_string(folder().join("format-1-rows.txt")).unwrap();
    {
        let opened = store.engine.for_writing().unwrap();
        let transaction = opened.database().unwrap().begin_write().unwrap();
        for row in rows.lines().skip(1) {
            let parts: Vec<&str> = row.split(' ').collect();
            let bytes = |hex: &str| -> Vec<u8> {
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
            };
            let table = Table::ALL.into_iter().find(|table| table.name() == parts[0]).unwrap();
            let mut table = transaction.open_table(definition(table)).unwrap();
            table.insert(bytes(parts[1]).as_slice(), bytes(parts[2]).as_slice()).unwrap();
        }
        transaction.commit().unwrap();
    }
    golden::check(folder(), "format-1-reading.txt", reading(&store).await.as_bytes()).unwrap();
}
