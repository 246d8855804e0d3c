#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod bad_files;
mod costs;
mod crash;
mod disk;
mod full;
mod golden;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smscode_core::money::Currency;
use smscode_core::store::{
    Amount, Body, Bucket, ChangeSet, CounterKey, Entry, Expect, House, Key, Kind, OperationId, Owner, Place, Post,
    Term, TransferId, TransferKind,
};
use smscode_core::time::Timestamp;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("smscode-redb-{}-{unique}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("orders.redb")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn owner(number: u8) -> Owner {
    Owner([number; 16])
}

fn counter(owner: Owner) -> CounterKey {
    CounterKey::of(owner, "orders")
}

fn order_key(owner: Owner, number: u64) -> Key {
    Key::owned(Kind::of("order"), owner, number.to_be_bytes())
}

fn post(id: Vec<u8>, kind: TransferKind, debit: Place, credit: Place, amount: i64) -> Entry {
    Entry::Post(Post {
        id: TransferId(id),
        kind,
        subject: "order:1".into(),
        reason: "test".into(),
        actor: "engine".into(),
        debit,
        credit,
        currency: Currency::Idr,
        amount: Amount::Exact(amount),
    })
}

/// One of each: a record with a term, a deposit, a count and an event. All of it has happened, or none.
fn order(owner: Owner, number: u64, time: Timestamp) -> Arc<ChangeSet> {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    id[8..].copy_from_slice(&number.to_be_bytes());
    let mut change_set = ChangeSet::new(OperationId(id), time);
    change_set
        .push(Entry::Put {
            key: order_key(owner, number),
            expect: Expect::Absent,
            version: number,
            body: Body::from_text(&format!("{{\"number\":{number},\"text\":\"{}\"}}", "x".repeat(300))).unwrap(),
            terms: vec![Term { index: Kind::of("due"), at: time.sort_bytes().to_vec() }],
        })
        .push(post(
            id.to_vec(),
            TransferKind::Deposit,
            Place::House(House::clearing("host")),
            Place::Customer(owner, Bucket::Available),
            10,
        ))
        .push(Entry::Count { counter: counter(owner), delta: 1, max: None })
        .push(Entry::Append { owner, body: Body::empty() });
    Arc::new(change_set.seal(Body::from_text(&format!("{{\"order\":{number}}}")).unwrap()))
}
