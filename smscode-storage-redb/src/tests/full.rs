//! A full disk: a clear error, nothing lost, and on it goes when there is room.

use smscode_core::store::{Effect, LoadKey, Store, StoreError};
use smscode_core::time::Timestamp;

use super::disk::Disk;
use super::{Folder, order, order_key, owner};
use crate::{RedbOptions, RedbStore};

const NOON: Timestamp = Timestamp(1_778_490_000_000_000);

async fn there(store: &RedbStore, number: u64) -> Result<bool, StoreError> {
    let key = order_key(owner(1), number);
    let snapshot = store.load(&[LoadKey::Record(key.clone())]).await?;
    Ok(snapshot.record(&key).is_some())
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_commits_go_on_when_there_is_room() {
    for quick_repair in [true, false] {
        let options = RedbOptions { quick_repair, cache_bytes: 1 << 20, ..RedbOptions::default() };
        let disk = Disk::new(7);
        let store = RedbStore::with_opener(disk.opener(&options), options).unwrap();
        for number in 0..20 {
            store.commit(order(owner(1), number, NOON)).await.unwrap();
        }
        for round in 0..3 {
            disk.set_full(true);
            let (mut next, mut failed) = (100 + round * 1_000, Vec::new());
            while failed.len() < 5 && next < 1_000 + round * 1_000 {
                match store.commit(order(owner(1), next, NOON)).await {
                    Ok(_) => assert!(there(&store, next).await.unwrap(), "answered and there"),
                    Err(StoreError::Unavailable { effect, reason, .. }) => {
                        assert!(reason.contains("no room on the disk") || effect == Effect::No, "{reason}");
                        failed.push(next);
                    }
                    Err(other) => panic!("{other}"),
                }
                next += 1;
            }
            assert_eq!(failed.len(), 5, "the disk was never full");
            for number in 0..20 {
                assert!(there(&store, number).await.unwrap(), "reads go on");
            }
            disk.set_full(false);
            // the same once more, as the contract says: once, whatever came of the first time
            for number in failed {
                store.commit(order(owner(1), number, NOON)).await.unwrap();
                assert!(there(&store, number).await.unwrap());
            }
        }
        let head = store.load(&[LoadKey::Head(owner(1))]).await.unwrap().head(owner(1));
        assert_eq!(head.available, 10 * head.last_transfer as i64);
        assert_eq!(head.last_event, head.last_transfer);
    }
}

#[tokio::test]
async fn a_read_that_meets_a_dead_disk_brings_the_store_back_when_the_disk_is() {
    let options = RedbOptions { cache_bytes: 0, ..RedbOptions::default() };
    let disk = Disk::new(8);
    let store = RedbStore::with_opener(disk.opener(&options), options).unwrap();
    store.commit(order(owner(1), 1, NOON)).await.unwrap();
    disk.cut_power_after(0);
    let error = store.commit(order(owner(1), 2, NOON)).await.unwrap_err();
    assert_eq!(error.code(), "store_unavailable");
    for _ in 0..3 {
        assert_eq!(there(&store, 1).await.unwrap_err().code(), "store_unavailable");
    }
    disk.restart();
    assert!(there(&store, 1).await.unwrap(), "no commit was needed for this");
    assert!(!store.commit(order(owner(1), 3, NOON)).await.unwrap().replayed);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.file(), RedbOptions::default()).unwrap();
    store.close();
    for error in [store.commit(order(owner(1), 1, NOON)).await.unwrap_err(), store.totals().await.unwrap_err()] {
        assert_eq!(error.to_string(), "the store redb is unavailable (effect: No): it is closed");
    }
}
