//! The table of costs in the crate's documentation, checked.

use std::sync::Arc;

use smscode_core::store::{
    Body, Bucket, ChangeSet, Entry, Expect, Fingerprint, House, Kind, OperationId, Place, Store, Term, TransferKind,
};
use smscode_core::time::Timestamp;

use super::disk::Disk;
use super::{counter, order, order_key, owner, post};
use crate::{RedbOptions, RedbStore};

const NOON: Timestamp = Timestamp(1_778_490_000_000_000);

fn set(number: u8, entries: Vec<Entry>) -> Arc<ChangeSet> {
    let mut change_set = ChangeSet::new(OperationId([number; 16]), NOON);
    change_set.entries = entries;
    Arc::new(change_set.seal(Body::empty()))
}

fn put(number: u64, expect: Expect, version: u64, terms: &[&str]) -> Entry {
    Entry::Put {
        key: order_key(owner(1), number),
        expect,
        version,
        body: Body::empty(),
        terms: terms.iter().map(|at| Term { index: Kind::of("due"), at: at.as_bytes().to_vec() }).collect(),
    }
}

/// What is committed, and how many rows that writes.
fn cases() -> Vec<(&'static str, Vec<Entry>, u64)> {
    let (owner_of_all, body) = (owner(1), Body::empty());
    let append = Entry::Append { owner: owner_of_all, body };
    let house = |name: &str| Place::House(House(name.into()));
    let deposit =
        |id: &str| post(id.into(), TransferKind::Deposit, house("a"), Place::Customer(owner(1), Bucket::Available), 5);
    // operation and its group: 2 rows each time
    vec![
        ("nothing", vec![], 2),
        ("a record with two terms", vec![put(1, Expect::Absent, 1, &["a", "b"])], 2 + 3),
        ("the same terms", vec![put(1, Expect::Version(1), 2, &["b", "a"])], 2 + 1),
        ("one term changes", vec![put(1, Expect::Version(2), 3, &["b", "c"])], 2 + 3),
        ("ensured only", vec![Entry::Ensure { key: order_key(owner(1), 1), expect: Expect::Version(3) }], 2),
        ("deleted", vec![Entry::Delete { key: order_key(owner(1), 1), expect: Expect::Version(3) }], 2 + 3),
        // id, statement line, head, tally, house account
        ("a transfer", vec![deposit("x")], 2 + 5),
        ("two of them", vec![deposit("y"), deposit("z")], 2 + 7),
        ("between house accounts", vec![post(b"h".to_vec(), TransferKind::Adjust, house("a"), house("b"), 5)], 2 + 4),
        ("an event and its number", vec![append], 2 + 2),
        ("a count", vec![Entry::Count { counter: counter(owner(1)), delta: 1, max: None }], 2 + 1),
    ]
}

#[tokio::test]
async fn rows_and_syncs_are_what_the_table_says() {
    let cases = cases();
    for (quick_repair, syncs) in [(true, 2), (false, 1)] {
        let options = RedbOptions { quick_repair, ..RedbOptions::default() };
        let disk = Disk::new(1);
        let store = RedbStore::with_opener(disk.opener(&options), options).unwrap();
        for (number, (case, entries, rows)) in cases.iter().enumerate() {
            let (before, synced) = (store.figures().unwrap(), (disk.syncs() - disk.growths()));
            store.commit(set(number as u8, entries.clone())).await.unwrap();
            let after = store.figures().unwrap();
            assert_eq!(after.rows_written - before.rows_written, *rows, "{case}");
            assert_eq!((disk.syncs() - disk.growths()) - synced, syncs, "{case}");
            assert_eq!(after.syncs - before.syncs, syncs, "{case}");
            assert_eq!((after.commits, after.groups), (before.commits + 1, before.groups + 1));
        }
        let (before, synced) = (store.figures().unwrap(), (disk.syncs() - disk.growths()));
        assert!(store.commit(set(3, cases[3].1.clone())).await.unwrap().replayed);
        let mut reused = (*set(3, vec![])).clone();
        reused.fingerprint = Fingerprint([9; 16]);
        store.commit(Arc::new(reused)).await.unwrap_err();
        assert_eq!((disk.syncs() - disk.growths()), synced, "a replay and a refusal need no sync");
        assert_eq!(store.figures().unwrap(), before);
    }
}

/// Callers that come together share a transaction.
#[test]
fn callers_that_wait_together_share_a_sync() {
    let options = RedbOptions::default();
    let disk = Disk::new(2);
    let store = Arc::new(RedbStore::with_opener(disk.opener(&options), options).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..512_u64)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move { store.commit(order(owner(1), number, NOON)).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
    let figures = store.figures().unwrap();
    assert_eq!(figures.commits, 512);
    assert!(figures.groups < 256, "{} groups", figures.groups);
}

#[tokio::test]
async fn operation_ids_are_forgotten_a_bounded_number_at_a_time() {
    let options = RedbOptions { group_max: 64, cache_bytes: 4 << 20, ..RedbOptions::default() };
    let disk = Disk::new(3);
    let store = Arc::new(RedbStore::with_opener(disk.opener(&options), options).unwrap());
    let rows = |name: &str| {
        let figures = store.figures().unwrap();
        figures.tables.iter().find(|table| table.name == name).unwrap().rows
    };
    let mut number = 0;
    for _ in 0..10 {
        let waiting: Vec<_> = (0..64)
            .map(|_| {
                number += 1;
                let store = store.clone();
                let change_set = order(owner(1), number, NOON);
                tokio::spawn(async move { store.commit(change_set).await })
            })
            .collect();
        for task in waiting {
            task.await.unwrap().unwrap();
        }
    }
    assert_eq!(rows("operations"), 640);
    let late = NOON.plus_seconds(48 * 3_600 + 1);
    let mut left = 640;
    for _ in 0..10 {
        number += 1;
        store.commit(order(owner(1), number, late)).await.unwrap();
        let now = rows("operations");
        assert!(left + 1 - now <= 256, "{left} became {now}");
        left = now;
    }
    assert_eq!((rows("operations"), rows("operation_groups")), (10, 10));
    // an id that comes again after its time is a new one, and is not forgotten with the old
    let again = order(owner(2), 1, late.plus_seconds(1));
    assert!(!store.commit(again.clone()).await.is_ok_and(|receipt| receipt.replayed));
}
