#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
//! Backups that are not whole, byte by byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::money::Currency;
use crate::store::{
    Amount, Body, Bucket, ChangeSet, CounterKey, Entry, Expect, House, Key, Kind, MemoryStore, OperationId, Owner,
    Place, Post, Term, TransferId, TransferKind,
};
use crate::time::Timestamp;

const OWNER: Owner = Owner([0xA1; 16]);
const NOON: Timestamp = Timestamp::from_seconds(1_780_000_000);

fn post(id: &str, kind: TransferKind, debit: Place, credit: Place, amount: i64) -> Entry {
    Entry::Post(Post {
        id: TransferId(id.into()),
        kind,
        subject: format!("order:{id}"),
        reason: "why".into(),
        actor: "who".into(),
        debit,
        credit,
        currency: Currency::Rub,
        amount: Amount::Exact(amount),
    })
}

/// One row of each sort.
async fn store() -> MemoryStore {
    let store = MemoryStore::new();
    let (available, house) = (Place::Customer(OWNER, Bucket::Available), |house| Place::House(house));
    let mut set = ChangeSet::new(OperationId([3; 16]), NOON);
    set.push(Entry::Put {
        key: Key::owned(Kind::of("order"), OWNER, b"\0one"),
        expect: Expect::Absent,
        version: 0x0102_0304_0506_0708,
        body: Body::from_text("{\"v\":1,\"text\":\"ж\"}").unwrap(),
        terms: vec![Term { index: Kind::of("due"), at: b"a\0b".to_vec() }],
    });
    set.push(Entry::Count { counter: CounterKey::of(OWNER, "cancels"), delta: 3, max: None });
    set.push(post("d", TransferKind::Deposit, house(House::clearing("host")), available, 900));
    set.push(post("a", TransferKind::Adjust, house(House::revenue()), house(House::adjustments()), 1));
    set.push(Entry::Append { owner: OWNER, body: Body::empty() });
    store.commit(Arc::new(set.seal(Body::empty()))).await.unwrap();
    store
}

async fn backup() -> Vec<u8> {
    let host = BTreeMap::from([("mode".to_owned(), "live".to_owned())]);
    let mut backup = Backup::of(&store().await, NOON, host).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(more) = backup.next().await.unwrap() {
        bytes.extend(more);
    }
    bytes
}

/// Into an empty store in memory, which is given back with what became of it.
async fn restored(bytes: &[u8]) -> (MemoryStore, Result<(Header, Summary), CopyError>) {
    let store = MemoryStore::new();
    let result = {
        let mut restore = Restore::into(&store).await.unwrap();
        match restore.push(bytes).await {
            Ok(()) => restore.finish().await,
            Err(error) => Err(error),
        }
    };
    (store, result)
}

async fn is_empty(store: &MemoryStore) -> bool {
    summary(store, &[]).await.unwrap().count() == 0
}

#[tokio::test]
async fn every_cut_is_noticed_and_writes_nothing() {
    let bytes = backup().await;
    assert!(restored(&bytes).await.1.is_ok());
    for length in 0..bytes.len() {
        let (store, result) = restored(&bytes[..length]).await;
        assert!(matches!(result, Err(CopyError::CutOff { bytes }) if bytes == length as u64), "{length}: {result:?}");
        assert!(is_empty(&store).await, "{length}");
    }
}

#[tokio::test]
async fn every_flipped_bit_is_noticed_and_writes_nothing() {
    let bytes = backup().await;
    let mut codes = BTreeMap::<&str, u32>::new();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let (store, result) = restored(&damaged).await;
            let Err(error) = result else { panic!("bit {bit} of byte {at} is not noticed") };
            *codes.entry(error.code()).or_default() += 1;
            assert!(is_empty(&store).await, "bit {bit} of byte {at}");
        }
    }
    let wanted = ["backup_cut_off", "backup_damaged", "backup_foreign", "backup_newer"];
    assert!(codes.keys().all(|code| wanted.contains(code)), "{codes:?}");
}

#[tokio::test]
async fn what_is_not_ours_or_newer_is_told() {
    let bytes = backup().await;
    let line_end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let with = |line: &str| [line.as_bytes(), &bytes[line_end..]].concat();
    let cases = [
        (b"#!/bin/sh\n".to_vec(), "backup_foreign"),
        (with("smscode backup one"), "backup_foreign"),
        (with("smscode backup 0"), "backup_foreign"),
        (with("smscode backup 2"), "backup_newer"),
        ([&b"smscode backup 11111111111111111111111111"[..], &[b'1'; 90]].concat(), "backup_foreign"),
        ([&bytes[..], &bytes[..]].concat(), "backup_damaged"),
        (Vec::new(), "backup_cut_off"),
    ];
    for (bytes, code) in cases {
        let (store, result) = restored(&bytes).await;
        assert_eq!(result.unwrap_err().code(), code);
        assert!(is_empty(&store).await);
    }
    // a length of 4 GiB reserves nothing
    let mut inspection = Inspection::default();
    let huge = [&bytes[..=line_end], &[1, 0xFF, 0xFF, 0xFF, 0xFF]].concat();
    assert_eq!(inspection.push(&huge).unwrap_err().code(), "backup_damaged");
}

#[tokio::test]
async fn a_full_store_is_left_alone() {
    let full = store().await;
    let before = summary(&full, &[]).await.unwrap();
    assert_eq!(Restore::into(&full).await.err(), Some(CopyError::NotEmpty));
    assert_eq!(summary(&full, &[]).await.unwrap(), before);
    assert_eq!(before.count(), 11, "{before}");
    assert!(
        before.to_string().starts_with("11 rows (") && before.to_string().contains("1 house transfers"),
        "{before}"
    );
}

/// The file is what an older program wrote: it must read for ever.
#[cfg(feature = "conformance")]
#[tokio::test]
async fn the_form_has_not_moved() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    crate::conformance::golden::check(folder, "backup-1.bin", &backup().await).unwrap();
    let (store_of_it, result) = restored(&std::fs::read(format!("{folder}/backup-1.bin")).unwrap()).await;
    let (header, summary_of_it) = result.unwrap();
    assert_eq!((header.time, header.store.as_str()), (NOON, "memory"));
    let original = store().await;
    assert_eq!(summary(&original, &[]).await.unwrap(), summary_of_it);
    assert_eq!(original.totals().await.unwrap(), store_of_it.totals().await.unwrap());
}
